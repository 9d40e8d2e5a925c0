// Boost.JSON's event parser, into TextValue.
#include "common/base/json_writer.h"
#include "common/base/text_value.h"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_set>

namespace candor {
namespace {

namespace json = boost::json;

class Handler {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return Open(TextValue::Kind::kMap); }
  bool on_object_end(std::size_t, json::error_code& error) {
    std::unordered_set<std::string_view> keys;
    for (const TextValue::Member& member : open_.back().value.members) {
      if (keys.insert(member.name).second) continue;
      duplicate_ = member.name;
      error = json::error::exception;
      return false;
    }
    return Close();
  }
  bool on_array_begin(json::error_code&) { return Open(TextValue::Kind::kList); }
  bool on_array_end(std::size_t, json::error_code&) { return Close(); }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return Part(part); }
  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    Part(part);
    open_.back().key = std::move(part_);
    part_.clear();
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return Part(part); }
  bool on_string(json::string_view part, std::size_t, json::error_code&) {
    return Scalar(TextValue::Kind::kString, part);
  }
  bool on_number_part(json::string_view part, json::error_code&) { return Part(part); }
  bool on_int64(std::int64_t, json::string_view part, json::error_code&) {
    return Scalar(TextValue::Kind::kNumber, part);
  }
  bool on_uint64(std::uint64_t, json::string_view part, json::error_code&) {
    return Scalar(TextValue::Kind::kNumber, part);
  }
  bool on_double(double, json::string_view part, json::error_code&) {
    return Scalar(TextValue::Kind::kNumber, part);
  }
  bool on_bool(bool value, json::error_code&) {
    return Scalar(TextValue::Kind::kBool, value ? "true" : "false");
  }
  bool on_null(json::error_code&) { return Scalar(TextValue::Kind::kNull, ""); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  TextValue& root() { return root_; }
  const std::string& duplicate() const { return duplicate_; }

 private:
  struct OpenValue {
    TextValue value;
    // Of the next member.
    std::string key;
  };

  bool Open(TextValue::Kind kind) {
    open_.emplace_back();
    open_.back().value.kind = kind;
    return true;
  }
  bool Close() {
    TextValue value = std::move(open_.back().value);
    open_.pop_back();
    return Add(std::move(value));
  }
  bool Part(json::string_view part) {
    part_.append(part.data(), part.size());
    return true;
  }
  bool Scalar(TextValue::Kind kind, json::string_view part) {
    Part(part);
    TextValue value;
    value.kind = kind;
    value.text = std::move(part_);
    part_.clear();
    return Add(std::move(value));
  }
  bool Add(TextValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().value.kind == TextValue::Kind::kMap) {
      open_.back().value.members.push_back({std::move(open_.back().key), std::move(value)});
    } else {
      open_.back().value.items.push_back(std::move(value));
    }
    return true;
  }

  TextValue root_;
  std::vector<OpenValue> open_;
  std::string part_;
  std::string duplicate_;
};

Status ErrorAt(std::string_view text, std::size_t offset, std::string_view what) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  // npos + 1 is 0: the beginning of the first line.
  const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  return InvalidArgument("line {}, column {}: {}", line, column, what);
}

}  // namespace

StatusOr<TextValue> ReadJson(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return InvalidArgument("{} bytes of JSON are more than the {} that are read", text.size(),
                           kMaxTextBytes);
  }
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  json::parse_options options;
  options.max_depth = kMaxTextDepth;
  json::basic_parser<Handler> parser(options);
  json::error_code error;
  std::size_t used = 0;
  try {
    used = parser.write_some(false, text.data(), text.size(), error);
  } catch (const std::exception& thrown) {
    return InvalidArgument("cannot read the JSON: {}", thrown.what());
  }
  const std::string& duplicate = parser.handler().duplicate();
  if (!duplicate.empty()) {
    return ErrorAt(text, used,
                   fmt::format("\"{}\" stands twice in the object that ends here", duplicate));
  }
  if (error == json::error::incomplete) {
    return ErrorAt(text, text.size(),
                   "the JSON ends too early; a bracket or a quote is not closed");
  }
  if (error == json::error::too_deep) {
    return ErrorAt(text, used, fmt::format("nested more than {} levels deep", kMaxTextDepth));
  }
  if (error) return ErrorAt(text, used, "no JSON: " + error.message());
  const std::size_t rest = text.find_first_not_of(" \t\r\n", used);
  if (rest != std::string_view::npos) return ErrorAt(text, rest, "text after the end of the JSON");
  return std::move(parser.handler().root());
}

}  // namespace candor
