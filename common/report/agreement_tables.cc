#include "common/report/tables.h"
#include "common/report/walk.h"

#include <string_view>

namespace candor::report {
namespace {

std::string_view SourceWord(v1::Agreement::WeightsSource source) {
  if (source == v1::Agreement::ESTIMATED) return "estimated";
  if (source == v1::Agreement::PUBLISHED) return "published";
  return "";
}

// The cell of attribute `k`; lists of an analysis may be empty.
template <typename List>
void Cell(const List& list, int k, TableFile* table) {
  if (k < list.size()) {
    table->Number(list.Get(k));
  } else {
    table->Empty();
  }
}

}  // namespace

TableFile AgreementTable(const v1::Analysis& analysis) {
  TableFile table("agreement.csv", {"model",
                                    "statistic",
                                    "standing",
                                    "chooser",
                                    "reporter",
                                    "weights_source",
                                    "slope",
                                    "slope_standard_error",
                                    "interval_low",
                                    "interval_high",
                                    "p",
                                    "r",
                                    "spearman",
                                    "kendall",
                                    "sign_agreement",
                                    "mean_cosine",
                                    "top_attribute_share",
                                    "n_pairs",
                                    "n_scenarios",
                                    "replies_valid",
                                    "replies_total",
                                    "bootstrap_slope_low",
                                    "bootstrap_slope_high",
                                    "bootstrap_r_low",
                                    "bootstrap_r_high",
                                    "cluster_robust_low",
                                    "cluster_robust_high",
                                    "permutation_p",
                                    "reliability_weights",
                                    "reliability_reports",
                                    "r_disattenuated",
                                    "r_disattenuated_low",
                                    "r_disattenuated_high",
                                    "ceiling",
                                    "scenarios_total",
                                    "scenarios_lost",
                                    "worst_case_slope_low",
                                    "worst_case_slope_high",
                                    "out_of_range_values"});
  for (const auto& [model, statistic, agreement] : Agreements(analysis)) {
    const v1::Agreement& a = *agreement;
    const v1::Reliability& reliability = a.reliability();
    const v1::Attrition& attrition = a.attrition();
    table.Row()
        .Text(model)
        .Text(statistic)
        .Text(Standing(analysis, model, statistic))
        .Text(a.chooser())
        .Text(a.reporter())
        .Text(SourceWord(a.weights_source()))
        .Number(a.slope(), a.has_slope())
        .Number(a.slope_standard_error(), a.has_slope_standard_error())
        .Number(a.interval_low(), a.has_interval_low())
        .Number(a.interval_high(), a.has_interval_high())
        .Number(a.p(), a.has_p())
        .Number(a.r(), a.has_r())
        .Number(a.spearman(), a.has_spearman())
        .Number(a.kendall(), a.has_kendall())
        .Number(a.sign_agreement(), a.has_sign_agreement())
        .Number(a.mean_cosine(), a.has_mean_cosine())
        .Number(a.top_attribute_share(), a.has_top_attribute_share())
        .Count(a.n_pairs(), a.has_n_pairs())
        .Count(a.n_scenarios(), a.has_n_scenarios())
        .Count(a.replies_valid(), a.has_replies_valid())
        .Count(a.replies_total(), a.has_replies_total())
        .Ends(a.bootstrap().slope())
        .Ends(a.bootstrap().r())
        .Ends(a.cluster_robust_interval())
        .Number(a.permutation_p(), a.has_permutation_p())
        .Number(reliability.weights(), reliability.has_weights())
        .Number(reliability.reports(), reliability.has_reports())
        .Number(reliability.r_disattenuated(), reliability.has_r_disattenuated())
        .Ends(reliability.r_disattenuated_interval())
        .Number(reliability.ceiling(), reliability.has_ceiling())
        .Count(attrition.scenarios_total(), attrition.has_scenarios_total())
        .Count(attrition.scenarios_lost(), attrition.has_scenarios_lost())
        .Ends(attrition.worst_case_slope())
        .Count(a.out_of_range().n_values(), a.out_of_range().has_n_values());
  }
  return table;
}

TableFile AgreementLinesTable(const v1::Analysis& analysis) {
  TableFile table("agreement_lines.csv",
                  {"model", "statistic", "line", "slope", "interval_low", "interval_high", "r",
                   "spearman", "n_pairs", "n_scenarios"});
  for (const auto& [model, statistic, agreement] : Agreements(analysis)) {
    const v1::Agreement& a = *agreement;
    const auto add = [&, model = model, statistic = statistic](std::string_view name, bool there,
                                                               const v1::Line& line) {
      if (!there) return;
      table.Row()
          .Text(model)
          .Text(statistic)
          .Text(name)
          .Number(line.slope(), line.has_slope())
          .Number(line.interval_low(), line.has_interval_low())
          .Number(line.interval_high(), line.has_interval_high())
          .Number(line.r(), line.has_r())
          .Number(line.spearman(), line.has_spearman())
          .Count(line.n_pairs(), line.has_n_pairs())
          .Count(line.n_scenarios(), line.has_n_scenarios());
    };
    add("out_of_range_as_is", a.out_of_range().has_as_is(), a.out_of_range().as_is());
    add("out_of_range_clipped", a.out_of_range().has_clipped(), a.out_of_range().clipped());
    add("out_of_range_dropped", a.out_of_range().has_dropped(), a.out_of_range().dropped());
    add("complete_cases", a.attrition().has_complete_cases(), a.attrition().complete_cases());
    add("refit", a.has_refit(), a.refit());
    add("wide_prior", a.has_wide_prior(), a.wide_prior());
  }
  return table;
}

TableFile AgreementScenariosTable(const v1::Analysis& analysis) {
  TableFile table("agreement_scenarios.csv",
                  {"model", "statistic", "scenario", "domain", "n_reports", "r", "cosine",
                   "sign_agreement", "top_attribute_named", "p", "q"});
  for (const auto& [model, statistic, agreement] : Agreements(analysis)) {
    for (const v1::ScenarioAgreement& s : agreement->scenarios()) {
      table.Row()
          .Text(model)
          .Text(statistic)
          .Text(s.scenario_id())
          .Text(s.domain())
          .Count(s.n_reports(), s.has_n_reports())
          .Number(s.r(), s.has_r())
          .Number(s.cosine(), s.has_cosine())
          .Number(s.sign_agreement(), s.has_sign_agreement())
          .Bool(s.top_attribute_named(), s.has_top_attribute_named())
          .Number(s.p(), s.has_p())
          .Number(s.q(), s.has_q());
    }
  }
  return table;
}

TableFile PairsTable(const v1::Analysis& analysis) {
  TableFile table("pairs.csv", {"model", "statistic", "scenario", "attribute", "weight", "report",
                                "report_sd", "standardised_weight", "standardised_report"});
  for (const auto& [model, statistic, agreement] : Agreements(analysis)) {
    for (const v1::ScenarioAgreement& s : agreement->scenarios()) {
      for (int k = 0; k < s.attributes_size(); ++k) {
        table.Row().Text(model).Text(statistic).Text(s.scenario_id()).Text(s.attributes(k));
        Cell(s.weights(), k, &table);
        Cell(s.report(), k, &table);
        Cell(s.report_sd(), k, &table);
        Cell(s.standardised_weights(), k, &table);
        Cell(s.standardised_report(), k, &table);
      }
    }
  }
  return table;
}

TableFile DomainsTable(const v1::Analysis& analysis) {
  TableFile table("domains.csv",
                  {"model", "statistic", "domain", "slope", "interval_low", "interval_high", "r",
                   "spearman", "n_pairs", "n_scenarios", "mean_cosine"});
  for (const auto& [model, statistic, agreement] : Agreements(analysis)) {
    for (const v1::DomainAgreement& domain : agreement->domains()) {
      const v1::Line& line = domain.line();
      table.Row()
          .Text(model)
          .Text(statistic)
          .Text(domain.domain())
          .Number(line.slope(), line.has_slope())
          .Number(line.interval_low(), line.has_interval_low())
          .Number(line.interval_high(), line.has_interval_high())
          .Number(line.r(), line.has_r())
          .Number(line.spearman(), line.has_spearman())
          .Count(line.n_pairs(), line.has_n_pairs())
          .Count(line.n_scenarios(), line.has_n_scenarios())
          .Number(domain.mean_cosine(), domain.has_mean_cosine());
    }
  }
  return table;
}

}  // namespace candor::report
