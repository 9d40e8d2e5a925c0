// Learns what a chat asks for from the text of its messages alone, whatever the wording around the
// options: Candor's, the paper's or anybody's.
//
//   Task task = ReadTask({{"system", "..."}, {"user", "... A:\nprice: 12 euros\n\nB:\n..."}});
//   task.kind           ->  Kind::kChoice
//   task.attributes[0]  ->  {name "price", unit "euros", a 12, b 30}
//
// Options. An attribute line is "name: value unit", where the value is a decimal number. Lines that
// follow each other are a block; a blank line, any other line, a heading ("A:", "Option B:", also
// in front of the first line) or a name that comes again ends it. The options are the last two
// neighbouring blocks of the same names (at least two): so worked examples that precede them are
// passed over. The first is A, unless headings say that it is B. List markers, quotes and tags in
// front of a name are not part of it.
//
// Kind. Cues are looked for outside of the options, in system messages and in user messages that
// nobody has answered yet, each counted once:
//
//   choice       `A or B` in any quoting (4), "single letter", "one letter", "the letter" (2),
//                "decision task", "which option" (1)
//   self-report  "-100" (3), "json", "weigh", "how heavily", "introspect", "self-report" (2),
//                "importan", "influence", "each of the", "each attribute", "dimension" (1)
//
// The larger sum wins; a tie above zero is a self-report, because a prompt for one often names the
// choice that it asks about. Without any cue it is a choice.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace candor::simulator {

struct ChatMessage {
  // "system", "developer", "user", "assistant", ...
  std::string_view role;
  std::string_view content;
};

enum class Kind {
  // There are no two options in the text.
  kUnknown,
  kChoice,
  kSelfReport,
};
// "UNKNOWN", "CHOICE", "SELF_REPORT".
std::string_view ToString(Kind kind);

struct ShownAttribute {
  std::string_view name;
  // As shown in option A; may hold what a wording puts behind the last line of an option.
  std::string_view unit;
  // The values of the two options.
  double a = 0;
  double b = 0;
};

// The views point into the messages.
struct Task {
  Kind kind = Kind::kUnknown;
  // In the order of option A.
  std::vector<ShownAttribute> attributes;
};

Task ReadTask(std::span<const ChatMessage> messages);

}  // namespace candor::simulator
