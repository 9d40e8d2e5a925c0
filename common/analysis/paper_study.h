// A study from the CSV files of the paper's replication package: one folder, files named by model.
//
//   CANDOR_ASSIGN_OR_RETURN(const Study study, ReadPaperStudy(dir, {"gpt-4o-2024-08-06"}));
//
// For a model M these are read, each where it is there:
//
//   scenarios.csv                           attribute names and ranges of all scenarios
//   instilled_weights.csv                   the weights that were taught
//   M_instilled_selections.csv              choices on instilled scenarios
//   M_instilled_latent_selections.csv       choices on native scenarios
//   M_regression_results.csv                published weights, used instead of our fits
//   M_latent_regression_results.csv         the same for native scenarios
//   M_weight_reports.csv                    reports: control
//   M_instilled_weight_reports.csv          ... preference_trained
//   M_itrained_first_*_weight_reports.csv   ... introspection_trained, the one half
//   M_itrained_last_*_weight_reports.csv    ... and the other
//   M_instilled_latent_weight_reports.csv   ... native_before
//   M_itrained_all_*_latent_weight_reports.csv  ... native_after
//
// `*` is whatever the file has there ("50_of_100_50ex"). A file that is missing leaves its
// statistics out, with a line that says so. K is the number of attributes that scenarios.csv (or,
// without it, the file itself) has. Weights that are not published are ours, not rounded.
#pragma once

#include "common/analysis/study.h"
#include "common/base/status.h"

#include <string>
#include <vector>

namespace candor::analysis {

struct PaperOptions {
  // Self-reports that were asked for per scenario: what is missing of them was lost.
  int reports_per_scenario = 10;
};

// NOT_FOUND when the folder is not there, or has no file of one of the models (with the models that
// it has). INVALID_ARGUMENT with file, line and column for a file whose header lacks a column or
// whose K is not that of scenarios.csv. Rows that are malformed are kept out, named and counted.
StatusOr<Study> ReadPaperStudy(const std::string& directory, const std::vector<std::string>& models,
                               const PaperOptions& options = {});

}  // namespace candor::analysis
