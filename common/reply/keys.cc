#include "common/reply/keys.h"

#include <algorithm>
#include <array>
#include <utility>

namespace candor::reply {
namespace {

// Longer keys are prose.
constexpr std::size_t kMaxLooseKeyBytes = 200;

constexpr std::array<std::string_view, 16> kWeighing = {
    "weight", "weights", "weighting", "weighted",  "importance", "of",       "the", "score",
    "rating", "value",   "attribute", "dimension", "factor",     "assigned", "my",  "to"};
constexpr std::array<std::string_view, 12> kSmall = {"of",  "the", "to", "and",  "for", "in",
                                                     "per", "a",   "an", "from", "at",  "on"};
constexpr std::array<std::string_view, 44> kMetaWords = {
    "reason",     "reasons",       "reasoning",   "explanation", "explanations", "explain",
    "rationale",  "justification", "decision",    "choice",      "chosen",       "answer",
    "note",       "notes",         "comment",     "comments",    "summary",      "confidence",
    "total",      "sum",           "thought",     "thoughts",    "thinking",     "analysis",
    "disclaimer", "conclusion",    "scenario",    "role",        "question",     "task",
    "scale",      "unit",          "units",       "option",      "options",      "selected",
    "preference", "introspection", "description", "overall",     "message",      "recommendation",
    "explained",  "interpretation"};

template <typename Words>
bool IsOneOf(std::string_view word, const Words& words) {
  return std::ranges::find(words, word) != words.end();
}

std::string Join(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) joined += word;
  return joined;
}

// Without "(USD)" or "[USD]" at the end.
std::string_view WithoutUnit(std::string_view key) {
  key = Trim(key);
  if (!key.ends_with(')') && !key.ends_with(']')) return key;
  const auto open = key.find_first_of("([");
  return open == key.npos || open == 0 ? key : Trim(key.substr(0, open));
}

template <typename Words>
std::vector<std::string> Without(std::vector<std::string> words, const Words& dropped) {
  std::erase_if(words, [&](const std::string& word) { return IsOneOf(word, dropped); });
  return words;
}

// "temp" and "avg" for "temperature" and "average": the beginning, or a few of its consonants.
bool Abbreviates(std::string_view shorter, std::string_view word) {
  if (shorter == word) return true;
  if (shorter.size() < 3 || shorter.size() >= word.size() || shorter[0] != word[0]) return false;
  if (word.starts_with(shorter)) return true;
  if (shorter.substr(1).find_first_of("aeiou") != shorter.npos) return false;
  std::size_t at = 0;
  for (const char c : word) at += at < shorter.size() && shorter[at] == c ? 1 : 0;
  return at == shorter.size();
}

// Equal but for a plural.
bool SameWord(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return a == b || (a.size() >= 3 && b.starts_with(a) &&
                    (b.substr(a.size()) == "s" || b.substr(a.size()) == "es"));
}

// Every word of `key` abbreviates, or is, one of `words`, in their order.
bool IsShortFor(const std::vector<std::string>& key, const std::vector<std::string>& words) {
  std::size_t at = 0;
  for (const std::string& word : words) {
    if (at < key.size() && (Abbreviates(key[at], word) || SameWord(key[at], word))) ++at;
  }
  return at == key.size();
}

bool AreInitials(std::string_view key, const std::vector<std::string>& words) {
  if (words.size() < 2 || key.size() != words.size()) return false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i][0] != key[i]) return false;
  }
  return true;
}

bool Contains(const std::vector<std::string>& key, const std::vector<std::string>& words) {
  return !words.empty() && std::ranges::all_of(words, [&](const std::string& word) {
    return std::ranges::any_of(key,
                               [&](const std::string& other) { return SameWord(word, other); });
  });
}

}  // namespace

std::string_view RepairOf(KeyTier tier) {
  switch (tier) {
    case KeyTier::kCase:
      return "key_case";
    case KeyTier::kAffix:
      return "key_affix";
    case KeyTier::kAbbreviation:
      return "key_abbreviation";
    case KeyTier::kMeta:
      return "meta_key";
    case KeyTier::kExact:
    case KeyTier::kUnknown:
      break;
  }
  return {};
}

std::vector<std::string> KeyWords(std::string_view key) {
  std::vector<std::string> words;
  bool begins = true;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    if (!IsWordByte(c)) {
      begins = true;
      continue;
    }
    const bool upper = IsLetter(c) && c != ToLower(c);
    const bool hump = upper && i > 0 && IsLetter(key[i - 1]) && key[i - 1] == ToLower(key[i - 1]);
    if (begins || hump) words.emplace_back();
    words.back() += ToLower(c);
    begins = false;
  }
  return words;
}

KeyMatcher::KeyMatcher(std::span<const std::string> names) {
  for (const std::string& name : names) {
    attributes_.push_back({.name = name,
                           .joined = Join(KeyWords(name)),
                           .joined_without_unit = Join(KeyWords(WithoutUnit(name))),
                           .words = KeyWords(WithoutUnit(name)),
                           .telling_words = Without(KeyWords(WithoutUnit(name)), kSmall)});
  }
}

template <typename Fits>
std::optional<KeyMatch> KeyMatcher::Only(KeyTier tier, const Fits& fits) const {
  std::optional<KeyMatch> found;
  for (std::size_t i = 0; i < attributes_.size(); ++i) {
    if (!fits(attributes_[i])) continue;
    if (found.has_value()) return KeyMatch{};
    found = KeyMatch{.tier = tier, .attribute = i};
  }
  return found;
}

KeyMatch KeyMatcher::Find(std::string_view key) const {
  if (const auto match = Only(KeyTier::kExact, [&](const Attribute& a) { return a.name == key; })) {
    return *match;
  }
  if (key.size() > kMaxLooseKeyBytes) return {};
  const std::vector<std::string> words = KeyWords(key);
  if (words.empty()) return {};
  const std::string joined = Join(words);
  if (const auto match =
          Only(KeyTier::kCase, [&](const Attribute& a) { return a.joined == joined; })) {
    return *match;
  }

  std::string_view bare_key = WithoutUnit(key);
  const std::string without_unit = Join(KeyWords(bare_key));
  if (const auto in = Lower(bare_key).find(" in "); in != std::string::npos) {
    bare_key = bare_key.substr(0, in);
  }
  const std::string without_in = Join(KeyWords(bare_key));
  const std::vector<std::string> core = Without(KeyWords(bare_key), kWeighing);
  const std::string joined_core = Join(core);
  for (const std::string& candidate : {without_unit, without_in, joined_core}) {
    if (candidate.empty()) continue;
    if (const auto match = Only(KeyTier::kAffix, [&](const Attribute& a) {
          return a.joined == candidate || a.joined_without_unit == candidate;
        })) {
      return *match;
    }
  }

  for (const std::string& word : words) {
    const bool of_attribute = std::ranges::any_of(
        attributes_, [&](const Attribute& a) { return IsOneOf(word, a.words); });
    if (!of_attribute && IsOneOf(word, kMetaWords)) return {.tier = KeyTier::kMeta};
  }

  // First with the words about weighing, which an attribute may be called by: "coat_weight".
  for (const std::vector<std::string>& candidate : {KeyWords(bare_key), core}) {
    const std::vector<std::string> key_words = Without(candidate, kSmall);
    const std::string key_joined = Join(candidate);
    if (const auto match = Only(KeyTier::kAbbreviation, [&](const Attribute& a) {
          return (key_joined.size() >= 3 && a.joined.starts_with(key_joined)) ||
                 AreInitials(key_joined, a.telling_words) || AreInitials(key_joined, a.words) ||
                 (!key_words.empty() &&
                  (IsShortFor(key_words, a.telling_words) || Contains(key_words, a.telling_words)));
        })) {
      return *match;
    }
  }
  return {};
}

}  // namespace candor::reply
