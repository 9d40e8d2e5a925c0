// Reading and checking members of a JSON body in the words of OpenAI's APIs. `path` is what errors
// call the member; empty stands for its name.
#pragma once

#include "simulator/dialect.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {

inline std::string_view View(const boost::json::string& text) { return {text.data(), text.size()}; }

// The member, or null when it is absent or null.
const boost::json::value* Member(const boost::json::object& object, std::string_view name);
// The text of a member; empty when it is absent or no text.
std::string_view TextMember(const boost::json::object& object, std::string_view name);
// The member as an object; null when it is absent or none.
const boost::json::object* ObjectMember(const boost::json::object& object, std::string_view name);

namespace openai {

ApiError Invalid(std::string message, std::string param = {}, std::string code = {});
ApiError WrongType(std::string_view param, std::string_view wanted,
                   const boost::json::value& value);
ApiError Missing(std::string_view param);
ApiError NotJson();

std::optional<ApiError> ReadBool(const boost::json::object& object, const char* name, bool* out);
std::optional<ApiError> ReadInteger(const boost::json::object& object, const char* name,
                                    std::int64_t low, std::int64_t high,
                                    std::optional<std::int64_t>* out);
std::optional<ApiError> CheckDecimal(const boost::json::object& object, const char* name,
                                     double low, double high);
std::optional<ApiError> ReadModel(const ApiCall& call, const boost::json::object& document,
                                  ApiRequest* request);
// Text, or an array of parts of the type `part_type` (or without a type).
std::optional<ApiError> ReadContent(const boost::json::value& content, std::string_view path,
                                    ApiRequest* request, std::string_view* text);
// The names of a schema's properties.
std::optional<ApiError> ReadSchema(const boost::json::object& format, std::string_view path,
                                   ApiRequest* request);
// reasoning_effort and reasoning.effort.
std::optional<ApiError> ReadEffort(const boost::json::object& object, const char* name,
                                   std::string_view path, ApiRequest* request);

}  // namespace openai
}  // namespace candor::simulator
