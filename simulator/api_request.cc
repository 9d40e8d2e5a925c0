#include "simulator/api_request.h"

#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>

namespace candor::simulator {

namespace json = boost::json;

const json::object* ApiRequest::Parse(std::string_view body) {
  boost::system::error_code error;
  document_ = json::parse(json::string_view(body.data(), body.size()), error, &memory_);
  return error ? nullptr : document_.if_object();
}

void ApiRequest::Add(std::string_view role, std::string_view content) {
  messages.push_back({role, content});
  prompt_tokens += 4 + CountTokens(content);
  characters += content.size();
}

std::string_view TakeTokens(std::string_view text, std::int64_t count) {
  if (CountTokens(text) <= count) return text;
  auto size = static_cast<std::size_t>(count) * 4;
  const auto is_inner = [&](std::size_t i) {
    return (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U;
  };
  while (size > 1 && is_inner(size)) --size;
  return text.substr(0, size);
}

}  // namespace candor::simulator
