#include "simulator/chat_response.h"

#include "common/base/json_writer.h"
#include "simulator/chat_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

namespace candor::simulator {
namespace {

// What the letters together have; the rest is for openings of other answers.
constexpr double kLetterShare = 0.999;
constexpr std::pair<std::string_view, double> kOtherTokens[] = {
    {"Option", 0.0006}, {"The", 0.0002}, {"I", 0.00015}, {"Both", 0.00005}};
// Of a token that is beyond doubt, or unheard of.
constexpr double kCertain = -0.0001;
constexpr double kUnlikely = -9.2;

struct TokenChance {
  std::string_view token;
  double log_probability;
};

void AppendToken(std::string_view token, double log_probability, std::string* out) {
  *out += R"({"token":)";
  AppendJsonString(token, out);
  fmt::format_to(std::back_inserter(*out), R"(,"logprob":{},"bytes":[)", log_probability);
  for (std::size_t i = 0; i < token.size(); ++i) {
    fmt::format_to(std::back_inserter(*out), "{}{}", i == 0 ? "" : ",",
                   static_cast<unsigned char>(token[i]));
  }
  *out += ']';
}

// The first tokens of a choice, the likeliest first. log(1 + exp(x)) is -log of the probability; it
// holds also where that rounds to 0 or 1.
std::vector<TokenChance> FirstTokens(double log_odds_a) {
  const auto minus_log = [](double x) { return x > 700 ? x : std::log1p(std::exp(x)); };
  std::vector<TokenChance> tokens = {{"A", std::log(kLetterShare) - minus_log(-log_odds_a)},
                                     {"B", std::log(kLetterShare) - minus_log(log_odds_a)}};
  for (const auto& [token, probability] : kOtherTokens) {
    tokens.push_back({token, std::log(probability)});
  }
  std::stable_sort(tokens.begin(), tokens.end(), [](const TokenChance& a, const TokenChance& b) {
    return a.log_probability > b.log_probability;
  });
  return tokens;
}

void AppendLogProbabilities(const Completion& completion, std::string* out) {
  *out += R"({"content":[)";
  // A token of a choice is known to the table by its text; all others are beyond doubt.
  std::vector<TokenChance> first;
  if (completion.log_odds_a) first = FirstTokens(*completion.log_odds_a);
  std::string_view rest = completion.text;
  for (bool begin = true; !rest.empty(); begin = false) {
    const std::string_view token = TakeTokens(rest, 1);
    rest.remove_prefix(token.size());
    if (!begin) *out += ',';
    std::vector<TokenChance> top = {{token, kCertain}};
    if (begin && !first.empty()) {
      top = first;
      const auto at = std::find_if(first.begin(), first.end(), [&](const TokenChance& chance) {
        return chance.token == token;
      });
      AppendToken(token, at == first.end() ? kUnlikely : at->log_probability, out);
    } else {
      AppendToken(token, kCertain, out);
    }
    *out += R"(,"top_logprobs":[)";
    const auto count =
        std::min(top.size(), static_cast<std::size_t>(completion.top_log_probabilities));
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) *out += ',';
      AppendToken(top[i].token, top[i].log_probability, out);
      *out += '}';
    }
    *out += "]}";
  }
  *out += R"(],"refusal":null})";
}

std::string_view FinishReason(const Completion& completion) {
  return completion.cut ? "length" : "stop";
}

void AppendUsage(const Completion& completion, std::string* out) {
  fmt::format_to(std::back_inserter(*out),
                 R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},)"
                 R"("prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},)"
                 R"("completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,)"
                 R"("accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}})",
                 completion.prompt_tokens, completion.completion_tokens,
                 completion.prompt_tokens + completion.completion_tokens);
}

// {"id":...,"object":...,"created":...,"model":...
void AppendHead(const Completion& completion, std::string_view object, std::string* out) {
  fmt::format_to(std::back_inserter(*out), R"({{"id":"{}","object":"{}","created":{},"model":)",
                 completion.id, object, completion.created);
  AppendJsonString(completion.model, out);
}

}  // namespace

std::string WriteCompletion(const Completion& completion) {
  std::string out;
  out.reserve(800 + completion.text.size());
  AppendHead(completion, "chat.completion", &out);
  out += R"(,"choices":[{"index":0,"message":{"role":"assistant","content":)";
  AppendJsonString(completion.text, &out);
  out += R"(,"refusal":null,"annotations":[]},"logprobs":)";
  if (completion.log_probabilities) {
    AppendLogProbabilities(completion, &out);
  } else {
    out += "null";
  }
  fmt::format_to(std::back_inserter(out), R"(,"finish_reason":"{}"}}],"usage":)",
                 FinishReason(completion));
  AppendUsage(completion, &out);
  fmt::format_to(std::back_inserter(out),
                 R"(,"service_tier":"default","system_fingerprint":"{}"}})",
                 completion.system_fingerprint);
  return out;
}

std::string WriteCompletionEvents(const Completion& completion, bool usage) {
  std::string out;
  out.reserve(1600 + completion.text.size());
  const auto begin = [&] {
    out += "data: ";
    AppendHead(completion, "chat.completion.chunk", &out);
    fmt::format_to(std::back_inserter(out),
                   R"(,"service_tier":"default","system_fingerprint":"{}",)",
                   completion.system_fingerprint);
  };
  const auto end = [&] {
    if (usage) out += R"(,"usage":null)";
    out += "}\n\n";
  };
  begin();
  out += R"("choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},)"
         R"("logprobs":null,"finish_reason":null}])";
  end();
  if (!completion.text.empty()) {
    begin();
    out += R"("choices":[{"index":0,"delta":{"content":)";
    AppendJsonString(completion.text, &out);
    out += R"(},"logprobs":)";
    if (completion.log_probabilities) {
      AppendLogProbabilities(completion, &out);
    } else {
      out += "null";
    }
    out += R"(,"finish_reason":null}])";
    end();
  }
  begin();
  fmt::format_to(std::back_inserter(out),
                 R"("choices":[{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"{}"}}])",
                 FinishReason(completion));
  end();
  if (usage) {
    begin();
    out += R"("choices":[],"usage":)";
    AppendUsage(completion, &out);
    out += "}\n\n";
  }
  out += "data: [DONE]\n\n";
  return out;
}

}  // namespace candor::simulator
