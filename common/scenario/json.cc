#include "common/scenario/json.h"

#include "common/base/nearest.h"
#include "common/scenario/describe.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <charconv>
#include <unordered_set>
#include <utility>

namespace candor::scenario {
namespace {

namespace json = boost::json;

// Depth at which a file of scenarios is certainly something else.
constexpr std::size_t kMaxDepth = 32;

// Builds a value from the events of Boost's parser, with numbers read by std::from_chars.
struct Handler {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  json::value_stack stack;
  // The part of a key or string, or number, that came before its end.
  std::string part;
  std::vector<std::unordered_set<std::string>> keys;
  // Set when we, not Boost, refuse the text.
  std::string problem;

  bool Refuse(std::string what, json::error_code& error) {
    problem = std::move(what);
    error = json::error::syntax;
    return false;
  }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) {
    keys.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t n, json::error_code&) {
    keys.pop_back();
    stack.push_object(n);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t n, json::error_code&) {
    stack.push_array(n);
    return true;
  }
  bool on_key_part(json::string_view text, std::size_t, json::error_code&) {
    part.append(text.data(), text.size());
    return true;
  }
  bool on_key(json::string_view text, std::size_t, json::error_code& error) {
    part.append(text.data(), text.size());
    if (!keys.back().insert(part).second) {
      return Refuse(fmt::format("the key {} stands twice in one object", Quoted(part)), error);
    }
    stack.push_key(std::exchange(part, {}));
    return true;
  }
  bool on_string_part(json::string_view text, std::size_t, json::error_code&) {
    part.append(text.data(), text.size());
    return true;
  }
  bool on_string(json::string_view text, std::size_t, json::error_code&) {
    part.append(text.data(), text.size());
    stack.push_string(std::exchange(part, {}));
    return true;
  }
  bool on_number_part(json::string_view text, json::error_code&) {
    part.append(text.data(), text.size());
    return true;
  }
  bool on_int64(std::int64_t number, json::string_view, json::error_code&) {
    part.clear();
    stack.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, json::string_view, json::error_code&) {
    part.clear();
    stack.push_uint64(number);
    return true;
  }
  bool on_double(double, json::string_view text, json::error_code& error) {
    part.append(text.data(), text.size());
    const std::string number = std::exchange(part, {});
    double exact = 0;
    const auto result = std::from_chars(number.data(), number.data() + number.size(), exact);
    if (result.ec != std::errc() || result.ptr != number.data() + number.size()) {
      return Refuse(fmt::format("the number {} is beyond what a double holds", Quoted(number)),
                    error);
    }
    stack.push_double(exact);
    return true;
  }
  bool on_bool(bool value, json::error_code&) {
    stack.push_bool(value);
    return true;
  }
  bool on_null(json::error_code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

Status ErrorAt(std::string_view text, std::size_t at, std::string_view what) {
  const std::string_view before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return InvalidArgument("JSON line {}, column {}: {}", line, at - line_begin + 1, what);
}

}  // namespace

StatusOr<boost::json::value> ParseJson(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<Handler> parser(options);
  json::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (error) {
    const std::string& problem = parser.handler().problem;
    return ErrorAt(text, read, problem.empty() ? error.message() : problem);
  }
  if (text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
    return ErrorAt(text, text.find_first_not_of(" \t\r\n", read), "text after the end of the JSON");
  }
  return parser.handler().stack.release();
}

std::string_view TypeName(const boost::json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "true or false";
    case json::kind::string:
      return "a text";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
    default:
      return "a number";
  }
}

ObjectReader::ObjectReader(const boost::json::value& value, std::string path,
                           std::initializer_list<const char*> known, FieldViolations& violations)
    : object_(value.if_object()), path_(std::move(path)), violations_(violations) {
  if (object_ == nullptr) {
    Add(violations_, path_.empty() ? "the file" : path_, "is {}; give an object", TypeName(value));
    return;
  }
  const std::vector<std::string> names(known.begin(), known.end());
  for (const auto& field : *object_) {
    const std::string name(field.key().data(), field.key().size());
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    Add(violations_, path_.empty() ? "the file" : path_, "unknown field {}{} (known: {})",
        Quoted(name), DidYouMean(name, names), fmt::join(names, ", "));
  }
}

std::string ObjectReader::Path(std::string_view name) const { return Join(path_, name); }

const boost::json::value* ObjectReader::Find(const char* name, bool required) {
  if (object_ == nullptr) return nullptr;
  const json::value* value = object_->if_contains(name);
  if (value == nullptr && required) Add(violations_, Path(name), "is missing");
  return value;
}

void ObjectReader::Text(const char* name, bool required, std::string* result) {
  const json::value* value = Find(name, required);
  if (value == nullptr) return;
  if (const json::string* text = value->if_string(); text != nullptr) {
    result->assign(text->data(), text->size());
  } else {
    Add(violations_, Path(name), "is {}; give a text", TypeName(*value));
  }
}

void ObjectReader::Number(const char* name, bool required, double* result) {
  const json::value* value = Find(name, required);
  if (value != nullptr) ReadNumber(*value, Path(name), result, violations_);
}

const boost::json::array* ObjectReader::List(const char* name, bool required) {
  const json::value* value = Find(name, required);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) Add(violations_, Path(name), "is {}; give a list", TypeName(*value));
  return value->if_array();
}

void ReadNumber(const boost::json::value& value, const std::string& path, double* result,
                FieldViolations& violations) {
  if (const auto* exact = value.if_double()) {
    // Makes one zero of two: "-0" is a whole number, "-0.0" is not, and the content hash sees
    // signs.
    *result = *exact + 0.0;
  } else if (const auto* whole = value.if_int64()) {
    *result = static_cast<double>(*whole);
  } else if (const auto* large = value.if_uint64()) {
    *result = static_cast<double>(*large);
  } else {
    Add(violations, path, "is {}; give a number", TypeName(value));
  }
}

}  // namespace candor::scenario
