// One line of outcomes.jsonl, piece by piece. Private to the room.
//
//   OutcomeLineParser parser;
//   while (...) parser.Write(piece);                    // pieces of one line, without its end
//   CANDOR_RETURN_IF_ERROR(parser.Finish(&outcome));    // ready for the next line
//
// Takes what figures need of a line and skips the rest without keeping it: memory does not grow
// with the line. Numbers are the nearest doubles (Boost.JSON 1.81 reads some one step off).
#pragma once

#include "candor/v1/outcome.pb.h"
#include "common/base/status.h"

#include <cstddef>
#include <memory>
#include <string_view>

namespace candor::analysis {

class OutcomeLineParser {
 public:
  OutcomeLineParser();
  ~OutcomeLineParser();

  // After an error in the line the rest of it is skipped.
  void Write(std::string_view piece);

  // Ends the line and fills `outcome`: entry, scenario, kind, index, pair, order, sample, class,
  // choice, report, log_odds_a, options, served_model, and the beginning of raw_text.
  // INVALID_ARGUMENT when the line is no JSON object (with the column, in bytes from 1), lacks a
  // field, gives one twice, or has a value of another type; "column" of the error is what Column()
  // says.
  Status Finish(v1::Outcome* outcome);

  // Of the last error: the field, or the position as text.
  std::string_view Column() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace candor::analysis
