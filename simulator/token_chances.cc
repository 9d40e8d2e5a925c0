#include "simulator/token_chances.h"

#include "common/base/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace candor::simulator {
namespace {

// What the letters together have; the rest is for openings of other answers.
constexpr double kLetterShare = 0.999;
constexpr std::pair<std::string_view, double> kOtherTokens[] = {
    {"Option", 0.0006}, {"The", 0.0002}, {"I", 0.00015}, {"Both", 0.00005}};
// Of a token that is beyond doubt, or unheard of.
constexpr double kCertain = -0.0001;
constexpr double kUnlikely = -9.2;

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

void AppendToken(const TokenChance& chance, std::string* out) {
  *out += R"({"token":)";
  AppendJsonString(chance.token, out);
  fmt::format_to(std::back_inserter(*out), R"(,"logprob":{},"bytes":[)", chance.log_probability);
  for (std::size_t i = 0; i < chance.token.size(); ++i) {
    fmt::format_to(std::back_inserter(*out), "{}{}", i == 0 ? "" : ",",
                   static_cast<unsigned char>(chance.token[i]));
  }
  *out += ']';
}

}  // namespace

std::vector<TokenPosition> TokenChances(const Completion& completion) {
  std::vector<TokenPosition> positions;
  const auto wanted = static_cast<std::size_t>(completion.top_log_probabilities);
  std::string_view rest = completion.text;
  for (bool begin = true; !rest.empty(); begin = false) {
    const std::string_view token = TakeTokens(rest, 1);
    rest.remove_prefix(token.size());
    TokenPosition position{{token, kCertain}, {}};
    if (begin && completion.log_odds_a) {
      position.top = FirstTokens(*completion.log_odds_a);
      const auto at =
          std::find_if(position.top.begin(), position.top.end(),
                       [&](const TokenChance& chance) { return chance.token == token; });
      position.chosen.log_probability = at == position.top.end() ? kUnlikely : at->log_probability;
    } else {
      position.top = {position.chosen};
    }
    if (position.top.size() > wanted) position.top.resize(wanted);
    positions.push_back(std::move(position));
  }
  return positions;
}

void AppendOpenAiTokens(const Completion& completion, std::string* out) {
  bool first = true;
  for (const TokenPosition& position : TokenChances(completion)) {
    if (!std::exchange(first, false)) *out += ',';
    AppendToken(position.chosen, out);
    *out += R"(,"top_logprobs":[)";
    for (std::size_t i = 0; i < position.top.size(); ++i) {
      if (i > 0) *out += ',';
      AppendToken(position.top[i], out);
      *out += '}';
    }
    *out += "]}";
  }
}

}  // namespace candor::simulator
