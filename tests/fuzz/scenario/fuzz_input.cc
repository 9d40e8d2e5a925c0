#include "tests/fuzz/scenario/fuzz_input.h"

#include "candor/v1/job.pb.h"
#include "common/base/csv.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/cells.h"
#include "common/scenario/import.h"
#include "common/scenario/prompt.h"
#include "common/scenario/resolve.h"
#include "common/scenario/trial.h"

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
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

void FuzzCsv(std::string_view text) {
  const auto records = ParseCsv(text);
  if (!records.ok()) return;
  std::string printed;
  for (const CsvRecord& record : *records) {
    Require(!record.fields.empty(), "a record has a field");
    for (std::size_t i = 0; i < record.fields.size(); ++i) {
      printed += i > 0 ? ",\"" : "\"";
      for (const char c : record.fields[i]) printed.append(c == '"' ? 2 : 1, c);
      printed += '"';
    }
    printed += '\n';
  }
  const auto again = ParseCsv(printed);
  Require(again.ok() && again->size() == records->size(), "printed CSV has the same records");
  for (std::size_t i = 0; i < records->size(); ++i) {
    Require((*again)[i].fields == (*records)[i].fields, "printed CSV has the same fields");
  }
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
    case 'c':
      FuzzCsv(text);
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
