#include "common/report/report.h"

#include "common/base/json_proto.h"

#include <utility>

namespace candor::report {

std::string RenderJson(const v1::Analysis& analysis) { return PrintJson(analysis) + "\n"; }

std::vector<File> ReportFiles(const v1::Analysis& analysis) {
  std::vector<File> files;
  files.push_back({"report.html", RenderHtml(analysis)});
  files.push_back({"analysis.json", RenderJson(analysis)});
  for (File& table : RenderCsv(analysis)) files.push_back(std::move(table));
  return files;
}

}  // namespace candor::report
