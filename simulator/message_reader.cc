#include "simulator/message_reader.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>

namespace candor::simulator {
namespace {

constexpr std::string_view kBlank = " \t\r";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsAlnum(char c) { return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'z'); }

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// What stands in front of a name without being part of it: list markers, quotes, tags.
std::string_view StripMarkers(std::string_view text) {
  for (;;) {
    text = Trim(text);
    if (text.empty()) return text;
    if (text.front() == '<') {
      const auto end = text.find('>');
      if (end == std::string_view::npos) return text;
      text.remove_prefix(end + 1);
      continue;
    }
    bool marked = false;
    for (const std::string_view marker : {"-", "*", ">", "|", "\"", "'", "`", "[", "\u2022"}) {
      if (text.starts_with(marker)) {
        text.remove_prefix(marker.size());
        marked = true;
        break;
      }
    }
    if (!marked) return text;
  }
}

// "A: rest", "Option b) rest", "B - rest": 'A' or 'B', and the rest. Else '\0' and everything.
struct Labelled {
  char label = '\0';
  std::string_view rest;
};

Labelled SplitLabel(std::string_view text) {
  std::string_view rest = text;
  constexpr std::string_view kOption = "option";
  bool with_word = false;
  if (rest.size() > kOption.size() &&
      std::equal(kOption.begin(), kOption.end(), rest.begin(),
                 [](char a, char b) { return a == Lower(b); }) &&
      (rest[kOption.size()] == ' ' || rest[kOption.size()] == '_')) {
    rest = rest.substr(kOption.size() + 1);
    with_word = true;
  }
  if (rest.size() < 2) return {'\0', text};
  const char letter = Lower(rest.front());
  // A lower-case letter alone is a word more often than a label.
  if ((letter != 'a' && letter != 'b') || (!with_word && rest.front() == letter)) {
    return {'\0', text};
  }
  rest = rest.substr(1);
  const auto end = rest.find_first_not_of(" *\"'`]");
  if (end == std::string_view::npos) return {'\0', text};
  rest = rest.substr(end);
  if (rest.front() != ':' && rest.front() != ')' && rest.front() != '.' && rest.front() != '=' &&
      !rest.starts_with("- ")) {
    return {'\0', text};
  }
  return {letter == 'a' ? 'A' : 'B', StripMarkers(rest.substr(1))};
}

// The number at the beginning of `text`; nothing when there is none, or when letters follow at
// once.
std::optional<double> LeadingNumber(std::string_view text, std::size_t* size) {
  std::size_t begin = 0;
  if (text.starts_with('+')) begin = 1;
  const std::size_t digit = begin + (text.substr(begin).starts_with('-') ? 1 : 0);
  if (digit >= text.size() || !IsDigit(text[digit])) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  *size = static_cast<std::size_t>(end - text.data());
  if (*size < text.size() && IsAlnum(text[*size])) return std::nullopt;
  return value;
}

struct Line {
  std::string_view name;
  std::string_view unit;
  double value = 0;
  // 'A' or 'B' when the line begins with a heading.
  char label = '\0';
};

std::optional<Line> ReadLine(std::string_view text) {
  const Labelled labelled = SplitLabel(StripMarkers(text));
  const std::string_view rest = labelled.rest;
  for (std::size_t colon = rest.find(':'); colon != std::string_view::npos;
       colon = rest.find(':', colon + 1)) {
    std::size_t value_begin = colon + 1;
    // "2:1" belongs to a name.
    if (!rest.substr(value_begin).starts_with(' ')) continue;
    while (value_begin < rest.size() && rest[value_begin] == ' ') ++value_begin;
    std::size_t size = 0;
    const std::optional<double> value = LeadingNumber(rest.substr(value_begin), &size);
    if (!value) continue;
    const std::string_view name = Trim(rest.substr(0, colon));
    if (name.empty()) return std::nullopt;
    return Line{name, Trim(rest.substr(value_begin + size)), *value, labelled.label};
  }
  return std::nullopt;
}

// 'A' or 'B' for "A:", "**Option B**", "<option_a>", "Here is option A:"; else '\0'.
char HeadingLabel(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0 && !IsAlnum(text[end - 1])) --end;
  if (end == 0) return '\0';
  if (end > 1 && IsAlnum(text[end - 2])) return '\0';
  const char letter = text[end - 1];
  const std::string_view before = text.substr(0, end - 1);
  const bool alone = std::none_of(before.begin(), before.end(), IsAlnum);
  if (letter == 'A' || letter == 'B') return letter;
  if ((letter == 'a' || letter == 'b') &&
      (alone || before.ends_with('_') || before.ends_with("ption "))) {
    return letter == 'a' ? 'A' : 'B';
  }
  return '\0';
}

struct Block {
  std::vector<Line> lines;
  char label = '\0';
  // Of the text that the lines span.
  const char* begin = nullptr;
  const char* end = nullptr;
};

const Line* Find(const Block& block, std::string_view name) {
  for (const Line& line : block.lines) {
    if (line.name == name) return &line;
  }
  return nullptr;
}

void CollectBlocks(std::string_view content, std::vector<Block>* blocks) {
  bool open = false;
  char heading = '\0';
  while (!content.empty()) {
    const std::size_t newline = content.find('\n');
    const std::string_view text = content.substr(0, newline);
    content.remove_prefix(newline == std::string_view::npos ? content.size() : newline + 1);

    const std::optional<Line> line = ReadLine(text);
    if (!line) {
      open = false;
      if (!Trim(text).empty()) heading = HeadingLabel(text);
      continue;
    }
    if (!open || line->label != '\0' || Find(blocks->back(), line->name) != nullptr) {
      blocks->push_back({{}, line->label != '\0' ? line->label : heading, text.data(), nullptr});
      blocks->back().lines.reserve(8);
      heading = '\0';
      open = true;
    }
    blocks->back().lines.push_back(*line);
    blocks->back().end = text.data() + text.size();
  }
}

bool SameNames(const Block& a, const Block& b) {
  if (a.lines.size() != b.lines.size() || a.lines.size() < 2) return false;
  return std::all_of(a.lines.begin(), a.lines.end(),
                     [&](const Line& line) { return Find(b, line.name) != nullptr; });
}

// Whether "a or b" stands in `text` as words of their own, whatever the quotes: "A" or "B", 'a' or
// option 'b', (A) or (B).
bool NamesBothLetters(std::string_view text) {
  constexpr std::string_view kOr = "or";
  const auto is_word = [&](std::size_t begin, std::size_t size) {
    return (begin == 0 || !IsAlnum(text[begin - 1])) &&
           (begin + size >= text.size() || !IsAlnum(text[begin + size]));
  };
  for (std::size_t at = text.find(kOr); at != std::string_view::npos; at = text.find(kOr, at + 1)) {
    if (!is_word(at, kOr.size())) continue;
    std::size_t left = at;
    while (left > 0 && !IsAlnum(text[left - 1])) --left;
    std::size_t right = at + kOr.size();
    while (right < text.size() && !IsAlnum(text[right])) ++right;
    constexpr std::string_view kOption = "option ";
    if (text.substr(right).starts_with(kOption)) {
      right += kOption.size();
      while (right < text.size() && !IsAlnum(text[right])) ++right;
    }
    if (left == 0 || right >= text.size()) continue;
    if (text[left - 1] == 'a' && is_word(left - 1, 1) && text[right] == 'b' && is_word(right, 1)) {
      return true;
    }
  }
  return false;
}

struct Cue {
  std::string_view text;
  int points;
};
constexpr Cue kChoiceCues[] = {
    {"single letter", 2}, {"one letter", 2},   {"the letter", 2},
    {"decision task", 1}, {"which option", 1},
};
constexpr Cue kReportCues[] = {
    {"-100", 3},        {"json", 2},           {"weigh", 2},     {"how heavily", 2},
    {"introspect", 2},  {"self-report", 2},    {"importan", 1},  {"influence", 1},
    {"each of the", 1}, {"each attribute", 1}, {"dimension", 1},
};

int Score(std::string_view text, std::span<const Cue> cues) {
  int score = 0;
  for (const Cue& cue : cues) {
    if (text.find(cue.text) != std::string_view::npos) score += cue.points;
  }
  return score;
}

// The text in which cues are looked for, in lower case.
std::string CueText(std::span<const ChatMessage> messages, const Block& first,
                    const Block& second) {
  std::size_t asked_from = 0;
  for (std::size_t i = messages.size(), user_after = 0; i-- > 0;) {
    if (messages[i].role == "user") user_after = 1;
    if (messages[i].role == "assistant" && user_after != 0) {
      asked_from = i;
      break;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string_view role = messages[i].role;
    if (role == "assistant" || (role == "user" && i < asked_from)) continue;
    const char* at = messages[i].content.data();
    const char* const end = at + messages[i].content.size();
    for (const Block* block : {&first, &second}) {
      if (block->begin < at || block->begin >= end) continue;
      text.append(at, block->begin);
      at = block->end;
    }
    text.append(at, end);
    text.push_back('\n');
  }
  std::transform(text.begin(), text.end(), text.begin(), Lower);
  return text;
}

}  // namespace

std::string_view ToString(Kind kind) {
  switch (kind) {
    case Kind::kChoice:
      return "CHOICE";
    case Kind::kSelfReport:
      return "SELF_REPORT";
    case Kind::kUnknown:
      break;
  }
  return "UNKNOWN";
}

Task ReadTask(std::span<const ChatMessage> messages) {
  std::vector<Block> blocks;
  for (const ChatMessage& message : messages) {
    if (message.role != "assistant") CollectBlocks(message.content, &blocks);
  }
  std::size_t second = blocks.size();
  while (second-- > 1) {
    if (SameNames(blocks[second - 1], blocks[second])) break;
  }
  // The loop ends at 0, or has wrapped around, when no pair was found.
  if (second == 0 || second >= blocks.size()) return {};

  const Block& before = blocks[second - 1];
  const Block& after = blocks[second];
  const bool swapped = before.label == 'B' && after.label != 'B';
  const Block& option_a = swapped ? after : before;
  const Block& option_b = swapped ? before : after;

  Task task;
  task.attributes.reserve(option_a.lines.size());
  for (const Line& line : option_a.lines) {
    task.attributes.push_back({line.name, line.unit, line.value, Find(option_b, line.name)->value});
  }
  const std::string text = CueText(messages, before, after);
  const int choice = Score(text, kChoiceCues) + (NamesBothLetters(text) ? 4 : 0);
  const int report = Score(text, kReportCues);
  task.kind = report > 0 && report >= choice ? Kind::kSelfReport : Kind::kChoice;
  return task;
}

}  // namespace candor::simulator
