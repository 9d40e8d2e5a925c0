// How a provider is spoken to: the bytes of a request, and what the bytes of an answer mean. One
// dialect a file; a new one implements `Dialect` and gets a line in FindDialect.
//
//   CANDOR_ASSIGN_OR_RETURN(const Dialect* dialect, FindDialect(endpoint.dialect()));
//   CANDOR_RETURN_IF_ERROR(dialect->RenderRequest(request, &body));
//   ... the call, to dialect->Path(model, Streams(rule)) ...
//   std::optional<ProviderError> error = ReadAnswer(*dialect, answer, expectation, &outcome);
//
// Pure: no I/O, no clock, no state. Everything may be used by any number of threads.
// docs/adr/0002-dialects-are-pure-and-common.md says why this is not the worker's, and
// docs/guides/dialects.md how to add one.
#pragma once

#include "candor/v1/cell.pb.h"
#include "candor/v1/config.pb.h"
#include "candor/v1/outcome.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/dialect/error.h"
#include "common/scenario/prompt.h"
#include "common/scenario/trial.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace candor::dialect {

// One request, in the words of a job. Everything referred to is only looked at.
struct RequestInput {
  const v1::ResolvedEntry& entry;
  v1::Cell::Kind kind;
  // What the endpoint needs for this model; the default instance when no rule fits.
  const v1::ModelRule& rule;
  // The roles of the messages, and their texts.
  const scenario::PromptRenderer& prompt;
  const std::vector<std::string>& contents;
  // For the schema of a self-report, whose attributes stand in the order shown.
  const v1::Scenario& scenario;
  const scenario::Trial& trial;
  // Which repetition of the prompt: where a job asks for several and sets a sampling seed, it is
  // sent as seed + sample, because the same seed would give the same reply again.
  std::uint32_t sample = 0;
};

// What the reply to a request is read as.
struct ReplyExpectation {
  v1::Cell::Kind kind;
  // Whose attributes a self-report is about.
  const v1::Scenario& scenario;
};

// What a dialect can say at all. What its models can do, the rules of candor.yaml say.
struct Capabilities {
  // Likely tokens that may be asked for at most; 0 for a dialect without log-probabilities.
  int max_log_probabilities = 20;
  bool seed = true;
  bool reasoning_effort = true;
  // Whether there is a role "developer" beside "system".
  bool developer_role = true;
  // Whether an output limit must be given, and the least that is taken of any model.
  bool needs_output_limit = false;
  int min_output_tokens = 1;
  double max_temperature = 2;
};

struct FixedHeader {
  std::string_view name;
  std::string_view value;
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  // The word of `Endpoint.dialect`.
  virtual std::string_view name() const = 0;

  virtual const Capabilities& capabilities() const = 0;

  // What follows the endpoint's base URL for this model, ready to be sent: "/chat/completions",
  // "/models/m:streamGenerateContent?alt=sse".
  virtual std::string Path(std::string_view model, bool stream) const = 0;

  // The request header that carries the key, and what stands in front of the key there, where the
  // endpoint names no other.
  virtual std::string_view AuthHeader() const { return "Authorization"; }
  virtual std::string_view AuthPrefix() const { return "Bearer "; }

  // Headers that every request has, where the endpoint does not give others of the same name.
  virtual std::span<const FixedHeader> Headers() const { return {}; }

  // Writes the request body into `body`, whose capacity is used again. Equal inputs give equal
  // bytes. What is absent in the sampling is not sent. INVALID_ARGUMENT, naming the field, for what
  // the dialect cannot say: `extra_body` with a field that is already there, an unknown
  // `system_as`, and what CheckEntry would have refused.
  virtual Status RenderRequest(const RequestInput& input, std::string* body) const = 0;

  // Reads the body of an answer with status 200. With a complete model reply, whatever its class:
  // nothing, and in `outcome` class, repairs, choice or report, log-odds, texts, finish reason,
  // served model, fingerprint and usage. Otherwise what is wrong (MALFORMED_RESPONSE for text that
  // is no complete response; what an error inside says where it says something), and `outcome` is
  // unchanged but for `usage`.
  virtual std::optional<ProviderError> ReadReply(std::string_view body,
                                                 const ReplyExpectation& expectation,
                                                 v1::Outcome* outcome) const = 0;

  // Likewise for a body of server-sent events, read to its end: what a reply in one piece would
  // have been. A stream that lacks its end is MALFORMED_RESPONSE, however much of a reply it holds.
  virtual std::optional<ProviderError> ReadStream(std::string_view body,
                                                  const ReplyExpectation& expectation,
                                                  v1::Outcome* outcome) const = 0;

  // What an answer with another status means.
  virtual ProviderError ClassifyError(const Answer& answer) const = 0;
};

// Reads any answer: a reply, a stream (by its Content-Type, whether one was asked for or not) or an
// error. Two kinds of errors are replies, because asking again would bring the same and the model,
// or its filter, is what said it. They become outcomes without a text:
//
//   the prompt was filtered (Azure's content_filter and the like, 400 or 403)   PROVIDER_BLOCKED
//   the output limit was used up by reasoning (OpenAI's 400)                    REASONING_EXHAUSTED
std::optional<ProviderError> ReadAnswer(const Dialect& dialect, const Answer& answer,
                                        const ReplyExpectation& expectation, v1::Outcome* outcome);

// The dialect of that name; "" is "openai". INVALID_ARGUMENT, with the names there are.
StatusOr<const Dialect*> FindDialect(std::string_view name);

// Whether replies of this rule's models come as server-sent events.
bool Streams(const v1::ModelRule& rule);

// The first rule of the endpoint whose `match` fits the model; the default instance when none does.
const v1::ModelRule& FindModelRule(const v1::Endpoint& endpoint, std::string_view model);

}  // namespace candor::dialect
