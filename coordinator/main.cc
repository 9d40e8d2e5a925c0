// candor-coordinator: takes jobs, shards them across workers, keeps what comes back.

#include "candor/v1/config.pb.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/base/logging.h"
#include "common/base/program.h"
#include "common/base/time_proto.h"
#include "common/net/address.h"
#include "coordinator/http/coordinator_metrics.h"
#include "coordinator/service/engine_host.h"
#include "coordinator/service/server.h"
#include "coordinator/store/sqlite_store.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>

namespace candor {
namespace {

constexpr std::chrono::seconds kShutdownGrace(5);

// Whoever reaches the ports may use them, so they are not opened to the network by accident.
Status CheckOpen(const std::string& listen, const char* flag, bool allow_open) {
  CANDOR_ASSIGN_OR_RETURN(const net::Address address, net::ParseAddress(listen));
  if (allow_open || net::IsLoopback(address)) return absl::OkStatus();
  return FailedPrecondition(
      "{} {} is not a loopback address, and anybody who reaches it could use this coordinator; "
      "listen on 127.0.0.1, or "
      "put a proxy or network policy in front and say --allow-open",
      flag, listen);
}

void BindFlags(Program& program) {
  program.Bind({.flag = "--listen",
                .field = "coordinator.listen",
                .placeholder = "ADDRESS",
                .help = "gRPC address; port 0 picks a free one",
                .fallback = "127.0.0.1:7070"});
  program.Bind({.flag = "--http",
                .field = "coordinator.http",
                .placeholder = "ADDRESS",
                .help = "HTTP address (health and metrics); port 0 picks a free one",
                .fallback = "127.0.0.1:7071"});
  program.Bind({.flag = "--data",
                .field = "coordinator.data",
                .placeholder = "DIR",
                .help = "Data directory",
                .fallback = "./candor-data"});
  program.Bind({.flag = "--lease-ttl",
                .field = "coordinator.lease_ttl",
                .placeholder = "TIME",
                .help = "How long a silent worker keeps its leases",
                .fallback = "30s"});
  program.Bind(
      {.flag = "--allow-open",
       .field = "coordinator.allow_open",
       .placeholder = "",
       .help =
           "Allow addresses other than loopback, although anybody who reaches them may use them",
       .fallback = ""});
}

int Run(Program& program, const v1::Config& config) {
  const v1::CoordinatorConfig& own = config.coordinator();
  for (const Status& status : {CheckOpen(own.listen(), "--listen", own.allow_open()),
                               CheckOpen(own.http(), "--http", own.allow_open())}) {
    if (!status.ok()) return program.Fail(status);
  }

  boost::asio::io_context strand(1);
  auto work = boost::asio::make_work_guard(strand);
  const ShutdownSignal shutdown([&](int signal) {
    static bool asked = false;
    if (std::exchange(asked, true)) std::_Exit(kExitError);
    Log().Info("signal {}: shutting down", signal);
    boost::asio::post(strand, [&work] { work.reset(); });
    strand.stop();
  });

  auto store = store::OpenSqliteStore(own.data(), {});
  if (!store.ok()) return program.Fail(store.status());
  const SystemClock clock;
  SystemIdGenerator ids;
  // Before the host, whose threads use it.
  http::CoordinatorMetrics metrics({.version = CANDOR_VERSION, .data = own.data()});
  service::EngineHost::Options options;
  options.observer = &metrics;
  options.engine.config = config;
  options.engine.seed = std::random_device{}();
  options.engine.lease_ttl = ToDuration(own.lease_ttl());
  auto host = service::EngineHost::Create(
      strand, **store, clock, std::move(options), [](const Status& status) {
        // What was acknowledged is safe; what was not will come again. Going on could only make
        // that untrue.
        Log().Error("the store failed: {}. Ending; start again once it is mended", Message(status));
        std::_Exit(kExitError);
      });
  if (!host.ok()) return program.Fail(host.status());

  std::atomic<bool> ready = false;
  auto health = metrics::ServeOperations(
      strand, own.http(),
      {.ready = [&ready] { return ready.load(); }, .collect = metrics.CollectFrom(**host)});
  if (!health.ok()) return program.Fail(health.status());
  auto server = service::Server::Start({.listen = own.listen(), .version = CANDOR_VERSION}, **host,
                                       ids, clock);
  if (!server.ok()) return program.Fail(server.status());
  auto ready_file =
      program.WriteReady({{"grpc", (*server)->address()}, {"http", (*health)->address()}});
  if (ready_file.ok()) {
    ready = true;
    Log().Info("gRPC on {}, HTTP on {}, data in {}, term {}", (*server)->address(),
               (*health)->address(), own.data(), (*host)->engine().term());
    strand.run();
  }

  // Streams end on the strand, so it goes on while the server shuts down.
  ready = false;
  strand.restart();
  auto finish = boost::asio::make_work_guard(strand);
  std::thread loop([&strand] { strand.run(); });
  (*server)->Shutdown(kShutdownGrace);
  finish.reset();
  strand.stop();
  loop.join();
  (*host)->Stop();
  if (!ready_file.ok()) return program.Fail(ready_file.status());
  Log().Info("all is written; goodbye");
  return kExitSuccess;
}

}  // namespace
}  // namespace candor

int main(int argc, char** argv) {
  candor::v1::Config config;
  candor::Program program(
      {.name = "candor-coordinator",
       .version = CANDOR_VERSION,
       .summary = "Takes jobs, shards them across workers, and keeps what comes back.",
       .config = &config,
       .section = "coordinator"});
  candor::BindFlags(program);
  if (const auto exit_code = program.Parse(argc, argv)) return *exit_code;
  return candor::Run(program, config);
}
