// The statistics of an analysis in the order in which readers meet them, each with the name under
// which it stands in the JSON. What pages, tables and terminal lines have in common.
#pragma once

#include "candor/v1/analysis.pb.h"

#include <string>
#include <string_view>
#include <vector>

namespace candor::report {

// A model or entry: in the order of the jobs' entries, then by name.
struct NamedModel {
  std::string_view name;
  const v1::ModelAnalysis* model = nullptr;
};
std::vector<NamedModel> Models(const v1::Analysis& analysis);

// One comparison of weights with reports: model "base", statistic "self_reports".
struct NamedAgreement {
  std::string_view model;
  std::string_view statistic;
  const v1::Agreement* agreement = nullptr;
};
// Those that are there.
std::vector<NamedAgreement> Agreements(const v1::Analysis& analysis);

// One contrast: model "gpt-4o-2024-08-06", statistic "contrast_instilled"; model "pooled" for those
// over several models.
struct NamedContrast {
  std::string_view model;
  std::string_view statistic;
  const v1::Contrast* contrast = nullptr;
};
// Those that are there, the pooled ones last.
std::vector<NamedContrast> Contrasts(const v1::Analysis& analysis);

// Whether the analysis plan names it, by the name in TestedStatistic: "primary", "exploratory", or
// empty where there is no plan.
std::string_view Standing(const v1::Analysis& analysis, std::string_view model,
                          std::string_view statistic);

}  // namespace candor::report
