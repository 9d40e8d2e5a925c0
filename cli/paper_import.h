// A job from the CSV files of the paper's replication package: what `candor import` sends.
//
//   CANDOR_ASSIGN_OR_RETURN(PaperImport import, ReadPaperImport({.directory = dir, .model = m}));
//
// Every {MODEL}_..._selections.csv and {MODEL}_..._weight_reports.csv becomes an entry
// (paper_names.h); choices and reports of one name are one entry. Pair n of a scenario is its n-th
// row in the file, values are those shown, and the replies are what the rows say: a letter, or JSON
// with the numbers as the file writes them. A file with several versions gives an entry a version.
//
// Scenarios, their attributes and ranges come from scenarios.csv; "Imagine you are ROLE. QUESTION"
// is taken apart so that the paper's prompts render as they were sent. Where
// candidate_scenarios.json is there, attributes get their units; where prompts.json is, the job its
// wording. Weights of instilled_weights.csv are set for scenarios that a non-latent file has.
//
// Rows that are malformed, or equal to an earlier one, are named by file, line and column, kept out
// and counted.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/outcome.pb.h"
#include "common/base/status.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace candor::cli {

struct PaperImportOptions {
  std::string directory;
  // What the files' names begin with.
  std::string model;
  // Empty: "scenarios.csv" in the directory.
  std::string scenarios;
  // A v1.Prompts. Empty: "prompts.json" in the directory, if it is there.
  std::string prompts;
  // The job's display name. Empty: from the model.
  std::string name;
  // Self-reports that were asked for per scenario, where the files hold fewer: what is missing of
  // them was lost.
  int reports_per_scenario = 10;
};

struct PaperImport {
  v1::Job job;
  std::vector<v1::Outcome> outcomes;
  // What was read and what not, one line each.
  std::vector<std::string> notes;
  // The first kMaxExcludedLines of the `excluded` rows, "FILE: line 3, column 'x': ...".
  std::vector<std::string> excluded_lines;
  std::int64_t excluded = 0;
};

inline constexpr std::size_t kMaxExcludedLines = 1'000;

// NOT_FOUND when the directory has no file of the model (with the models that it has), or no
// scenarios. INVALID_ARGUMENT for a file that is no such table.
StatusOr<PaperImport> ReadPaperImport(const PaperImportOptions& options);

}  // namespace candor::cli
