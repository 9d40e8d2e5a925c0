// Writes the reports of the sample analyses: a folder for each, with the files of a report. The
// browser test opens them, and so may people.
//
//   report_samples DIR
#include "common/base/files.h"
#include "common/report/report.h"
#include "tests/unit/common/report/sample_analysis.h"

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

int main(int argc, char** argv) {
  using candor::report::EmptyAnalysis;
  using candor::report::HostileAnalysis;
  using candor::report::JobAnalysis;
  using candor::report::PaperAnalysis;
  if (argc != 2) {
    std::fprintf(stderr, "usage: report_samples DIR\n");
    return 2;
  }
  const std::vector<std::pair<std::string, candor::v1::Analysis>> samples = {
      {"paper", PaperAnalysis()},   {"job", JobAnalysis(40)},       {"one", JobAnalysis(1)},
      {"large", JobAnalysis(2000)}, {"hostile", HostileAnalysis()}, {"empty", EmptyAnalysis()}};
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
