#include "tests/fuzz/dialect/answer_fuzz.h"

#include "common/base/json_writer.h"
#include "common/dialect/openai.h"
#include "tests/unit/common/dialect/job.h"

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
  Require(*error.retry_after <= kMaxRetryAfter, "a wait is bounded");
}

void CheckReply(std::string_view body, v1::Cell::Kind kind) {
  static const auto* const kJob = new v1::JobSpecification(SmallJob());
  v1::Outcome outcome;
  const auto error =
      OpenAiDialect().ReadReply(body, {.kind = kind, .scenario = kJob->scenarios(0)}, &outcome);
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

}  // namespace

void CheckAnswer(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1);
  const auto line = text.find('\n');
  const std::string_view header = text.substr(0, line);
  const std::string_view body =
      line == std::string_view::npos ? std::string_view() : text.substr(line + 1);
  CheckReply(body, bytes[0] % 2 == 0 ? v1::Cell::CHOICE : v1::Cell::SELF_REPORT);

  static constexpr std::array<int, 8> kStatuses = {204, 302, 400, 401, 429, 500, 503, 529};
  const int status = kStatuses[(bytes[0] / 2U) % kStatuses.size()];
  // Each header alone, so that one does not hide the other.
  for (const std::string_view only : {"retry-after-ms", "retry-after", "date", "x-none"}) {
    const auto find = [&](std::string_view name) {
      return name == only || (only == "date" && name == "retry-after")
                 ? std::optional<std::string_view>(header)
                 : std::nullopt;
    };
    CheckError(OpenAiDialect().ClassifyError({.status = status,
                                              .body = body,
                                              .header = find,
                                              .now = WallTime(std::chrono::hours(24 * 365 * 56))}));
  }
}

}  // namespace candor::dialect

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  candor::dialect::CheckAnswer({data, size});
  return 0;
}
