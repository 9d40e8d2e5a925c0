#include "tests/fuzz/scenario/fuzz_input.h"

#include "candor/v1/job.pb.h"
#include "common/base/csv_table.h"
#include "common/base/json_proto.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/cells.h"
#include "common/scenario/import.h"
#include "common/scenario/paper_files.h"
#include "common/scenario/prompt.h"
#include "common/scenario/resolve.h"
#include "common/scenario/trial.h"

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace candor::scenario {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

template <typename Message>
bool FromText(std::string_view text, Message* message) {
  const google::protobuf::LogSilencer silent;
  return google::protobuf::TextFormat::ParseFromString(std::string(text), message);
}

void FuzzScenarioSet(std::string_view text) {
  const auto set = ParseScenarioSet(text);
  if (!set.ok()) return;
  const auto again = ParseScenarioSet(PrintScenarioSet(*set));
  Require(again.ok(), "a printed set parses");
  Require(again->SerializeAsString() == set->SerializeAsString(), "a printed set is the same set");
}

void FuzzImport(std::string_view text) {
  const std::size_t end = text.find('\0');
  const std::string_view roles =
      end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  const auto set = ImportScenarios(text.substr(0, end), roles);
  if (set.ok()) Require(set->scenario_count() > 0, "an imported set has scenarios");
}

// A sink that checks as it goes: lines of chats begin and end as such.
void FuzzGenerate(std::string_view text) {
  const std::size_t first = text.find('\0');
  if (first == std::string_view::npos) return;
  const std::size_t second = text.find('\0', first + 1);
  if (second == std::string_view::npos) return;
  const auto set = ImportScenarios(text.substr(0, first),
                                   text.substr(first + 1, second - first - 1), {.count = 4});
  v1::Prompts prompts;
  if (!set.ok() || !ParseJson(text.substr(second + 1), &prompts).ok()) return;
  const auto count = static_cast<std::size_t>(set->scenarios_size());
  std::map<std::string, std::string> files;
  const Status status = WritePaperFiles(
      *set, prompts, {.scenarios = count, .instilled = 2, .trials = 2, .validation = 1},
      [&](const std::string& file, std::string_view piece) {
        files[file] += piece;
        return Status();
      });
  if (!status.ok()) {
    Require(files.empty(), "what cannot be generated writes nothing");
    return;
  }
  const auto again = ParseScenarioSet(files.at("scenario_set.json"));
  Require(again.ok() && again->scenario_count() == set->scenario_count(), "the set is one");
  const auto weights = CsvTable::Create("weights", files.at("instilled_weights.csv"));
  Require(weights.ok() && weights->Numbered("attr").ok(), "the weights are a table");
  const std::string& training = files.at("instill_2_prefs.jsonl");
  Require(std::count(training.begin(), training.end(), '\n') == 3, "a line an example");
  for (const char c : training) Require(c == '\n' || (c >= ' ' && c <= '~'), "chats are ASCII");
}

void FuzzPrompt(std::string_view text) {
  v1::PromptTemplate prompt;
  if (!FromText(text, &prompt)) return;
  const auto renderer = PromptRenderer::Create(prompt);
  if (!renderer.ok()) return;
  const v1::Scenario& scenario = BuiltinScenarioSet().scenarios(0);
  Trial trial;
  TrialStream(1, scenario, v1::Cell::CHOICE, v1::Job::SHUFFLED).Draw(0, 1, trial);
  std::vector<std::string> contents;
  renderer->Render(scenario, trial, contents);
  std::size_t length = 0;
  for (const std::string& content : contents) length += content.size();
  Require(length <= renderer->EstimateChars(scenario), "a prompt is within its estimate");
}

void FuzzJob(std::string_view text) {
  v1::Job job;
  if (!FromText(text, &job)) return;
  v1::JobSpecification specification;
  if (!ResolveJob(job, BuiltinScenarioSet().scenarios(), &specification).empty()) return;
  std::uint64_t total = 0;
  for (int i = 0; i < specification.entries_size(); ++i) {
    for (const auto kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
      const CellMap cells(specification, i, kind);
      total += cells.size();
      if (cells.size() == 0) continue;
      const auto last = static_cast<std::uint32_t>(cells.size() - 1);
      Require(cells.IndexOf(cells.At(last)) == last, "a cell numbers both ways");
    }
  }
  Require(total > 0 && total <= kMaxJobCells, "a job has cells, and not too many");
}

}  // namespace

void FuzzInput(std::string_view input) {
  if (input.empty()) return;
  const std::string_view text = input.substr(1);
  switch (input[0]) {
    case 's':
      FuzzScenarioSet(text);
      break;
    case 'i':
      FuzzImport(text);
      break;
    case 'g':
      FuzzGenerate(text);
      break;
    case 'p':
      FuzzPrompt(text);
      break;
    case 'j':
      FuzzJob(text);
      break;
    default:
      break;
  }
}

}  // namespace candor::scenario
