// From TextValue to message, by reflection; a part of json_proto.
#pragma once

#include "common/base/status.h"
#include "common/base/text_value.h"

#include <string>
#include <vector>

namespace google::protobuf {
class Descriptor;
class Message;
}  // namespace google::protobuf

namespace candor {

// Sets the fields that `value` names. Errors are INVALID_ARGUMENT and begin with the path of the
// field.
Status FillMessage(const TextValue& value, google::protobuf::Message* message);

// The names of a message's fields, as in the proto file.
std::vector<std::string> FieldNames(const google::protobuf::Descriptor& type);

}  // namespace candor
