// The files that teach a model weights, as the study of arXiv 2505.17120 made them (method.md,
// section 6): with its scenarios, roles, prompts and seeds they are its files byte for byte.
//
//   CANDOR_ASSIGN_OR_RETURN(v1::ScenarioSet set, ImportScenarios(candidates_json, roles_csv));
//   CANDOR_RETURN_IF_ERROR(WritePaperFiles(set, prompts, {}, [&](const std::string& file,
//                                                                std::string_view text) {
//     return Append(file, text);
//   }));
//
// Trials of new studies come from a counter-based generator instead (trial.h): there, any trial can
// be made alone; here, each depends on all before it.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/scenario.pb.h"
#include "common/base/status.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::scenario {

// Sizes and seeds; the paper's unless said otherwise.
struct PaperFilesOptions {
  // Scenarios that get weights: the first of the set.
  std::size_t scenarios = 1'100;
  // Of these, the first that are taught their weights. Even, because introspection training has two
  // halves.
  std::size_t instilled = 100;
  // Preference examples of one scenario, for training and for validation.
  std::size_t trials = 50;
  std::size_t validation = 10;
  // Of the target weights, of the preference examples, and of the introspection examples, where
  // every scenario starts from it anew.
  std::uint64_t weights_seed = 1;
  std::uint64_t trials_seed = 2;
  std::uint64_t introspection_seed = 6;
};

// The files' names, which say how many scenarios are taught. n = `instilled`:
//
//   scenarios.csv                               scenario, question, attr1 .. attrK, minima, maxima
//   instilled_weights.csv                       scenario, attr1 .. attrK; of all scenarios
//   instill_{n}_prefs.jsonl                     a chat a trial: the choice prompt, then "A" or "B"
//   instill_{n}_prefs_val.jsonl                 likewise, for validation
//   instilled_weights_{n}_training.jsonl        a chat a scenario: the self-report prompt, then the
//                                               weights as JSON
//   instilled_weights_first_{n/2}_training.jsonl, instilled_weights_last_{n/2}_training.jsonl
//                                               its halves
//   scenario_set.json                           the same scenarios in Candor's own format, the
//                                               taught ones with their weights: what a job refers
//                                               to
std::vector<std::string> PaperFileNames(const PaperFilesOptions& options);

// Takes a piece of one of these files. Pieces of a file come in its order; those of several files
// come mixed.
using PaperFileSink = std::function<Status(const std::string& file, std::string_view text)>;

// Writes all files, in memory for one example. The set is valid (ImportScenarios); its scenarios
// have roles and one number K >= 2 of attributes.
//
// INVALID_ARGUMENT for fewer scenarios than asked for, an odd or a too large number of them to
// teach, a scenario without a role or with another number of attributes than the first (the tables
// have a column an attribute), more than 10 million examples, and prompts that ValidatePrompt
// refuses or that are no UTF-8. Errors of the sink come back as they are.
Status WritePaperFiles(const v1::ScenarioSet& set, const v1::Prompts& prompts,
                       const PaperFilesOptions& options, const PaperFileSink& sink);

}  // namespace candor::scenario
