// Requests and replies of one dialect, for the tests of this room.
#pragma once

#include "common/dialect/dialect.h"
#include "common/dialect/render.h"
#include "tests/unit/common/dialect/job.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace candor::dialect {

inline const v1::JobSpecification& TheJob() {
  static const auto* const kJob = new v1::JobSpecification(SmallJob());
  return *kJob;
}

// The job with this sampling for both kinds.
inline v1::JobSpecification JobWith(const char* sampling_text) {
  v1::JobSpecification job = SmallJob();
  v1::Sampling sampling;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(sampling_text, &sampling));
  *job.mutable_entries(0)->mutable_choices()->mutable_sampling() = sampling;
  *job.mutable_entries(0)->mutable_self_reports()->mutable_sampling() = sampling;
  return job;
}

inline v1::ModelRule Rule(const char* text) {
  v1::ModelRule rule;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &rule));
  return rule;
}

// The body of the first cell of a kind, or the error.
inline std::string Rendered(const Dialect& dialect, const v1::JobSpecification& job,
                            v1::Cell::Kind kind = v1::Cell::CHOICE,
                            const v1::ModelRule& rule = {}) {
  std::string body;
  const Status status = RenderCell(job, 0, kind, 1, nullptr, dialect, rule, &body, nullptr);
  return status.ok() ? body : "error: " + std::string(Message(status));
}

using Headers = std::map<std::string, std::string, std::less<>>;

// What an answer is read as: an outcome, or an error.
struct ReadAs {
  v1::Outcome outcome;
  std::optional<ProviderError> error;
};

inline ReadAs ReadBody(const Dialect& dialect, std::string_view body,
                       v1::Cell::Kind kind = v1::Cell::CHOICE, int status = 200,
                       const Headers& headers = {}) {
  ReadAs read;
  const auto find = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto at = headers.find(name);
    if (at == headers.end()) return std::nullopt;
    return at->second;
  };
  read.error = ReadAnswer(dialect,
                          {.status = status,
                           .body = body,
                           .header = find,
                           .now = *ParseHttpDate("Wed, 25 Nov 2026 12:00:00 GMT")},
                          {.kind = kind, .scenario = TheJob().scenarios(0)}, &read.outcome);
  if (read.error) {
    EXPECT_EQ(read.outcome.class_(), v1::Outcome::CLASS_UNSPECIFIED) << "an error is no outcome";
  }
  return read;
}

inline ReadAs ReadEvents(const Dialect& dialect, std::string_view body,
                         v1::Cell::Kind kind = v1::Cell::CHOICE) {
  return ReadBody(dialect, body, kind, 200, {{"content-type", "text/event-stream; charset=utf-8"}});
}

// A reply that thought "Hm." and chose A.
inline void ExpectThoughtAndChoseA(const ReadAs& read, std::string_view finish_reason,
                                   std::string_view served_model) {
  ASSERT_FALSE(read.error) << read.error->text;
  EXPECT_EQ(read.outcome.class_(), v1::Outcome::VALID);
  EXPECT_EQ(read.outcome.choice(), v1::Outcome::A);
  EXPECT_EQ(read.outcome.raw_text(), "A");
  EXPECT_EQ(read.outcome.reasoning_text(), "Hm.");
  EXPECT_EQ(read.outcome.finish_reason(), finish_reason);
  EXPECT_EQ(read.outcome.served_model(), served_model);
}

// Of the input, `cached` was read from a cache; of the output, `reasoning` was thinking.
struct Tokens {
  std::int64_t input = 0;
  std::int64_t cached = 0;
  std::int64_t output = 0;
  std::int64_t reasoning = 0;
};
inline void ExpectUsage(const ReadAs& read, const Tokens& tokens) {
  const v1::Usage& usage = read.outcome.usage();
  EXPECT_EQ(usage.input_tokens(), tokens.input);
  EXPECT_EQ(usage.cached_input_tokens(), tokens.cached);
  EXPECT_EQ(usage.output_tokens(), tokens.output);
  EXPECT_EQ(usage.reasoning_tokens(), tokens.reasoning);
}

// Whatever is cut off a stream, it is no other reply: half of one is an error.
inline void ExpectNoPrefixIsAnotherReply(const Dialect& dialect, std::string_view stream) {
  const ReadAs whole = ReadEvents(dialect, stream);
  ASSERT_FALSE(whole.error) << whole.error->text;
  for (std::size_t size = 0; size < stream.size(); ++size) {
    const ReadAs part = ReadEvents(dialect, stream.substr(0, size));
    if (part.error) {
      EXPECT_EQ(part.error->error_class, v1::Attempt::MALFORMED_RESPONSE);
    } else {
      EXPECT_EQ(part.outcome.raw_text(), whole.outcome.raw_text()) << size;
      EXPECT_EQ(part.outcome.finish_reason(), whole.outcome.finish_reason()) << size;
    }
  }
}

}  // namespace candor::dialect
