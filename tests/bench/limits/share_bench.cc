// What share of a provider's limit Candor uses, measured at the simulator: real coordinator, real
// workers. Beside it the limit itself, and what a script with back-off gets of the same limit.
//
//   build/release/bench/candor_share_bench [seconds = 75] [case ...]
//
// Cases: known tokens churn restart headers probed naive equal small; all of them by default, one
// after the other, each about `seconds` and its beginning. Shares over 60 s need 60 and more.
//
// The beginning (a first call that goes alone, and the ramp) is left out: for known limits 5 s, for
// limits read from headers 20 s, for probed ones 60 s.
//
// Of the restart its own seconds are left out: from the kill until the workers' streams are open
// again, and one second more, in which the coordinator waits for what they say (200 ms), the calls
// of before come back, and its ramp has begun. No window that touches these counts for the least
// shares; for the most in 60 s, the rejected calls and so an excess everything counts.

#include "tests/bench/limits/arrivals.h"
#include "tests/bench/limits/naive_client.h"
#include "tests/integration/cluster.h"

#include <fmt/format.h>

#include <signal.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace candor::bench {
namespace {

using integration::Cluster;

constexpr double kRequestsAMinute = 6000;
constexpr double kTokensAMinute = 600'000;
// Long enough that hundreds of calls are in flight.
constexpr const char* kModel = "default_model: {latency: 500ms, latency_sigma: 0.3}\n";

std::string Percent(double share) {
  return share < 0 ? std::string("-") : fmt::format("{:.2f} %", share * 100);
}

void PrintHead() {
  fmt::print("{:44}{:>10}{:>12}{:>12}{:>12}{:>11}\n", "share of the limit", "whole", "least 60 s",
             "least 10 s", "most 60 s", "rejected");
}

void PrintRow(const std::string& title, const Share& share) {
  fmt::print("{:44}{:>10}{:>12}{:>12}{:>12}{:>11}\n", title, Percent(share.whole),
             Percent(share.least_60s), Percent(share.least_10s), Percent(share.most_60s),
             fmt::format("{:.3f} %", share.rejected * 100));
  std::fflush(stdout);
}

void SleepUntil(Second time) {
  const double left = time - Now();
  if (left > 0) std::this_thread::sleep_for(std::chrono::duration<double>(left));
}

std::string RequestLimits() {
  return fmt::format("limits: {{requests_per_minute: {}}}\n", kRequestsAMinute);
}

std::string Endpoint(const std::string& more) { return "    base_url: \"{base_url}\"\n" + more; }

// A job that no case finishes.
std::string LongJob(const std::string& model = "m", int trials = 5000) {
  return fmt::format(
      R"({{"job": {{"models": [{{"endpoint": "local", "model": "{}"}}], "scenario_limit": 200,
          "choices": {{"trials_per_scenario": {},
                       "sampling": {{"temperature": 0, "max_output_tokens": 16}}}}}}}})",
      model, trials);
}

// One setting: what the simulator enforces, what candor.yaml says of it, and what happens.
struct Setting {
  std::string title;
  std::string simulator;
  std::string endpoint;
  double limit = kRequestsAMinute;
  bool tokens = false;
  double beginning = 5;
  std::function<void(Cluster&, Span&)> during;
};

void Run(const Setting& setting, double seconds) {
  Cluster cluster;
  cluster.SetEndpoints({{"local", Endpoint(setting.endpoint)}});
  cluster.StartSimulator(kModel + setting.simulator);
  cluster.StartCoordinator();
  cluster.StartWorker("w1", {"--slots", "512"});
  cluster.CreateJob(LongJob());
  Span span{.from = Now() + setting.beginning,
            .to = Now() + setting.beginning + seconds,
            .limit_a_minute = setting.limit,
            .tokens = setting.tokens};
  if (setting.during) setting.during(cluster, span);
  SleepUntil(span.to);
  PrintRow(setting.title, MeasureShare(ReadArrivals(cluster.simulator_address()), span));
}

// 1 -> 8 -> 2 workers, evenly over the span.
void Churn(Cluster& cluster, Span& span) {
  const double step = (span.to - span.from) / 14;
  for (int i = 2; i <= 8; ++i) {
    SleepUntil(span.from + step * (i - 1));
    cluster.StartWorker("w" + std::to_string(i), {"--slots", "128"});
  }
  for (int i = 1; i <= 6; ++i) {
    SleepUntil(span.from + step * (7 + i));
    cluster.worker("w" + std::to_string(i)).Signal(SIGTERM);
  }
}

void Restart(Cluster& cluster, Span& span) {
  SleepUntil(span.from + (span.to - span.from) / 3);
  const Second killed = Now();
  cluster.KillAndRestartCoordinator();
  const Second ready = Now();
  // Workers come back after a back-off of their own.
  const auto workers = [&] {
    const auto reply = cluster.Call("ClusterService/ListWorkers");
    const auto* list = reply.as_object().if_contains("workers");
    return list != nullptr && !list->as_array().empty();
  };
  while (!workers()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const Second back = Now();
  fmt::print("  (restart: ready after {:.2f} s, workers back after {:.2f} s)\n", ready - killed,
             back - killed);
  // See above.
  span.without.emplace_back(killed, back + 1);
}

void Naive(double seconds) {
  Cluster cluster;
  cluster.StartSimulator(std::string(kModel) + RequestLimits());
  Span span{.from = Now() + 5, .to = Now() + 5 + seconds, .limit_a_minute = kRequestsAMinute};
  RunNaiveClient(cluster.simulator_address(), {.loops = 128, .seconds = 5 + seconds});
  PrintRow("reference: 128 loops with back-off",
           MeasureShare(ReadArrivals(cluster.simulator_address()), span));
}

// Two jobs of equal priority under one limit.
void EqualJobs(double seconds) {
  Cluster cluster;
  cluster.SetEndpoints({{"local", Endpoint("    " + RequestLimits())}});
  cluster.StartSimulator(kModel);
  cluster.StartCoordinator();
  cluster.StartWorker("w1", {"--slots", "512"});
  cluster.CreateJob(LongJob("a"));
  cluster.CreateJob(LongJob("b"));
  const Second from = Now() + 5;
  SleepUntil(from + seconds);
  std::map<std::string, double> calls;
  for (const Arrival& arrival : ReadArrivals(cluster.simulator_address())) {
    if (arrival.time >= from) ++calls[arrival.model];
  }
  fmt::print("{:44}{:.0f} and {:.0f} calls: {:.2f} % apart (at most 5 %)\n",
             "two jobs of equal priority", calls["a"], calls["b"],
             std::abs(calls["a"] - calls["b"]) / std::max(calls["a"], calls["b"]) * 100);
  std::fflush(stdout);
}

// 100 cells alone, and beside a million.
void SmallJob() {
  Cluster cluster;
  cluster.SetEndpoints({{"local", Endpoint("    " + RequestLimits())}});
  cluster.StartSimulator(kModel);
  cluster.StartCoordinator();
  cluster.StartWorker("w1", {"--slots", "512"});
  const auto measure = [&](const std::string& model) {
    const std::string request = fmt::format(
        R"({{"job": {{"models": [{{"endpoint": "local", "model": "{}"}}], "scenario_limit": 100,
            "choices": {{"trials_per_scenario": 1}}}}}})",
        model);
    std::vector<double> times;
    for (int i = 0; i < 5; ++i) {
      const Second start = Now();
      cluster.WaitForEnd(cluster.CreateJob(request));
      times.push_back(Now() - start);
    }
    std::sort(times.begin(), times.end());
    return times[2];
  };
  const double alone = measure("small");
  cluster.CreateJob(LongJob("large"));
  SleepUntil(Now() + 5);
  const double beside = measure("small");
  fmt::print("{:44}{:.2f} s alone, {:.2f} s beside a million cells: {:.2f} times (at most 2)\n",
             "a job of 100 cells (median of 5)", alone, beside, beside / alone);
  std::fflush(stdout);
}

int Main(double seconds, const std::set<std::string>& cases) {
  const auto wanted = [&](const char* name) { return cases.empty() || cases.contains(name); };
  const std::string known = "    " + RequestLimits();
  const std::string tokens = fmt::format("limits: {{tokens_per_minute: {}}}\n", kTokensAMinute);
  fmt::print("{:.0f} requests a minute (tokens: {:.0f}), {:.0f} s each\n", kRequestsAMinute,
             kTokensAMinute, seconds);
  PrintHead();
  if (wanted("known")) {
    Run({.title = "known: requests", .simulator = RequestLimits(), .endpoint = known}, seconds);
  }
  if (wanted("tokens")) {
    Run({.title = "known: tokens",
         .simulator = tokens,
         .endpoint = "    " + tokens,
         .limit = kTokensAMinute,
         .tokens = true},
        seconds);
  }
  if (wanted("churn")) {
    Run({.title = "known, workers 1 -> 8 -> 2",
         .simulator = RequestLimits(),
         .endpoint = known,
         .during = Churn},
        seconds);
  }
  if (wanted("restart")) {
    Run({.title = "known, coordinator killed and restarted",
         .simulator = RequestLimits(),
         .endpoint = known,
         .during = Restart},
        seconds);
  }
  if (wanted("headers")) {
    Run({.title = "learned from headers", .simulator = RequestLimits(), .beginning = 20}, seconds);
  }
  if (wanted("probed")) {
    Run({.title = "probed: no limits said, no headers",
         .simulator = RequestLimits() + "limit_headers: NONE\n",
         .beginning = 60},
        seconds);
  }
  if (wanted("naive")) Naive(seconds);
  if (wanted("equal")) EqualJobs(seconds);
  if (wanted("small")) SmallJob();
  return 0;
}

}  // namespace
}  // namespace candor::bench

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 75;
  return candor::bench::Main(seconds > 0 ? seconds : 75, {argv + std::min(argc, 2), argv + argc});
}
