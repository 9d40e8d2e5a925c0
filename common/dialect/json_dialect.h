// What dialects of JSON bodies share: parsing, errors inside, streams folded into replies, usage,
// and turning what was said into an outcome. Private to the room.
//
// A dialect tells where the parts of a reply stand (ReadUsage, ReadParts), and how the events of a
// stream become the reply that would have come in one piece (Fold), so that each has one reader.
#pragma once

#include "common/dialect/dialect.h"
#include "common/dialect/event_stream.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace candor::dialect {

// A reply, taken apart. Views point into the JSON that was read.
struct ReplyParts {
  std::string text;
  std::string reasoning;
  // There was reasoning, whether or not its text was given.
  bool reasoned = false;
  // The provider's own word.
  std::string_view finish_reason;
  // The provider says that the model declined.
  bool refusal = false;
  // The prompt was filtered, and no model has seen it.
  bool blocked = false;
  std::string_view served_model;
  std::string_view fingerprint;
  // Log-probabilities as chat completions have them (log_odds.h), where they are like that; others
  // are rewritten into `own_logprobs`.
  const boost::json::value* logprobs = nullptr;
  boost::json::value own_logprobs;
};

class JsonDialect : public Dialect {
 public:
  std::optional<ProviderError> ReadReply(std::string_view body, const ReplyExpectation& expectation,
                                         v1::Outcome* outcome) const final;
  std::optional<ProviderError> ReadStream(std::string_view body,
                                          const ReplyExpectation& expectation,
                                          v1::Outcome* outcome) const final;
  ProviderError ClassifyError(const Answer& answer) const final;

 protected:
  // Fills in `usage` as far as the reply has it.
  virtual void ReadUsage(const boost::json::value& reply, v1::Usage* usage) const = 0;

  // Takes a reply apart. What is missing, in words, for what is none: "has no choices". An error
  // object in it is looked for by the caller; `failed`, when set, is another place that holds one.
  virtual std::optional<std::string> ReadParts(const boost::json::value& reply, ReplyParts* parts,
                                               const boost::json::value** failed) const = 0;

  // Adds one event to the reply. `done` is set by the event that ends the stream. Events that mean
  // nothing here are passed over; error events are looked for by the caller.
  virtual void Fold(std::string_view event, boost::json::value& data, boost::json::object& reply,
                    bool* done) const = 0;

 private:
  std::optional<ProviderError> ReadValue(const boost::json::value& reply, std::string_view body,
                                         const ReplyExpectation& expectation,
                                         v1::Outcome* outcome) const;
};

// A token count of whatever number type; 0 for none, for nonsense and below 0.
std::int64_t CountMember(const boost::json::value* object, std::string_view name);

// How one of OpenAI's APIs calls the counts under "usage", and the objects with parts of them.
struct UsageNames {
  std::string_view input;
  std::string_view output;
  std::string_view input_details;
  std::string_view output_details;
};
void ReadOpenAiUsage(const boost::json::value& reply, const UsageNames& names, v1::Usage* usage);

// For Fold: the member of that name, made where it is missing or of another type.
boost::json::object& ObjectAt(boost::json::object& object, std::string_view name);
boost::json::array& ArrayAt(boost::json::object& object, std::string_view name);
// The object at `index` of an array, which grows to it; null above 1,000, where nobody counts to.
boost::json::object* ElementAt(boost::json::array& array, std::int64_t index);
// Appends the text member `name` of `from`, if there is one, to that of `to`.
void AppendText(const boost::json::value& from, std::string_view name, boost::json::object& to);
// Copies every member of `from` but nulls.
void MergeObject(const boost::json::value& from, boost::json::object& to);

}  // namespace candor::dialect
