#include "common/dialect/log_odds.h"

#include "common/dialect/parse.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace candor::dialect {
namespace {

using boost::json::value;

// 'A', 'B', or 0 for every other token.
char LetterOf(std::string_view token) {
  static constexpr std::string_view kMarks[] = {" ",        "\n",      "\t", "\r", "\xE2\x96\x81",
                                                "\xC4\xA0", "\xC4\x8A"};
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view mark : kMarks) {
      if (token.starts_with(mark)) {
        token.remove_prefix(mark.size());
        again = true;
      } else if (token.ends_with(mark)) {
        token.remove_suffix(mark.size());
        again = true;
      }
    }
  }
  return token == "A" || token == "B" ? token[0] : '\0';
}

// A probability, or nothing where there is none. Providers write -9999 for "very unlikely".
std::optional<double> Probability(const value& item) {
  const value* logprob = Member(item, "logprob");
  if (logprob == nullptr || !logprob->is_number()) return std::nullopt;
  const double number = logprob->to_number<double>();
  if (!(number > -9000) || number > 1) return std::nullopt;
  return std::exp(std::min(number, 0.0));
}

}  // namespace

std::optional<LogOdds> ReadLogOdds(const boost::json::array* tokens, v1::Outcome::Choice choice) {
  if (tokens == nullptr || choice == v1::Outcome::CHOICE_UNSPECIFIED) return std::nullopt;
  const char letter = choice == v1::Outcome::A ? 'A' : 'B';
  const auto said = std::find_if(tokens->begin(), tokens->end(), [&](const value& token) {
    return LetterOf(TextMember(token, "token")) == letter;
  });
  if (said == tokens->end()) return std::nullopt;
  const value* top = Member(*said, "top_logprobs");
  if (top == nullptr || !top->is_array()) return std::nullopt;

  double a = 0;
  double b = 0;
  double listed = 0;
  double least = 1;
  const auto count = [&](const value& item) {
    const auto probability = Probability(item);
    if (!probability) return;
    const char item_letter = LetterOf(TextMember(item, "token"));
    if (item_letter == 'A') a += *probability;
    if (item_letter == 'B') b += *probability;
    listed += *probability;
    least = std::min(least, *probability);
  };
  for (const value& item : top->get_array()) count(item);
  // A sampled token need not be a likely one.
  const bool listed_itself = std::any_of(
      top->get_array().begin(), top->get_array().end(),
      [&](const value& item) { return TextMember(item, "token") == TextMember(*said, "token"); });
  if (!listed_itself) count(*said);
  if (a <= 0 && b <= 0) return std::nullopt;

  LogOdds odds;
  odds.truncated = a <= 0 || b <= 0;
  if (odds.truncated) {
    // Single precision leaves no more than this over.
    constexpr double kLeastRest = 1e-6;
    const double missing = std::min(least, std::max(1 - listed, kLeastRest));
    (a <= 0 ? a : b) = missing;
  }
  odds.a = std::log(a) - std::log(b);
  return odds;
}

}  // namespace candor::dialect
