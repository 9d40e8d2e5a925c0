// A chat-completions request, read and checked as OpenAI's API does.
//
//   ChatRequest request;
//   if (std::optional<ApiError> error = request.Parse(body)) return Refuse(*error);
//   request.model()
#pragma once

#include "simulator/message_reader.h"
#include "simulator/reply_writer.h"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {

// {"error": {"message", "type", "param", "code"}}; empty texts become null.
struct ApiError {
  int status = 400;
  std::string message;
  std::string type = "invalid_request_error";
  std::string param;
  std::string code;
};
std::string WriteError(const ApiError& error);

// Big (it holds the memory that small documents are parsed into) and for one body: make it on the
// stack. Views point into it. Parameters that it does not know are passed over, as compatible
// servers do.
class ChatRequest {
 public:
  // The document lives in the memory from the start: assigned across memories it would be copied.
  ChatRequest() : memory_(buffer_, sizeof(buffer_)), document_(&memory_) {}
  ChatRequest(const ChatRequest&) = delete;
  ChatRequest& operator=(const ChatRequest&) = delete;

  // Reads a body, once. An error with status 400 and the words of OpenAI's.
  std::optional<ApiError> Parse(std::string_view body);

  std::string_view model() const { return model_; }
  std::span<const ChatMessage> messages() const { return messages_; }
  // max_completion_tokens, or else max_tokens.
  std::optional<std::int64_t> max_tokens() const { return max_tokens_; }
  bool log_probabilities() const { return log_probabilities_; }
  int top_log_probabilities() const { return top_log_probabilities_; }
  bool stream() const { return stream_; }
  // stream_options.include_usage.
  bool stream_usage() const { return stream_usage_; }
  ReplyFormat format() const { return format_; }
  // The property names of a JSON schema.
  std::span<const std::string_view> schema_names() const { return schema_names_; }

  // Tokens of the messages: about 4 characters a token, and 4 a message.
  std::int64_t prompt_tokens() const { return prompt_tokens_; }
  // What the call counts against a token limit: "the maximum of max_tokens and the estimated
  // number of tokens based on the character count of your request".
  std::int64_t counted_tokens() const;

 private:
  std::optional<ApiError> ReadMessages(const boost::json::object& document);
  std::optional<ApiError> ReadSampling(const boost::json::object& document);
  std::optional<ApiError> ReadFormat(const boost::json::object& document);
  std::optional<ApiError> ReadContent(const boost::json::value& content, std::size_t index,
                                      std::string_view* text);

  unsigned char buffer_[8192];
  boost::json::monotonic_resource memory_;
  boost::json::value document_;
  // Contents that came in parts.
  std::deque<std::string> joined_;
  std::string_view model_;
  std::vector<ChatMessage> messages_;
  std::vector<std::string_view> schema_names_;
  std::optional<std::int64_t> max_tokens_;
  std::int64_t prompt_tokens_ = 0;
  std::int64_t estimated_tokens_ = 0;
  int top_log_probabilities_ = 0;
  bool log_probabilities_ = false;
  bool stream_ = false;
  bool stream_usage_ = false;
  ReplyFormat format_ = ReplyFormat::kText;
};

// Tokens of a text: a quarter of its bytes, rounded up.
constexpr std::int64_t CountTokens(std::string_view text) {
  return static_cast<std::int64_t>((text.size() + 3) / 4);
}
// The longest beginning of `text` that has at most `count` tokens and does not cut a character of
// UTF-8 (but at least one byte, so that a loop over the pieces ends).
std::string_view TakeTokens(std::string_view text, std::int64_t count);

}  // namespace candor::simulator
