// The whole path on this machine: simulator at zero latency, one coordinator, one worker; beside it
// what wrk gets from the same simulator with a body of the same kind, in the same run. Then a job
// of ten million cells.
//
//   build/release/bench/candor_path_bench [cells] [threads of the worker]
//
// CPU is the operating system's account of each process (user and system), wall time that of the
// job. The same job runs twice: asked about now and then, and watched, for which the coordinator
// reads each outcome once more and fits the estimates that it streams.

#include "tests/bench/support/process_figures.h"
#include "tests/integration/cluster.h"

#include <boost/json/serialize.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

namespace candor::integration {
namespace {

using bench::CpuSeconds;
using bench::ResidentMegabytes;
using Seconds = std::chrono::duration<double>;

double Now() { return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Runs one job to its end, prints what it cost, and says how many calls a second it made.
double OneJob(Cluster& cluster, const std::string& request, long cells, const char* title,
              const std::function<void(const std::string& job)>& wait) {
  const double coordinator = CpuSeconds(cluster.coordinator().pid());
  const double worker = CpuSeconds(cluster.worker("w1").pid());
  const double start = Now();
  const std::string job = cluster.CreateJob(request);
  wait(job);
  const double seconds = Now() - start;
  const auto calls = static_cast<double>(cells);
  std::printf("%-34s %9.0f calls/s  (%s, %ld calls in %.2f s)\n", title, calls / seconds,
              cluster.GetJob(job).at("state").as_string().c_str(), cells, seconds);
  std::printf("%-34s %9.1f us of CPU a call\n", "  worker",
              (CpuSeconds(cluster.worker("w1").pid()) - worker) / calls * 1e6);
  std::printf("%-34s %9.1f us of CPU a call, durable\n", "  coordinator",
              (CpuSeconds(cluster.coordinator().pid()) - coordinator) / calls * 1e6);
  return calls / seconds;
}

void WholePath(long cells, const std::string& threads) {
  Cluster cluster;
  // Known to be without another limit: nothing has to be found out first.
  cluster.SetEndpoints({{"local", "    base_url: \"{base_url}\"\n    limits: {in_flight: 512}"}});
  cluster.StartSimulator();
  cluster.StartCoordinator();
  cluster.StartWorker("w1", {"--slots", "512", "--threads", threads});
  const long trials = cells / 200;
  const std::string request =
      R"({"job": {"models": [{"endpoint": "local", "model": "m"}], "scenario_limit": 200,
    "choices": {"trials_per_scenario": )" +
      std::to_string(trials) + R"(, "sampling": {"temperature": 0, "max_output_tokens": 16}}}})";
  const double rate =
      OneJob(cluster, request, trials * 200, "whole path", [&](const std::string& job) {
        while (cluster.GetJob(job).at("state") == "RUNNING") {
          std::this_thread::sleep_for(std::chrono::milliseconds(250));
        }
      });
  OneJob(cluster, request, trials * 200, "whole path, watched",
         [&](const std::string& job) { cluster.WaitForEnd(job); });

  // The reference: the same simulator, a body that Candor would send, as many connections as there
  // were calls in flight.
  const Finished preview = cluster.Candor(
      {"preview", "-", "-n", "1", "--config", cluster.directory() + "/candor.yaml"}, request);
  // One body, in the form that the client prints: a JSON object on lines of its own.
  const std::string script = cluster.directory() + "/post.lua";
  WriteWhole(
      script,
      "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = [==[" +
          boost::json::serialize(ParseJsonText(preview.out)) + "]==]\n");
  const Finished wrk =
      RunCommand({"wrk", "-t1", "-c512", "-d5s", "-s", script,
                  "http://" + cluster.simulator_address() + "/v1/chat/completions"});
  const auto at = wrk.out.find("Requests/sec:");
  if (at == std::string::npos) {
    std::printf("%-34s not measured: %s\n", "wrk on the same simulator", wrk.err.c_str());
    return;
  }
  const double reference = std::stod(wrk.out.substr(at + 13));
  std::printf("%-34s %9.0f calls/s  (the path has %.2f of it)\n", "wrk on the same simulator",
              reference, rate / reference);
}

void TenMillionCells() {
  Cluster cluster;
  cluster.StartSimulator("default_model: {latency: 1s}");
  cluster.StartCoordinator();
  cluster.StartWorker("w1", {"--slots", "1"});
  const double before = ResidentMegabytes(cluster.coordinator().pid()).now;
  const double start = Now();
  cluster.CreateJob(
      R"({"job": {"models": [{"endpoint": "local", "model": "m"}], "scenario_limit": 200,
    "choices": {"trials_per_scenario": 50000}}})");
  const double created = Now() - start;
  while (cluster.Ledger().empty() && Now() - start < 10) {
  }
  std::printf(
      "%-34s %9.3f s to the answer of CreateJob, %.3f s to the first call at the provider\n",
      "a job of 10 million cells", created, Now() - start);
  std::printf("%-34s %9.0f MB resident in the coordinator (%.0f before the job)\n",
              "  all of it pending", ResidentMegabytes(cluster.coordinator().pid()).now, before);
}

}  // namespace
}  // namespace candor::integration

int main(int argc, char** argv) {
  const long cells = argc > 1 ? std::atol(argv[1]) : 100'000;
  candor::integration::WholePath(cells, argc > 2 ? argv[2] : "1");
  candor::integration::TenMillionCells();
}
