#include "common/dialect/event_stream.h"

namespace candor::dialect {

EventReader::EventReader(std::string_view body) : rest_(body) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
}

std::string_view EventReader::NextLine() {
  const std::size_t end = rest_.find_first_of("\r\n");
  if (end == std::string_view::npos) {
    const std::string_view line = rest_;
    rest_ = {};
    return line;
  }
  const std::string_view line = rest_.substr(0, end);
  const bool both = rest_[end] == '\r' && end + 1 < rest_.size() && rest_[end + 1] == '\n';
  rest_.remove_prefix(end + (both ? 2 : 1));
  return line;
}

bool EventReader::Next() {
  type_ = {};
  data_ = {};
  joined_.clear();
  bool has_data = false;
  while (!rest_.empty()) {
    const std::string_view line = NextLine();
    if (line.empty()) {
      if (has_data) return true;
      type_ = {};
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string_view field = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "event") {
      type_ = value;
    } else if (field == "data" && !has_data) {
      has_data = true;
      data_ = value;
    } else if (field == "data") {
      if (joined_.empty()) joined_ = data_;
      joined_.append("\n").append(value);
    }
  }
  return has_data;
}

}  // namespace candor::dialect
