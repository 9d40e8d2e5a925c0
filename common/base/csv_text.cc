#include "common/base/csv_text.h"

namespace candor {

void AppendCsvCell(std::string_view text, std::string* out) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    *out += text;
    return;
  }
  *out += '"';
  for (const char c : text) out->append(c == '"' ? 2 : 1, c);
  *out += '"';
}

std::string CsvText(std::string_view text) {
  std::string guarded;
  // What spreadsheets take for the beginning of a formula.
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) {
    guarded += '\'';
  }
  guarded += text;
  std::string cell;
  AppendCsvCell(guarded, &cell);
  return cell;
}

}  // namespace candor
