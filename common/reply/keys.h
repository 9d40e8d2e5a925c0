// Which attribute a key of a self-report means.
#pragma once

#include "common/reply/text.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace candor::reply {

// How a key matches, the surest first.
enum class KeyTier {
  // Byte for byte.
  kExact,
  // But for case, spaces, underscores, hyphens: "Monthly-Rent", "monthlyRent" for monthly_rent.
  kCase,
  // But for a unit or words about weighing: "price (USD)", "price in euros", "price_weight".
  kAffix,
  // Shortened ("qual", "avg temp", "WLB") or with other words ("price per night" for price).
  kAbbreviation,
  // No attribute, but about the report: "reason", "final_decision".
  kMeta,
  // No attribute, or could be several.
  kUnknown,
};

struct KeyMatch {
  KeyTier tier = KeyTier::kUnknown;
  // Index of the attribute, up to kAbbreviation.
  std::size_t attribute = 0;

  bool IsAttribute() const { return tier <= KeyTier::kAbbreviation; }
};

// The repair that a match is: none for kExact.
std::string_view RepairOf(KeyTier tier);

// The attributes of a scenario. A key goes to the first tier at which it fits any attribute, and is
// unknown when it fits several there. Words of which an attribute is made are never meta.
class KeyMatcher {
 public:
  explicit KeyMatcher(std::span<const std::string> names);

  KeyMatch Find(std::string_view key) const;
  std::size_t size() const { return attributes_.size(); }

 private:
  struct Attribute {
    std::string name;
    // The words in one, with and without what stands in parentheses.
    std::string joined;
    std::string joined_without_unit;
    std::vector<std::string> words;
    // Without "of", "the" and the like.
    std::vector<std::string> telling_words;
  };
  template <typename Fits>
  std::optional<KeyMatch> Only(KeyTier tier, const Fits& fits) const;

  std::vector<Attribute> attributes_;
};

// The words of a key, in lower case: "monthlyRent", "Monthly rent" -> {"monthly", "rent"}.
std::vector<std::string> KeyWords(std::string_view key);

}  // namespace candor::reply
