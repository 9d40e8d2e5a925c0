#include "common/base/csv.h"

#include <utility>

namespace candor {
namespace {

class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}

  StatusOr<std::vector<CsvRecord>> Read() {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    std::vector<CsvRecord> records;
    while (at_ < text_.size()) {
      if (SkipLineEnd()) continue;  // a blank line
      CsvRecord record;
      record.line = line_;
      CANDOR_RETURN_IF_ERROR(ReadRecord(record.fields));
      records.push_back(std::move(record));
    }
    return records;
  }

 private:
  // Reads fields up to and including the end of the line.
  Status ReadRecord(std::vector<std::string>& fields) {
    for (;;) {
      std::string field;
      const bool quoted = at_ < text_.size() && text_[at_] == '"';
      CANDOR_RETURN_IF_ERROR(quoted ? ReadQuoted(field) : ReadPlain(field));
      fields.push_back(std::move(field));
      if (at_ == text_.size() || SkipLineEnd()) return {};
      ++at_;  // the comma: neither reader stops at anything else
    }
  }

  Status ReadPlain(std::string& field) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ',' && !AtLineEnd()) {
      if (text_[at_] == '"') {
        return Error(line_, Column(),
                     "a quote within an unquoted field; quote the whole field and "
                     "double the quotes in it");
      }
      if (text_[at_] == '\r')
        return Error(line_, Column(), "a CR without LF; end lines in LF or CRLF");
      ++at_;
    }
    field = text_.substr(begin, at_ - begin);
    return {};
  }

  Status ReadQuoted(std::string& field) {
    const std::size_t line = line_;
    const std::size_t column = Column();
    ++at_;
    for (;;) {
      if (at_ == text_.size()) return Error(line, column, "a quote that is never closed");
      const char c = text_[at_++];
      if (c == '"') {
        if (at_ == text_.size() || text_[at_] != '"') break;
        ++at_;
      }
      if (c == '\n') StartLine();
      field.push_back(c);
    }
    if (at_ < text_.size() && text_[at_] != ',' && !AtLineEnd()) {
      return Error(line_, Column(), "text after a closing quote; put a comma or end the line");
    }
    return {};
  }

  bool AtLineEnd() const {
    return text_[at_] == '\n' || (text_[at_] == '\r' && text_.substr(at_, 2) == "\r\n");
  }

  bool SkipLineEnd() {
    if (!AtLineEnd()) return false;
    at_ += text_[at_] == '\r' ? 2 : 1;
    StartLine();
    return true;
  }

  void StartLine() {
    ++line_;
    line_begin_ = at_;
  }

  std::size_t Column() const { return at_ - line_begin_ + 1; }

  static Status Error(std::size_t line, std::size_t column, std::string_view what) {
    return InvalidArgument("CSV line {}, column {}: {}", line, column, what);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t line_begin_ = 0;
};

}  // namespace

StatusOr<std::vector<CsvRecord>> ParseCsv(std::string_view text) { return CsvReader(text).Read(); }

}  // namespace candor
