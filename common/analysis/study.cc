#include "common/analysis/study.h"

#include <utility>

namespace candor::analysis {

const char* Name(Statistic statistic) {
  switch (statistic) {
    case Statistic::kLearnedVsInstilled:
      return "learned_vs_instilled";
    case Statistic::kControl:
      return "control";
    case Statistic::kPreferenceTrained:
      return "preference_trained";
    case Statistic::kIntrospectionTrained:
      return "introspection_trained";
    case Statistic::kNativeBefore:
      return "native_before";
    case Statistic::kNativeAfter:
      return "native_after";
    case Statistic::kSelfReports:
      break;
  }
  return "self_reports";
}

const char* Name(ContrastStatistic statistic) {
  switch (statistic) {
    case ContrastStatistic::kInstilled:
      return "contrast_instilled";
    case ContrastStatistic::kNative:
      return "contrast_native";
    case ContrastStatistic::kSelfReports:
      break;
  }
  return "contrast_self_reports";
}

void ExcludeRow(Study* study, const std::string& file, std::int64_t line, std::string column,
                std::string reason) {
  ++study->excluded_row_count;
  if (study->excluded_rows.size() >= kMaxExcludedRows) return;
  v1::ExcludedRow& row = study->excluded_rows.emplace_back();
  row.set_file(file);
  row.set_line(line);
  row.set_column(std::move(column));
  row.set_reason(std::move(reason));
}

}  // namespace candor::analysis
