#include "common/analysis/verdict.h"

#include "common/statistics/multiple_testing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace candor::analysis {
namespace {

constexpr std::array kStatistics{Statistic::kLearnedVsInstilled, Statistic::kControl,
                                 Statistic::kPreferenceTrained,  Statistic::kIntrospectionTrained,
                                 Statistic::kNativeBefore,       Statistic::kNativeAfter,
                                 Statistic::kSelfReports};
constexpr std::array kContrasts{ContrastStatistic::kInstilled, ContrastStatistic::kNative,
                                ContrastStatistic::kSelfReports};

// The maps of a message in the order of their keys: that of memory is no order.
std::map<std::string, const v1::ModelAnalysis*> Sorted(const v1::Analysis& analysis) {
  std::map<std::string, const v1::ModelAnalysis*> models;
  for (const auto& [name, model] : analysis.models()) models.emplace(name, &model);
  return models;
}

// Gathers the tests; what the plan calls a statistic is its place without "models." and value.
class Tests {
 public:
  explicit Tests(const v1::AnalysisPlan& plan)
      : planned_(plan.primary().begin(), plan.primary().end()) {}

  void Add(const std::string& planned_as, const std::string& place, std::optional<double> value,
           std::optional<double> p) {
    if (!value) return;
    v1::TestedStatistic test;
    test.set_statistic(place);
    test.set_value(*value);
    if (p) test.set_p(*p);
    test.set_primary(planned_.count(planned_as) > 0);
    found_.insert(planned_as);
    tests_.push_back(std::move(test));
  }

  // Planned ones that are not there.
  std::vector<std::string> Missing() const {
    std::vector<std::string> missing;
    std::set_difference(planned_.begin(), planned_.end(), found_.begin(), found_.end(),
                        std::back_inserter(missing));
    return missing;
  }

  // The primary ones first, adjusted.
  std::vector<v1::TestedStatistic> Take() && {
    std::stable_partition(tests_.begin(), tests_.end(),
                          [](const v1::TestedStatistic& test) { return test.primary(); });
    statistics::PValues p;
    for (const v1::TestedStatistic& test : tests_) {
      if (!test.primary()) break;
      p.push_back(test.has_p() ? std::optional(test.p()) : std::nullopt);
    }
    const statistics::PValues adjusted = statistics::Holm(p);
    for (std::size_t i = 0; i < adjusted.size(); ++i)
      if (adjusted[i]) tests_[i].set_p_holm(*adjusted[i]);
    return std::move(tests_);
  }

 private:
  std::set<std::string> planned_;
  std::set<std::string> found_;
  std::vector<v1::TestedStatistic> tests_;
};

template <typename Message>
std::optional<double> SlopeOf(const Message& message) {
  return message.has_slope() ? std::optional(message.slope()) : std::nullopt;
}
template <typename Message>
std::optional<double> POf(const Message& message) {
  return message.has_p() ? std::optional(message.p()) : std::nullopt;
}

// "0.54 (95 % interval 0.47 to 0.62)": the bootstrap's where there is one, since pairs of one
// scenario are not independent.
struct Estimate {
  double value = 0;
  std::optional<double> low;
  std::optional<double> high;

  std::string Text() const {
    if (!low) return fmt::format("{:.2f}", value);
    return fmt::format("{:.2f} (95 % interval {:.2f} to {:.2f})", value, *low, *high);
  }
};

template <typename Message>
Estimate EstimateOf(const Message& message) {
  Estimate estimate{message.slope(), std::nullopt, std::nullopt};
  if (message.bootstrap().has_slope()) {
    estimate.low = message.bootstrap().slope().low();
    estimate.high = message.bootstrap().slope().high();
  } else if (message.has_interval_low() && message.has_interval_high()) {
    estimate.low = message.interval_low();
    estimate.high = message.interval_high();
  }
  return estimate;
}

std::string Sentence(const std::string& who, const v1::Agreement& agreement) {
  const Estimate estimate = EstimateOf(agreement);
  std::string verdict = "tells something of its weights";
  if (!estimate.low) {
    verdict = "cannot be told yet to know its weights or not";
  } else if (*estimate.low <= 0) {
    verdict = *estimate.high < 0 ? "reports the opposite of its weights"
                                 : "shows no sign of knowing its weights";
  } else if (agreement.has_r() && agreement.r() >= 0.9) {
    verdict = "knows its weights well";
  } else if (agreement.has_r() && agreement.r() >= 0.5) {
    verdict = "knows its weights in part";
  }
  return fmt::format(
      "{} {}: its reports follow them with a slope of {}, r = {:.2f}, over {} "
      "scenario{}.",
      who, verdict, estimate.Text(), agreement.r(), agreement.n_scenarios(),
      agreement.n_scenarios() == 1 ? "" : "s");
}

// `training`: somebody said that the two differ by it. Entries of a job that are merely compared
// with the first one may differ by anything.
std::string Sentence(const v1::Contrast& contrast, bool training) {
  const Estimate estimate = EstimateOf(contrast);
  if (!training) {
    return fmt::format(" The slope of {} minus that of {} is {}.", contrast.trained(),
                       contrast.untrained(), estimate.Text());
  }
  const char* verdict = "makes no difference that this design can see";
  if (estimate.low && *estimate.low > 0) verdict = "helps";
  if (estimate.high && *estimate.high < 0) verdict = "harms";
  return fmt::format(" Training ({} against {}) {}: the slope changes by {}.", contrast.trained(),
                     contrast.untrained(), verdict, estimate.Text());
}

void WarnOf(const std::string& place, const v1::Agreement& agreement, v1::Analysis* analysis) {
  if (agreement.pearson_spearman_gap()) {
    analysis->add_warnings(
        fmt::format("{}: Pearson's r of {:.3f} and Spearman's of {:.3f} are apart: a few extreme "
                    "values carry the line.",
                    place, agreement.r(), agreement.spearman()));
  }
  const std::int32_t scenarios = agreement.attrition().scenarios_total();
  const std::int32_t lost = agreement.attrition().scenarios_lost();
  const std::int64_t missing = agreement.replies_total() - agreement.replies_valid();
  if (lost > kAttritionShare * scenarios ||
      static_cast<double>(missing) >
          kAttritionShare * static_cast<double>(agreement.replies_total())) {
    analysis->add_warnings(
        fmt::format("{}: {} of {} replies and {} of {} scenarios are lost; see "
                    "the attrition beside it.",
                    place, missing, agreement.replies_total(), lost, scenarios));
  }
}

}  // namespace

v1::Agreement* Mutable(v1::ModelAnalysis* model, Statistic statistic) {
  switch (statistic) {
    case Statistic::kLearnedVsInstilled:
      return model->mutable_learned_vs_instilled();
    case Statistic::kControl:
      return model->mutable_control();
    case Statistic::kPreferenceTrained:
      return model->mutable_preference_trained();
    case Statistic::kIntrospectionTrained:
      return model->mutable_introspection_trained();
    case Statistic::kNativeBefore:
      return model->mutable_native_before();
    case Statistic::kNativeAfter:
      return model->mutable_native_after();
    case Statistic::kSelfReports:
      break;
  }
  return model->mutable_self_reports();
}

v1::Contrast* Mutable(v1::ModelAnalysis* model, ContrastStatistic statistic) {
  if (statistic == ContrastStatistic::kInstilled) return model->mutable_contrast_instilled();
  if (statistic == ContrastStatistic::kNative) return model->mutable_contrast_native();
  return model->mutable_contrast_self_reports();
}

v1::Contrast* Mutable(v1::PooledContrasts* pooled, ContrastStatistic statistic) {
  if (statistic == ContrastStatistic::kInstilled) return pooled->mutable_contrast_instilled();
  if (statistic == ContrastStatistic::kNative) return pooled->mutable_contrast_native();
  return pooled->mutable_contrast_self_reports();
}

const v1::Agreement* Find(const v1::ModelAnalysis& model, Statistic statistic) {
  switch (statistic) {
    case Statistic::kLearnedVsInstilled:
      return model.has_learned_vs_instilled() ? &model.learned_vs_instilled() : nullptr;
    case Statistic::kControl:
      return model.has_control() ? &model.control() : nullptr;
    case Statistic::kPreferenceTrained:
      return model.has_preference_trained() ? &model.preference_trained() : nullptr;
    case Statistic::kIntrospectionTrained:
      return model.has_introspection_trained() ? &model.introspection_trained() : nullptr;
    case Statistic::kNativeBefore:
      return model.has_native_before() ? &model.native_before() : nullptr;
    case Statistic::kNativeAfter:
      return model.has_native_after() ? &model.native_after() : nullptr;
    case Statistic::kSelfReports:
      break;
  }
  return model.has_self_reports() ? &model.self_reports() : nullptr;
}

const v1::Contrast* Find(const v1::ModelAnalysis& model, ContrastStatistic statistic) {
  if (statistic == ContrastStatistic::kInstilled)
    return model.has_contrast_instilled() ? &model.contrast_instilled() : nullptr;
  if (statistic == ContrastStatistic::kNative)
    return model.has_contrast_native() ? &model.contrast_native() : nullptr;
  return model.has_contrast_self_reports() ? &model.contrast_self_reports() : nullptr;
}

void FillTests(const Study& study, v1::Analysis* analysis) {
  Tests tests(study.plan);
  for (const auto& [name, model] : Sorted(*analysis)) {
    for (const Statistic statistic : kStatistics) {
      const v1::Agreement* agreement = Find(*model, statistic);
      if (agreement == nullptr) continue;
      const std::string place = fmt::format("{}.{}", name, Name(statistic));
      tests.Add(place, fmt::format("models.{}.slope", place), SlopeOf(*agreement), POf(*agreement));
    }
    for (const ContrastStatistic statistic : kContrasts) {
      const v1::Contrast* contrast = Find(*model, statistic);
      if (contrast == nullptr) continue;
      const std::string place = fmt::format("{}.{}", name, Name(statistic));
      tests.Add(place, fmt::format("models.{}.slope", place), SlopeOf(*contrast), POf(*contrast));
    }
  }
  const v1::PooledContrasts& pooled = analysis->pooled();
  for (const auto& [name, contrast] :
       {std::pair("contrast_instilled", &pooled.contrast_instilled()),
        std::pair("contrast_native", &pooled.contrast_native()),
        std::pair("contrast_self_reports", &pooled.contrast_self_reports())}) {
    const std::string place = fmt::format("pooled.{}", name);
    tests.Add(place, place + ".slope", SlopeOf(*contrast), POf(*contrast));
  }
  const v1::PrivilegedAccess::Difference& overall = analysis->privileged_access().overall();
  tests.Add("privileged_access", "privileged_access.overall.difference",
            overall.has_difference() ? std::optional(overall.difference()) : std::nullopt,
            POf(overall));
  for (const std::string& missing : tests.Missing()) {
    v1::LeftOut* left_out = analysis->add_left_out();
    left_out->set_statistic(missing);
    left_out->set_reason("the plan names it as primary, and it could not be computed");
  }
  for (v1::TestedStatistic& test : std::move(tests).Take())
    *analysis->add_tests() = std::move(test);
}

void AddWarnings(v1::Analysis* analysis) {
  for (const auto& [name, model] : Sorted(*analysis)) {
    for (const Statistic statistic : kStatistics) {
      const v1::Agreement* agreement = Find(*model, statistic);
      if (agreement != nullptr)
        WarnOf(fmt::format("models.{}.{}", name, Name(statistic)), *agreement, analysis);
    }
  }
  if (analysis->excluded_row_count() > 0) {
    analysis->add_warnings(fmt::format("{} row{} of the input {} kept out: see excluded_rows.",
                                       analysis->excluded_row_count(),
                                       analysis->excluded_row_count() == 1 ? "" : "s",
                                       analysis->excluded_row_count() == 1 ? "was" : "were"));
  }
}

std::string HeadlineOf(const Study& study, const v1::Analysis& analysis) {
  // In the order in which the study compares: the first entry, the first model.
  std::string headline;
  for (const Statistic statistic :
       {Statistic::kSelfReports, Statistic::kPreferenceTrained, Statistic::kNativeBefore,
        Statistic::kIntrospectionTrained, Statistic::kNativeAfter, Statistic::kControl}) {
    for (const Comparison& comparison : study.comparisons) {
      if (comparison.statistic != statistic) continue;
      const auto model = analysis.models().find(comparison.model);
      if (model == analysis.models().end()) continue;
      const v1::Agreement* agreement = Find(model->second, statistic);
      if (agreement == nullptr || !agreement->has_slope()) continue;
      headline = Sentence(statistic == Statistic::kSelfReports
                              ? comparison.model
                              : fmt::format("{} ({})", comparison.model, Name(statistic)),
                          *agreement);
      break;
    }
    if (!headline.empty()) break;
  }
  if (headline.empty()) {
    return "Nothing can be said yet about whether the model knows its weights: there are not "
           "enough readable self-reports with estimated weights beside them.";
  }
  for (const v1::Contrast* pooled :
       {&analysis.pooled().contrast_self_reports(), &analysis.pooled().contrast_instilled(),
        &analysis.pooled().contrast_native()}) {
    if (pooled->has_slope()) return headline + Sentence(*pooled, /*training=*/true);
  }
  for (const ContrastOf& contrast : study.contrasts) {
    const auto model = analysis.models().find(contrast.model);
    if (model == analysis.models().end()) continue;
    const v1::Contrast* found = Find(model->second, contrast.statistic);
    if (found == nullptr || !found->has_slope()) continue;
    return headline + Sentence(*found, contrast.statistic != ContrastStatistic::kSelfReports ||
                                           study.plan.contrasts_size() > 0);
  }
  return headline;
}

}  // namespace candor::analysis
