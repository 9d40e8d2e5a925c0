#include "simulator/simulator_server.h"

#include "common/net/http_server.h"
#include "simulator/answer_queue.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <charconv>
#include <future>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace candor::simulator {
namespace {

namespace asio = boost::asio;

constexpr int kMaxThreads = 64;
constexpr std::size_t kRowsAPiece = 2'000;

// Sends the ledger in pieces, the next one when the last has gone out, so that a slow reader costs
// no memory.
class LedgerListing : public std::enable_shared_from_this<LedgerListing> {
 public:
  LedgerListing(Ledger& ledger, std::uint64_t after, net::StreamWriter writer)
      : ledger_(ledger), after_(after), writer_(std::move(writer)) {}

  void GoOn() {
    std::string piece;
    const std::uint64_t last = ledger_.Print(after_, kRowsAPiece, &piece);
    if (last == after_) return writer_.Finish();
    after_ = last;
    if (!writer_.Write(std::move(piece))) return;
    writer_.OnDrained([self = shared_from_this()] { self->GoOn(); });
  }

 private:
  Ledger& ledger_;
  std::uint64_t after_;
  net::StreamWriter writer_;
};

// The number behind "after=" in a query; 0 without one, nothing for what is no number.
std::optional<std::uint64_t> ReadAfter(std::string_view query) {
  constexpr std::string_view kName = "after=";
  while (!query.empty()) {
    const auto end = query.find('&');
    std::string_view item = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (!item.starts_with(kName)) continue;
    item.remove_prefix(kName.size());
    std::uint64_t number = 0;
    const auto [at, error] = std::from_chars(item.data(), item.data() + item.size(), number);
    if (error != std::errc() || at != item.data() + item.size()) return std::nullopt;
    return number;
  }
  return 0;
}

class ThreadedServer final : public SimulatorServer {
 public:
  explicit ThreadedServer(ChatService& service) : service_(service) {}
  ~ThreadedServer() override { Stop(std::chrono::milliseconds{0}); }

  Status Listen(const ServerOptions& options) {
    if (options.threads < 1 || options.threads > kMaxThreads) {
      return InvalidArgument("threads: {} is not from 1 to {}", options.threads, kMaxThreads);
    }
    std::vector<asio::io_context*> ios;
    for (int i = 0; i < options.threads; ++i) {
      lanes_.push_back(std::make_unique<Lane>(service_));
      ios.push_back(&lanes_.back()->io);
    }
    net::HttpServerOptions http;
    http.listen = options.listen;
    CANDOR_ASSIGN_OR_RETURN(
        server_, net::HttpServer::Create(
                     ios, std::move(http),
                     [this](const net::HttpServerRequest& request, net::Responder responder) {
                       Handle(request, std::move(responder));
                     }));
    for (const auto& lane : lanes_) lane->thread = std::thread([&io = lane->io] { io.run(); });
    return absl::OkStatus();
  }

  std::string address() const override { return server_->address(); }
  std::uint16_t port() const override { return server_->port(); }

  void Stop(std::chrono::milliseconds grace) override {
    if (server_ == nullptr) return;
    std::promise<void> stopped;
    server_->Stop(grace, [&] { stopped.set_value(); });
    stopped.get_future().wait();
    for (const auto& lane : lanes_) {
      asio::post(lane->io, [&queue = lane->queue] { queue.Clear(); });
      lane->guard.reset();
    }
    for (const auto& lane : lanes_) lane->thread.join();
    server_ = nullptr;
  }

 private:
  struct Lane {
    explicit Lane(ChatService& service) : queue(io, service), guard(asio::make_work_guard(io)) {}
    asio::io_context io{1};
    AnswerQueue queue;
    asio::executor_work_guard<asio::io_context::executor_type> guard;
    std::thread thread;
  };

  void Handle(const net::HttpServerRequest& request, net::Responder responder) {
    const std::string_view path = request.path;
    if (path.ends_with("/chat/completions")) {
      if (request.method != "POST") return RefuseMethod(request, "POST", std::move(responder));
      ChatService::Answer answer =
          service_.Chat({request.body, request.headers.Find("x-client-request-id").value_or(""),
                         request.headers.Find("authorization").value_or("")});
      return HereLane().queue.Add(std::move(answer), std::move(responder));
    }
    const bool is_ours =
        path == "/healthz" || path == "/_simulator/ledger" || path == "/_simulator/summary";
    if (!is_ours && !path.ends_with("/models")) {
      return Refuse({404,
                     fmt::format("Invalid URL ({} {})", request.method, path),
                     "invalid_request_error",
                     {},
                     {}},
                    std::move(responder));
    }
    if (request.method != "GET") return RefuseMethod(request, "GET", std::move(responder));
    if (path == "/healthz") return responder.Send(200, "text/plain", "ok\n");
    if (path == "/_simulator/summary") {
      return responder.Send(200, "application/json", service_.ledger().Summary());
    }
    if (path == "/_simulator/ledger") return SendLedger(request, std::move(responder));
    responder.Send(200, "application/json", service_.Models());
  }

  void SendLedger(const net::HttpServerRequest& request, net::Responder responder) {
    const std::optional<std::uint64_t> after = ReadAfter(request.query);
    if (!after) {
      return Refuse({400,
                     "after is no number; give that of the last call that you have, from 0",
                     "invalid_request_error",
                     "after",
                     {}},
                    std::move(responder));
    }
    net::HttpServerResponse response;
    response.content_type = "application/x-ndjson";
    std::make_shared<LedgerListing>(service_.ledger(), *after,
                                    responder.StartStream(std::move(response)))
        ->GoOn();
  }

  static void Refuse(const ApiError& error, net::Responder responder) {
    responder.Send(error.status, "application/json", WriteError(error));
  }

  static void RefuseMethod(const net::HttpServerRequest& request, std::string_view allowed,
                           net::Responder responder) {
    Refuse({405,
            fmt::format("Not allowed to {} on {} (HINT: Perhaps you meant to use a different HTTP "
                        "method? {} is the one here.)",
                        request.method, request.path, allowed),
            "invalid_request_error",
            {},
            "method_not_supported"},
           std::move(responder));
  }

  // Of the thread that this is called on.
  Lane& HereLane() {
    for (const auto& lane : lanes_) {
      if (lane->io.get_executor().running_in_this_thread()) return *lane;
    }
    return *lanes_.front();
  }

  ChatService& service_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace

StatusOr<std::unique_ptr<SimulatorServer>> SimulatorServer::Start(const ServerOptions& options,
                                                                  ChatService& service) {
  auto server = std::make_unique<ThreadedServer>(service);
  CANDOR_RETURN_IF_ERROR(server->Listen(options));
  return StatusOr<std::unique_ptr<SimulatorServer>>(std::move(server));
}

}  // namespace candor::simulator
