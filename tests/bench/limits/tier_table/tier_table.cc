// How long the 40,000 calls of one study of two models take at published limits of three usage
// tiers: by the coordinator's engine, and by a loop with back-off as scripts have it. In simulated
// time, against a provider that enforces its limits over exact sliding windows and counts tokens as
// OpenAI documents it (the larger of max_tokens and the characters' tokens).
//
// The loop: so many threads; each calls, and when it is refused waits as the cookbook's
// `wait_random_exponential(min=1, max=60), stop_after_attempt(6)` does (tenacity: uniform on 0 to
// min(60, 2^n) s, and at least 1 s), then gives the answer up. It is given the better of two
// worlds: refused calls do not count against the limit.
#include "common/base/random.h"
#include "tests/unit/coordinator/engine/simulation/limits_provider.h"
#include "tests/unit/coordinator/engine/simulation/limits_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

namespace candor::engine::simulation {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Of the paper's two models: requests a minute and a day, tokens a minute. Tier 1 as listed for an
// account at community.openai.com/t/1028595 ("gpt-4o rate limits being 30k tpm and 90k tpd"), all
// three as listed at ai-buzz.com/ai-openai-rate-limits; OpenAI's own page of an account,
// platform.openai.com/settings/organization/limits, decides.
struct Tier {
  const char* name;
  const char* model;
  std::int64_t requests;
  std::int64_t requests_a_day;
  std::int64_t tokens;
};
constexpr Tier kTiers[] = {
    {"1", "gpt-4o", 500, 0, 30'000},    {"1", "gpt-4o-mini", 500, 10'000, 200'000},
    {"2", "gpt-4o", 5'000, 0, 450'000}, {"2", "gpt-4o-mini", 5'000, 0, 2'000'000},
    {"3", "gpt-4o", 5'000, 0, 800'000}, {"3", "gpt-4o-mini", 5'000, 0, 4'000'000},
};

// One model's part of the study: 100 scenarios, 190 choices and 10 self-reports each, prompts of
// about 180 tokens, output limits of 16 and 300.
constexpr int kScenarios = 100;
constexpr int kChoices = 190;
constexpr int kReports = 10;
constexpr std::int64_t kCalls = kScenarios * (kChoices + kReports);
constexpr std::int64_t kPrompt = 180;
constexpr std::int64_t kChoiceLimit = 16;
constexpr std::int64_t kReportLimit = 300;
constexpr Duration kLatency = milliseconds(700);
constexpr Duration kLongest = hours(24 * 4);

LimitsProvider ProviderOf(const Tier& tier) {
  LimitsProvider provider;
  provider.limits.set_requests_per_minute(tier.requests);
  provider.limits.set_requests_per_day(tier.requests_a_day);
  provider.limits.set_tokens_per_minute(tier.tokens);
  provider.headers = true;
  provider.latency = kLatency;
  return provider;
}

struct Result {
  std::optional<Duration> time;
  std::int64_t refused = 0;
  std::int64_t lost = 0;
};

Result Candor(const Tier& tier) {
  LimitsScenario scenario;
  scenario.provider = ProviderOf(tier);
  *scenario.endpoint.mutable_limits() = scenario.provider.limits;
  scenario.jobs = {{Duration(0),
                    {.name = "jobs/study",
                     .entries = {{.scenarios = kScenarios,
                                  .trials = kChoices,
                                  .reports = kReports,
                                  .prompt_chars = 4 * kPrompt - 90,
                                  .report_limit = kReportLimit}}}}};
  scenario.time = kLongest;
  scenario.watch = false;
  const LimitsOutcome outcome = RunLimits(scenario);
  for (const std::string& text : outcome.violations) fmt::print(stderr, "{}\n", text);
  return {outcome.ended[0], outcome.refused, kCalls - outcome.answers[0]};
}

// What becomes ready when.
struct Step {
  TimePoint time;
  std::uint64_t number = 0;
  std::function<void()> action;
  bool operator>(const Step& other) const {
    return time != other.time ? time > other.time : number > other.number;
  }
};

class Loop {
 public:
  Loop(const Tier& tier, int threads) : provider_(ProviderOf(tier)), random_(7, 3) {
    for (int i = 0; i < threads; ++i) At(now_, [this] { Next(); });
  }

  Result Run() {
    while (!steps_.empty()) {
      Step step = std::move(const_cast<Step&>(steps_.top()));  // NOLINT: popped at once
      steps_.pop();
      now_ = step.time;
      step.action();
    }
    result_.time = last_ - kBegin;
    return result_;
  }

 private:
  static constexpr TimePoint kBegin = TimePoint(seconds(1000));

  void At(TimePoint time, std::function<void()> action) {
    steps_.push({time, number_++, std::move(action)});
  }
  // One thread's next answer.
  void Next() {
    if (begun_ == kCalls) return;
    // Choices and self-reports in the order in which a script writes its requests.
    const bool report = begun_ % (kChoices + kReports) >= kChoices;
    ++begun_;
    Try({kPrompt, report ? kReportLimit : kChoiceLimit, TokenCount::kLarger}, 1);
  }
  void Try(const CallSize& size, int attempt) {
    if (!provider_.Admit(now_, size)) {
      const Duration latency(static_cast<std::int64_t>(static_cast<double>(kLatency.count()) *
                                                       (0.5 + random_.Uniform())));
      At(now_ + latency, [this, size] {
        provider_.Finish(now_, size, 4);
        last_ = now_;
        Next();
      });
      return;
    }
    ++result_.refused;
    if (attempt == 6) {
      ++result_.lost;
      last_ = now_;
      At(now_ + milliseconds(20), [this] { Next(); });
      return;
    }
    const double wait = std::max(1.0, random_.Uniform() * std::min(60.0, std::exp2(attempt)));
    At(now_ + milliseconds(20) + Duration(static_cast<std::int64_t>(wait * 1e6)),
       [this, size, attempt] { Try(size, attempt + 1); });
  }

  ProviderLimits provider_;
  RandomStream random_;
  std::priority_queue<Step, std::vector<Step>, std::greater<>> steps_;
  std::uint64_t number_ = 0;
  TimePoint now_ = kBegin;
  TimePoint last_ = kBegin;
  std::int64_t begun_ = 0;
  Result result_;
};

// "1 h 04 min", "12 min 30 s".
std::string Words(std::optional<Duration> time) {
  if (!time) return "not within 4 days";
  const auto total = std::chrono::round<seconds>(*time).count();
  if (total >= 3600) return fmt::format("{} h {:02} min", total / 3600, total % 3600 / 60);
  return fmt::format("{} min {:02} s", total / 60, total % 60);
}

// What part of a limit of requests is used in steady state, and how many calls are refused.
void PrintShares() {
  struct Row {
    const char* how;
    std::int64_t limit;
    Duration latency;
    bool configured;
    bool headers;
    bool retry_after;
  };
  const Row rows[] = {
      {"configured", 600, milliseconds(200), true, false, true},
      {"configured", 6000, milliseconds(200), true, false, true},
      {"configured", 1200, seconds(8), true, false, true},
      {"from headers", 600, milliseconds(200), false, true, true},
      {"from headers", 6000, milliseconds(200), false, true, true},
      {"found by trying", 60, milliseconds(200), false, false, true},
      {"found by trying", 600, milliseconds(200), false, false, true},
      {"the same, without Retry-After", 600, milliseconds(200), false, false, false},
      {"found by trying", 6000, milliseconds(500), false, false, true},
  };
  fmt::print("\n{:<31}{:>8}{:>9}{:>12}{:>12}{:>8}{:>10}\n", "requests a minute", "limit", "ms",
             "least 60 s", "least 10 s", "mean", "refused");
  for (const Row& row : rows) {
    LimitsScenario scenario;
    scenario.provider.limits.set_requests_per_minute(row.limit);
    scenario.provider.latency = row.latency;
    scenario.provider.headers = row.headers;
    scenario.provider.retry_after = row.retry_after;
    if (row.configured) *scenario.endpoint.mutable_limits() = scenario.provider.limits;
    scenario.jobs = {
        {Duration(0), {.name = "jobs/a", .entries = {{.scenarios = 10, .trials = 100'000}}}}};
    scenario.time = seconds(900);
    scenario.warm = seconds(180);
    const LimitsOutcome outcome = RunLimits(scenario);
    fmt::print("{:<31}{:>8}{:>9}{:>10.2f} %{:>10.2f} %{:>6.1f} %{:>8.2f} %\n", row.how, row.limit,
               row.latency.count() / 1000,
               100 * outcome.LeastShare(row.limit, 60, scenario.warm, scenario.time),
               100 * outcome.LeastShare(row.limit, 10, scenario.warm, scenario.time),
               100 * outcome.MeanShare(row.limit, scenario.warm, scenario.time),
               100 * outcome.RefusedShare());
  }
}

// The same of calls in flight, which the provider bounds without saying so: as a part of the work
// that so many would do.
void PrintInFlightShares() {
  fmt::print("\n{:<31}{:>8}{:>9}{:>12}{:>12}{:>8}{:>10}\n", "calls in flight", "limit", "ms",
             "least 60 s", "least 10 s", "mean", "refused");
  struct Row {
    std::int64_t limit;
    Duration latency;
  };
  for (const Row& row : {Row{4, seconds(1)}, Row{24, milliseconds(300)}, Row{24, seconds(1)},
                         Row{24, seconds(5)}, Row{200, seconds(1)}}) {
    LimitsScenario scenario;
    scenario.provider.limits.set_in_flight(row.limit);
    scenario.provider.latency = row.latency;
    scenario.provider.retry_after = false;
    scenario.jobs = {
        {Duration(0), {.name = "jobs/a", .entries = {{.scenarios = 10, .trials = 100'000}}}}};
    scenario.time = seconds(900);
    scenario.warm = seconds(180);
    const LimitsOutcome outcome = RunLimits(scenario);
    const std::int64_t most = row.limit * seconds(60) / row.latency;
    fmt::print("{:<31}{:>8}{:>9}{:>10.2f} %{:>10.2f} %{:>6.1f} %{:>8.2f} %\n", "found by trying",
               row.limit, row.latency.count() / 1000,
               100 * outcome.LeastShare(most, 60, scenario.warm, scenario.time),
               100 * outcome.LeastShare(most, 10, scenario.warm, scenario.time),
               100 * outcome.MeanShare(most, scenario.warm, scenario.time),
               100 * outcome.RefusedShare());
  }
}

int Main() {
  fmt::print("{} calls a model; prompts of {} tokens, output limits {} and {}; {} ms a call\n\n",
             kCalls, kPrompt, kChoiceLimit, kReportLimit, kLatency.count() / 1000);
  fmt::print("{:<5}{:<13}{:>9}{:>9}{:>11}  {:<10}{:>14}{:>10}{:>8}\n", "tier", "model", "req/min",
             "req/day", "tokens/min", "way", "time", "refused", "lost");
  for (const Tier& tier : kTiers) {
    const auto row = [&tier](const std::string& way, const Result& result) {
      fmt::print("{:<5}{:<13}{:>9}{:>9}{:>11}  {:<10}{:>14}{:>10}{:>8}\n", tier.name, tier.model,
                 tier.requests, tier.requests_a_day, tier.tokens, way, Words(result.time),
                 result.refused, result.lost);
    };
    row("candor", Candor(tier));
    for (const int threads : {16, 128}) {
      row(fmt::format("loop x{}", threads), Loop(tier, threads).Run());
    }
  }
  PrintShares();
  PrintInFlightShares();
  return 0;
}

}  // namespace
}  // namespace candor::engine::simulation

int main() { return candor::engine::simulation::Main(); }
