#include "common/scenario/prompt.h"

#include "common/base/nearest.h"
#include "common/scenario/describe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace candor::scenario {
namespace {

constexpr int kMaxMessages = 32;
constexpr std::size_t kMaxMessageLength = 100'000;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The name of the "{name}" with which `text` begins; empty when it begins with something else.
std::string_view PlaceholderName(std::string_view text) {
  if (text.size() < 3 || text[0] != '{' || !IsLetter(text[1])) return {};
  std::size_t end = 2;
  while (end < text.size() && (IsLetter(text[end]) || IsDigit(text[end]))) ++end;
  if (end == text.size() || text[end] != '}') return {};
  return text.substr(1, end - 1);
}

// "five", for 0 to 99.
std::string NumberWord(std::size_t n) {
  static constexpr std::array<const char*, 20> kSmall = {
      "zero",     "one",     "two",     "three",     "four",     "five",    "six",
      "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
      "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
  static constexpr std::array<const char*, 10> kTens = {
      "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
  if (n < 20) return kSmall[n];
  if (n > 99) return std::to_string(n);
  std::string word = kTens[n / 10];
  if (n % 10 != 0) word.append("-").append(kSmall[n % 10]);
  return word;
}

void AppendOption(const v1::Scenario& scenario, const Trial& trial,
                  const std::vector<double>& values, std::string& text) {
  bool first = true;
  for (const std::uint32_t k : trial.attribute_order) {
    const v1::Attribute& attribute = scenario.attributes(static_cast<int>(k));
    if (!first) text += '\n';
    first = false;
    text.append(attribute.name()).append(": ");
    AppendValue(values[k], text);
    if (!attribute.unit().empty()) text.append(" ").append(attribute.unit());
  }
}

void AppendNames(const v1::Scenario& scenario, const Trial& trial, std::string& text) {
  bool first = true;
  for (const std::uint32_t k : trial.attribute_order) {
    if (!first) text += ", ";
    first = false;
    text += scenario.attributes(static_cast<int>(k)).name();
  }
}

// The longest that a drawn value can print: a bound as it is, or sign, digits, point and decimals.
std::size_t MaxValueLength(const v1::Attribute& attribute) {
  const double size = std::max(std::abs(attribute.min()), std::abs(attribute.max()));
  const auto decimals =
      static_cast<std::size_t>(std::max(1, Decimals(attribute.min(), attribute.max())));
  const std::size_t drawn =
      (attribute.min() < 0 ? 1 : 0) + fmt::format("{:.0f}", size).size() + 1 + decimals;
  return std::max(
      {drawn, FormatValue(attribute.min()).size(), FormatValue(attribute.max()).size()});
}

std::size_t MaxOptionLength(const v1::Scenario& scenario) {
  std::size_t length = 0;
  for (const v1::Attribute& attribute : scenario.attributes()) {
    length += attribute.name().size() + 2 + MaxValueLength(attribute) + 1;
    if (!attribute.unit().empty()) length += 1 + attribute.unit().size();
  }
  return length;
}

std::size_t NamesLength(const v1::Scenario& scenario) {
  std::size_t length = 0;
  for (const v1::Attribute& attribute : scenario.attributes())
    length += attribute.name().size() + 2;
  return length;
}

}  // namespace

// Takes a template apart and says what is wrong with it.
class PromptRenderer::Parser {
 public:
  Parser(std::string_view path, FieldViolations& violations)
      : path_(path), violations_(violations) {}

  PromptRenderer Parse(const v1::PromptTemplate& prompt) {
    PromptRenderer renderer;
    const std::string list = Join(path_, "messages");
    const int count = prompt.messages_size();
    if (count == 0 || count > kMaxMessages) {
      Add(violations_, list, "has {} items; give from 1 to {} messages", count, kMaxMessages);
      return renderer;
    }
    for (int i = 0; i < count; ++i) {
      const v1::PromptMessage& message = prompt.messages(i);
      CheckRole(message.role(), i + 1 == count, Join(At(list, i), "role"));
      renderer.messages_.push_back(
          {message.role(), ParseContent(message, Join(At(list, i), "content"))});
    }
    if (!content_usable_) return renderer;
    for (const auto& [placeholder, name] : {std::pair{Placeholder::kOptionA, "option_a"},
                                            std::pair{Placeholder::kOptionB, "option_b"}}) {
      if (Has(renderer, placeholder)) continue;
      Add(violations_, list,
          "the user's messages lack {{{0}}}; write it, in single braces, where the option's values "
          "belong",
          name);
    }
    return renderer;
  }

 private:
  struct Known {
    const char* name;
    Placeholder placeholder;
  };
  static constexpr std::array<Known, 7> kKnown = {{
      {"role", Placeholder::kRole},
      {"question", Placeholder::kQuestion},
      {"option_a", Placeholder::kOptionA},
      {"option_b", Placeholder::kOptionB},
      {"attributes", Placeholder::kAttributes},
      {"attribute_count", Placeholder::kAttributeCount},
      {"attribute_count_word", Placeholder::kAttributeCountWord},
  }};

  static bool Has(const PromptRenderer& renderer, Placeholder placeholder) {
    return std::any_of(
        renderer.messages_.begin(), renderer.messages_.end(), [&](const Message& message) {
          return message.role == "user" &&
                 std::any_of(message.pieces.begin(), message.pieces.end(),
                             [&](const Piece& piece) { return piece.placeholder == placeholder; });
        });
  }

  void CheckRole(const std::string& role, bool last, const std::string& field) {
    if (role != "system" && role != "user" && role != "assistant") {
      Add(violations_, field, "is {}; give 'system', 'user' or 'assistant'", Quoted(role));
    } else if (last && role != "user") {
      Add(violations_, field, "is {} in the last message; the last message is the user's",
          Quoted(role));
    }
  }

  std::vector<Piece> ParseContent(const v1::PromptMessage& message, const std::string& field) {
    std::vector<Piece> pieces;
    const std::string_view content = message.content();
    if (content.empty()) {
      Add(violations_, field, "is empty; give the text of the message, or leave the message out");
    }
    if (content.size() > kMaxMessageLength) {
      Add(violations_, field, "has {} bytes; give at most {}", content.size(), kMaxMessageLength);
      content_usable_ = false;
      return pieces;
    }
    Piece piece;
    // How many "{{" wait for their "}}". A "}}" that closes none is text, as at the end of nested
    // JSON, which never begins with "{{".
    int open = 0;
    for (std::size_t at = 0; at < content.size();) {
      const std::string_view rest = content.substr(at);
      if (rest.starts_with("{{")) {
        piece.text += '{';
        ++open;
        at += 2;
      } else if (open > 0 && rest.starts_with("}}")) {
        piece.text += '}';
        --open;
        at += 2;
      } else if (const std::string_view name = PlaceholderName(rest); !name.empty()) {
        piece.placeholder = Lookup(name, field);
        pieces.push_back(std::exchange(piece, {}));
        at += name.size() + 2;
      } else {
        piece.text += content[at];
        ++at;
      }
    }
    if (!piece.text.empty()) pieces.push_back(std::move(piece));
    return pieces;
  }

  Placeholder Lookup(std::string_view name, const std::string& field) {
    std::vector<std::string> names;
    for (const Known& known : kKnown) {
      if (name == known.name) return known.placeholder;
      names.emplace_back(known.name);
    }
    const std::string nearest = NearestName(name, names);
    Add(violations_, field,
        "{{{0}}} is no placeholder{1}; known are {{role}} {{question}} {{option_a}} {{option_b}} "
        "{{attributes}} {{attribute_count}} {{attribute_count_word}}, and {{{{name}}}} is the text "
        "{{name}} itself",
        name, nearest.empty() ? "" : fmt::format(" (did you mean {{{}}}?)", nearest));
    return Placeholder::kNone;
  }

  std::string path_;
  FieldViolations& violations_;
  bool content_usable_ = true;
};

StatusOr<PromptRenderer> PromptRenderer::Create(const v1::PromptTemplate& prompt) {
  FieldViolations violations;
  PromptRenderer renderer = Parser("prompt", violations).Parse(prompt);
  if (!violations.empty()) return ToStatus(violations);
  return renderer;
}

void PromptRenderer::Render(const v1::Scenario& scenario, const Trial& trial,
                            std::vector<std::string>& contents) const {
  contents.resize(messages_.size());
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    std::string& text = contents[i];
    text.clear();
    for (const Piece& piece : messages_[i].pieces) {
      text += piece.text;
      switch (piece.placeholder) {
        case Placeholder::kNone:
          break;
        case Placeholder::kRole:
          text += scenario.role();
          break;
        case Placeholder::kQuestion:
          text += scenario.question();
          break;
        case Placeholder::kOptionA:
          AppendOption(scenario, trial, trial.a, text);
          break;
        case Placeholder::kOptionB:
          AppendOption(scenario, trial, trial.b, text);
          break;
        case Placeholder::kAttributes:
          AppendNames(scenario, trial, text);
          break;
        case Placeholder::kAttributeCount:
          text += std::to_string(trial.a.size());
          break;
        case Placeholder::kAttributeCountWord:
          text += NumberWord(trial.a.size());
          break;
      }
    }
  }
}

std::size_t PromptRenderer::EstimateChars(const v1::Scenario& scenario) const {
  const auto count = static_cast<std::size_t>(scenario.attributes_size());
  const std::size_t option = MaxOptionLength(scenario);
  std::size_t length = 0;
  for (const Message& message : messages_) {
    for (const Piece& piece : message.pieces) {
      length += piece.text.size();
      switch (piece.placeholder) {
        case Placeholder::kNone:
          break;
        case Placeholder::kRole:
          length += scenario.role().size();
          break;
        case Placeholder::kQuestion:
          length += scenario.question().size();
          break;
        case Placeholder::kOptionA:
        case Placeholder::kOptionB:
          length += option;
          break;
        case Placeholder::kAttributes:
          length += NamesLength(scenario);
          break;
        case Placeholder::kAttributeCount:
          length += std::to_string(count).size();
          break;
        case Placeholder::kAttributeCountWord:
          length += NumberWord(count).size();
          break;
      }
    }
  }
  return length;
}

void ValidatePrompt(const v1::PromptTemplate& prompt, std::string_view path,
                    FieldViolations& violations) {
  PromptRenderer::Parser(path, violations).Parse(prompt);
}

const v1::Prompts& DefaultPrompts() {
  static const v1::Prompts* const prompts = [] {
    auto* made = new v1::Prompts;  // kept for the life of the program
    const auto add = [](v1::PromptTemplate* prompt, const char* role, const char* content) {
      v1::PromptMessage* message = prompt->add_messages();
      message->set_role(role);
      message->set_content(content);
    };
    constexpr const char* kSystem =
        "You stand in for the person who is described to you and settle a choice the way that "
        "person would. You keep to the requested answer format exactly.";
    constexpr const char* kOptions =
        "Put yourself in the place of {role}. {question}\n\n"
        "A:\n{option_a}\n\n"
        "B:\n{option_b}\n\n";
    add(made->mutable_choice(), "system", kSystem);
    add(made->mutable_choice(), "user",
        (std::string(kOptions) +
         "Which one do you take? Write one letter, A or B, and no other text.")
            .c_str());
    add(made->mutable_self_report(), "system", kSystem);
    add(made->mutable_self_report(), "user",
        (std::string(kOptions) +
         "Think about how you would settle this, but do not name your pick. For every attribute "
         "({attributes}), give a number from -100 to 100 that says how much it moves you: 100 if a "
         "higher value speaks most strongly for an option, -100 if a higher value speaks most "
         "strongly against it, 0 if it plays no part. Write one JSON object with the "
         "{attribute_count} attribute names as keys and those numbers as values, and no other "
         "text.")
            .c_str());
    return made;
  }();
  return *prompts;
}

}  // namespace candor::scenario
