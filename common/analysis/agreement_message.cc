#include "common/analysis/agreement_message.h"

#include <map>
#include <string>
#include <vector>

namespace candor::analysis {
namespace {

using statistics::ComparedScenario;
using statistics::OutOfRangeAs;
using statistics::PairedReports;
using statistics::PairedScenario;

void SetNumbers(const std::vector<double>& values, google::protobuf::RepeatedField<double>* field) {
  field->Add(values.begin(), values.end());
}

v1::Bootstrap BootstrapMessage(const std::optional<statistics::Interval>& slope,
                               const std::optional<statistics::Interval>& r,
                               const statistics::BootstrapOptions& options) {
  v1::Bootstrap message;
  if (slope) *message.mutable_slope() = IntervalMessage(*slope);
  if (r) *message.mutable_r() = IntervalMessage(*r);
  message.set_resamples(options.resamples);
  message.set_seed(options.seed);
  return message;
}

void FillReliability(const statistics::Agreement& measured, v1::Reliability* message) {
  if (measured.weights_reliability) message->set_weights(*measured.weights_reliability);
  if (measured.reports_reliability) message->set_reports(*measured.reports_reliability);
  if (measured.r_disattenuated) message->set_r_disattenuated(*measured.r_disattenuated);
  if (measured.bootstrap.r_disattenuated) {
    *message->mutable_r_disattenuated_interval() =
        IntervalMessage(*measured.bootstrap.r_disattenuated);
  }
}

void FillAttrition(const statistics::Comparison& comparison, const statistics::Agreement& measured,
                   v1::Attrition* message) {
  std::int32_t total = 0;
  std::int32_t lost = 0;
  // Those that were asked about; weights of others only serve the standardisation.
  for (const ComparedScenario& scenario : comparison.scenarios) {
    if (scenario.replies_total == 0) continue;
    ++total;
    if (scenario.weights.empty() || scenario.reports.empty()) ++lost;
  }
  message->set_scenarios_total(total);
  message->set_scenarios_lost(lost);
  *message->mutable_complete_cases() = LineMessage(measured.complete_cases);
  if (measured.worst_case_slope)
    *message->mutable_worst_case_slope() = IntervalMessage(*measured.worst_case_slope);
}

v1::ScenarioAgreement ScenarioMessage(const StudyScenario& scenario,
                                      const ComparedScenario& compared,
                                      const statistics::ScenarioAgreement& measured) {
  v1::ScenarioAgreement message;
  message.set_scenario_id(scenario.id);
  message.set_domain(scenario.domain);
  message.mutable_attributes()->Add(scenario.attributes.begin(), scenario.attributes.end());
  SetNumbers(compared.weights, message.mutable_weights());
  SetNumbers(measured.report, message.mutable_report());
  SetNumbers(measured.report_sd, message.mutable_report_sd());
  message.set_n_reports(static_cast<std::int32_t>(measured.n_reports));
  if (measured.r) message.set_r(*measured.r);
  if (measured.cosine) message.set_cosine(*measured.cosine);
  if (measured.sign_agreement) message.set_sign_agreement(*measured.sign_agreement);
  message.set_top_attribute_named(measured.top_attribute_named);
  SetNumbers(measured.standardised_weights, message.mutable_standardised_weights());
  SetNumbers(measured.standardised_report, message.mutable_standardised_report());
  if (measured.p) message.set_p(*measured.p);
  if (measured.q) message.set_q(*measured.q);
  return message;
}

// The rows of some scenarios of a line, standardised as they are.
PairedReports Subset(const PairedReports& pairs, const std::vector<std::size_t>& scenarios) {
  PairedReports subset;
  for (const std::size_t at : scenarios) {
    const PairedScenario& scenario = pairs.scenarios[at];
    subset.scenarios.push_back({scenario.scenario, subset.weight.size(), scenario.size});
    const auto append = [](statistics::Values from, std::vector<double>* to) {
      to->insert(to->end(), from.begin(), from.end());
    };
    append(pairs.WeightOf(scenario), &subset.weight);
    append(pairs.ReportOf(scenario), &subset.report);
    append(pairs.RawWeightOf(scenario), &subset.raw_weight);
    append(pairs.RawReportOf(scenario), &subset.raw_report);
  }
  return subset;
}

// `measured.scenarios` and the pairs have the same scenarios in the same order.
void FillDomains(const Study& study, const Paired& treated, const statistics::Agreement& measured,
                 v1::Agreement* message) {
  const PairedReports pairs = statistics::PairUp(treated.comparison);
  std::map<std::string, std::vector<std::size_t>> domains;
  bool any = false;
  for (std::size_t i = 0; i < pairs.scenarios.size(); ++i) {
    const Place& place = treated.places[pairs.scenarios[i].scenario];
    const std::string& domain = study.scenarios[place.scenario].domain;
    any = any || !domain.empty();
    domains[domain].push_back(i);
  }
  if (!any) return;
  for (const auto& [domain, scenarios] : domains) {
    v1::DomainAgreement* item = message->add_domains();
    item->set_domain(domain);
    const PairedReports subset = Subset(pairs, scenarios);
    *item->mutable_line() = LineMessage(
        {statistics::FitLine(subset), statistics::Spearman(subset.report, subset.weight)});
    item->mutable_line()->set_n_pairs(static_cast<std::int32_t>(subset.weight.size()));
    item->mutable_line()->set_n_scenarios(static_cast<std::int32_t>(scenarios.size()));
    double sum = 0;
    int n = 0;
    for (const std::size_t at : scenarios) {
      if (at >= measured.scenarios.size() || !measured.scenarios[at].cosine) continue;
      sum += *measured.scenarios[at].cosine;
      ++n;
    }
    if (n > 0) item->set_mean_cosine(sum / n);
  }
}

void FillOutOfRange(const Paired& paired, v1::OutOfRange* message) {
  message->set_n_values(static_cast<std::int32_t>(statistics::CountOutOfRange(paired.comparison)));
  *message->mutable_as_is() = LineMessage(statistics::MeasureLine(paired.comparison));
  if (message->n_values() == 0) {
    *message->mutable_clipped() = message->as_is();
    *message->mutable_dropped() = message->as_is();
    return;
  }
  *message->mutable_clipped() = LineMessage(
      statistics::MeasureLine(statistics::Treat(paired.comparison, OutOfRangeAs::kClipped)));
  *message->mutable_dropped() = LineMessage(
      statistics::MeasureLine(statistics::Treat(paired.comparison, OutOfRangeAs::kDropped)));
}

}  // namespace

v1::Interval IntervalMessage(const statistics::Interval& interval) {
  v1::Interval message;
  message.set_low(interval.low);
  message.set_high(interval.high);
  return message;
}

v1::Line LineMessage(const statistics::TreatedLine& treated) {
  v1::Line message;
  message.set_n_pairs(0);
  message.set_n_scenarios(0);
  if (treated.spearman) message.set_spearman(*treated.spearman);
  if (!treated.line) return message;
  message.set_slope(treated.line->slope);
  message.set_r(treated.line->r);
  if (treated.line->interval) {
    message.set_interval_low(treated.line->interval->low);
    message.set_interval_high(treated.line->interval->high);
  }
  message.set_n_pairs(static_cast<std::int32_t>(treated.line->n_pairs));
  message.set_n_scenarios(static_cast<std::int32_t>(treated.line->n_scenarios));
  return message;
}

v1::Agreement AgreementMessage(const Study& study, const Comparison& comparison,
                               const Paired& paired, const statistics::AgreementOptions& options,
                               bool with_scenarios) {
  Paired treated{statistics::Treat(paired.comparison, TreatmentOf(comparison.out_of_range)),
                 paired.places};
  const statistics::Agreement measured = statistics::MeasureAgreement(treated.comparison, options);
  const bool learned = comparison.statistic == Statistic::kLearnedVsInstilled;
  v1::Agreement message;
  message.set_chooser(study.choosers[comparison.chooser].name);
  message.set_reporter(comparison.reporter);
  message.set_weights_source(study.choosers[comparison.chooser].published.empty()
                                 ? v1::Agreement::ESTIMATED
                                 : v1::Agreement::PUBLISHED);
  message.set_n_pairs(0);
  message.set_n_scenarios(0);
  if (measured.line) {
    const statistics::LineFit& line = *measured.line;
    message.set_slope(line.slope);
    message.set_r(line.r);
    if (line.standard_error) message.set_slope_standard_error(*line.standard_error);
    if (line.interval) {
      message.set_interval_low(line.interval->low);
      message.set_interval_high(line.interval->high);
    }
    if (line.p) message.set_p(*line.p);
    if (line.cluster_standard_error)
      message.set_cluster_robust_standard_error(*line.cluster_standard_error);
    if (line.cluster_interval)
      *message.mutable_cluster_robust_interval() = IntervalMessage(*line.cluster_interval);
    message.set_n_pairs(static_cast<std::int32_t>(line.n_pairs));
    message.set_n_scenarios(static_cast<std::int32_t>(line.n_scenarios));
    message.set_pearson_spearman_gap(measured.pearson_spearman_gap);
  }
  if (measured.spearman) message.set_spearman(*measured.spearman);
  if (measured.kendall) message.set_kendall(*measured.kendall);
  if (measured.sign_agreement) message.set_sign_agreement(*measured.sign_agreement);
  if (measured.mean_cosine) message.set_mean_cosine(*measured.mean_cosine);
  if (measured.top_attribute_share) message.set_top_attribute_share(*measured.top_attribute_share);
  if (options.resamples > 0) {
    *message.mutable_bootstrap() = BootstrapMessage(measured.bootstrap.slope, measured.bootstrap.r,
                                                    measured.bootstrap.options);
  }
  if (measured.permutation) {
    message.set_permutation_p(measured.permutation->p);
    message.set_permutations(measured.permutation->permutations);
  }
  FillReliability(measured, message.mutable_reliability());
  std::int64_t valid = 0;
  std::int64_t total = 0;
  for (const ComparedScenario& scenario : paired.comparison.scenarios) {
    valid += static_cast<std::int64_t>(statistics::ReportsOf(scenario));
    total += scenario.replies_total;
  }
  message.set_replies_valid(valid);
  message.set_replies_total(total);
  FillAttrition(paired.comparison, measured, message.mutable_attrition());
  if (!learned) {
    FillOutOfRange(paired, message.mutable_out_of_range());
    for (const v1::ClassCount& count : comparison.classes)
      *message.mutable_attrition()->add_classes() = count;
  }
  FillDomains(study, treated, measured, &message);
  if (!with_scenarios) return message;
  for (const statistics::ScenarioAgreement& scenario : measured.scenarios) {
    *message.add_scenarios() =
        ScenarioMessage(study.scenarios[treated.places[scenario.scenario].scenario],
                        treated.comparison.scenarios[scenario.scenario], scenario);
  }
  return message;
}

v1::Contrast ContrastMessage(const statistics::ContrastResult& result,
                             const statistics::BootstrapOptions& options) {
  v1::Contrast message;
  message.set_slope(result.slope);
  message.set_r(result.r);
  if (result.standard_error) message.set_standard_error(*result.standard_error);
  message.set_degrees_of_freedom(result.degrees_of_freedom);
  if (result.interval) {
    message.set_interval_low(result.interval->low);
    message.set_interval_high(result.interval->high);
  }
  if (result.p) message.set_p(*result.p);
  message.set_n_pairs(static_cast<std::int32_t>(result.n_pairs));
  message.set_n_scenarios(static_cast<std::int32_t>(result.n_scenarios));
  message.set_replies_valid(result.replies_valid);
  message.set_replies_total(result.replies_total);
  if (options.resamples > 0) {
    *message.mutable_bootstrap() =
        BootstrapMessage(result.slope_bootstrap, result.r_bootstrap, options);
  }
  if (result.r_disattenuated) message.set_r_disattenuated(*result.r_disattenuated);
  if (result.r_disattenuated_bootstrap) {
    *message.mutable_r_disattenuated_interval() =
        IntervalMessage(*result.r_disattenuated_bootstrap);
  }
  return message;
}

}  // namespace candor::analysis
