// What a call asks for, whatever its dialect: each dialect reads its own bodies into this, and one
// core (answer.h) decides upon it.
//
//   ApiRequest request;
//   if (std::optional<ApiError> error = dialect.Read(call, &request)) return Refuse(*error);
//   request.model
#pragma once

#include "simulator/message_reader.h"
#include "simulator/reply_writer.h"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {

// Big (it holds the memory that small documents are parsed into) and for one body: make it on the
// stack. Views point into it, or into the call that it was read from.
class ApiRequest {
 public:
  // The document lives in the memory from the start: assigned across memories it would be copied.
  ApiRequest() : memory_(buffer_, sizeof(buffer_)), document_(&memory_) {}
  ApiRequest(const ApiRequest&) = delete;
  ApiRequest& operator=(const ApiRequest&) = delete;

  // Parses the body, once. Null for what is no JSON object.
  const boost::json::object* Parse(std::string_view body);
  // Keeps a text that was put together of parts.
  std::string& Keep() { return joined_.emplace_back(); }
  // Adds a message and counts it: about 4 characters a token, and 4 tokens a message.
  void Add(std::string_view role, std::string_view content);

  std::string_view model;
  std::vector<ChatMessage> messages;
  std::optional<std::int64_t> max_tokens;
  bool log_probabilities = false;
  int top_log_probabilities = 0;
  bool stream = false;
  // Chat completions: stream_options.include_usage.
  bool stream_usage = false;
  ReplyFormat format = ReplyFormat::kText;
  // The property names of a JSON schema.
  std::vector<std::string_view> schema_names;
  // How much of its usual thinking the model is to do; 0 turns it off.
  double effort = 1;
  // The most that it may think.
  std::optional<std::int64_t> reasoning_limit;
  // The first parameter that models of `strict_parameters` refuse; empty when there is none.
  std::string_view newer_models_refuse;
  // Messages up to the last one that is marked for the cache; Anthropic only.
  std::size_t cached_messages = 0;
  // Of the prompt: read from the cache, and written to it.
  std::int64_t cached_tokens = 0;
  std::int64_t cache_written_tokens = 0;

  std::int64_t prompt_tokens = 0;
  std::size_t characters = 0;
  // "the estimated number of tokens based on the character count of your request".
  std::int64_t estimated_tokens() const { return static_cast<std::int64_t>((characters + 3) / 4); }
  // What counts against OpenAI's token limits: "the maximum of max_tokens and the estimated number
  // of tokens".
  std::int64_t reserved_tokens() const {
    return std::max(max_tokens.value_or(0), estimated_tokens());
  }

 private:
  unsigned char buffer_[8192];
  boost::json::monotonic_resource memory_;
  boost::json::value document_;
  std::deque<std::string> joined_;
};

// Tokens of a text: a quarter of its bytes, rounded up.
constexpr std::int64_t CountTokens(std::string_view text) {
  return static_cast<std::int64_t>((text.size() + 3) / 4);
}
// The longest beginning of `text` that has at most `count` tokens and does not cut a character of
// UTF-8 (but at least one byte, so that a loop over the pieces ends).
std::string_view TakeTokens(std::string_view text, std::int64_t count);

}  // namespace candor::simulator
