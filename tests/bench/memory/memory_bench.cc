// The memory of one worker with thousands of calls in flight, plain and TLS, beside what the usual
// parts take for as many (Asio coroutines, a buffer a call, asio::ssl::stream), in the same run.
//
//   build/release/bench/candor_memory_bench [calls in flight] [threads]
//
// A real coordinator, a real worker, and a provider in this process that answers nobody until all
// calls are there. "in flight" is the worker's resident memory then; "idle" when all are answered
// and the connections are kept; "most" is its peak up to there.

#include "tests/bench/memory/holding_provider.h"
#include "tests/bench/memory/reference_client.h"
#include "tests/bench/support/process_figures.h"
#include "tests/integration/cluster.h"
#include "tests/unit/common/net/certificates.h"

#include <fmt/format.h>

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace candor::bench {
namespace {

using integration::Cluster;

constexpr const char* kAnswer =
    R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,)"
    R"("message":{"role":"assistant","content":"A"},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":180,"completion_tokens":1,"total_tokens":181}})";

void RaiseDescriptorLimit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void PrintLine(const std::string& who, double before, double in_flight, double idle, double most,
               std::size_t calls) {
  fmt::print("{:34} {:8.1f} {:10.1f} {:8.1f} {:8.1f} {:10.1f}\n", who, before, in_flight, idle,
             most, (in_flight - before) * 1024 / static_cast<double>(calls));
  std::fflush(stdout);
}

void MeasureWorker(std::size_t calls, const std::string& threads,
                   const net::TestAuthority* authority, const net::TestAuthority::Files& files) {
  HoldingProvider provider(calls, kAnswer, files.certificate, files.key);
  Cluster cluster;
  std::string endpoint = fmt::format(
      "    base_url: \"{}://127.0.0.1:{}/v1\"\n    limits: {{in_flight: {}}}\n"
      "    timeouts: {{connect: 120s, first_byte: 600s, total: 900s}}",
      authority == nullptr ? "http" : "https", provider.port(), calls);
  if (authority != nullptr) endpoint += "\n    ca_file: \"" + authority->ca_file() + "\"";
  cluster.SetEndpoints({{"local", endpoint}});
  cluster.StartCoordinator();
  cluster.StartWorker("w1", {"--slots", std::to_string(calls), "--threads", threads});
  const pid_t worker = cluster.worker("w1").pid();
  const double before = ResidentMegabytes(worker).now;
  // Twice as many cells as calls in flight.
  const std::size_t trials = 2 * calls / 128 + 1;
  const std::string job = cluster.CreateJob(fmt::format(
      R"({{"job": {{"models": [{{"endpoint": "local", "model": "m"}}], "scenario_limit": 128,
          "choices": {{"trials_per_scenario": {},
                       "sampling": {{"temperature": 0, "max_output_tokens": 16}}}}}}}})",
      trials));
  if (!provider.WaitUntilHeld(std::chrono::seconds(300))) {
    fmt::print("{} calls did not come together; the provider has seen {}\n", calls,
               provider.calls());
    return;
  }
  const double in_flight = ResidentMegabytes(worker).now;
  provider.Release();
  const std::string state = cluster.WaitForEnd(job);
  const Resident after = ResidentMegabytes(worker);
  PrintLine(fmt::format("worker, {} ({})", authority == nullptr ? "plain" : "TLS", state), before,
            in_flight, after.now, after.most, calls);
}

void MeasureReference(std::size_t calls, const net::TestAuthority* authority,
                      const net::TestAuthority::Files& files) {
  HoldingProvider provider(calls, kAnswer, files.certificate, files.key);
  const integration::Finished finished = integration::RunCommand(
      {"/proc/self/exe", "--reference", std::to_string(provider.port()), std::to_string(calls),
       authority == nullptr ? "" : authority->ca_file()});
  double before = 0;
  double after = 0;
  double most = 0;
  if (std::sscanf(finished.out.c_str(), "%lf %lf %lf", &before, &after, &most) != 3) {
    fmt::print("the reference was not measured: {}\n", finished.err);
    return;
  }
  PrintLine(authority == nullptr ? "reference: asio sockets" : "reference: asio::ssl::stream",
            before, after, after, most, calls);
}

int Main(std::size_t calls, const std::string& threads) {
  RaiseDescriptorLimit();
  net::TestAuthority authority;
  const net::TestAuthority::Files files = authority.Issue("IP:127.0.0.1");
  fmt::print("{} calls in flight, {} thread(s); MB resident, KB a call\n", calls, threads);
  fmt::print("{:34} {:>8} {:>10} {:>8} {:>8} {:>10}\n", "", "before", "in flight", "idle", "most",
             "KB a call");
  MeasureWorker(calls, threads, nullptr, {});
  MeasureReference(calls, nullptr, {});
  MeasureWorker(calls, threads, &authority, files);
  MeasureReference(calls, &authority, files);
  return 0;
}

}  // namespace
}  // namespace candor::bench

int main(int argc, char** argv) {
  if (argc == 5 && std::string(argv[1]) == "--reference") {
    return candor::bench::RunReferenceClient(static_cast<std::uint16_t>(std::atoi(argv[2])),
                                             static_cast<std::size_t>(std::atol(argv[3])), argv[4]);
  }
  const long calls = argc > 1 ? std::atol(argv[1]) : 4096;
  return candor::bench::Main(static_cast<std::size_t>(calls), argc > 2 ? argv[2] : "1");
}
