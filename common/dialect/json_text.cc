#include "common/dialect/json_text.h"

#include "common/base/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

namespace candor::dialect {

using Field = google::protobuf::Map<std::string, google::protobuf::Value>::value_type;

std::vector<const Field*> SortedFields(const google::protobuf::Struct& fields) {
  std::vector<const Field*> sorted;
  sorted.reserve(fields.fields().size());
  for (const auto& field : fields.fields()) sorted.push_back(&field);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  return sorted;
}

namespace {

constexpr int kMaxDepth = 32;

Status AppendAny(const google::protobuf::Value& value, std::string_view path, int depth,
                 std::string* out);

Status AppendStruct(const google::protobuf::Struct& fields, std::string_view path, int depth,
                    std::string* out) {
  out->push_back('{');
  bool first = true;
  for (const auto* field : SortedFields(fields)) {
    if (!first) out->push_back(',');
    first = false;
    AppendJsonString(field->first, out);
    out->push_back(':');
    CANDOR_RETURN_IF_ERROR(
        AppendAny(field->second, fmt::format("{}.{}", path, field->first), depth + 1, out));
  }
  out->push_back('}');
  return absl::OkStatus();
}

Status AppendList(const google::protobuf::ListValue& list, std::string_view path, int depth,
                  std::string* out) {
  out->push_back('[');
  for (int i = 0; i < list.values_size(); ++i) {
    if (i > 0) out->push_back(',');
    CANDOR_RETURN_IF_ERROR(
        AppendAny(list.values(i), fmt::format("{}[{}]", path, i), depth + 1, out));
  }
  out->push_back(']');
  return absl::OkStatus();
}

Status AppendAny(const google::protobuf::Value& value, std::string_view path, int depth,
                 std::string* out) {
  if (depth > kMaxDepth) {
    return InvalidArgument("{}: nested deeper than {}; flatten it", path, kMaxDepth);
  }
  switch (value.kind_case()) {
    case google::protobuf::Value::kNumberValue:
      if (!std::isfinite(value.number_value())) {
        return InvalidArgument("{}: is not finite; JSON has no such number", path);
      }
      AppendNumber(value.number_value(), out);
      return absl::OkStatus();
    case google::protobuf::Value::kStringValue:
      AppendJsonString(value.string_value(), out);
      return absl::OkStatus();
    case google::protobuf::Value::kBoolValue:
      out->append(value.bool_value() ? "true" : "false");
      return absl::OkStatus();
    case google::protobuf::Value::kStructValue:
      return AppendStruct(value.struct_value(), path, depth, out);
    case google::protobuf::Value::kListValue:
      return AppendList(value.list_value(), path, depth, out);
    case google::protobuf::Value::kNullValue:
    case google::protobuf::Value::KIND_NOT_SET:
      out->append("null");
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace

void AppendNumber(double number, std::string* out) {
  if (std::trunc(number) == number && std::abs(number) < 0x1p53) {
    fmt::format_to(std::back_inserter(*out), "{}", static_cast<long long>(number));
  } else {
    out->append(ShortestNumber(number));
  }
}

Status AppendValue(const google::protobuf::Value& value, std::string_view path, std::string* out) {
  return AppendAny(value, path, 0, out);
}

}  // namespace candor::dialect
