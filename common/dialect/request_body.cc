#include "common/dialect/request_body.h"

#include "common/base/json_writer.h"
#include "common/dialect/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>

namespace candor::dialect {

BodyWriter::BodyWriter(const google::protobuf::Struct& extra, std::string* out) : out_(out) {
  levels_[0].extra = &extra;
  out_->clear();
  out_->push_back('{');
}

std::string* BodyWriter::Field(std::string_view name) {
  Level& level = levels_[depth_];
  if (!level.first) out_->push_back(',');
  level.first = false;
  assert(level.written_size < level.written.size());
  level.written[level.written_size++] = name;
  AppendJsonString(name, out_);
  out_->push_back(':');
  return out_;
}

void BodyWriter::String(std::string_view name, std::string_view value) {
  AppendJsonString(value, Field(name));
}

void BodyWriter::Integer(std::string_view name, std::int64_t value) {
  fmt::format_to(std::back_inserter(*Field(name)), "{}", value);
}

void BodyWriter::Number(std::string_view name, double value) { AppendNumber(value, Field(name)); }

void BodyWriter::True(std::string_view name) { Field(name)->append("true"); }

void BodyWriter::BeginObject(std::string_view name) {
  Field(name)->push_back('{');
  Level& parent = levels_[depth_];
  --parent.written_size;
  parent.merged[parent.merged_size++] = name;
  assert(depth_ + 1 < levels_.size());
  Level& level = levels_[++depth_];
  level = Level();
  level.name = name;
  if (parent.extra == nullptr) return;
  const auto at = parent.extra->fields().find(std::string(name));
  if (at == parent.extra->fields().end()) return;
  if (at->second.has_struct_value()) {
    level.extra = &at->second.struct_value();
  } else if (status_.ok()) {
    status_ = InvalidArgument(
        "extra_body.{}: must be an object, because Candor sets fields of it itself", PathOf(""));
  }
}

std::string BodyWriter::PathOf(std::string_view field) const {
  std::string path;
  for (std::size_t i = 1; i <= depth_; ++i) {
    if (i > 1) path.push_back('.');
    path.append(levels_[i].name);
  }
  if (!path.empty() && !field.empty()) path.push_back('.');
  return path.append(field);
}

Status BodyWriter::AppendExtra(std::initializer_list<std::string_view> refused) {
  Level& level = levels_[depth_];
  if (level.extra == nullptr || level.extra->fields().empty()) return absl::OkStatus();
  const auto is_in = [](const auto& names, std::size_t size, std::string_view name) {
    return std::find(names.begin(), names.begin() + size, name) != names.begin() + size;
  };
  for (const auto* field : SortedFields(*level.extra)) {
    const std::string& name = field->first;
    if (is_in(level.merged, level.merged_size, name)) continue;
    if (is_in(level.written, level.written_size, name) ||
        std::find(refused.begin(), refused.end(), name) != refused.end()) {
      return InvalidArgument(
          "extra_body.{}: Candor sets this field itself; leave it out here (sampling has what may "
          "be chosen)",
          PathOf(name));
    }
    if (!level.first) out_->push_back(',');
    level.first = false;
    AppendJsonString(name, out_);
    out_->push_back(':');
    CANDOR_RETURN_IF_ERROR(
        AppendValue(field->second, fmt::format("extra_body.{}", PathOf(name)), out_));
  }
  return absl::OkStatus();
}

Status BodyWriter::EndObject(std::initializer_list<std::string_view> refused) {
  CANDOR_RETURN_IF_ERROR(status_);
  CANDOR_RETURN_IF_ERROR(AppendExtra(refused));
  out_->push_back('}');
  --depth_;
  return absl::OkStatus();
}

Status BodyWriter::End(std::initializer_list<std::string_view> refused) {
  CANDOR_RETURN_IF_ERROR(status_);
  CANDOR_RETURN_IF_ERROR(AppendExtra(refused));
  out_->push_back('}');
  return absl::OkStatus();
}

const v1::Sampling& SamplingOf(const RequestInput& input) {
  return input.kind == v1::Cell::CHOICE ? input.entry.choices().sampling()
                                        : input.entry.self_reports().sampling();
}

std::int64_t SeedOf(const RequestInput& input) {
  const bool repeated =
      input.kind == v1::Cell::CHOICE && input.entry.choices().samples_per_trial() > 1;
  return SamplingOf(input).seed() + (repeated ? input.sample : 0);
}

Status CheckNumbers(const v1::Sampling& sampling) {
  for (const double number : {sampling.temperature(), sampling.top_p()}) {
    if (!std::isfinite(number)) {
      return InvalidArgument("sampling: temperature and top_p must be finite numbers");
    }
  }
  return absl::OkStatus();
}

StatusOr<SystemAs> ReadSystemAs(const RequestInput& input, const Capabilities& capabilities) {
  const std::string& word = input.rule.system_as();
  if (word.empty() || word == "system") return SystemAs::kSystem;
  if (word == "user") return SystemAs::kUser;
  if (word == "developer" && capabilities.developer_role) return SystemAs::kDeveloper;
  return InvalidArgument(
      "system_as: is \"{}\"; give {}", word,
      capabilities.developer_role ? "system, developer or user" : "system or user");
}

std::string SystemText(const RequestInput& input) {
  std::string text;
  for (std::size_t i = 0; i < input.prompt.size(); ++i) {
    if (input.prompt.role(i) != "system") continue;
    if (!text.empty()) text.append("\n\n");
    text.append(input.contents[i]);
  }
  return text;
}

void AppendMessage(std::string_view role, std::string_view content, bool first, std::string* out) {
  out->append(first ? "{\"role\":" : ",{\"role\":");
  AppendJsonString(role, out);
  out->append(",\"content\":");
  AppendJsonString(content, out);
  out->push_back('}');
}

void AppendReportSchema(const RequestInput& input, bool bounds, std::string* out) {
  const auto& order = input.trial.attribute_order;
  const auto name = [&](std::uint32_t k) -> const std::string& {
    return input.scenario.attributes(static_cast<int>(k)).name();
  };
  out->append("{\"type\":\"object\",\"properties\":{");
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendJsonString(name(order[i]), out);
    out->append(bounds ? ":{\"type\":\"number\",\"minimum\":-100,\"maximum\":100}"
                       : ":{\"type\":\"number\"}");
  }
  out->append("},\"required\":[");
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendJsonString(name(order[i]), out);
  }
  out->append("],\"additionalProperties\":false}");
}

}  // namespace candor::dialect
