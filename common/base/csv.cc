#include "common/base/csv.h"

#include "common/base/json_writer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace candor {
namespace {

// Bytes at which an unquoted field ends or is wrong.
constexpr std::array<bool, 256> kStops = [] {
  std::array<bool, 256> stops{};
  for (const unsigned char c : {',', '\n', '\r', '"'}) stops[c] = true;
  return stops;
}();

Status Error(std::size_t line, std::size_t column, std::string_view what) {
  return InvalidArgument("line {}, column {}: {}", line, column, what);
}

}  // namespace

CsvReader::CsvReader(std::string_view text, CsvLimits limits) : text_(text), limits_(limits) {
  if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
}

bool CsvReader::Next(CsvRow* row) {
  row->fields.clear();
  row->error = Status();
  unescaped_.clear();
  end_ = text_.size();
  while (!AtEnd() && SkipLineEnd()) {
  }
  if (AtEnd()) return false;
  const std::size_t begin = at_;
  row_begin_ = begin;
  row->line = line_;
  // One more than a row may have, so that one of just the limit is told from a longer one.
  end_ = limits_.row_bytes < text_.size() - begin ? begin + limits_.row_bytes + 1 : text_.size();
  row->error = ReadFields(row);
  if (row->error.ok()) row->error = CheckText(begin, row->line);
  if (row->error.ok()) return true;
  row->fields.clear();
  const std::size_t line_end = text_.find('\n', begin);
  at_ = line_end == std::string_view::npos ? text_.size() : line_end + 1;
  line_ = row->line;
  StartLine();
  return true;
}

// Reads fields up to and including the end of the line.
Status CsvReader::ReadFields(CsvRow* row) {
  for (;;) {
    if (row->fields.size() == limits_.fields) {
      return Error(line_, Column(),
                   fmt::format("more than {} fields, the most that a row may have; is a quote "
                               "left open, or is this another format?",
                               limits_.fields));
    }
    std::string_view field;
    const bool quoted = !AtEnd() && text_[at_] == '"';
    CANDOR_RETURN_IF_ERROR(quoted ? ReadQuoted(&field) : ReadPlain(&field));
    row->fields.push_back(field);
    if (AtEnd() && TooLong()) {
      return Error(line_, Column(),
                   fmt::format("the row has more than {} bytes, the most that is read; is a quote "
                               "left open, or is this another format?",
                               limits_.row_bytes));
    }
    if (AtEnd() || SkipLineEnd()) return {};
    ++at_;  // the comma: neither reader stops at anything else
  }
}

Status CsvReader::ReadPlain(std::string_view* field) {
  const std::size_t begin = at_;
  while (!AtEnd() && !kStops[static_cast<unsigned char>(text_[at_])]) ++at_;
  *field = text_.substr(begin, at_ - begin);
  if (AtEnd() || text_[at_] == ',' || AtLineEnd()) return {};
  if (text_[at_] == '"') {
    return Error(line_, Column(),
                 "a quote within an unquoted field; quote the whole field and double the quotes in "
                 "it");
  }
  return Error(line_, Column(), "a CR without LF; end lines in LF or CRLF");
}

Status CsvReader::ReadQuoted(std::string_view* field) {
  const std::size_t line = line_;
  const std::size_t column = Column();
  std::size_t begin = ++at_;
  std::string* unescaped = nullptr;
  for (;;) {
    while (!AtEnd() && text_[at_] != '"') {
      if (text_[at_++] == '\n') StartLine();
    }
    if (AtEnd()) {
      if (!TooLong()) return Error(line, column, "a quote that is never closed");
      return {};  // the caller sees that the row is too long
    }
    const std::string_view piece = text_.substr(begin, at_ - begin);
    ++at_;  // the quote
    const bool doubled = !AtEnd() && text_[at_] == '"';
    if (doubled && unescaped == nullptr) unescaped = &unescaped_.emplace_back();
    if (unescaped != nullptr) {
      unescaped->append(piece);
      *field = *unescaped;
    } else {
      *field = piece;
    }
    if (!doubled) break;
    *unescaped += '"';
    begin = ++at_;
  }
  if (AtEnd() || text_[at_] == ',' || AtLineEnd()) return {};
  return Error(line_, Column(), "text after a closing quote; put a comma or end the line");
}

Status CsvReader::CheckText(std::size_t begin, std::size_t line) const {
  const std::string_view row = text_.substr(begin, at_ - begin);
  const std::size_t valid = Utf8Prefix(row);
  const std::size_t wrong = std::min(valid, row.find('\0'));
  if (wrong >= row.size()) return {};
  const std::string_view before = row.substr(0, wrong);
  const auto breaks = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t column = wrong - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
  if (wrong < valid) return Error(line + breaks, column, "a NUL byte, which is no text");
  return Error(line + breaks, column,
               fmt::format("the byte 0x{:02X} is no UTF-8 here; save the file as UTF-8",
                           static_cast<unsigned char>(row[wrong])));
}

bool CsvReader::AtLineEnd() const {
  return text_[at_] == '\n' || (text_[at_] == '\r' && text_.substr(at_, 2) == "\r\n");
}

bool CsvReader::SkipLineEnd() {
  if (!AtLineEnd()) return false;
  at_ += text_[at_] == '\r' ? 2 : 1;
  StartLine();
  return true;
}

void CsvReader::StartLine() {
  ++line_;
  line_begin_ = at_;
}

StatusOr<std::vector<CsvRecord>> ParseCsv(std::string_view text) {
  std::vector<CsvRecord> records;
  CsvReader reader(text);
  CsvRow row;
  while (reader.Next(&row)) {
    if (!row.error.ok()) return InvalidArgument("CSV {}", Message(row.error));
    records.push_back({row.line, {row.fields.begin(), row.fields.end()}});
  }
  return records;
}

}  // namespace candor
