#include "simulator/simulator_server.h"

#include "common/base/json_proto.h"
#include "common/net/http_server.h"
#include "simulator/answer_queue.h"
#include "simulator/anthropic_batches.h"
#include "simulator/openai_batches.h"
#include "simulator/openai_errors.h"
#include "simulator/routes.h"

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
// A batch of Anthropic's.
constexpr std::size_t kMaxBodyBytes = std::size_t{256} << 20U;
constexpr std::uint64_t kSeriesWindowMs = 1'000;

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

// A number in the query; `absent` without one, nothing for what is no number.
std::optional<std::uint64_t> ReadNumber(std::string_view query, std::string_view name,
                                        std::uint64_t absent) {
  const std::string text = QueryValue(query, name);
  if (text.empty()) return absent;
  std::uint64_t number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || at != text.data() + text.size()) return std::nullopt;
  return number;
}

class ThreadedServer final : public SimulatorServer {
 public:
  explicit ThreadedServer(ProviderService& service) : service_(service) {}
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
    CANDOR_ASSIGN_OR_RETURN(openai_batches_, MakeOpenAiBatches(options.batches, service_));
    CANDOR_ASSIGN_OR_RETURN(
        anthropic_batches_,
        MakeAnthropicBatches(options.batches, service_,
                             options.certificate_file.empty() ? "http" : "https"));
    net::HttpServerOptions http;
    http.listen = options.listen;
    http.max_body_bytes = kMaxBodyBytes;
    http.certificate_file = options.certificate_file;
    http.key_file = options.key_file;
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
    explicit Lane(ProviderService& service)
        : queue(io, service), guard(asio::make_work_guard(io)) {}
    asio::io_context io{1};
    AnswerQueue queue;
    asio::executor_work_guard<asio::io_context::executor_type> guard;
    std::thread thread;
  };

  void Handle(const net::HttpServerRequest& request, net::Responder responder) {
    const Route route = FindRoute(request.path);
    switch (route.endpoint) {
      case Endpoint::kCall:
        if (request.method != "POST") return RefuseMethod(request, "POST", std::move(responder));
        return HereLane().queue.Add(HandleCall(route, request), std::move(responder));
      case Endpoint::kFiles:
      case Endpoint::kFile:
      case Endpoint::kFileContent:
      case Endpoint::kBatches:
      case Endpoint::kBatch:
      case Endpoint::kBatchCancel:
        return HandleBatches(*openai_batches_, route, request, std::move(responder));
      case Endpoint::kMessageBatches:
      case Endpoint::kMessageBatch:
      case Endpoint::kMessageBatchResults:
      case Endpoint::kMessageBatchCancel:
        return HandleBatches(*anthropic_batches_, route, request, std::move(responder));
      case Endpoint::kNone:
        return Refuse({404,
                       fmt::format("Invalid URL ({} {})", request.method, request.path),
                       "invalid_request_error",
                       {},
                       {},
                       {}},
                      std::move(responder));
      case Endpoint::kLimits:
        if (request.method != "GET") return ChangeLimits(request, std::move(responder));
        break;
      default:
        break;
    }
    if (request.method != "GET") return RefuseMethod(request, "GET", std::move(responder));
    HandleGet(route, request, std::move(responder));
  }

  Answer HandleCall(const Route& route, const net::HttpServerRequest& request) {
    ApiCall call;
    call.dialect = route.dialect;
    call.body = request.body;
    call.headers = &request.headers;
    call.path_model = route.model;
    call.stream_path = route.stream;
    std::string query_key;
    if (route.dialect == DialectKind::kGemini) {
      call.events = QueryValue(request.query, "alt") == "sse";
      query_key = QueryValue(request.query, "key");
      call.query_key = query_key;
    }
    return service_.Handle(call, request.headers.Find("x-client-request-id").value_or(""));
  }

  void HandleBatches(BatchApi& api, const Route& route, const net::HttpServerRequest& request,
                     net::Responder responder) {
    ApiCall call;
    call.dialect = route.dialect;
    call.headers = &request.headers;
    if (const std::optional<ApiError> error = service_.CheckKey(call)) {
      return responder.Send(error->status, "application/json",
                            DialectOf(route.dialect).WriteError(*error));
    }
    HttpReply reply = api.Handle(route, request);
    responder.Send(reply.status, reply.content_type, std::move(reply.body));
  }

  void HandleGet(const Route& route, const net::HttpServerRequest& request,
                 net::Responder responder) {
    openai_batches_->Advance();
    anthropic_batches_->Advance();
    switch (route.endpoint) {
      case Endpoint::kHealth:
        return responder.Send(200, "text/plain", "ok\n");
      case Endpoint::kSummary:
        return responder.Send(200, "application/json", service_.ledger().Summary());
      case Endpoint::kSeries:
        return SendSeries(request, std::move(responder));
      case Endpoint::kLimits:
        return responder.Send(200, "application/json", service_.Limits());
      case Endpoint::kLedger:
        return SendLedger(request, std::move(responder));
      default:
        return responder.Send(200, "application/json", service_.Models());
    }
  }

  void ChangeLimits(const net::HttpServerRequest& request, net::Responder responder) {
    if (request.method != "PUT" && request.method != "POST") {
      return RefuseMethod(request, "PUT", std::move(responder));
    }
    v1::LimitRule rule;
    Status changed = ParseJson(request.body, &rule);
    if (changed.ok()) changed = service_.ChangeLimits(rule);
    if (!changed.ok()) {
      return Refuse({400, std::string(Message(changed)), "invalid_request_error", {}, {}, {}},
                    std::move(responder));
    }
    responder.Send(200, "application/json", service_.Limits());
  }

  void SendSeries(const net::HttpServerRequest& request, net::Responder responder) {
    const std::optional<std::uint64_t> window =
        ReadNumber(request.query, "window_ms", kSeriesWindowMs);
    if (!window || *window == 0 || *window > 86'400'000) {
      return Refuse({400,
                     "window_ms is no number of milliseconds, from 10 to those of a day",
                     "invalid_request_error",
                     "window_ms",
                     {},
                     {}},
                    std::move(responder));
    }
    responder.Send(200, "application/json",
                   service_.ledger().Series(std::chrono::milliseconds{*window},
                                            QueryValue(request.query, "model")));
  }

  void SendLedger(const net::HttpServerRequest& request, net::Responder responder) {
    const std::optional<std::uint64_t> after = ReadNumber(request.query, "after", 0);
    if (!after) {
      return Refuse({400,
                     "after is no number; give that of the last call that you have, from 0",
                     "invalid_request_error",
                     "after",
                     {},
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
    responder.Send(error.status, "application/json", openai::WriteError(error));
  }

  static void RefuseMethod(const net::HttpServerRequest& request, std::string_view allowed,
                           net::Responder responder) {
    Refuse({405,
            fmt::format("Not allowed to {} on {} (HINT: Perhaps you meant to use a different HTTP "
                        "method? {} is the one here.)",
                        request.method, request.path, allowed),
            "invalid_request_error",
            {},
            "method_not_supported",
            {}},
           std::move(responder));
  }

  // Of the thread that this is called on.
  Lane& HereLane() {
    for (const auto& lane : lanes_) {
      if (lane->io.get_executor().running_in_this_thread()) return *lane;
    }
    return *lanes_.front();
  }

  ProviderService& service_;
  std::unique_ptr<BatchApi> openai_batches_;
  std::unique_ptr<BatchApi> anthropic_batches_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace

StatusOr<std::unique_ptr<SimulatorServer>> SimulatorServer::Start(const ServerOptions& options,
                                                                  ProviderService& service) {
  auto server = std::make_unique<ThreadedServer>(service);
  CANDOR_RETURN_IF_ERROR(server->Listen(options));
  return StatusOr<std::unique_ptr<SimulatorServer>>(std::move(server));
}

}  // namespace candor::simulator
