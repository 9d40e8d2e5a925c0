#include "simulator/openai_batch_input.h"

#include "simulator/json_span.h"
#include "simulator/openai_fields.h"

#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>

#include <optional>
#include <set>
#include <utility>

namespace candor::simulator {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxLines = 50'000;
// Errors of a file that are listed.
constexpr std::size_t kMaxErrors = 100;

std::optional<BatchInputError> ReadLine(std::string_view text, std::string_view endpoint,
                                        std::set<std::string_view>* ids, BatchInput* input) {
  boost::system::error_code error;
  const json::value document = json::parse(json::string_view(text.data(), text.size()), error);
  const json::object* line = error ? nullptr : document.if_object();
  const auto wrong = [](const char* code, std::string message, const char* param) {
    return BatchInputError{code, std::move(message), param, 0};
  };
  if (line == nullptr)
    return wrong("invalid_json_line", "This line is not parseable as valid JSON.", "");
  const std::string_view id = RawMember(text, "custom_id");
  const std::string_view custom_id = TextMember(*line, "custom_id");
  // Without escapes, the text of the line is the id.
  if (custom_id.empty() || id.size() != custom_id.size() + 2) {
    return wrong("missing_required_parameter", "Missing required parameter: 'custom_id'.",
                 "custom_id");
  }
  if (!ids->insert(id.substr(1, custom_id.size())).second) {
    return wrong(
        "duplicate_custom_id",
        fmt::format("The custom_id '{}' was used more than once in this batch.", custom_id),
        "custom_id");
  }
  if (TextMember(*line, "method") != "POST") {
    return wrong("invalid_method", "The method of each request must be 'POST'.", "method");
  }
  if (TextMember(*line, "url") != endpoint) {
    return wrong("mismatched_url",
                 fmt::format("The URL provided for this request does not match the batch "
                             "endpoint '{}'.",
                             endpoint),
                 "url");
  }
  const json::object* body = ObjectMember(*line, "body");
  if (body == nullptr) {
    return wrong("missing_required_parameter", "Missing required parameter: 'body'.", "body");
  }
  const std::string_view model = TextMember(*body, "model");
  if (input->model.empty()) input->model = model;
  if (model != input->model) {
    return wrong("mismatched_model",
                 fmt::format("The provided model '{}' does not match the other requests' '{}'; a "
                             "batch must have one model.",
                             model, input->model),
                 "body.model");
  }
  BatchLine item;
  item.custom_id = id.substr(1, custom_id.size());
  item.body = RawMember(text, "body");
  input->tokens += CountTokens(item.body);
  input->lines.push_back(std::move(item));
  return std::nullopt;
}

}  // namespace

BatchInput ReadBatchInput(std::string_view text, std::string_view endpoint) {
  BatchInput input;
  std::set<std::string_view> ids;
  std::int64_t number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (auto wrong = ReadLine(line, endpoint, &ids, &input);
        wrong && input.errors.size() < kMaxErrors) {
      wrong->line = number;
      input.errors.push_back(*std::move(wrong));
    }
  }
  if (input.lines.empty() && input.errors.empty()) {
    input.errors.push_back({"empty_file",
                            "The input file is empty. Please ensure that the batch "
                            "contains at least one request.",
                            "", 0});
  }
  if (input.lines.size() > kMaxLines) {
    input.errors.push_back({"request_limit_exceeded",
                            fmt::format("The batch has {} requests; at most {} are allowed.",
                                        input.lines.size(), kMaxLines),
                            "", 0});
  }
  return input;
}

}  // namespace candor::simulator
