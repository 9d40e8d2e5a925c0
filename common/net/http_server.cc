#include "common/net/http_server.h"

#include "common/net/address.h"
#include "common/net/server_connection.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace candor::net {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// The descriptors are used up: how long to let others close theirs before the next try.
constexpr std::chrono::milliseconds kAcceptBackOff{50};

// Accepts. Lives on the first io_context, and nothing of another one keeps it alive.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(std::shared_ptr<ServerCore> core, tcp::acceptor acceptor)
      : core_(std::move(core)), acceptor_(std::move(acceptor)), retry_(acceptor_.get_executor()) {}

  void Accept() {
    ServerLane& lane = *core_->lanes[next_++ % core_->lanes.size()];
    acceptor_.async_accept(asio::any_io_executor(lane.io->get_executor()),
                           [self = shared_from_this(), &lane](
                               const boost::system::error_code& error, tcp::socket socket) {
                             self->OnAccept(error, lane, std::move(socket));
                           });
  }

  void Close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel();
  }

 private:
  void OnAccept(const boost::system::error_code& error, ServerLane& lane, tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (!error) {
      Admit(lane, std::move(socket));
      return Accept();
    }
    const bool exhausted = error == asio::error::no_descriptors ||
                           error == boost::system::errc::too_many_files_open_in_system ||
                           error == asio::error::no_buffer_space || error == asio::error::no_memory;
    if (!exhausted) return Accept();
    // Those who wait stay in the backlog.
    retry_.expires_after(kAcceptBackOff);
    retry_.async_wait([self = shared_from_this()](const boost::system::error_code& stopped) {
      if (!stopped && self->acceptor_.is_open()) self->Accept();
    });
  }

  void Admit(ServerLane& lane, tcp::socket socket) {
    if (core_->connections >= core_->options.max_connections) {
      static constexpr std::string_view kFull =
          "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 21\r\nConnection: close\r\n\r\n"
          "too many connections\n";
      boost::system::error_code ignored;
      socket.non_blocking(true, ignored);
      if (core_->tls == nullptr) socket.write_some(asio::buffer(kFull), ignored);
      return;
    }
    ++core_->connections;
    auto connection = std::make_shared<ServerConnection>(core_, lane, std::move(socket));
    asio::dispatch(*lane.io, [connection = std::move(connection)] { connection->Start(); });
  }

  const std::shared_ptr<ServerCore> core_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  std::size_t next_ = 0;
};

class BeastHttpServer final : public HttpServer {
 public:
  BeastHttpServer(std::shared_ptr<ServerCore> core, std::shared_ptr<Listener> listener,
                  Address address)
      : core_(std::move(core)), listener_(std::move(listener)), address_(std::move(address)) {
    asio::post(FirstIo(), [listener = listener_] { listener->Accept(); });
  }

  ~BeastHttpServer() override {
    CloseListener();
    CloseConnections(core_);
  }

  std::uint16_t port() const override { return address_.port; }
  std::string address() const override { return address_.ToString(); }
  std::size_t connections() const override { return core_->connections; }

  void Stop(std::chrono::milliseconds grace, absl::AnyInvocable<void()> done) override {
    // In one step on the first io_context: with the listener gone it may have nothing left to run.
    asio::post(FirstIo(), [core = core_, listener = std::exchange(listener_, nullptr), grace,
                           done = std::move(done)]() mutable {
      if (listener != nullptr) listener->Close();
      asio::io_context& io = *core->lanes.front()->io;
      auto timer = std::make_shared<asio::steady_timer>(io, grace);
      timer->async_wait([core](const boost::system::error_code& cancelled) {
        if (!cancelled) CloseConnections(core);
      });
      {
        const std::lock_guard lock(core->done_mutex);
        // The timer would keep io_context::run from returning when all have closed, and without
        // the guard it could return before the last one closes on another io_context.
        core->done = [timer, work = asio::make_work_guard(io), done = std::move(done)]() mutable {
          timer->cancel();
          if (done) done();
        };
      }
      for (const auto& lane : core->lanes) {
        asio::dispatch(*lane->io, [core, lane = lane.get()] {
          lane->stopping = true;
          const std::vector<ServerConnection*> connections(lane->connections.begin(),
                                                           lane->connections.end());
          for (ServerConnection* connection : connections) connection->Drain();
        });
      }
      // Posted behind the draining of the first lane; the others call it when they close.
      asio::post(io, [core] { core->CallDoneIfEmpty(); });
    });
  }

 private:
  asio::io_context& FirstIo() const { return *core_->lanes.front()->io; }

  void CloseListener() {
    if (listener_ == nullptr) return;
    asio::post(FirstIo(), [listener = std::move(listener_)] { listener->Close(); });
    listener_ = nullptr;
  }

  static void CloseConnections(const std::shared_ptr<ServerCore>& core) {
    for (const auto& lane : core->lanes) {
      asio::post(*lane->io, [core, lane = lane.get()] {
        lane->stopping = true;
        while (!lane->connections.empty()) (*lane->connections.begin())->Close();
      });
    }
  }

  const std::shared_ptr<ServerCore> core_;
  std::shared_ptr<Listener> listener_;
  const Address address_;
};

StatusOr<tcp::acceptor> Listen(asio::io_context& io, const std::string& text) {
  CANDOR_ASSIGN_OR_RETURN(const Address address, ParseAddress(text));
  const auto failed = [&](const boost::system::error_code& error) {
    return Unavailable("cannot listen on {}: {}; choose another address, or port 0 for a free one",
                       text, error.message());
  };
  boost::system::error_code error;
  tcp::resolver resolver(io);
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error) return failed(error);
  tcp::acceptor acceptor(io);
  for (const auto& candidate : found) {
    const tcp::endpoint endpoint = candidate.endpoint();
    boost::system::error_code ignored;
    acceptor.close(ignored);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error) return acceptor;
  }
  return failed(error);
}

}  // namespace

StatusOr<std::unique_ptr<HttpServer>> HttpServer::Create(asio::io_context& io,
                                                         HttpServerOptions options,
                                                         Handler handler) {
  return Create(std::vector<asio::io_context*>{&io}, std::move(options), std::move(handler));
}

StatusOr<std::unique_ptr<HttpServer>> HttpServer::Create(std::vector<asio::io_context*> ios,
                                                         HttpServerOptions options,
                                                         Handler handler) {
  if (ios.empty()) return InvalidArgument("an HTTP server needs at least one io_context");
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return InvalidArgument("certificate file '{}' and key file '{}': give both, or none",
                           options.certificate_file, options.key_file);
  }
  auto core = std::make_shared<ServerCore>();
  if (!options.certificate_file.empty()) {
    CANDOR_ASSIGN_OR_RETURN(core->tls,
                            MakeServerContext(options.certificate_file, options.key_file));
  }
  CANDOR_ASSIGN_OR_RETURN(tcp::acceptor acceptor, Listen(*ios.front(), options.listen));
  boost::system::error_code error;
  const tcp::endpoint bound = acceptor.local_endpoint(error);
  Address address{bound.address().to_string(), bound.port()};
  core->options = std::move(options);
  core->handler = std::move(handler);
  for (asio::io_context* io : ios) core->lanes.push_back(std::make_unique<ServerLane>(*io));
  auto listener = std::make_shared<Listener>(core, std::move(acceptor));
  return std::make_unique<BeastHttpServer>(std::move(core), std::move(listener),
                                           std::move(address));
}

Responder::Responder(std::shared_ptr<ServerConnection> connection)
    : connection_(std::move(connection)) {}

Responder& Responder::operator=(Responder&& other) noexcept {
  std::swap(connection_, other.connection_);
  return *this;
}

Responder::~Responder() {
  if (connection_ != nullptr) Send(500, "text/plain", "the request was not answered\n");
}

void Responder::Send(HttpServerResponse response) {
  const auto connection = std::move(connection_);
  connection->response() = std::move(response);
  connection->Answer(ServerConnection::Ending::kWhole);
}

void Responder::Send(int status, std::string_view content_type, std::string body) {
  const auto connection = std::move(connection_);
  HttpServerResponse& response = connection->response();
  response.status = status;
  response.content_type.assign(content_type);
  response.headers.Clear();
  response.body = std::move(body);
  connection->Answer(ServerConnection::Ending::kWhole);
}

void Responder::SendTruncated(HttpServerResponse response, std::size_t body_bytes_sent) {
  const auto connection = std::move(connection_);
  connection->response() = std::move(response);
  connection->Answer(ServerConnection::Ending::kTruncated, body_bytes_sent);
}

void Responder::Reset() {
  std::exchange(connection_, nullptr)->Answer(ServerConnection::Ending::kReset);
}

void Responder::Ignore() {
  std::exchange(connection_, nullptr)->Answer(ServerConnection::Ending::kIgnore);
}

StreamWriter Responder::StartStream(HttpServerResponse response) {
  auto connection = std::move(connection_);
  std::string first = std::move(response.body);
  response.body.clear();
  connection->response() = std::move(response);
  connection->Answer(ServerConnection::Ending::kStream);
  StreamWriter writer(std::move(connection));
  if (!first.empty()) writer.Write(std::move(first));
  return writer;
}

StreamWriter Responder::StartRaw() {
  auto connection = std::move(connection_);
  connection->Answer(ServerConnection::Ending::kRaw);
  return StreamWriter(std::move(connection));
}

StreamWriter::StreamWriter(std::shared_ptr<ServerConnection> connection)
    : connection_(std::move(connection)) {}

StreamWriter& StreamWriter::operator=(StreamWriter&& other) noexcept {
  std::swap(connection_, other.connection_);
  return *this;
}

StreamWriter::~StreamWriter() {
  if (connection_ != nullptr) connection_->StreamEnd(/*whole=*/false);
}

bool StreamWriter::Write(std::string piece) { return connection_->StreamWrite(piece); }
std::size_t StreamWriter::queued_bytes() const { return connection_->StreamQueued(); }
void StreamWriter::OnDrained(absl::AnyInvocable<void()> callback) {
  connection_->StreamOnDrained(std::move(callback));
}
void StreamWriter::Finish() { std::exchange(connection_, nullptr)->StreamEnd(/*whole=*/true); }
bool StreamWriter::closed() const { return connection_->StreamClosed(); }

}  // namespace candor::net
