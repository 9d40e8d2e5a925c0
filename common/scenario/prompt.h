// Prompts: templates with placeholders, and the messages that come of them.
//
//   CANDOR_ASSIGN_OR_RETURN(PromptRenderer prompt, PromptRenderer::Create(entry.choice_prompt()));
//   std::vector<std::string> contents;                 // keep it: its capacity is used again
//   prompt.Render(scenario, trial, contents);
//   for (std::size_t i = 0; i < prompt.size(); ++i) Send(prompt.role(i), contents[i]);
//
// Placeholders:
//   {role} {question}       of the scenario
//   {option_a} {option_b}   a line an attribute, "name: value unit" (no unit, no space), joined by
//   LF {attributes}            the attributes' names in the order shown, joined by ", "
//   {attribute_count}       "5"
//   {attribute_count_word}  "five"
//
// Only a name in braces is a placeholder: JSON in the wording, {"a": {"b": 1}}, stays as it is. To
// write {name} itself, double the braces: "{{" is "{", and each later "}}" closes one "{{" and is
// "}". Text that was put in for a placeholder is not looked at again.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/scenario.pb.h"
#include "common/base/status.h"
#include "common/base/violations.h"
#include "common/scenario/trial.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace candor::scenario {

// A template, taken apart once. Immutable: may be used by any number of threads.
class PromptRenderer {
 public:
  // INVALID_ARGUMENT with everything that ValidatePrompt finds.
  static StatusOr<PromptRenderer> Create(const v1::PromptTemplate& prompt);

  // Messages of the prompt.
  std::size_t size() const { return messages_.size(); }
  // "system", "user" or "assistant".
  const std::string& role(std::size_t message) const { return messages_[message].role; }

  // Writes the text of each message into `contents`, which gets `size()` items. `trial` is one of
  // `scenario`.
  void Render(const v1::Scenario& scenario, const Trial& trial,
              std::vector<std::string>& contents) const;

  // An upper bound of the characters of all messages together, for any drawn trial of `scenario`
  // (counted in bytes, which are never fewer). Usually within 10 % of what comes out.
  std::size_t EstimateChars(const v1::Scenario& scenario) const;

 private:
  friend void ValidatePrompt(const v1::PromptTemplate&, std::string_view, FieldViolations&);

  enum class Placeholder : std::uint8_t {
    kNone,
    kRole,
    kQuestion,
    kOptionA,
    kOptionB,
    kAttributes,
    kAttributeCount,
    kAttributeCountWord,
  };
  // Some text, then a placeholder.
  struct Piece {
    std::string text;
    Placeholder placeholder = Placeholder::kNone;
  };
  struct Message {
    std::string role;
    std::vector<Piece> pieces;
  };
  class Parser;

  PromptRenderer() = default;

  std::vector<Message> messages_;
};

// Adds what is wrong with a template: no message or more than 32, a role that is not system, user
// or assistant, a last message that is not the user's, an unknown placeholder (with the nearest
// known one), user's messages that together lack {option_a} or {option_b}, texts above 100,000
// bytes. `path` is that of the template: "job.prompts.choice".
void ValidatePrompt(const v1::PromptTemplate& prompt, std::string_view path,
                    FieldViolations& violations);

// Candor's own wording of both prompts.
const v1::Prompts& DefaultPrompts();

}  // namespace candor::scenario
