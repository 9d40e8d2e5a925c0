// candor-worker: takes leases from a coordinator, calls model providers, reports what came back.

#include "candor/v1/config.pb.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/base/logging.h"
#include "common/base/program.h"
#include "common/net/address.h"
#include "common/net/http_client.h"
#include "worker/batch/batch_runner.h"
#include "worker/http/worker_metrics.h"
#include "worker/provider/endpoints.h"
#include "worker/session/call_pool.h"
#include "worker/session/grpc_channel.h"
#include "worker/session/session.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <sys/resource.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace candor {
namespace {

namespace asio = boost::asio;

constexpr int kMaxSlots = 100'000;
constexpr int kMaxThreads = 256;

// A connection a call needs a descriptor; the soft limit of most systems is 1,024.
void RaiseDescriptorLimit(int slots) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = static_cast<rlim_t>(slots) + 256;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    Log().Warn(
        "{} slots want {} open files, but the limit is {}; raise it (ulimit -n) or give "
        "fewer slots",
        slots, wanted, limit.rlim_cur);
  }
}

Status CheckSettings(const v1::WorkerConfig& settings) {
  if (settings.slots() < 1 || settings.slots() > kMaxSlots) {
    return InvalidArgument("worker.slots: is {}; give 1 to {}", settings.slots(), kMaxSlots);
  }
  if (settings.threads() < 1 || settings.threads() > kMaxThreads) {
    return InvalidArgument("worker.threads: is {}; give 1 to {}", settings.threads(), kMaxThreads);
  }
  if (settings.grace().seconds() < 0 || settings.grace().seconds() > 86'400) {
    return InvalidArgument("worker.grace: is {} s; give 0s to 24h", settings.grace().seconds());
  }
  return net::ParseAddress(settings.coordinator()).status();
}

void WarnOfOpenKeys(const provider::Endpoints& endpoints) {
  for (const auto& endpoint : endpoints.all()) {
    const auto key = endpoint->key();
    const net::Origin& origin = endpoint->origin();
    if (key == nullptr || key->empty() || origin.https) continue;
    if (net::IsLoopback({.host = origin.host, .port = origin.port})) continue;
    Log().Warn("endpoint {} sends its key over http to {}, where others can read it; use https",
               endpoint->config().name(), origin.host);
  }
}

// Loads keys again now and then, on a thread of its own because commands block.
std::jthread RefreshKeys(provider::Endpoints& endpoints) {
  return std::jthread([&endpoints](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      wake.wait_for(lock, stop, provider::kKeyRefreshInterval, [] { return false; });
      if (!stop.stop_requested()) endpoints.RefreshKeys(stop);
    }
  });
}

// The io_contexts of further threads, and the threads.
class CallThreads {
 public:
  explicit CallThreads(int count) {
    for (int i = 0; i < count; ++i) ios_.push_back(std::make_unique<asio::io_context>(1));
  }
  ~CallThreads() {
    for (const auto& io : ios_) io->stop();
  }
  void Start() {
    for (const auto& io : ios_) {
      threads_.emplace_back([io = io.get()] {
        const auto work = asio::make_work_guard(*io);
        io->run();
      });
    }
  }
  void Stop() {
    for (const auto& io : ios_) io->stop();
    threads_.clear();
  }
  const std::vector<std::unique_ptr<asio::io_context>>& ios() const { return ios_; }

 private:
  std::vector<std::unique_ptr<asio::io_context>> ios_;
  std::vector<std::jthread> threads_;
};

int Main(int argc, char** argv) {
  v1::Config config;
  Program program({.name = "candor-worker",
                   .version = CANDOR_VERSION,
                   .summary = "Takes granted calls from a coordinator, makes them at the model "
                              "providers of --config, and reports what came back.",
                   .config = &config,
                   .section = "worker"});
  program.Bind({.flag = "--coordinator",
                .field = "worker.coordinator",
                .placeholder = "ADDRESS",
                .help = "The coordinator's gRPC address",
                .fallback = "127.0.0.1:7070"});
  program.Bind({.flag = "--slots",
                .field = "worker.slots",
                .placeholder = "N",
                .help = "Calls at once",
                .fallback = "64"});
  program.Bind({.flag = "--grace",
                .field = "worker.grace",
                .placeholder = "DURATION",
                .help = "How long calls in flight may take to finish after SIGTERM",
                .fallback = "120s"});
  program.Bind({.flag = "--threads",
                .field = "worker.threads",
                .placeholder = "N",
                .help = "Threads for calls",
                .fallback = "1"});
  program.Bind({.flag = "--http",
                .field = "worker.http",
                .placeholder = "ADDRESS",
                .help = "HTTP address (health and metrics); port 0 picks a free one [none]",
                .fallback = ""});
  if (const auto exit_code = program.Parse(argc, argv)) return *exit_code;
  const v1::WorkerConfig& settings = config.worker();
  if (const Status status = CheckSettings(settings); !status.ok()) {
    return program.Fail(status, kExitUsage);
  }

  asio::io_context io(1);
  session::Session* running = nullptr;
  // Before any other thread.
  std::atomic<int> signals = 0;
  ShutdownSignal shutdown([&](int signal) {
    if (signals.fetch_add(1) > 0) {
      Log().Warn("ends at once; the calls in flight are lost");
      std::_Exit(kExitError);
    }
    asio::post(io, [&running, signal] {
      if (running != nullptr) running->Drain(signal == SIGINT ? "interrupted" : "asked to end");
    });
  });

  RaiseDescriptorLimit(settings.slots());
  auto endpoints = provider::Endpoints::Create(config, provider::ProcessEnvironment());
  if (!endpoints.ok()) return program.Fail(endpoints.status());
  if (config.endpoints().empty()) {
    return program.Fail(FailedPrecondition(
        "no endpoints are configured; give a file with `endpoints` by --config"));
  }
  WarnOfOpenKeys(**endpoints);
  const std::jthread key_thread = RefreshKeys(**endpoints);

  const SystemClock clock;
  // One thread for calls is this one.
  CallThreads threads(settings.threads() > 1 ? settings.threads() : 0);
  std::vector<asio::io_context*> lanes;
  for (const auto& lane : threads.ios()) lanes.push_back(lane.get());
  if (lanes.empty()) lanes.push_back(&io);
  http::WorkerMetrics metrics(CANDOR_VERSION, **endpoints);
  const net::HttpClientOptions http_options{
      .proxy = net::ProxySettings::FromEnvironment(),
      .max_connections_per_origin = static_cast<std::size_t>(settings.slots()),
      .user_agent = std::string("candor-worker/") + CANDOR_VERSION};
  session::CallPool calls(lanes, **endpoints, http_options, clock, &metrics);
  // Steps of batches are few, and have connections of their own.
  const auto batch_http = net::MakeHttpClient(io, http_options);
  const auto batches = batch::MakeBatchRunner(**endpoints, *batch_http, clock);

  session::SessionOptions options;
  options.state.worker = "workers/" + SystemIdGenerator().Next();
  options.state.version = CANDOR_VERSION;
  options.state.slots = settings.slots();
  options.coordinator = settings.coordinator();
  options.grace = std::chrono::seconds(settings.grace().seconds()) +
                  std::chrono::milliseconds(settings.grace().nanos() / 1'000'000);
  options.seed = std::hash<std::string>()(options.state.worker);
  const auto channels = session::MakeGrpcChannels(settings.coordinator(), io.get_executor());
  session::Session session(
      io.get_executor(), options, *channels, calls, [&] { return (*endpoints)->Services(); }, clock,
      batches.get());

  std::unique_ptr<net::HttpServer> server;
  Addresses addresses = {{"coordinator", settings.coordinator()}, {"worker", options.state.worker}};
  if (!settings.http().empty()) {
    auto served =
        metrics::ServeOperations(io, settings.http(),
                                 {.ready = [&session] { return session.state().welcomed(); },
                                  .collect = metrics.CollectFrom(session)});
    if (!served.ok()) return program.Fail(served.status());
    server = *std::move(served);
    addresses.emplace_back("http", server->address());
    Log().Info("HTTP on {}", server->address());
  }

  ReadyFile ready;
  Status failed;
  bool welcomed = false;
  session.on_welcome = [&] {
    if (std::exchange(welcomed, true)) return;
    auto file = program.WriteReady(addresses);
    if (file.ok()) {
      ready = *std::move(file);
    } else {
      failed = file.status();
      // In good order: gRPC's threads post to the io_context while a stream is open.
      session.Drain("it cannot say that it is ready");
    }
  };
  running = &session;
  Log().Info("{} looks for the coordinator at {}", options.state.worker, settings.coordinator());
  threads.Start();
  asio::co_spawn(io, session.Run(), [&](const std::exception_ptr& error) {
    if (error) failed = Internal("the session broke");
    io.stop();
  });
  io.run();
  threads.Stop();
  return failed.ok() ? kExitSuccess : program.Fail(failed);
}

}  // namespace
}  // namespace candor

int main(int argc, char** argv) { return candor::Main(argc, argv); }
