#include "simulator/faults.h"

#include "common/base/random.h"
#include "simulator/decision_model.h"

#include <cstddef>
#include <iterator>
#include <limits>

namespace candor::simulator {
namespace {

constexpr std::string_view kWords[] = {"",      "429",       "500",       "503",   "529",
                                       "400",   "401",       "404",       "quota", "hang",
                                       "reset", "truncated", "wrong_json"};

constexpr std::uint32_t kForever = std::numeric_limits<std::uint32_t>::max();

Duration ToDuration(const google::protobuf::Duration& duration) {
  return std::chrono::seconds{duration.seconds()} + Duration{duration.nanos() / 1'000};
}

}  // namespace

std::string_view ToString(FaultKind kind) { return kWords[static_cast<std::size_t>(kind)]; }

std::optional<FaultKind> ParseFault(std::string_view word) {
  for (std::size_t i = 1; i < std::size(kWords); ++i) {
    if (kWords[i] == word) return static_cast<FaultKind>(i);
  }
  return std::nullopt;
}

StatusOr<FaultPlan> FaultPlan::Create(const v1::SimulatorConfig& config) {
  FaultPlan plan;
  for (int i = 0; i < config.scripted_faults_size(); ++i) {
    const v1::ScriptedFault& scripted = config.scripted_faults(i);
    const std::optional<FaultKind> kind = ParseFault(scripted.fault());
    if (!kind) {
      return InvalidArgument(
          "scripted_faults[{}].fault: \"{}\" is none of 429, 500, 503, 529, 400, 401, 404, quota, "
          "hang, reset, truncated, wrong_json",
          i, scripted.fault());
    }
    if (scripted.arrival() < 0 || scripted.count() < 0) {
      return InvalidArgument(
          "scripted_faults[{}]: arrival {} and count {} must not be negative; arrival 0 means each "
          "arrival, count 0 means 1",
          i, scripted.arrival(), scripted.count());
    }
    const auto first = static_cast<std::uint32_t>(scripted.arrival());
    const auto count = static_cast<std::uint32_t>(scripted.count() == 0 ? 1 : scripted.count());
    Scripted item{scripted.body_contains(), first, first + count - 1, {*kind, std::nullopt}};
    if (first == 0) {
      item.first = 1;
      item.last = kForever;
    }
    if (scripted.has_retry_after()) {
      item.fault.retry_after = ToDuration(scripted.retry_after());
      if (item.fault.retry_after->count() < 0) {
        return InvalidArgument("scripted_faults[{}].retry_after must not be negative", i);
      }
    } else if (*kind == FaultKind::kTooManyRequests) {
      item.fault.retry_after = kDefaultRetryAfter;
    }
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
      if (kind == FaultKind::kTooManyRequests) return {kind, kDefaultRetryAfter};
      return {kind, std::nullopt};
    }
    u -= rate;
  }
  return {};
}

}  // namespace candor::simulator
