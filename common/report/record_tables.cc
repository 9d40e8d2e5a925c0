#include "common/report/tables.h"
#include "common/report/walk.h"

namespace candor::report {

TableFile RepliesTable(const v1::Analysis& analysis) {
  TableFile table("replies.csv", {"model", "kind", "class", "count", "total"});
  for (const auto& [name, model] : Models(analysis)) {
    for (const v1::KindClasses& kind : model->replies()) {
      const auto add = [&, name = name](std::string_view word, std::int64_t count) {
        table.Row()
            .Text(name)
            .Text(v1::Cell::Kind_Name(kind.kind()))
            .Text(word)
            .Count(count)
            .Count(kind.total(), kind.has_total());
      };
      for (const v1::ClassCount& item : kind.classes()) {
        add(v1::Outcome::Class_Name(item.class_()), item.count());
      }
      if (kind.has_unanswered()) add("UNANSWERED", kind.unanswered());
    }
  }
  return table;
}

TableFile LeftOutTable(const v1::Analysis& analysis) {
  TableFile table("left_out.csv", {"statistic", "reason"});
  for (const v1::LeftOut& item : analysis.left_out()) {
    table.Row().Text(item.statistic()).Text(item.reason());
  }
  return table;
}

TableFile ExcludedRowsTable(const v1::Analysis& analysis) {
  TableFile table("excluded_rows.csv", {"file", "line", "column", "reason"});
  for (const v1::ExcludedRow& row : analysis.excluded_rows()) {
    table.Row()
        .Text(row.file())
        .Count(row.line(), row.has_line())
        .Text(row.column())
        .Text(row.reason());
  }
  return table;
}

}  // namespace candor::report
