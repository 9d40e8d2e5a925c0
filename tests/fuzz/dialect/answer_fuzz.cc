#include "tests/fuzz/dialect/answer_fuzz.h"

#include "common/base/config.h"
#include "common/base/json_writer.h"
#include "common/dialect/batch.h"
#include "common/dialect/batch_forms.h"
#include "common/dialect/dialect.h"
#include "common/dialect/limit_headers.h"
#include "tests/unit/common/dialect/job.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace candor::dialect {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void CheckError(const ProviderError& error) {
  Require(error.error_class != v1::Attempt::ERROR_CLASS_UNSPECIFIED, "an error has a class");
  Require(!error.text.empty(), "an error has a text");
  Require(error.text.size() <= kMaxErrorTextBytes, "the text is bounded");
  Require(IsUtf8(error.text), "the text is UTF-8");
  if (!error.retry_after) return;
  Require(error.retry_after->count() > 0, "a wait is ahead");
  const bool daily = error.error_class == v1::Attempt::DAILY_LIMIT;
  Require(*error.retry_after <= (daily ? kMaxDailyRetryAfter : kMaxRetryAfter),
          "a wait is bounded");
}

void CheckRead(const std::optional<ProviderError>& error, const v1::Outcome& outcome) {
  if (error) {
    CheckError(*error);
    Require(outcome.class_() == v1::Outcome::CLASS_UNSPECIFIED, "an error is no outcome");
  } else {
    Require(outcome.class_() != v1::Outcome::CLASS_UNSPECIFIED, "an outcome has a class");
  }
  Require(std::isfinite(outcome.log_odds_a()), "log-odds are finite");
  v1::Outcome again;
  Require(again.ParseFromString(outcome.SerializeAsString()), "an outcome travels");
}

void CheckReply(const Dialect& dialect, std::string_view body, v1::Cell::Kind kind) {
  static const auto* const kJob = new v1::JobSpecification(SmallJob());
  const ReplyExpectation expectation{.kind = kind, .scenario = kJob->scenarios(0)};
  v1::Outcome outcome;
  CheckRead(dialect.ReadReply(body, expectation, &outcome), outcome);
  v1::Outcome streamed;
  CheckRead(dialect.ReadStream(body, expectation, &streamed), streamed);
}

// Every line of the body is a header.
void CheckLimits(std::string_view text, WallTime now) {
  LimitHeaders headers;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto colon = line.find(':');
    headers.Add(line.substr(0, colon),
                colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1));
  }
  google::protobuf::RepeatedPtrField<v1::LimitObservation> observations;
  headers.Read(now, &observations);
  for (const v1::LimitObservation& o : observations) {
    Require(o.dimension() != v1::LimitUse::DIMENSION_UNSPECIFIED, "a limit is of something");
    Require(o.has_limit() || o.has_remaining(), "an observation says something");
    Require(!o.has_limit() || o.limit() > 0, "a limit is positive");
    Require(!o.has_remaining() || o.remaining() >= 0, "what is left is not negative");
    Require(!o.has_limit() || o.remaining() <= o.limit(), "no more is left than there is");
    Require(o.reset_after().seconds() >= 0 && o.reset_after().seconds() <= 2 * 24 * 3600,
            "a reset is near");
  }
}

void CheckBatch(const BatchObject& batch) {
  Require(IsProviderId(batch.id), "an id can stand in a path");
  Require(!batch.state.empty() && IsUtf8(batch.state), "a batch has a state");
  Require(batch.lines >= 0 && batch.lines_done >= 0, "lines are counted");
  for (const std::string& path : batch.result_paths) {
    Require(path.starts_with('/') && path.find("/../") == std::string::npos,
            "results are where the provider keeps them");
  }
  if (batch.phase == BatchObject::Phase::kFailed) CheckError(batch.error);
  if (!batch.create_time) return;
  // What is asked of it is its age.
  const Duration age = WallTime() - *batch.create_time;
  Require(WallTime() - age == *batch.create_time, "a time of creation can be reckoned with");
}

void CheckStatus(const Status& status) {
  Require(!status.message().empty(), "what is no object says so");
  Require(IsUtf8(ToStd(status.message())), "and in UTF-8");
}

// The body as each object of batches.
void CheckBatchForm(const BatchForm& form, std::string_view body) {
  if (const auto batch = form.ReadBatch(body); batch.ok()) {
    CheckBatch(*batch);
  } else {
    CheckStatus(batch.status());
  }
  if (const auto page = form.ReadPage(body); page.ok()) {
    for (const BatchObject& batch : page->batches) CheckBatch(batch);
    Require(!page->more || !page->batches.empty(), "the next page follows a batch");
  } else {
    CheckStatus(page.status());
  }
  if (const auto result = form.ReadResult(body); result.ok()) {
    Require(!result->custom_id.empty(), "a result is of a line");
    Require(result->status >= 0 && result->status < 600, "a status is one of HTTP");
    Require(result->kind == BatchResult::Kind::kAnswered || !result->text.empty(),
            "what was not run says why");
  } else {
    CheckStatus(result.status());
  }
}

}  // namespace

void CheckAnswer(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1);
  const auto line = text.find('\n');
  const std::string_view header = text.substr(0, line);
  const std::string_view body =
      line == std::string_view::npos ? std::string_view() : text.substr(line + 1);
  const v1::Cell::Kind kind = bytes[0] % 2 == 0 ? v1::Cell::CHOICE : v1::Cell::SELF_REPORT;
  const WallTime now(std::chrono::hours(24 * 365 * 56));
  const Dialect* dialect = nullptr;
  for (const std::string& name : DialectNames()) {
    dialect = *FindDialect(name);
    CheckReply(*dialect, body, kind);
    if (const BatchForm* form = FindBatchForm(*dialect)) CheckBatchForm(*form, body);
  }
  if (const auto file = ReadFile(body); file.ok()) {
    Require(IsProviderId(file->id), "an id can stand in a path");
  }
  CheckLimits(text, now);

  static constexpr std::array<int, 8> kStatuses = {204, 302, 400, 401, 429, 500, 503, 529};
  const int status = kStatuses[(bytes[0] / 2U) % kStatuses.size()];
  // Each header alone, so that one does not hide the other.
  for (const std::string_view only : {"retry-after-ms", "retry-after", "date", "x-none"}) {
    const auto find = [&](std::string_view name) {
      return name == only || (only == "date" && name == "retry-after")
                 ? std::optional<std::string_view>(header)
                 : std::nullopt;
    };
    CheckError(
        dialect->ClassifyError({.status = status, .body = body, .header = find, .now = now}));
  }
}

}  // namespace candor::dialect

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  candor::dialect::CheckAnswer({data, size});
  return 0;
}
