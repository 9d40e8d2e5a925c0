// JSON text of what a job gives as JSON, byte for byte the same each time. Private to the room.
#pragma once

#include "common/base/status.h"

#include <google/protobuf/struct.pb.h>

#include <string>
#include <string_view>
#include <vector>

namespace candor::dialect {

// Appends a value in one line: the keys of objects in byte order (a protobuf map has no order),
// whole numbers below 2^53 without a fraction, others in the shortest form that reads back.
// INVALID_ARGUMENT, with `path`, for NaN, infinities and nesting deeper than 32.
Status AppendValue(const google::protobuf::Value& value, std::string_view path, std::string* out);

// The fields of a Struct in byte order of their names.
std::vector<const google::protobuf::Map<std::string, google::protobuf::Value>::value_type*>
SortedFields(const google::protobuf::Struct& fields);

// A number as JSON has it, likewise.
void AppendNumber(double number, std::string* out);

}  // namespace candor::dialect
