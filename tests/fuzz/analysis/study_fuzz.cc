#include "tests/fuzz/analysis/study_fuzz.h"

#include "common/analysis/export_study.h"
#include "common/analysis/outcome_line.h"
#include "common/analysis/paper_study.h"
#include "common/base/files.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace candor::analysis {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// A folder of this process, gone with it.
class Folder {
 public:
  Folder()
      : path_((std::filesystem::temp_directory_path() / fmt::format("candor_study_{}", getpid()))
                  .string()) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  void Write(const std::string& name, std::string_view content) const {
    Require(WriteFileAtomically(path_ + "/" + name, content).ok(), "the folder can be written");
  }

 private:
  std::string path_;
};

const Folder& TheFolder() {
  static const Folder kFolder;
  return kFolder;
}

bool AllFinite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

void CheckStudy(const StatusOr<Study>& study) {
  if (!study.ok()) {
    Require(Message(study.status()).find(TheFolder().path()) != std::string::npos,
            "an error names the folder");
    return;
  }
  const auto attributes = [&](std::size_t scenario) {
    Require(scenario < study->scenarios.size(), "a scenario is there");
    return study->scenarios[scenario].attributes.size();
  };
  for (const StudyScenario& scenario : study->scenarios) {
    Require(scenario.attributes.size() >= 2, "a scenario has attributes");
    Require(scenario.instilled.empty() || scenario.instilled.size() == scenario.attributes.size(),
            "instilled weights are one an attribute");
    Require(AllFinite(scenario.instilled), "instilled weights are finite");
  }
  for (const Chooser& chooser : study->choosers) {
    for (const ScenarioChoices& choices : chooser.choices) {
      const std::size_t n = choices.y.size();
      Require(choices.x.size() == n * attributes(choices.scenario), "x is [n, K]");
      Require(choices.keys.size() == n, "a choice has its key");
      Require(AllFinite(choices.x), "differences are finite");
      for (const double y : choices.y) Require(y >= 0 && y <= 1, "a choice is a probability");
      Require(choices.asked >= static_cast<std::int64_t>(n) + choices.unreadable,
              "no more choices than asked for");
    }
    for (const PublishedWeights& published : chooser.published) {
      Require(published.weights.size() == attributes(published.scenario), "weights are [K]");
      Require(AllFinite(published.weights), "weights are finite");
    }
  }
  for (const ReportSet& set : study->report_sets) {
    for (const ScenarioReports& reports : set.reports) {
      const std::size_t k = attributes(reports.scenario);
      Require(reports.values.size() % k == 0, "reports are [n, K]");
      Require(AllFinite(reports.values), "reports are finite");
      Require(reports.asked >= static_cast<std::int64_t>(reports.values.size() / k),
              "no more reports than asked for");
    }
  }
  Require(study->excluded_row_count >= static_cast<std::int64_t>(study->excluded_rows.size()),
          "rows kept out are counted");
  for (const v1::ExcludedRow& row : study->excluded_rows) {
    Require(!row.file().empty() && row.line() > 0 && !row.reason().empty(),
            "a row kept out is named");
  }
}

void CheckLine(std::string_view text) {
  v1::Outcome whole;
  OutcomeLineParser parser;
  parser.Write(text);
  const Status status = parser.Finish(&whole);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
    // The parser is ready for the next line, whatever the one before was.
    v1::Outcome pieces;
    for (std::size_t at = 0; at < text.size(); at += piece) parser.Write(text.substr(at, piece));
    const Status again = parser.Finish(&pieces);
    // Which of several faults is seen first, and where, may depend on the cut; what is accepted may
    // not.
    Require(again.ok() == status.ok(), "pieces are accepted as the whole is");
    if (!status.ok()) continue;
    Require(pieces.SerializeAsString() == whole.SerializeAsString(), "with the same outcome");
  }
  if (!status.ok()) {
    Require(status.code() == absl::StatusCode::kInvalidArgument && !Message(status).empty(),
            "an error says what is wrong");
    return;
  }
  Require(!whole.entry().empty() || !whole.scenario().empty() || text.size() > 2,
          "an outcome comes from a line");
  v1::Outcome travelled;
  Require(travelled.ParseFromString(whole.SerializeAsString()), "an outcome travels");
}

void CheckExport(std::string_view text) {
  const Folder& folder = TheFolder();
  for (const char* name : {"job.json", "scenarios.json"}) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    folder.Write(name, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  folder.Write("outcomes.jsonl", text);
  CheckStudy(ReadExportStudy({folder.path()}));
}

struct PaperFile {
  const char* name;
  const char* content;
};
constexpr const char* kSelections =
    "model,scenario,selection,A_attribute_1,A_attribute_2,B_attribute_1,B_attribute_2\n";
constexpr const char* kReports =
    "explaining_model,version,scenario,report_attr1,report_attr2,A_attribute_1,A_attribute_2,"
    "B_attribute_1,B_attribute_2\n";
constexpr std::array<PaperFile, 8> kPaper = {{
    {"scenarios.csv",
     "scenario,question,attr1,attr2,attr1_min,attr2_min,attr1_max,attr2_max\n"
     "tea,Which?,mass,cost,0.0,1.0,10.0,9.0\nhat,Which?,age,cost,0.0,1.0,5.0,9.0\n"},
    {"instilled_weights.csv", "scenario,attr1,attr2\ntea,-100,95\n"},
    {"m_instilled_selections.csv", "tea,A,1.0,2.0,3.0,4.0\ntea,B,5.0,2.0,3.0,4.0\n"},
    {"m_instilled_latent_selections.csv", "hat,A,1.0,2.0,3.0,4.0\n"},
    {"m_regression_results.csv", "scenario,b_attr1,b_attr2\ntea,-100,90\n"},
    {"m_weight_reports.csv", "tea,10,20,1.0,2.0,3.0,4.0\ntea,-100,100,1.0,2.0,3.0,4.0\n"},
    {"m_instilled_latent_weight_reports.csv", "hat,10,20,1.0,2.0,3.0,4.0\n"},
    {"m_itrained_first_1_of_2_weight_reports.csv", "tea,1,2,1.0,2.0,3.0,4.0\n"},
}};

// The well-formed content of a file: rows of choices and reports lack what is the same in all.
std::string Content(const PaperFile& file) {
  const std::string_view name = file.name;
  const bool selections = name.ends_with("selections.csv");
  const bool reports = name.ends_with("reports.csv");
  if (!selections && !reports) return file.content;
  std::string text = selections ? kSelections : kReports;
  std::string_view rows = file.content;
  while (!rows.empty()) {
    const std::size_t end = rows.find('\n') + 1;
    text += selections ? "m:x," : "m:x,v,";
    text += rows.substr(0, end);
    rows.remove_prefix(end);
  }
  return text;
}

void CheckPaper(std::size_t which, std::string_view text) {
  const Folder& folder = TheFolder();
  for (std::size_t i = 0; i < kPaper.size(); ++i) {
    folder.Write(kPaper[i].name, i == which ? std::string(text) : Content(kPaper[i]));
  }
  CheckStudy(ReadPaperStudy(folder.path(), {"m"}));
}

}  // namespace

void CheckStudyInput(std::string_view input) {
  if (input.empty()) return;
  const std::string_view text = input.substr(1);
  if (input[0] == 'l') CheckLine(text);
  if (input[0] == 'x') CheckExport(text);
  if (input[0] >= '0' && input[0] <= '7')
    CheckPaper(static_cast<std::size_t>(input[0] - '0'), text);
}

}  // namespace candor::analysis

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  candor::analysis::CheckStudyInput({reinterpret_cast<const char*>(data), size});
  return 0;
}
