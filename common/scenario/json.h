// The fields of JSON files that people write, taken one by one with their types checked. Private to
// the room.
#pragma once

#include "common/base/status.h"
#include "common/base/text_value.h"
#include "common/base/violations.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace candor::scenario {

// The value of a text, read by ReadJson (text_value.h); errors begin with "JSON line".
StatusOr<TextValue> ParseJson(std::string_view text);

// "a text", "a number", "a list", "an object", "true or false" or "null".
std::string_view TypeName(const TextValue& value);

// The member of an object; nullptr if there is none, and for what is no object.
const TextValue* FindMember(const TextValue& value, std::string_view name);

// The fields of one object, each taken with its type checked. What is wrong is added to
// `violations`.
//
//   ObjectReader reader(value, "scenarios[3]", {"id", "role"}, violations);
//   reader.Text("id", /*required=*/true, &id);
class ObjectReader {
 public:
  // Adds a violation if `value` is no object, and for each field that is not `known`. `value` must
  // outlive the reader.
  ObjectReader(const TextValue& value, std::string path, std::initializer_list<const char*> known,
               FieldViolations& violations);

  // Each leaves the result as it is (or returns nullptr) when the field is absent or wrong.
  void Text(const char* name, bool required, std::string* result);
  void Number(const char* name, bool required, double* result);
  const std::vector<TextValue>* List(const char* name, bool required);

  // "path.name".
  std::string Path(std::string_view name) const;

 private:
  const TextValue* Find(const char* name, bool required);

  const TextValue& value_;
  std::string path_;
  FieldViolations& violations_;
};

// The double nearest to a number; adds a violation for any other value and for numbers beyond a
// double.
void ReadNumber(const TextValue& value, const std::string& path, double* result,
                FieldViolations& violations);

}  // namespace candor::scenario
