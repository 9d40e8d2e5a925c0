#include "common/base/message_filler.h"

#include "common/base/json_proto.h"
#include "common/base/json_writer.h"
#include "common/base/nearest.h"
#include "common/base/scalar_text.h"

#include <absl/strings/escaping.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <limits>
#include <map>
#include <optional>

namespace candor {
namespace {

namespace pb = google::protobuf;
using Kind = TextValue::Kind;
using Field = pb::FieldDescriptor;

bool IsScalar(const TextValue& value) {
  return value.kind != Kind::kList && value.kind != Kind::kMap;
}

// The value in an error: quoted text, cut where it is long.
std::string Shown(const TextValue& value) {
  switch (value.kind) {
    case Kind::kNull:
      return "null";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map";
    default:
      break;
  }
  std::string text = value.text;
  if (text.size() > 60) {
    text.resize(57);
    text += "...";
  }
  std::string shown;
  AppendJsonString(text, &shown);
  return value.kind == Kind::kNumber || value.kind == Kind::kBool ? text : shown;
}

class Filler {
 public:
  Status Fill(const TextValue& value, pb::Message* message);

 private:
  Status FillField(const TextValue& value, const Field* field, pb::Message* message);
  Status FillList(const TextValue& value, const Field* field, pb::Message* message);
  Status FillMap(const TextValue& value, const Field* field, pb::Message* message);
  Status FillScalar(const TextValue& value, const Field* field, pb::Message* message);
  template <typename T>
  Status SetInteger(const TextValue& value, const Field* field, pb::Message* message,
                    void (pb::Reflection::*set)(pb::Message*, const Field*, T) const,
                    void (pb::Reflection::*add)(pb::Message*, const Field*, T) const);
  StatusOr<std::string> Text(const TextValue& value);
  // True, and the result in `status`, when the type is written in a way of its own.
  bool FillWellKnown(const TextValue& value, pb::Message* message, Status* status);
  Status FillTimestamp(const TextValue& value, pb::Timestamp* timestamp);
  Status FillFieldMask(const TextValue& value, pb::FieldMask* mask);
  Status FillValue(const TextValue& value, pb::Value* out);
  Status FillStruct(const TextValue& value, pb::Struct* out);

  template <typename... Args>
  Status Error(const TextValue& value, fmt::format_string<Args...> format, Args&&... args) const {
    std::string where = path_;
    if (value.line > 0) where += fmt::format("{}(line {})", where.empty() ? "" : " ", value.line);
    if (!where.empty()) where += ": ";
    return InvalidArgument("{}{}", where, fmt::format(format, std::forward<Args>(args)...));
  }

  // Lengthens the path for as long as it lives.
  class Step {
   public:
    Step(Filler* filler, const std::string& step) : filler_(filler), size_(filler->path_.size()) {
      if (size_ > 0 && step.front() != '[') filler_->path_ += '.';
      filler_->path_ += step;
    }
    ~Step() { filler_->path_.resize(size_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Filler* filler_;
    std::size_t size_;
  };

  std::string path_;
};

Status Filler::Fill(const TextValue& value, pb::Message* message) {
  Status status;
  if (FillWellKnown(value, message, &status)) return status;
  const pb::Descriptor& type = *message->GetDescriptor();
  // An empty document, or a key with nothing behind it.
  if (value.kind == Kind::kNull) return absl::OkStatus();
  if (value.kind != Kind::kMap) {
    return Error(value, "is {}; give fields of {}, such as \"{}\"", Shown(value), type.name(),
                 type.field_count() > 0 ? type.field(0)->name() : "");
  }
  std::map<std::string, std::string> oneofs;
  std::map<const Field*, std::string> given;
  for (const TextValue::Member& entry : value.members) {
    // Not a structured binding: a lambda below captures the name.
    const std::string& name = entry.name;
    const TextValue& member = entry.value;
    const Field* field = type.FindFieldByName(name);
    if (field == nullptr) field = type.FindFieldByCamelcaseName(name);
    const Step step(this, name.empty() ? "\"\"" : name);
    if (field == nullptr) {
      return Error(member, "no such field{}", [&] {
        const std::vector<std::string> names = FieldNames(type);
        const std::string near = DidYouMean(name, names);
        if (!near.empty()) return near;
        return fmt::format("; {} has {}", type.name(), fmt::join(names, ", "));
      }());
    }
    if (!given.emplace(field, name).second) {
      return Error(member, "given twice, as {} and as {}", given[field], name);
    }
    if (member.kind == Kind::kNull && field->message_type() != pb::Value::descriptor()) continue;
    if (const pb::OneofDescriptor* oneof = field->real_containing_oneof(); oneof != nullptr) {
      const auto [other, first] = oneofs.emplace(oneof->name(), name);
      if (!first) return Error(member, "excludes {}; give one of them", other->second);
    }
    CANDOR_RETURN_IF_ERROR(FillField(member, field, message));
  }
  return absl::OkStatus();
}

Status Filler::FillField(const TextValue& value, const Field* field, pb::Message* message) {
  if (field->is_map()) return FillMap(value, field, message);
  if (field->is_repeated()) return FillList(value, field, message);
  if (field->message_type() != nullptr) {
    return Fill(value, message->GetReflection()->MutableMessage(message, field));
  }
  return FillScalar(value, field, message);
}

Status Filler::FillList(const TextValue& value, const Field* field, pb::Message* message) {
  if (value.kind != Kind::kList) return Error(value, "is {}; give a list", Shown(value));
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const Step step(this, fmt::format("[{}]", i));
    const TextValue& item = value.items[i];
    if (item.kind == Kind::kNull && field->message_type() != pb::Value::descriptor()) {
      return Error(item, "is null; leave it out, or give a value");
    }
    if (field->message_type() != nullptr) {
      CANDOR_RETURN_IF_ERROR(Fill(item, message->GetReflection()->AddMessage(message, field)));
    } else {
      CANDOR_RETURN_IF_ERROR(FillScalar(item, field, message));
    }
  }
  return absl::OkStatus();
}

Status Filler::FillMap(const TextValue& value, const Field* field, pb::Message* message) {
  if (value.kind != Kind::kMap) {
    return Error(value, "is {}; give a map of names and values", Shown(value));
  }
  for (const auto& [name, member] : value.members) {
    const Step step(this, fmt::format("[\"{}\"]", name));
    if (member.kind == Kind::kNull) return Error(member, "is null; leave it out, or give a value");
    pb::Message* entry = message->GetReflection()->AddMessage(message, field);
    const pb::Descriptor& type = *field->message_type();
    TextValue key;
    key.kind = Kind::kPlain;
    key.text = name;
    CANDOR_RETURN_IF_ERROR(FillScalar(key, type.map_key(), entry));
    CANDOR_RETURN_IF_ERROR(FillField(member, type.map_value(), entry));
  }
  return absl::OkStatus();
}

template <typename T>
Status Filler::SetInteger(const TextValue& value, const Field* field, pb::Message* message,
                          void (pb::Reflection::*set)(pb::Message*, const Field*, T) const,
                          void (pb::Reflection::*add)(pb::Message*, const Field*, T) const) {
  using Wide = std::conditional_t<std::numeric_limits<T>::is_signed, std::int64_t, std::uint64_t>;
  std::optional<Wide> number;
  if (IsScalar(value) && value.kind != Kind::kBool) {
    if constexpr (std::numeric_limits<T>::is_signed) {
      number = ReadInt64(value.text);
    } else {
      number = ReadUint64(value.text);
    }
  }
  if (!number || *number < static_cast<Wide>(std::numeric_limits<T>::min()) ||
      *number > static_cast<Wide>(std::numeric_limits<T>::max())) {
    if constexpr (std::is_same_v<T, std::int64_t>) {
      return Error(value, "{} is no whole number of at most 18 digits", Shown(value));
    }
    return Error(value, "{} is no whole number from {} to {}", Shown(value),
                 std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
  }
  (message->GetReflection()->*(field->is_repeated() ? add : set))(message, field,
                                                                  static_cast<T>(*number));
  return absl::OkStatus();
}

StatusOr<std::string> Filler::Text(const TextValue& value) {
  if (value.kind == Kind::kString || value.kind == Kind::kPlain) return value.text;
  return Error(value, "is {}; give a text, in quotes", Shown(value));
}

Status Filler::FillScalar(const TextValue& value, const Field* field, pb::Message* message) {
  const pb::Reflection& reflection = *message->GetReflection();
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case Field::CPPTYPE_INT32:
      return SetInteger<std::int32_t>(value, field, message, &pb::Reflection::SetInt32,
                                      &pb::Reflection::AddInt32);
    case Field::CPPTYPE_INT64:
      return SetInteger<std::int64_t>(value, field, message, &pb::Reflection::SetInt64,
                                      &pb::Reflection::AddInt64);
    case Field::CPPTYPE_UINT32:
      return SetInteger<std::uint32_t>(value, field, message, &pb::Reflection::SetUInt32,
                                       &pb::Reflection::AddUInt32);
    case Field::CPPTYPE_UINT64:
      return SetInteger<std::uint64_t>(value, field, message, &pb::Reflection::SetUInt64,
                                       &pb::Reflection::AddUInt64);
    case Field::CPPTYPE_DOUBLE:
    case Field::CPPTYPE_FLOAT: {
      std::optional<double> number;
      if (IsScalar(value) && value.kind != Kind::kBool) number = ReadDouble(value.text);
      if (!number) return Error(value, "{} is no number", Shown(value));
      if (field->cpp_type() == Field::CPPTYPE_DOUBLE) {
        repeated ? reflection.AddDouble(message, field, *number)
                 : reflection.SetDouble(message, field, *number);
      } else {
        const auto narrow = static_cast<float>(*number);
        repeated ? reflection.AddFloat(message, field, narrow)
                 : reflection.SetFloat(message, field, narrow);
      }
      return absl::OkStatus();
    }
    case Field::CPPTYPE_BOOL: {
      const bool word = value.kind == Kind::kBool || value.kind == Kind::kPlain;
      if (!word || (value.text != "true" && value.text != "false")) {
        return Error(value, "{} is no boolean; write true or false", Shown(value));
      }
      repeated ? reflection.AddBool(message, field, value.text == "true")
               : reflection.SetBool(message, field, value.text == "true");
      return absl::OkStatus();
    }
    case Field::CPPTYPE_ENUM: {
      const pb::EnumDescriptor& type = *field->enum_type();
      const pb::EnumValueDescriptor* word =
          IsScalar(value) ? type.FindValueByName(value.text) : nullptr;
      if (word == nullptr) {
        std::vector<std::string> words;
        for (int i = 0; i < type.value_count(); ++i) {
          if (type.value(i)->number() != 0) words.push_back(type.value(i)->name());
        }
        return Error(value, "{} is none of {}{}", Shown(value), fmt::join(words, ", "),
                     DidYouMean(value.text, words));
      }
      repeated ? reflection.AddEnum(message, field, word)
               : reflection.SetEnum(message, field, word);
      return absl::OkStatus();
    }
    case Field::CPPTYPE_STRING: {
      CANDOR_ASSIGN_OR_RETURN(std::string text, Text(value));
      if (field->type() == Field::TYPE_BYTES) {
        std::string bytes;
        if (!absl::Base64Unescape(text, &bytes) && !absl::WebSafeBase64Unescape(text, &bytes)) {
          return Error(value, "{} is no base64", Shown(value));
        }
        text = std::move(bytes);
      }
      repeated ? reflection.AddString(message, field, std::move(text))
               : reflection.SetString(message, field, std::move(text));
      return absl::OkStatus();
    }
    case Field::CPPTYPE_MESSAGE:
      break;
  }
  return Error(value, "cannot be given here");
}

bool Filler::FillWellKnown(const TextValue& value, pb::Message* message, Status* status) {
  const pb::Descriptor& type = *message->GetDescriptor();
  switch (type.well_known_type()) {
    case pb::Descriptor::WELLKNOWNTYPE_DURATION: {
      const Status read =
          IsScalar(value) ? ReadDuration(value.text, dynamic_cast<pb::Duration*>(message))
                          : InvalidArgument("is {}; give a duration such as \"30s\"", Shown(value));
      *status = read.ok() ? read : Error(value, "{}", candor::Message(read));
      return true;
    }
    case pb::Descriptor::WELLKNOWNTYPE_TIMESTAMP:
      *status = FillTimestamp(value, dynamic_cast<pb::Timestamp*>(message));
      return true;
    case pb::Descriptor::WELLKNOWNTYPE_FIELDMASK:
      *status = FillFieldMask(value, dynamic_cast<pb::FieldMask*>(message));
      return true;
    case pb::Descriptor::WELLKNOWNTYPE_STRUCT:
      *status = FillStruct(value, dynamic_cast<pb::Struct*>(message));
      return true;
    case pb::Descriptor::WELLKNOWNTYPE_VALUE:
      *status = FillValue(value, dynamic_cast<pb::Value*>(message));
      return true;
    case pb::Descriptor::WELLKNOWNTYPE_LISTVALUE: {
      pb::Value list;
      *status = value.kind == Kind::kList ? FillValue(value, &list)
                                          : Error(value, "is {}; give a list", Shown(value));
      dynamic_cast<pb::ListValue*>(message)->Swap(list.mutable_list_value());
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
      *status = FillScalar(value, type.field(0), message);
      return true;
    default:
      return false;
  }
}

Status Filler::FillTimestamp(const TextValue& value, pb::Timestamp* timestamp) {
  if (!IsScalar(value) || !pb::util::TimeUtil::FromString(value.text, timestamp)) {
    return Error(value, "{} is no time; write one such as \"2026-01-31T12:00:00Z\"", Shown(value));
  }
  return absl::OkStatus();
}

Status Filler::FillFieldMask(const TextValue& value, pb::FieldMask* mask) {
  if (value.kind == Kind::kList) {
    for (const TextValue& item : value.items) {
      CANDOR_ASSIGN_OR_RETURN(std::string path, Text(item));
      mask->add_paths(std::move(path));
    }
    return absl::OkStatus();
  }
  CANDOR_ASSIGN_OR_RETURN(const std::string text, Text(value));
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    mask->add_paths(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return absl::OkStatus();
}

Status Filler::FillStruct(const TextValue& value, pb::Struct* out) {
  if (value.kind == Kind::kNull) return absl::OkStatus();
  if (value.kind != Kind::kMap) {
    return Error(value, "is {}; give a map of names and values", Shown(value));
  }
  for (const auto& [name, member] : value.members) {
    const Step step(this, fmt::format("[\"{}\"]", name));
    CANDOR_RETURN_IF_ERROR(FillValue(member, &(*out->mutable_fields())[name]));
  }
  return absl::OkStatus();
}

Status Filler::FillValue(const TextValue& value, pb::Value* out) {
  switch (value.kind) {
    case Kind::kNull:
      out->set_null_value(pb::NULL_VALUE);
      return absl::OkStatus();
    case Kind::kBool:
      out->set_bool_value(value.text == "true");
      return absl::OkStatus();
    case Kind::kNumber:
    case Kind::kPlain: {
      // Nobody says what a plain scalar is here: YAML 1.2's core schema does.
      if (value.text == "true" || value.text == "false") {
        out->set_bool_value(value.text == "true");
        return absl::OkStatus();
      }
      const std::optional<double> number = ReadDouble(value.text);
      const bool word =
          value.kind == Kind::kPlain &&
          (value.text == "NaN" || value.text == "Infinity" || value.text == "-Infinity");
      if (number && !word) {
        out->set_number_value(*number);
      } else {
        out->set_string_value(value.text);
      }
      return absl::OkStatus();
    }
    case Kind::kString:
      out->set_string_value(value.text);
      return absl::OkStatus();
    case Kind::kList: {
      pb::ListValue* list = out->mutable_list_value();
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        const Step step(this, fmt::format("[{}]", i));
        CANDOR_RETURN_IF_ERROR(FillValue(value.items[i], list->add_values()));
      }
      return absl::OkStatus();
    }
    case Kind::kMap:
      return FillStruct(value, out->mutable_struct_value());
  }
  return absl::OkStatus();
}

}  // namespace

Status FillMessage(const TextValue& value, pb::Message* message) {
  return Filler().Fill(value, message);
}

std::vector<std::string> FieldNames(const pb::Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return names;
}

Status SetField(pb::Message* message, std::string_view path, std::string_view text) {
  TextValue value;
  value.kind = Kind::kPlain;
  value.text = std::string(text);
  if (!IsUtf8(text)) return InvalidArgument("{}: the value is no UTF-8", path);
  // Inside out: {"worker": {"slots": text}}.
  const pb::Descriptor* type = message->GetDescriptor();
  std::vector<std::string> steps;
  const Field* field = nullptr;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('.'), path.size());
    steps.emplace_back(path.substr(0, end));
    field = type != nullptr ? type->FindFieldByName(steps.back()) : nullptr;
    if (field == nullptr) return InvalidArgument("{}: no such field", steps.back());
    type = field->message_type();
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  if (field == nullptr) return InvalidArgument("an empty field name");
  // Filled directly in the field's own message, so that other fields stay and errors name the value
  // only.
  pb::Message* parent = message;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    parent = parent->GetReflection()->MutableMessage(
        parent, parent->GetDescriptor()->FindFieldByName(steps[i]));
  }
  parent->GetReflection()->ClearField(parent, field);
  if (field->is_repeated() && !field->is_map()) {
    TextValue list;
    list.kind = Kind::kList;
    std::size_t begin = 0;
    while (begin < text.size()) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      value.text = std::string(text.substr(begin, end - begin));
      list.items.push_back(value);
      begin = end + 1;
    }
    value = std::move(list);
  }
  TextValue root;
  root.kind = Kind::kMap;
  root.members.push_back({steps.back(), std::move(value)});
  return FillMessage(root, parent);
}

}  // namespace candor
