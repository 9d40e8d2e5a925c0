// Writes the reports of the sample analyses: a folder for each, with the files of a report; and
// "measured", an analysis of the paper's data, where they are. The browser test opens them, and so
// may people.
//
//   report_samples DIR
#include "common/analysis/analyze.h"
#include "common/analysis/paper_study.h"
#include "common/base/files.h"
#include "common/report/report.h"
#include "tests/unit/common/report/sample_analysis.h"

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace {

// What the paper's data say about its model.
candor::StatusOr<candor::v1::Analysis> Measured(const std::string& paper) {
  CANDOR_ASSIGN_OR_RETURN(const candor::analysis::Study study,
                          candor::analysis::ReadPaperStudy(paper, {"gpt-4o-2024-08-06"}));
  return candor::analysis::Analyze(study, {.resamples = 1000, .permutations = 1000});
}

}  // namespace

int main(int argc, char** argv) {
  using candor::report::EmptyAnalysis;
  using candor::report::HostileAnalysis;
  using candor::report::JobAnalysis;
  using candor::report::PaperAnalysis;
  if (argc != 2) {
    std::fprintf(stderr, "usage: report_samples DIR\n");
    return 2;
  }
  std::vector<std::pair<std::string, candor::v1::Analysis>> samples = {
      {"paper", PaperAnalysis()},   {"job", JobAnalysis(40)},       {"one", JobAnalysis(1)},
      {"large", JobAnalysis(2000)}, {"hostile", HostileAnalysis()}, {"empty", EmptyAnalysis()}};
  const std::string paper = CANDOR_SOURCE_DIR "/../shared/paper";
  if (std::filesystem::exists(paper)) {
    candor::StatusOr<candor::v1::Analysis> measured = Measured(paper);
    if (!measured.ok()) {
      std::fprintf(stderr, "%s\n", candor::Message(measured.status()).c_str());
      return 1;
    }
    samples.emplace_back("measured", *std::move(measured));
  } else {
    std::fprintf(stderr, "SKIPPED: no report of the paper's data: they are not in %s\n",
                 paper.c_str());
  }
  for (const auto& [name, analysis] : samples) {
    const std::filesystem::path folder = std::filesystem::path(argv[1]) / name;
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    for (const candor::report::File& file : candor::report::ReportFiles(analysis)) {
      const candor::Status written =
          candor::WriteFileAtomically((folder / file.name).string(), file.content);
      if (written.ok()) continue;
      std::fprintf(stderr, "%s\n", candor::Message(written).c_str());
      return 1;
    }
  }
  return 0;
}
