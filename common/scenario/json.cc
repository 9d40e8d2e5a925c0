#include "common/scenario/json.h"

#include "common/base/nearest.h"
#include "common/scenario/describe.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace candor::scenario {

StatusOr<TextValue> ParseJson(std::string_view text) {
  auto value = ReadJson(text);
  if (!value.ok()) return InvalidArgument("JSON {}", Message(value.status()));
  return value;
}

std::string_view TypeName(const TextValue& value) {
  switch (value.kind) {
    case TextValue::Kind::kNull:
      return "null";
    case TextValue::Kind::kBool:
      return "true or false";
    case TextValue::Kind::kNumber:
      return "a number";
    case TextValue::Kind::kPlain:
    case TextValue::Kind::kString:
      return "a text";
    case TextValue::Kind::kList:
      return "a list";
    case TextValue::Kind::kMap:
      return "an object";
  }
  return "nothing";
}

const TextValue* FindMember(const TextValue& value, std::string_view name) {
  for (const TextValue::Member& member : value.members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

ObjectReader::ObjectReader(const TextValue& value, std::string path,
                           std::initializer_list<const char*> known, FieldViolations& violations)
    : value_(value), path_(std::move(path)), violations_(violations) {
  if (value.kind != TextValue::Kind::kMap) {
    Add(violations_, path_.empty() ? "the file" : path_, "is {}; give an object", TypeName(value));
    return;
  }
  const std::vector<std::string> names(known.begin(), known.end());
  for (const TextValue::Member& member : value.members) {
    if (std::find(names.begin(), names.end(), member.name) != names.end()) continue;
    Add(violations_, path_.empty() ? "the file" : path_, "unknown field {}{} (known: {})",
        Quoted(member.name), DidYouMean(member.name, names), fmt::join(names, ", "));
  }
}

std::string ObjectReader::Path(std::string_view name) const { return Join(path_, name); }

const TextValue* ObjectReader::Find(const char* name, bool required) {
  if (value_.kind != TextValue::Kind::kMap) return nullptr;
  const TextValue* value = FindMember(value_, name);
  if (value == nullptr && required) Add(violations_, Path(name), "is missing");
  return value;
}

void ObjectReader::Text(const char* name, bool required, std::string* result) {
  const TextValue* value = Find(name, required);
  if (value == nullptr) return;
  if (value->kind == TextValue::Kind::kString) {
    *result = value->text;
  } else {
    Add(violations_, Path(name), "is {}; give a text", TypeName(*value));
  }
}

void ObjectReader::Number(const char* name, bool required, double* result) {
  const TextValue* value = Find(name, required);
  if (value != nullptr) ReadNumber(*value, Path(name), result, violations_);
}

const std::vector<TextValue>* ObjectReader::List(const char* name, bool required) {
  const TextValue* value = Find(name, required);
  if (value == nullptr) return nullptr;
  if (value->kind == TextValue::Kind::kList) return &value->items;
  Add(violations_, Path(name), "is {}; give a list", TypeName(*value));
  return nullptr;
}

void ReadNumber(const TextValue& value, const std::string& path, double* result,
                FieldViolations& violations) {
  if (value.kind != TextValue::Kind::kNumber) {
    Add(violations, path, "is {}; give a number", TypeName(value));
    return;
  }
  const char* const end = value.text.data() + value.text.size();
  double number = 0;
  const auto read = std::from_chars(value.text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) {
    Add(violations, path, "{} is beyond what a double holds", Quoted(value.text));
    return;
  }
  // Makes one zero of two: the content hash sees signs.
  *result = number + 0.0;
}

}  // namespace candor::scenario
