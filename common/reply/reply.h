// What both readers of replies share: the reply itself, and the names of the repairs.
//
// A reader turns the text of a model into a value and a class (candor.v1.Outcome.Class). Nothing is
// guessed: what two people could read differently is not understood. Everything that had to be
// overlooked or mended is a repair, and a reply is VALID exactly when there was none.
//
// Readers are pure functions of any bytes: they never fail, take time and memory linear in the
// text, do not recurse with its nesting, and may run on any number of threads.
//
// Precedence of the classes, the first that applies:
//
//   PROVIDER_BLOCKED     the finish reason names a filter: what text there is was cut by it
//   REFUSAL              the dialect's refusal field, or a finish reason that says so
//   REASONING_EXHAUSTED  no text, finish reason length, and there was reasoning
//   EMPTY                no text otherwise
//   VALID, REPAIRED ...  the text was understood (see choice.h and self_report.h), even where the
//                        finish reason is length: an output limit of one token is usual for choices
//   REFUSAL              the text declines ("I'm sorry, but I can't ...")
//   TRUNCATED            finish reason length
//   NOT_A_CHOICE, NOT_JSON
//
// Repairs, by their stable names. `repairs` has each at most once, in the order first applied,
// from the outside of the text to the inside:
//
//   both readers
//     thinking_block        "<think>...</think>" in front of the answer was dropped
//     code_fence            ``` or ` around the answer
//     surrounding_prose     text before or after the answer
//   choice
//     json                  {"choice": "A"}
//     xml_tag               <answer>A</answer>
//     latex                 \boxed{A}
//     markdown              **A**, # A, > A
//     quotes                "A", 'A', or typographic ones
//     brackets              (A), [A]
//     punctuation           A. or A!
//     lower_case            a
//     option_word           Option A
//     answer_phrase         "Answer: A", "I choose option A", "Option A is better"
//   self-report: the object
//     escaped_json          the object was itself written as a JSON string: {\"price\": 80}
//     several_objects       several objects; the last that has a number for every attribute counts
//     merged_objects        several objects that together name each attribute once
//     name_value_lines      no object, but lines such as "price: 80"
//     array                 the items are in an array: [{"name": "price", "weight": 80}, ...]
//     named_items           an item gives name and number under keys of their own, or as a pair
//     nested_object         the numbers are in an inner object: {"weights": {...}}
//     nested_value          a number within an object or array of its own: {"price": {"weight":
//     80}} meta_key              a key that is no attribute by its meaning ("reason") was dropped
//   self-report: the syntax
//     white_space           spaces that JSON does not know
//     comment               //, /* */ or #
//     single_quotes         'price'
//     smart_quotes          typographic quotes
//     inner_quotes          unescaped quotes within a string
//     bad_escape            a backslash before something that needs none
//     raw_newline           a line break or other control character within a string
//     bare_key              a key without quotes
//     missing_colon         "price" 80
//     separator             "=", "=>" or ";" for ":" or ","
//     missing_comma         no comma between two members
//     extra_comma           a trailing or doubled comma
//     mismatched_bracket    "]" for "}" or the other way round
//     missing_brace         the text ended before the object did
//     stray_text            text within the object that is neither key nor value
//     too_deep              parts nested deeper than 32, or after 10,000 values, were not looked at
//   self-report: numbers
//     number_in_string      "80"
//     plus_sign             +5
//     unicode_minus         a typographic minus or dash
//     bare_decimal_point    5. or .5
//     leading_zeros         007
//     thousands_separator   1,000 or 1_000
//     percent_sign          80% or 80 percent
//     fraction              80/100 or 80 out of 100, no other denominator
//     number_with_note      80 (very important)
//     python_literal        True, False, None, undefined: counted as no number
//     non_finite            NaN, Infinity or beyond a double: counted as no number
//   self-report: keys (keys.h says what matches)
//     key_case              upper and lower case, spaces, underscores or hyphens differ
//     key_affix             a unit in parentheses or a word like "weight" was added or left out
//     key_abbreviation      shortened, or with other words added, and only one attribute fits
//     duplicate_key         one attribute more than once; the last counts
#pragma once

#include <string_view>

namespace candor::reply {

// A model's complete reply, as the dialect of its provider gives it. Views: the owner keeps them.
struct Reply {
  // The text, in any encoding or none.
  std::string_view text = {};
  // The provider's own word: stop, length, content_filter, max_tokens, SAFETY, ...
  std::string_view finish_reason = {};
  // The dialect's own refusal field was set.
  bool refusal = false;
  // There was reasoning text, or reasoning tokens were counted.
  bool has_reasoning = false;
};

}  // namespace candor::reply
