#include "simulator/dialect.h"

#include "simulator/dialects.h"

namespace candor::simulator {

std::string_view ToString(DialectKind kind) {
  constexpr std::string_view kNames[] = {"chat", "responses", "anthropic", "gemini"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view ToString(Verdict verdict) {
  constexpr std::string_view kNames[] = {"",
                                         "requests",
                                         "tokens",
                                         "in_flight",
                                         "input_tokens",
                                         "output_tokens",
                                         "requests_per_day",
                                         "tokens_per_day",
                                         "acceleration"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::string_view ApiCall::Header(std::string_view name) const {
  return headers == nullptr ? std::string_view() : headers->Find(name).value_or("");
}

const Dialect& DialectOf(DialectKind kind) {
  switch (kind) {
    case DialectKind::kResponses:
      return ResponsesDialect();
    case DialectKind::kAnthropic:
      return AnthropicDialect();
    case DialectKind::kGemini:
      return GeminiDialect();
    case DialectKind::kChat:
      break;
  }
  return ChatDialect();
}

}  // namespace candor::simulator
