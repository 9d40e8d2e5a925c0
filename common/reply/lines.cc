#include "common/reply/lines.h"

#include "common/reply/number.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace candor::reply {
namespace {

using Values = std::vector<std::optional<double>>;

// Markup, bullets and numbers in front of a name, and what ends a line.
std::string WithoutMarkup(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != '*' && c != '`' && c != '"' && c != '\'') plain += c;
  }
  std::string_view rest = Trim(plain);
  while (!rest.empty() && std::string_view(",.|").find(rest.back()) != rest.npos &&
         !(rest.back() == '.' && rest.size() == 1)) {
    rest.remove_suffix(1);
  }
  return std::string(Trim(rest));
}

std::string NameOfLine(std::string_view text) {
  std::string plain = WithoutMarkup(text);
  std::string_view rest = plain;
  if (rest.starts_with("\xe2\x80\xa2")) rest.remove_prefix(3);
  while (!rest.empty() && (std::string_view("-|#>{").find(rest.front()) != rest.npos)) {
    rest = Trim(rest.substr(1));
  }
  std::size_t digits = 0;
  while (digits < rest.size() && IsDigit(rest[digits])) ++digits;
  if (digits > 0 && digits < rest.size() && (rest[digits] == '.' || rest[digits] == ')')) {
    rest = rest.substr(digits + 1);
  }
  return std::string(Trim(rest));
}

class LineReader {
 public:
  LineReader(const KeyMatcher& matcher, bool cut)
      : matcher_(matcher), cut_(cut), values_(matcher.size()) {}

  // All numbers, or none when an attribute has no line, an unreadable one, or two that differ.
  std::optional<Values> Read(std::string_view text, Repairs& repairs) {
    std::size_t at = 0;
    while (at <= text.size()) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      ReadLine(text.substr(at, end - at), end == text.size());
      at = end + 1;
    }
    const bool complete = !values_.empty() && std::ranges::all_of(values_, [](const auto& value) {
      return value.has_value();
    });
    if (ambiguous_ || !complete) return std::nullopt;
    if (other_lines_) repairs.Add("surrounding_prose");
    repairs.Add("name_value_lines");
    repairs.AddAll(seen_);
    return values_;
  }

 private:
  void ReadLine(std::string_view line, bool last) {
    if (Trim(line).empty()) return;
    if (std::ranges::count(line, ':') < 2 && std::ranges::count(line, '=') < 2) {
      ReadPart(line, last);
      return;
    }
    std::size_t at = 0;
    for (std::size_t i = 0; i <= line.size(); ++i) {
      const bool comma = i + 1 < line.size() && line[i] == ',' && IsSpace(line[i + 1]);
      if (i < line.size() && line[i] != ';' && !comma) continue;
      ReadPart(line.substr(at, i - at), last && i == line.size());
      at = i + 1;
    }
  }

  void ReadPart(std::string_view part, bool last) {
    std::string_view trimmed = Trim(part);
    while (trimmed.ends_with('|')) trimmed = Trim(trimmed.substr(0, trimmed.size() - 1));
    if (trimmed.empty()) return;
    std::size_t size = 1;
    std::size_t at = trimmed.rfind(':');
    if (at == trimmed.npos) at = trimmed.rfind('=');
    if (at == trimmed.npos) at = trimmed.rfind('|');
    if (at == trimmed.npos) {
      for (const std::string_view dash : {" - ", " \xe2\x80\x93 ", " \xe2\x80\x94 "}) {
        at = trimmed.rfind(dash);
        size = dash.size();
        if (at != trimmed.npos) break;
      }
    }
    const std::string name = at == trimmed.npos ? "" : NameOfLine(trimmed.substr(0, at));
    const KeyMatch match = name.empty() ? KeyMatch() : matcher_.Find(name);
    if (!match.IsAttribute()) {
      other_lines_ = true;
      return;
    }
    const std::optional<double> number =
        ReadNumber(WithoutMarkup(trimmed.substr(at + size)), seen_);
    std::optional<double>& value = values_[match.attribute];
    ambiguous_ |= !number.has_value() || (value.has_value() && value != number) || (last && cut_);
    value = number;
    if (!RepairOf(match.tier).empty()) seen_.Add(RepairOf(match.tier));
  }

  const KeyMatcher& matcher_;
  bool cut_;
  Values values_;
  Repairs seen_;
  bool ambiguous_ = false;
  bool other_lines_ = false;
};

}  // namespace

std::optional<Values> ReadLines(std::string_view text, const KeyMatcher& matcher,
                                bool cut_within_word, Repairs& repairs) {
  return LineReader(matcher, cut_within_word).Read(text, repairs);
}

}  // namespace candor::reply
