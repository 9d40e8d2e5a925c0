#include "tests/fuzz/csv/csv_fuzz.h"

#include "common/base/csv_table.h"
#include "common/base/csv_text.h"
#include "common/base/json_writer.h"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace candor {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

bool IsInvalid(const Status& status, std::string_view begin) {
  return status.code() == absl::StatusCode::kInvalidArgument && Message(status).starts_with(begin);
}

void CheckRows(std::string_view text, const CsvLimits& limits) {
  CsvReader reader(text, limits);
  CsvRow row;
  std::size_t line = 0;
  // In front of the rows, so that none that begins with U+FEFF is taken for a byte-order mark.
  std::string written = "front\n";
  std::vector<std::vector<std::string>> rows;
  bool all = true;
  while (reader.Next(&row)) {
    Require(row.line > line, "rows begin on ever later lines");
    line = row.line;
    if (!row.error.ok()) {
      all = false;
      Require(row.fields.empty(), "a malformed row has no fields");
      Require(IsInvalid(row.error, "line "), "an error names its line");
      Require(Message(row.error).find(", column ") != std::string::npos, "and its column");
      continue;
    }
    Require(!row.fields.empty() && row.fields.size() <= limits.fields, "the fields are bounded");
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < row.fields.size(); ++i) {
      const std::string_view field = row.fields[i];
      bytes += field.size();
      Require(IsUtf8(field) && field.find('\0') == std::string_view::npos, "a field is text");
      if (i > 0) written += ',';
      // A row of one empty field would be a blank line.
      if (row.fields.size() == 1 && field.empty()) written += "\"\"";
      AppendCsvCell(field, &written);
    }
    Require(bytes <= limits.row_bytes, "a row is bounded");
    written += '\n';
    rows.emplace_back(row.fields.begin(), row.fields.end());
  }
  Require(!reader.Next(&row), "the end stays the end");

  const auto again = ParseCsv(written);
  Require(again.ok() && again->size() == rows.size() + 1, "what is written has the same rows");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Require((*again)[i + 1].fields == rows[i], "what is written has the same fields");
  }
  const auto whole = ParseCsv(text);
  if (all) Require(whole.ok() && whole->size() == rows.size(), "the whole has the same rows");
  if (!whole.ok()) Require(!all, "the whole is malformed where a row is");
}

void CheckTable(std::string_view text, const CsvLimits& limits) {
  auto table = CsvTable::Create("t.csv", text, limits);
  if (!table.ok()) {
    Require(IsInvalid(table.status(), "t.csv: "), "a table's error names the file");
    return;
  }
  const auto named = table->Column("attr1");
  Require(named.ok() == table->Find("attr1").has_value(), "a column is there or not");
  const auto numbered = table->Numbered("attr", "");
  if (numbered.ok()) {
    Require(!numbered->empty() && numbered->size() <= table->columns().size(), "columns are few");
    Require(table->columns()[numbered->back()] == fmt::format("attr{}", numbered->size()),
            "they are numbered");
  }
  CsvRow row;
  while (table->Next(&row)) {
    if (!row.error.ok()) {
      Require(IsInvalid(row.error, "t.csv: line "), "a row's error names file and line");
      continue;
    }
    Require(row.fields.size() == table->columns().size(), "a row has the header's count");
    for (std::size_t i = 0; i < row.fields.size(); ++i) {
      const auto number = table->Number(row, i);
      const auto integer = table->Integer(row, i, -100, 100);
      if (number.ok()) Require(std::isfinite(*number), "numbers are finite");
      if (integer.ok()) {
        Require(number.ok() && *number == static_cast<double>(*integer), "integers are numbers");
      }
      for (const Status& status :
           {number.status(), integer.status(), table->Text(row, i).status()}) {
        if (!status.ok()) Require(IsInvalid(status, "t.csv: line "), "a cell's error says where");
      }
    }
  }
}

}  // namespace

void CheckCsv(std::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input[0]);
  CsvLimits limits;
  if (choice % 2 == 1) limits = {.row_bytes = choice / 4U, .fields = 1 + choice % 8U};
  CheckRows(input.substr(1), limits);
  CheckTable(input.substr(1), limits);
}

}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  candor::CheckCsv({reinterpret_cast<const char*>(data), size});
  return 0;
}
