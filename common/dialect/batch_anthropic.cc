#include "common/base/json_writer.h"
#include "common/base/time_proto.h"
#include "common/dialect/batch_forms.h"
#include "common/dialect/json_dialect.h"
#include "common/dialect/parse.h"

#include <boost/json/serialize.hpp>
#include <google/protobuf/util/time_util.h>

#include <utility>

namespace candor::dialect {
namespace {

using boost::json::value;

std::optional<WallTime> ReadTime(std::string_view text) {
  google::protobuf::Timestamp time;
  if (!google::protobuf::util::TimeUtil::FromString(std::string(text), &time)) return std::nullopt;
  return ToWall(time);
}

// The status that a call of its own would have had, by the type of its error.
int StatusOf(std::string_view type) {
  static constexpr std::pair<std::string_view, int> kStatuses[] = {
      {"invalid_request_error", 400}, {"authentication_error", 401}, {"billing_error", 402},
      {"permission_error", 403},      {"not_found_error", 404},      {"request_too_large", 413},
      {"rate_limit_error", 429},      {"timeout_error", 504},        {"overloaded_error", 529},
  };
  for (const auto& [name, status] : kStatuses) {
    if (name == type) return status;
  }
  return 500;
}

}  // namespace

void AnthropicBatches::AppendLine(std::string_view custom_id, std::string_view request,
                                  std::string* input) const {
  if (!input->ends_with('[')) input->push_back(',');
  input->append("{\"custom_id\":");
  AppendJsonString(custom_id, input);
  input->append(",\"params\":").append(request).push_back('}');
}

std::string AnthropicBatches::ListPath(std::string_view after) const {
  return after.empty() ? std::string("/messages/batches?limit=100")
                       : fmt::format("/messages/batches?limit=100&after_id={}", after);
}

std::optional<BatchObject> AnthropicBatches::ReadObject(const value& object) const {
  BatchObject batch;
  batch.id = TextMember(object, "id");
  batch.state = CleanText(TextMember(object, "processing_status"), 100);
  if (!IsProviderId(batch.id) || batch.state.empty()) return std::nullopt;
  if (batch.state == "ended") batch.phase = BatchObject::Phase::kEnded;
  const value* counts = Member(object, "request_counts");
  for (const std::string_view name : {"succeeded", "errored", "canceled", "expired"}) {
    batch.lines_done += CountMember(counts, name);
  }
  batch.lines = batch.lines_done + CountMember(counts, "processing");
  batch.create_time = ReadTime(TextMember(object, "created_at"));
  // `results_url` says the same, but no URL of an answer is followed.
  if (batch.phase == BatchObject::Phase::kEnded) {
    batch.result_paths.push_back(fmt::format("/messages/batches/{}/results", batch.id));
  }
  return batch;
}

StatusOr<BatchResult> AnthropicBatches::ReadResult(std::string_view line) const {
  const ParsedJson json(line);
  const value* said = json.ok() ? Member(json.value(), "result") : nullptr;
  BatchResult result;
  if (said != nullptr) result.custom_id = TextMember(json.value(), "custom_id");
  if (result.custom_id.empty()) return NoSuchObject("result of a batch", line);
  const std::string_view type = TextMember(*said, "type");
  if (type == "succeeded") {
    result.status = 200;
    const value* message = Member(*said, "message");
    if (message != nullptr) result.body = boost::json::serialize(*message);
    return result;
  }
  if (type == "expired" || type == "canceled") {
    result.kind = BatchResult::Kind::kNotRun;
    result.text = fmt::format("{} before its turn came, and not billed", type);
    return result;
  }
  const value* error = Member(*said, "error");
  if (type != "errored" || error == nullptr) return NoSuchObject("result of a batch", line);
  // {"type": "error", "error": {"type", "message"}}, or the inner one alone.
  const value* inner = Member(*error, "error");
  result.request_id = CleanText(TextMember(*error, "request_id"), 200);
  result.status = StatusOf(TextMember(inner == nullptr ? *error : *inner, "type"));
  result.body = inner == nullptr ? fmt::format("{{\"type\":\"error\",\"error\":{}}}",
                                               boost::json::serialize(*error))
                                 : boost::json::serialize(*error);
  return result;
}

}  // namespace candor::dialect
