#include "common/reply/number.h"

#include <absl/strings/charconv.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <string>

namespace candor::reply {
namespace {

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Digits with separators, as digits alone; empty when the groups are not of three.
std::string TakeDigits(std::string_view& text, Repairs& repairs) {
  std::string digits;
  while (!text.empty() && IsDigit(text.front())) {
    digits += text.front();
    text.remove_prefix(1);
  }
  if (digits.empty() || digits.size() > 3 || digits.front() == '0') return digits;
  while (text.size() >= 4 && (text[0] == ',' || text[0] == '_') && IsDigit(text[1]) &&
         IsDigit(text[2]) && IsDigit(text[3]) && (text.size() == 4 || !IsDigit(text[4]))) {
    digits += text.substr(1, 3);
    text.remove_prefix(4);
    repairs.Add("thousands_separator");
  }
  return digits;
}

// What may stand behind the number.
bool IsKnownTail(std::string_view text, Repairs& repairs) {
  text = Trim(text);
  const std::string lower = Lower(text.substr(0, 16));
  for (const std::string_view percent : {"%", "percent", "per cent"}) {
    if (!std::string_view(lower).starts_with(percent)) continue;
    repairs.Add("percent_sign");
    text = Trim(text.substr(percent.size()));
    break;
  }
  for (const std::string_view fraction : {"/100", "/ 100", "out of 100"}) {
    if (!std::string_view(lower).starts_with(fraction)) continue;
    repairs.Add("fraction");
    text = Trim(text.substr(fraction.size()));
    break;
  }
  if (text.starts_with('(') && text.ends_with(')')) {
    repairs.Add("number_with_note");
    return true;
  }
  return text.empty();
}

}  // namespace

std::optional<double> ReadNumber(std::string_view token, Repairs& repairs) {
  std::string_view rest = Trim(token);
  Repairs seen;
  bool negative = false;
  if (TakePrefix(rest, "-")) {
    negative = true;
  } else if (TakePrefix(rest, "+")) {
    seen.Add("plus_sign");
  } else {
    for (const std::string_view minus :
         {"\xe2\x88\x92", "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\x90", "\xe2\x80\x91"}) {
      if (!TakePrefix(rest, minus)) continue;
      negative = true;
      seen.Add("unicode_minus");
      break;
    }
  }
  const std::string name = Lower(rest.substr(0, 9));
  if (name == "nan" || name == "inf" || name == "infinity") {
    repairs.Add("non_finite");
    return std::nullopt;
  }
  std::string number = TakeDigits(rest, seen);
  if (number.size() > 1 && number.front() == '0') seen.Add("leading_zeros");
  const bool has_whole = !number.empty();
  if (TakePrefix(rest, ".")) {
    std::string decimals;
    while (!rest.empty() && IsDigit(rest.front())) {
      decimals += rest.front();
      rest.remove_prefix(1);
    }
    if (!has_whole && decimals.empty()) return std::nullopt;
    if (!has_whole || decimals.empty()) seen.Add("bare_decimal_point");
    number = (has_whole ? number : "0") + "." + (decimals.empty() ? "0" : decimals);
  } else if (!has_whole) {
    return std::nullopt;
  }
  if (rest.size() >= 2 && ToLower(rest[0]) == 'e') {
    std::size_t size = rest[1] == '+' || rest[1] == '-' ? 2 : 1;
    if (size < rest.size() && IsDigit(rest[size])) {
      while (size < rest.size() && IsDigit(rest[size])) ++size;
      number += rest.substr(0, size);
      rest.remove_prefix(size);
    }
  }
  if (!IsKnownTail(rest, seen)) return std::nullopt;
  double value = 0;
  const auto result = absl::from_chars(number.data(), number.data() + number.size(), value);
  // Beyond the range, `value` is the largest double or the smallest.
  if (result.ec != std::errc() && value > 1) {
    repairs.Add("non_finite");
    return std::nullopt;
  }
  repairs.AddAll(seen);
  return negative ? -value : value;
}

bool IsNoNumberLiteral(std::string_view token, Repairs& repairs) {
  static constexpr std::array<std::string_view, 3> kJson = {"true", "false", "null"};
  for (const std::string_view literal : kJson) {
    if (token == literal) return true;
  }
  const std::string lower = Lower(token.substr(0, 16));
  static constexpr std::array<std::string_view, 5> kOther = {"true", "false", "none", "null",
                                                             "undefined"};
  for (const std::string_view literal : kOther) {
    if (lower != literal) continue;
    repairs.Add("python_literal");
    return true;
  }
  return false;
}

}  // namespace candor::reply
