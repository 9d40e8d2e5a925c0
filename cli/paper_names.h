// How the paper's files are called and what each is: the one place that knows, for import and
// export. Pure.
//
// What a file of the paper says beside its rows stands in labels of the imported job, so that its
// export has the same files again; any job may carry them:
//
//   paper.prefix.ENTRY      what its files begin with; "gpt-4o-2024-08-06_instilled"
//   paper.version.ENTRY     the `version` column of its reports
//   paper.regression.ENTRY  what its regression results begin with
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/specification.pb.h"

#include <string>
#include <string_view>
#include <vector>

namespace candor::cli {

inline constexpr std::string_view kSelections = "selections.csv";
inline constexpr std::string_view kWeightReports = "weight_reports.csv";
inline constexpr std::string_view kRegressionResults = "regression_results.csv";

inline constexpr std::string_view kPrefixLabel = "paper.prefix.";
inline constexpr std::string_view kVersionLabel = "paper.version.";
inline constexpr std::string_view kRegressionLabel = "paper.regression.";

// What the part of a file's name between the model and "weight_reports.csv" or "selections.csv"
// says, such as "instilled_latent".
struct PaperSet {
  // The entry's name: "control", "preference_trained", "introspection_first_50",
  // "introspection_last_50", "native_before", "native_after"; the part itself where it is none of
  // these.
  std::string entry;
  // "base", "preference_trained" or "introspection_trained".
  std::string condition;
  // Scenarios that no fine-tuning touched.
  bool latent = false;
  // Introspection training on one half: the reports are about the other one.
  enum class Half { kNone, kFirstTrained, kLastTrained } half = Half::kNone;
  // In which order entries stand in a job.
  int rank = 0;
};
PaperSet DescribePaperSet(std::string_view part);

// What an entry's files begin with, what its results do, and its version.
struct PaperNames {
  std::string prefix;
  std::string regression;
  std::string version;
};

// One an entry of `models`, from labels, or else: the entry's name (distinct for each), the same
// again, and the condition or name. Fit to be file names.
std::vector<PaperNames> NamesOfEntries(const v1::Job& job,
                                       const v1::JobSpecification& specification);

}  // namespace candor::cli
