#include "common/report/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace candor::report {

std::vector<NamedModel> Models(const v1::Analysis& analysis) {
  // An entry is named alone when there is one job, and "jobs/x/entry" when there are several.
  std::map<std::string, std::size_t> rank;
  for (const v1::Job& job : analysis.jobs()) {
    for (const v1::Entry& entry : job.models()) {
      rank.emplace(entry.name(), rank.size());
      rank.emplace(job.name() + "/" + entry.name(), rank.size());
    }
  }
  std::map<std::pair<std::size_t, std::string_view>, const v1::ModelAnalysis*> sorted;
  for (const auto& [name, model] : analysis.models()) {
    const auto known = rank.find(name);
    // A view of the key itself: a pair of its copy would end with this statement.
    sorted.emplace(
        std::pair(known == rank.end() ? rank.size() : known->second, std::string_view(name)),
        &model);
  }
  std::vector<NamedModel> models;
  models.reserve(sorted.size());
  for (const auto& [key, model] : sorted) models.push_back({key.second, model});
  return models;
}

std::vector<NamedAgreement> Agreements(const v1::Analysis& analysis) {
  std::vector<NamedAgreement> agreements;
  for (const auto& [name, model] : Models(analysis)) {
    const auto add = [&, name = name](std::string_view statistic, bool there,
                                      const v1::Agreement& agreement) {
      if (there) agreements.push_back({name, statistic, &agreement});
    };
    add("self_reports", model->has_self_reports(), model->self_reports());
    add("learned_vs_instilled", model->has_learned_vs_instilled(), model->learned_vs_instilled());
    add("control", model->has_control(), model->control());
    add("preference_trained", model->has_preference_trained(), model->preference_trained());
    add("introspection_trained", model->has_introspection_trained(),
        model->introspection_trained());
    add("native_before", model->has_native_before(), model->native_before());
    add("native_after", model->has_native_after(), model->native_after());
  }
  return agreements;
}

std::vector<NamedContrast> Contrasts(const v1::Analysis& analysis) {
  std::vector<NamedContrast> contrasts;
  const auto add_all = [&](std::string_view name, const auto& from) {
    const auto add = [&](std::string_view statistic, bool there, const v1::Contrast& contrast) {
      if (there) contrasts.push_back({name, statistic, &contrast});
    };
    add("contrast_self_reports", from.has_contrast_self_reports(), from.contrast_self_reports());
    add("contrast_instilled", from.has_contrast_instilled(), from.contrast_instilled());
    add("contrast_native", from.has_contrast_native(), from.contrast_native());
  };
  for (const auto& [name, model] : Models(analysis)) add_all(name, *model);
  if (analysis.has_pooled()) add_all("pooled", analysis.pooled());
  return contrasts;
}

std::string_view Standing(const v1::Analysis& analysis, std::string_view model,
                          std::string_view statistic) {
  if (!analysis.has_plan()) return "";
  const std::string name = fmt::format("{}.{}", model, statistic);
  const auto& planned = analysis.plan().primary();
  if (std::find(planned.begin(), planned.end(), name) != planned.end()) return "primary";
  // With several jobs, plans name entries by themselves and `tests` says where they stand: what
  // "models.base.self_reports.slope" tests stands under "models.base.self_reports".
  const std::string under = model == "pooled" ? name : "models." + name;
  for (const v1::TestedStatistic& test : analysis.tests()) {
    const std::string_view tested = test.statistic();
    const bool same = tested == under ||
                      (tested.starts_with(under) && tested.substr(under.size()).starts_with('.'));
    if (same && test.primary()) return "primary";
  }
  return "exploratory";
}

}  // namespace candor::report
