#include "common/base/json_writer.h"
#include "common/base/time_proto.h"
#include "common/dialect/batch_forms.h"
#include "common/dialect/json_dialect.h"
#include "common/dialect/parse.h"

#include <boost/json/serialize.hpp>

#include <chrono>
#include <utility>

namespace candor::dialect {
namespace {

using boost::json::value;

constexpr std::string_view kTokenKey = "candor_batch";

// Of a batch that failed in validation: {"errors": {"data": [{"code", "message", "line"}]}}.
ProviderError ReadErrors(const value& batch) {
  ProviderError error{.error_class = v1::Attempt::INVALID_REQUEST,
                      .text = "the batch failed, and the provider does not say why",
                      .retry_after = std::nullopt};
  const value* errors = Member(batch, "errors");
  const value* data = errors == nullptr ? nullptr : Member(*errors, "data");
  if (data == nullptr || !data->is_array() || data->get_array().empty()) return error;
  const value& first = data->get_array().front();
  const std::string_view code = TextMember(first, "code");
  std::string text(TextMember(first, "message"));
  if (!code.empty()) text = text.empty() ? std::string(code) : fmt::format("{}: {}", code, text);
  if (const std::int64_t line = CountMember(&first, "line"); line > 0) {
    text += fmt::format(" (line {})", line);
  }
  if (data->get_array().size() > 1) {
    text += fmt::format("; and {} more", data->get_array().size() - 1);
  }
  if (!text.empty()) error.text = CleanText(text, kMaxErrorTextBytes);
  // The queue of enqueued tokens is full: it empties as batches end.
  if (code == "token_limit_exceeded" || code == "rate_limit_exceeded") {
    error.error_class = v1::Attempt::RATE_LIMITED;
  } else if (code == "insufficient_quota" || code.starts_with("billing_")) {
    error.error_class = v1::Attempt::QUOTA_EXHAUSTED;
  }
  return error;
}

}  // namespace

void OpenAiBatches::AppendLine(std::string_view custom_id, std::string_view request,
                               std::string* input) const {
  input->append("{\"custom_id\":");
  AppendJsonString(custom_id, input);
  input->append(",\"method\":\"POST\",\"url\":\"").append(url_).append("\",\"body\":");
  input->append(request).append("}\n");
}

std::string OpenAiBatches::ListPath(std::string_view after) const {
  return after.empty() ? std::string("/batches?limit=100")
                       : fmt::format("/batches?limit=100&after={}", after);
}

std::string OpenAiBatches::CreateBody(std::string_view file, std::string_view token) const {
  JsonWriter json;
  json.BeginObject().Key("input_file_id").String(file).Key("endpoint").String(url_);
  json.Key("completion_window").String("24h").Key("metadata");
  json.BeginObject().Key(kTokenKey).String(token).EndObject().EndObject();
  return json.Take();
}

std::optional<BatchObject> OpenAiBatches::ReadObject(const value& object) const {
  BatchObject batch;
  batch.id = TextMember(object, "id");
  batch.state = CleanText(TextMember(object, "status"), 100);
  if (!IsProviderId(batch.id) || batch.state.empty()) return std::nullopt;
  if (batch.state == "failed") {
    batch.phase = BatchObject::Phase::kFailed;
    batch.error = ReadErrors(object);
  } else if (batch.state == "completed" || batch.state == "expired" || batch.state == "cancelled") {
    batch.phase = BatchObject::Phase::kEnded;
  }
  const value* counts = Member(object, "request_counts");
  batch.cut_short = batch.state == "expired" || batch.state == "cancelled";
  batch.lines = CountMember(counts, "total");
  batch.lines_done = CountMember(counts, "completed") + CountMember(counts, "failed");
  if (const std::int64_t created = CountMember(&object, "created_at");
      created > 0 && created <= kLastTimestamp) {
    batch.create_time = WallTime(std::chrono::seconds(created));
  }
  if (const value* metadata = Member(object, "metadata")) {
    batch.token = TextMember(*metadata, kTokenKey);
  }
  for (const std::string_view name : {"output_file_id", "error_file_id"}) {
    const std::string_view file = TextMember(object, name);
    if (IsProviderId(file)) {
      batch.result_paths.push_back(fmt::format("{}/{}/content", kFilesPath, file));
    }
  }
  return batch;
}

StatusOr<BatchResult> OpenAiBatches::ReadResult(std::string_view line) const {
  const ParsedJson json(line);
  if (!json.ok()) return NoSuchObject("result of a batch", line);
  const value& root = json.value();
  BatchResult result;
  result.custom_id = TextMember(root, "custom_id");
  if (result.custom_id.empty()) return NoSuchObject("result of a batch", line);
  const value* response = Member(root, "response");
  if (response != nullptr && response->is_object()) {
    const std::int64_t status = CountMember(response, "status_code");
    result.status = status < 600 ? static_cast<int>(status) : 0;
    result.request_id = CleanText(TextMember(*response, "request_id"), 200);
    if (const value* body = Member(*response, "body"); body != nullptr && !body->is_null()) {
      result.body = boost::json::serialize(*body);
    }
    return result;
  }
  const value* error = Member(root, "error");
  if (error == nullptr || !error->is_object()) return NoSuchObject("result of a batch", line);
  const std::string_view code = TextMember(*error, "code");
  if (code == "batch_expired" || code == "batch_cancelled") {
    result.kind = BatchResult::Kind::kNotRun;
    result.text = CleanText(fmt::format("{}: {}", code, TextMember(*error, "message")), 500);
    return result;
  }
  // The provider failed before there was an answer of the model's server.
  result.status = 500;
  result.body = fmt::format("{{\"error\":{}}}", boost::json::serialize(*error));
  return result;
}

}  // namespace candor::dialect
