#include "common/dialect/json_dialect.h"

#include "common/dialect/error_body.h"
#include "common/dialect/log_odds.h"
#include "common/dialect/parse.h"
#include "common/reply/choice.h"
#include "common/reply/reply.h"
#include "common/reply/self_report.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <utility>

namespace candor::dialect {
namespace {

using boost::json::value;

constexpr std::size_t kShownBytes = 500;

ProviderError Malformed(std::string_view text) {
  return {.error_class = v1::Attempt::MALFORMED_RESPONSE,
          .text = CleanText(text, kMaxErrorTextBytes),
          .retry_after = std::nullopt};
}

void Understand(const reply::Reply& reply, const ReplyExpectation& expectation,
                v1::Outcome* outcome) {
  outcome->clear_repairs();
  if (expectation.kind == v1::Cell::CHOICE) {
    reply::ParsedChoice parsed = reply::ParseChoice(reply);
    outcome->set_class_(parsed.class_);
    outcome->set_choice(parsed.choice);
    for (std::string& repair : parsed.repairs) outcome->add_repairs(std::move(repair));
    return;
  }
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(expectation.scenario.attributes_size()));
  for (const v1::Attribute& attribute : expectation.scenario.attributes()) {
    names.push_back(attribute.name());
  }
  reply::ParsedReport parsed = reply::ParseSelfReport(reply, names);
  outcome->set_class_(parsed.class_);
  outcome->clear_report();
  for (std::size_t i = 0; i < parsed.values.size(); ++i) {
    v1::ReportedWeight* weight = outcome->add_report();
    weight->set_attribute(names[i]);
    if (parsed.values[i]) weight->set_value(*parsed.values[i]);
  }
  for (std::string& repair : parsed.repairs) outcome->add_repairs(std::move(repair));
}

void FillIn(ReplyParts parts, const ReplyExpectation& expectation, v1::Outcome* outcome) {
  const bool reasoned =
      parts.reasoned || !parts.reasoning.empty() || outcome->usage().reasoning_tokens() > 0;
  Understand({.text = parts.text,
              .finish_reason = parts.blocked ? "blocked" : parts.finish_reason,
              .refusal = parts.refusal,
              .has_reasoning = reasoned},
             expectation, outcome);
  if (expectation.kind == v1::Cell::CHOICE) {
    const value* logprobs = parts.logprobs != nullptr ? parts.logprobs : &parts.own_logprobs;
    if (const auto odds = ReadLogOdds(logprobs->if_array(), outcome->choice())) {
      outcome->set_log_odds_a(odds->a);
      outcome->set_log_odds_truncated(odds->truncated);
    }
  }
  outcome->set_raw_text(std::move(parts.text));
  outcome->set_reasoning_text(std::move(parts.reasoning));
  outcome->set_finish_reason(CleanText(parts.finish_reason, 100));
  outcome->set_served_model(CleanText(parts.served_model, 300));
  outcome->set_system_fingerprint(CleanText(parts.fingerprint, 300));
}

}  // namespace

std::optional<ProviderError> JsonDialect::ReadValue(const value& reply, std::string_view body,
                                                    const ReplyExpectation& expectation,
                                                    v1::Outcome* outcome) const {
  ReadUsage(reply, outcome->mutable_usage());
  ReplyParts parts;
  const value* failed = nullptr;
  const auto missing = ReadParts(reply, &parts, &failed);
  if (!missing) {
    FillIn(std::move(parts), expectation, outcome);
    return std::nullopt;
  }
  for (const value* place : {&reply, failed}) {
    if (place == nullptr) continue;
    const ErrorBody error = ReadErrorValue(*place);
    if (error.found) return ClassifyErrorInReply(error);
  }
  return Malformed(
      fmt::format("status 200, but the body {}: {}", *missing, body.substr(0, kShownBytes)));
}

std::optional<ProviderError> JsonDialect::ReadReply(std::string_view body,
                                                    const ReplyExpectation& expectation,
                                                    v1::Outcome* outcome) const {
  const ParsedJson json(body);
  if (!json.ok()) {
    return Malformed(fmt::format("status 200, but the body is no complete JSON: {}",
                                 body.empty() ? "it is empty" : body.substr(0, kShownBytes)));
  }
  return ReadValue(json.value(), body, expectation, outcome);
}

std::optional<ProviderError> JsonDialect::ReadStream(std::string_view body,
                                                     const ReplyExpectation& expectation,
                                                     v1::Outcome* outcome) const {
  boost::json::monotonic_resource memory(std::min<std::size_t>(body.size() + 1024, 64 << 10));
  const boost::json::storage_ptr storage(&memory);
  boost::json::object reply(storage);
  bool done = false;
  EventReader events(body);
  // Boost.JSON throws when memory runs out.
  try {
    while (events.Next()) {
      if (events.data() == "[DONE]") {
        done = true;
        break;
      }
      const std::string_view text = events.data();
      boost::json::error_code error;
      boost::json::parse_options options;
      options.max_depth = 64;
      value data = boost::json::parse({text.data(), text.size()}, error, storage, options);
      if (error) {
        return Malformed(fmt::format("status 200, but an event of the stream is no JSON: {}",
                                     text.substr(0, kShownBytes)));
      }
      const ErrorBody said = ReadErrorValue(data);
      if (said.found) {
        // What was counted until then is paid for.
        ReadUsage(reply, outcome->mutable_usage());
        return ClassifyErrorInReply(said);
      }
      Fold(events.type(), data, reply, &done);
    }
  } catch (const std::exception&) {
    return Malformed("status 200, but the stream is larger than what there is memory for");
  }
  const value whole(std::move(reply));
  if (!done) {
    ReadUsage(whole, outcome->mutable_usage());
    return Malformed(fmt::format("status 200, but the stream ended before the reply did: {}",
                                 body.empty() ? "it is empty" : body.substr(0, kShownBytes)));
  }
  return ReadValue(whole, body, expectation, outcome);
}

ProviderError JsonDialect::ClassifyError(const Answer& answer) const {
  return dialect::ClassifyError(answer);
}

std::int64_t CountMember(const value* object, std::string_view name) {
  if (object == nullptr) return 0;
  const value* number = Member(*object, name);
  if (number == nullptr || !number->is_number()) return 0;
  const double count = number->to_number<double>();
  return count > 0 && count < 1e15 ? static_cast<std::int64_t>(count) : 0;
}

void ReadOpenAiUsage(const value& reply, const UsageNames& names, v1::Usage* usage) {
  const value* counts = Member(reply, "usage");
  if (counts == nullptr || !counts->is_object()) return;
  usage->set_input_tokens(CountMember(counts, names.input));
  usage->set_output_tokens(CountMember(counts, names.output));
  usage->set_cached_input_tokens(
      CountMember(Member(*counts, names.input_details), "cached_tokens"));
  usage->set_reasoning_tokens(
      CountMember(Member(*counts, names.output_details), "reasoning_tokens"));
}

boost::json::object& ObjectAt(boost::json::object& object, std::string_view name) {
  value& member = object[{name.data(), name.size()}];
  return member.is_object() ? member.get_object() : member.emplace_object();
}

boost::json::array& ArrayAt(boost::json::object& object, std::string_view name) {
  value& member = object[{name.data(), name.size()}];
  return member.is_array() ? member.get_array() : member.emplace_array();
}

boost::json::object* ElementAt(boost::json::array& array, std::int64_t index) {
  constexpr std::int64_t kMaxIndex = 1000;
  if (index < 0 || index > kMaxIndex) return nullptr;
  if (static_cast<std::size_t>(index) >= array.size()) {
    array.resize(static_cast<std::size_t>(index) + 1);
  }
  value& element = array[static_cast<std::size_t>(index)];
  return element.is_object() ? &element.get_object() : &element.emplace_object();
}

void AppendText(const value& from, std::string_view name, boost::json::object& to) {
  const std::string_view text = TextMember(from, name);
  if (text.empty()) return;
  value& member = to[{name.data(), name.size()}];
  if (!member.is_string()) member.emplace_string();
  member.get_string().append(boost::json::string_view(text.data(), text.size()));
}

void MergeObject(const value& from, boost::json::object& to) {
  const boost::json::object* object = from.if_object();
  if (object == nullptr) return;
  for (const auto& member : *object) {
    if (!member.value().is_null()) to[member.key()] = member.value();
  }
}

}  // namespace candor::dialect
