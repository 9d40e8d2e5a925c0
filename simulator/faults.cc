#include "simulator/faults.h"

#include "common/base/random.h"
#include "common/base/time_proto.h"
#include "simulator/decision_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <iterator>
#include <limits>

namespace candor::simulator {
namespace {

// In the order of FaultKind.
constexpr std::string_view kWords[] = {"",
                                       "429",
                                       "500",
                                       "502",
                                       "503",
                                       "504",
                                       "529",
                                       "400",
                                       "401",
                                       "402",
                                       "403",
                                       "404",
                                       "408",
                                       "413",
                                       "quota",
                                       "spend_cap",
                                       "daily_quota",
                                       "hang",
                                       "reset",
                                       "truncated",
                                       "slow_first_byte",
                                       "stalled_body",
                                       "header_drip",
                                       "endless_body",
                                       "huge_body",
                                       "gzip_bomb",
                                       "redirect",
                                       "wrong_json",
                                       "half_json",
                                       "error_200",
                                       "html",
                                       "broken_stream",
                                       "stream_error",
                                       "headers_negative",
                                       "headers_absurd",
                                       "headers_missing",
                                       "headers_past"};
static_assert(std::size(kWords) == static_cast<std::size_t>(FaultKind::kHeadersPast) + 1);

constexpr std::uint32_t kForever = std::numeric_limits<std::uint32_t>::max();
// Of which `lying_headers` draws one.
constexpr FaultKind kLies[] = {FaultKind::kHeadersNegative, FaultKind::kHeadersAbsurd,
                               FaultKind::kHeadersMissing, FaultKind::kHeadersPast};

Status CheckDuration(const google::protobuf::Duration& duration, int i, const char* name) {
  if (duration.seconds() >= 0 && duration.nanos() >= 0) return absl::OkStatus();
  return InvalidArgument("scripted_faults[{}].{} must not be negative", i, name);
}

}  // namespace

std::string_view ToString(FaultKind kind) { return kWords[static_cast<std::size_t>(kind)]; }

std::optional<FaultKind> ParseFault(std::string_view word) {
  for (std::size_t i = 1; i < std::size(kWords); ++i) {
    if (kWords[i] == word) return static_cast<FaultKind>(i);
  }
  return std::nullopt;
}

HeaderLie LieOf(FaultKind kind) {
  switch (kind) {
    case FaultKind::kHeadersNegative:
      return HeaderLie::kNegative;
    case FaultKind::kHeadersAbsurd:
      return HeaderLie::kAbsurd;
    case FaultKind::kHeadersMissing:
      return HeaderLie::kMissing;
    case FaultKind::kHeadersPast:
      return HeaderLie::kPast;
    default:
      return HeaderLie::kNone;
  }
}

StatusOr<FaultPlan> FaultPlan::Create(const v1::SimulatorConfig& config) {
  FaultPlan plan;
  for (int i = 0; i < config.scripted_faults_size(); ++i) {
    const v1::ScriptedFault& scripted = config.scripted_faults(i);
    const std::optional<FaultKind> kind = ParseFault(scripted.fault());
    if (!kind) {
      return InvalidArgument("scripted_faults[{}].fault: \"{}\" is none of {}", i, scripted.fault(),
                             fmt::join(kWords + 1, std::end(kWords), ", "));
    }
    if (scripted.arrival() < 0 || scripted.count() < 0) {
      return InvalidArgument(
          "scripted_faults[{}]: arrival {} and count {} must not be negative; arrival 0 means each "
          "arrival, count 0 means 1",
          i, scripted.arrival(), scripted.count());
    }
    const auto first = static_cast<std::uint32_t>(scripted.arrival());
    const auto count = static_cast<std::uint32_t>(scripted.count() == 0 ? 1 : scripted.count());
    Scripted item{scripted.body_contains(), first, first + count - 1, {}};
    item.fault.kind = *kind;
    item.fault.format = scripted.retry_after_format();
    if (first == 0) {
      item.first = 1;
      item.last = kForever;
    }
    CANDOR_RETURN_IF_ERROR(CheckDuration(scripted.retry_after(), i, "retry_after"));
    CANDOR_RETURN_IF_ERROR(CheckDuration(scripted.delay(), i, "delay"));
    if (scripted.has_retry_after()) {
      item.fault.retry_after = ToDuration(scripted.retry_after());
    } else if (*kind == FaultKind::kTooManyRequests) {
      item.fault.retry_after = kDefaultRetryAfter;
    }
    item.fault.delay = scripted.has_delay() ? ToDuration(scripted.delay()) : kDefaultDelay;
    plan.scripted_.push_back(std::move(item));
  }

  const v1::FaultRates& rates = config.faults();
  const struct {
    const char* name;
    FaultKind kind;
    double rate;
  } by_chance[] = {
      {"too_many_requests", FaultKind::kTooManyRequests, rates.too_many_requests()},
      {"server_error", FaultKind::kServerError, rates.server_error()},
      {"unavailable", FaultKind::kUnavailable, rates.unavailable()},
      {"hang", FaultKind::kHang, rates.hang()},
      {"reset", FaultKind::kReset, rates.reset()},
      {"truncated_body", FaultKind::kTruncated, rates.truncated_body()},
      {"wrong_json", FaultKind::kWrongJson, rates.wrong_json()},
      {"overloaded", FaultKind::kOverloaded, rates.overloaded()},
      {"slow_first_byte", FaultKind::kSlowFirstByte, rates.slow_first_byte()},
      {"stalled_body", FaultKind::kStalledBody, rates.stalled_body()},
      {"half_json", FaultKind::kHalfJson, rates.half_json()},
      {"html", FaultKind::kHtml, rates.html()},
      {"error_200", FaultKind::kError200, rates.error_200()},
      {"broken_stream", FaultKind::kBrokenStream, rates.broken_stream()},
      // Which of the four is drawn with it.
      {"lying_headers", FaultKind::kHeadersNegative, rates.lying_headers()},
  };
  double sum = 0;
  for (const auto& [name, kind, rate] : by_chance) {
    if (!(rate >= 0 && rate <= 1)) {
      return InvalidArgument("faults.{}: {} is no share; give a number from 0 to 1", name, rate);
    }
    sum += rate;
    if (rate > 0) plan.rates_.emplace_back(kind, rate);
  }
  if (sum > 1 + 1e-9) {
    return InvalidArgument("faults: the rates add up to {}; together they can be at most 1", sum);
  }
  return plan;
}

Fault FaultPlan::Draw(std::string_view body, std::uint64_t body_key, std::uint32_t arrival) const {
  for (const Scripted& scripted : scripted_) {
    if (arrival >= scripted.first && arrival <= scripted.last &&
        body.find(scripted.body_contains) != std::string_view::npos) {
      return scripted.fault;
    }
  }
  if (rates_.empty()) return {};
  RandomStream random(body_key, static_cast<std::uint64_t>(simulator::Draw::kFault) + arrival);
  double u = random.Uniform();
  for (const auto& [kind, rate] : rates_) {
    if (u < rate) {
      Fault fault;
      fault.kind = kind;
      fault.delay = kDefaultDelay;
      if (kind == FaultKind::kTooManyRequests) fault.retry_after = kDefaultRetryAfter;
      if (kind == FaultKind::kHeadersNegative) fault.kind = kLies[random.Below(std::size(kLies))];
      return fault;
    }
    u -= rate;
  }
  return {};
}

}  // namespace candor::simulator
