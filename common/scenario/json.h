// JSON files that people write, read strictly. Private to the room.
#pragma once

#include "common/base/status.h"
#include "common/base/violations.h"

#include <boost/json/fwd.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace candor::scenario {

// The value of a text. Unlike boost::json::parse (1.81) it gives the double nearest to every number
// and refuses keys that stand twice in an object, of which it would keep the last. A byte-order
// mark in front is skipped. INVALID_ARGUMENT with line and column (in bytes, from 1), or, for
// repeated keys and numbers beyond a double, with the position behind them.
StatusOr<boost::json::value> ParseJson(std::string_view text);

// "text", "number", "list", "object", "true or false" or "null", with its article.
std::string_view TypeName(const boost::json::value& value);

// The fields of one object, each taken with its type checked. What is wrong is added to
// `violations`.
//
//   ObjectReader reader(value, "scenarios[3]", {"id", "role"}, violations);
//   reader.Text("id", /*required=*/true, &id);
class ObjectReader {
 public:
  // Adds a violation if `value` is no object, and for each field that is not `known`.
  ObjectReader(const boost::json::value& value, std::string path,
               std::initializer_list<const char*> known, FieldViolations& violations);

  // Each leaves the result as it is (or returns nullptr) when the field is absent or wrong.
  void Text(const char* name, bool required, std::string* result);
  void Number(const char* name, bool required, double* result);
  const boost::json::array* List(const char* name, bool required);

  // "path.name".
  std::string Path(std::string_view name) const;

 private:
  const boost::json::value* Find(const char* name, bool required);

  const boost::json::object* object_;
  std::string path_;
  FieldViolations& violations_;
};

// Adds a violation unless `value` is a number.
void ReadNumber(const boost::json::value& value, const std::string& path, double* result,
                FieldViolations& violations);

}  // namespace candor::scenario
