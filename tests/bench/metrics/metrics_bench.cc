// What metrics cost: a call in the worker, an attempt with its outcome in the coordinator, a
// scrape's snapshot on the strand and its page beside it. Next to them what a call without metrics
// is allowed to cost: 60 us in the worker, 25 us in the coordinator.
//
//   build/release/bench/candor_metrics_bench
#include "common/base/time_proto.h"
#include "coordinator/http/coordinator_metrics.h"
#include "tests/unit/coordinator/engine/driver.h"
#include "worker/http/worker_metrics.h"

#include <benchmark/benchmark.h>

#include <cstdlib>

namespace candor::http {
namespace {

void BM_WorkerCall(benchmark::State& state) {
  v1::Config config;
  for (int i = 0; i < 4; ++i) {
    v1::Endpoint& endpoint = *config.add_endpoints();
    endpoint.set_name(fmt::format("endpoint-{}", i));
    endpoint.set_base_url("http://127.0.0.1:1/v1");
    endpoint.set_dialect("openai");
  }
  auto endpoints =
      provider::Endpoints::Create(config, [](const std::string&) { return std::nullopt; });
  if (!endpoints.ok()) std::abort();
  WorkerMetrics metrics("0.1.0", **endpoints);
  v1::AttemptReport report;
  report.mutable_attempt()->set_state(v1::Attempt::COMPLETED);
  *report.mutable_attempt()->mutable_latency() = ToProto(std::chrono::milliseconds(300));
  const provider::Endpoint& endpoint = *(*endpoints)->all().back();
  for (auto _ : state) {
    metrics.Began(endpoint);
    metrics.Ended(endpoint, report, std::chrono::milliseconds(200));
  }
}
BENCHMARK(BM_WorkerCall);

void BM_CoordinatorOutcome(benchmark::State& state) {
  engine::Driver driver;
  const engine::JobKey job = driver.Create();
  prometheus::Registry registry;
  CallMetrics calls(registry);
  engine::WriteBatch batch;
  for (std::uint32_t i = 0; i < 64; ++i) {
    auto attempt = std::make_unique<v1::Attempt>();
    attempt->set_state(v1::Attempt::COMPLETED);
    attempt->mutable_usage()->set_input_tokens(100);
    attempt->mutable_usage()->set_output_tokens(5);
    *attempt->mutable_latency() = ToProto(std::chrono::milliseconds(300));
    batch.attempts.push_back({i + 1, job, {0, v1::Cell::CHOICE, i}, std::move(attempt)});
    auto outcome = std::make_unique<v1::Outcome>();
    outcome->set_class_(v1::Outcome::VALID);
    batch.outcomes.push_back({job, {0, v1::Cell::CHOICE, i}, i + 1, std::move(outcome)});
  }
  for (auto _ : state) calls.Count(batch, *driver.engine);
  state.SetItemsProcessed(state.iterations() * 64);
}
BENCHMARK(BM_CoordinatorOutcome);

// With so many workers, and ten jobs.
void BM_Snapshot(benchmark::State& state) {
  engine::Driver driver;
  for (int i = 0; i < 10; ++i) driver.Create({.name = fmt::format("jobs/{}", i)});
  for (int i = 0; i < state.range(0); ++i) {
    driver.Connect(static_cast<engine::SessionId>(i + 1), fmt::format("workers/{}", i), 64);
  }
  for (auto _ : state) {
    metrics::Families families;
    AddEngine(*driver.engine, driver.instant(), families);
    benchmark::DoNotOptimize(families);
  }
}
BENCHMARK(BM_Snapshot)->Arg(1)->Arg(100)->Arg(1'000)->Unit(benchmark::kMicrosecond);

void BM_Page(benchmark::State& state) {
  engine::Driver driver;
  driver.Create();
  metrics::Families families;
  AddEngine(*driver.engine, driver.instant(), families);
  for (auto _ : state) benchmark::DoNotOptimize(metrics::Text(families));
}
BENCHMARK(BM_Page)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace candor::http
