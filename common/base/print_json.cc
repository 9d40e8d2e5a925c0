#include "common/base/json_proto.h"
#include "common/base/json_writer.h"
#include "common/base/scalar_text.h"

#include <absl/strings/escaping.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>

namespace candor {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

void WriteMessage(const pb::Message& message, JsonWriter* json);

// Item `index` of a repeated field, or with index -1 a singular field.
void WriteScalar(const pb::Message& message, const Field* field, int index, JsonWriter* json) {
  const pb::Reflection& reflection = *message.GetReflection();
  const bool item = index >= 0;
  switch (field->cpp_type()) {
    case Field::CPPTYPE_INT32:
      json->Number(std::int64_t{item ? reflection.GetRepeatedInt32(message, field, index)
                                     : reflection.GetInt32(message, field)});
      return;
    case Field::CPPTYPE_INT64:
      json->Number(std::int64_t{item ? reflection.GetRepeatedInt64(message, field, index)
                                     : reflection.GetInt64(message, field)});
      return;
    case Field::CPPTYPE_UINT32:
      json->Number(std::uint64_t{item ? reflection.GetRepeatedUInt32(message, field, index)
                                      : reflection.GetUInt32(message, field)});
      return;
    case Field::CPPTYPE_UINT64:
      json->Number(std::uint64_t{item ? reflection.GetRepeatedUInt64(message, field, index)
                                      : reflection.GetUInt64(message, field)});
      return;
    case Field::CPPTYPE_DOUBLE:
      json->Number(item ? reflection.GetRepeatedDouble(message, field, index)
                        : reflection.GetDouble(message, field));
      return;
    case Field::CPPTYPE_FLOAT:
      json->Number(double{item ? reflection.GetRepeatedFloat(message, field, index)
                               : reflection.GetFloat(message, field)});
      return;
    case Field::CPPTYPE_BOOL:
      json->Bool(item ? reflection.GetRepeatedBool(message, field, index)
                      : reflection.GetBool(message, field));
      return;
    case Field::CPPTYPE_ENUM: {
      const int number = item ? reflection.GetRepeatedEnumValue(message, field, index)
                              : reflection.GetEnumValue(message, field);
      const pb::EnumValueDescriptor* word = field->enum_type()->FindValueByNumber(number);
      if (word != nullptr) {
        json->String(word->name());
      } else {
        json->Number(std::int64_t{number});
      }
      return;
    }
    case Field::CPPTYPE_STRING: {
      std::string text = item ? reflection.GetRepeatedString(message, field, index)
                              : reflection.GetString(message, field);
      if (field->type() == Field::TYPE_BYTES) text = absl::Base64Escape(text);
      json->String(text);
      return;
    }
    case Field::CPPTYPE_MESSAGE:
      WriteMessage(item ? reflection.GetRepeatedMessage(message, field, index)
                        : reflection.GetMessage(message, field),
                   json);
      return;
  }
}

void WriteStruct(const pb::Struct& value, JsonWriter* json);

void WriteValue(const pb::Value& value, JsonWriter* json) {
  switch (value.kind_case()) {
    case pb::Value::kNullValue:
    case pb::Value::KIND_NOT_SET:
      json->Null();
      return;
    case pb::Value::kNumberValue:
      json->Number(value.number_value());
      return;
    case pb::Value::kStringValue:
      json->String(value.string_value());
      return;
    case pb::Value::kBoolValue:
      json->Bool(value.bool_value());
      return;
    case pb::Value::kStructValue:
      WriteStruct(value.struct_value(), json);
      return;
    case pb::Value::kListValue:
      json->BeginArray();
      for (const pb::Value& item : value.list_value().values()) WriteValue(item, json);
      json->EndArray();
      return;
  }
}

void WriteStruct(const pb::Struct& value, JsonWriter* json) {
  // Maps have no order of their own: by name, so that equal messages print alike.
  std::map<std::string, const pb::Value*> sorted;
  for (const auto& [name, member] : value.fields()) sorted.emplace(name, &member);
  json->BeginObject();
  for (const auto& [name, member] : sorted) {
    json->Key(name);
    WriteValue(*member, json);
  }
  json->EndObject();
}

bool WriteWellKnown(const pb::Message& message, JsonWriter* json) {
  const pb::Descriptor& type = *message.GetDescriptor();
  switch (type.well_known_type()) {
    case pb::Descriptor::WELLKNOWNTYPE_DURATION:
      json->String(WriteDuration(dynamic_cast<const pb::Duration&>(message)));
      return true;
    case pb::Descriptor::WELLKNOWNTYPE_TIMESTAMP:
      json->String(pb::util::TimeUtil::ToString(dynamic_cast<const pb::Timestamp&>(message)));
      return true;
    case pb::Descriptor::WELLKNOWNTYPE_FIELDMASK: {
      const auto& mask = dynamic_cast<const pb::FieldMask&>(message);
      json->String(fmt::format("{}", fmt::join(mask.paths(), ",")));
      return true;
    }
    case pb::Descriptor::WELLKNOWNTYPE_STRUCT:
      WriteStruct(dynamic_cast<const pb::Struct&>(message), json);
      return true;
    case pb::Descriptor::WELLKNOWNTYPE_VALUE:
      WriteValue(dynamic_cast<const pb::Value&>(message), json);
      return true;
    case pb::Descriptor::WELLKNOWNTYPE_LISTVALUE: {
      json->BeginArray();
      for (const pb::Value& item : dynamic_cast<const pb::ListValue&>(message).values()) {
        WriteValue(item, json);
      }
      json->EndArray();
      return true;
    }
    case pb::Descriptor::WELLKNOWNTYPE_DOUBLEVALUE:
    case pb::Descriptor::WELLKNOWNTYPE_FLOATVALUE:
    case pb::Descriptor::WELLKNOWNTYPE_INT64VALUE:
    case pb::Descriptor::WELLKNOWNTYPE_UINT64VALUE:
    case pb::Descriptor::WELLKNOWNTYPE_INT32VALUE:
    case pb::Descriptor::WELLKNOWNTYPE_UINT32VALUE:
    case pb::Descriptor::WELLKNOWNTYPE_STRINGVALUE:
    case pb::Descriptor::WELLKNOWNTYPE_BYTESVALUE:
    case pb::Descriptor::WELLKNOWNTYPE_BOOLVALUE:
      WriteScalar(message, type.field(0), -1, json);
      return true;
    default:
      return false;
  }
}

void WriteMap(const pb::Message& message, const Field* field, JsonWriter* json) {
  const pb::Reflection& reflection = *message.GetReflection();
  std::map<std::string, const pb::Message*> sorted;
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    const pb::Message& entry = reflection.GetRepeatedMessage(message, field, i);
    JsonWriter key;
    WriteScalar(entry, field->message_type()->map_key(), -1, &key);
    std::string name = key.Take();
    if (field->message_type()->map_key()->cpp_type() == Field::CPPTYPE_STRING) {
      name = entry.GetReflection()->GetString(entry, field->message_type()->map_key());
    }
    sorted.emplace(std::move(name), &entry);
  }
  json->BeginObject();
  for (const auto& [name, entry] : sorted) {
    json->Key(name);
    WriteScalar(*entry, field->message_type()->map_value(), -1, json);
  }
  json->EndObject();
}

void WriteMessage(const pb::Message& message, JsonWriter* json) {
  if (WriteWellKnown(message, json)) return;
  std::vector<const Field*> fields;
  message.GetReflection()->ListFields(message, &fields);
  json->BeginObject();
  for (const Field* field : fields) {
    json->Key(field->name());
    if (field->is_map()) {
      WriteMap(message, field, json);
    } else if (field->is_repeated()) {
      json->BeginArray();
      const int size = message.GetReflection()->FieldSize(message, field);
      for (int i = 0; i < size; ++i) WriteScalar(message, field, i, json);
      json->EndArray();
    } else {
      WriteScalar(message, field, -1, json);
    }
  }
  json->EndObject();
}

}  // namespace

std::string PrintJson(const pb::Message& message, const PrintOptions& options) {
  JsonWriter json(options.indent);
  WriteMessage(message, &json);
  return json.Take();
}

std::string GetField(const pb::Message& message, std::string_view path) {
  const pb::Message* parent = &message;
  while (true) {
    const std::size_t end = std::min(path.find('.'), path.size());
    const Field* field = parent->GetDescriptor()->FindFieldByName(std::string(path.substr(0, end)));
    if (field == nullptr || field->is_repeated()) return "";
    const pb::Reflection& reflection = *parent->GetReflection();
    if (!reflection.HasField(*parent, field)) return "";
    if (end == path.size()) {
      if (field->cpp_type() == Field::CPPTYPE_STRING) return reflection.GetString(*parent, field);
      JsonWriter json;
      WriteScalar(*parent, field, -1, &json);
      std::string text = json.Take();
      // Durations and enums print as JSON strings.
      if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
      return text;
    }
    if (field->message_type() == nullptr) return "";
    parent = &reflection.GetMessage(*parent, field);
    path.remove_prefix(end + 1);
  }
}

}  // namespace candor
