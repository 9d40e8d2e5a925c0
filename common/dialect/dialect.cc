#include "common/dialect/dialect.h"

#include "common/dialect/openai.h"

namespace candor::dialect {

StatusOr<const Dialect*> FindDialect(std::string_view name) {
  static const OpenAiDialect* const kOpenAi = new OpenAiDialect;
  if (name.empty() || name == kOpenAi->name()) return kOpenAi;
  return InvalidArgument("dialect: \"{}\" is not known; give openai", name);
}

bool MatchesPattern(std::string_view pattern, std::string_view text) {
  // Goes on greedily and comes back to the last star only: linear for every useful pattern.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

const v1::ModelRule& FindModelRule(const v1::Endpoint& endpoint, std::string_view model) {
  for (const v1::ModelRule& rule : endpoint.models()) {
    if (MatchesPattern(rule.match(), model)) return rule;
  }
  return v1::ModelRule::default_instance();
}

}  // namespace candor::dialect
