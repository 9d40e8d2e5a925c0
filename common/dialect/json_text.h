// JSON text of what a job gives as JSON, byte for byte the same each time. Private to the room.
#pragma once

#include "common/base/status.h"

#include <google/protobuf/struct.pb.h>

#include <string>
#include <string_view>

namespace candor::dialect {

// Appends a value in one line: the keys of objects in byte order (a protobuf map has no order),
// whole numbers below 2^53 without a fraction, others in the shortest form that reads back.
// INVALID_ARGUMENT, with `path`, for NaN, infinities and nesting deeper than 32.
Status AppendValue(const google::protobuf::Value& value, std::string_view path, std::string* out);

// Appends `"key":value` for every field of a Struct, in byte order, each with a comma in front.
Status AppendFields(const google::protobuf::Struct& fields, std::string_view path,
                    std::string* out);

// A number as JSON has it, likewise.
void AppendNumber(double number, std::string* out);

}  // namespace candor::dialect
