#include "common/net/http_client.h"

#include "common/net/body_hand_over.h"
#include "common/net/connection_pool.h"
#include "common/net/content_coding.h"
#include "common/net/dialer.h"
#include "common/net/http_reader.h"
#include "common/net/request_writer.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace candor::net {
namespace asio = boost::asio;
namespace {

using std::chrono::milliseconds;

// Of an error, where the body of an answer would have been handed over: its limit may be gigabytes.
constexpr std::size_t kMaxKeptBytes = std::size_t{1} << 20U;

SteadyTime After(SteadyTime now, milliseconds timeout) {
  return timeout.count() > 0 ? now + timeout : SteadyTime::max();
}

struct ClientCore {
  ClientCore(asio::any_io_executor the_executor, HttpClientOptions the_options)
      : executor(std::move(the_executor)),
        options(std::move(the_options)),
        pool(std::make_shared<ConnectionPool>(executor, options.max_connections_per_origin,
                                              options.idle_connection_timeout)),
        dialer(executor, options) {}

  asio::any_io_executor executor;
  const HttpClientOptions options;
  std::shared_ptr<ConnectionPool> pool;
  Dialer dialer;
  // Every call reads into it and takes out what it read before it waits again.
  std::vector<char> buffer = std::vector<char>(std::size_t{64} << 10);
};

// One call, from slot to answer. Fills the result that it was made with.
class Exchange {
 public:
  Exchange(ClientCore& core, HttpRequest& request, HttpResult& result)
      : core_(core), request_(request), result_(result) {}

  asio::awaitable<void> Run() {
    cancellation_.emplace(co_await asio::this_coro::cancellation_state);
    start_ = std::chrono::steady_clock::now();
    total_deadline_ = After(start_, request_.timeouts.total);
    if (!PrepareRequest()) co_return;
    ConnectionPool::Lease lease;
    if (!core_.pool->TryAcquire(request_.origin, lease)) {
      const HttpFailure failure =
          co_await core_.pool->Acquire(request_.origin, lease, total_deadline_);
      if (failure != HttpFailure::kNone) {
        Fail(failure, "waited for a free connection");
        co_return;
      }
    }
    if (lease.connection() == nullptr) {
      lease.MakeConnection(core_.executor);
      std::string why;
      const HttpFailure failure = co_await core_.dialer.Dial(
          *lease.connection(), request_.origin, proxy_ ? &*proxy_ : nullptr,
          request_.timeouts.connect, total_deadline_, why);
      if (failure != HttpFailure::kNone) {
        Fail(failure, why);
        co_return;
      }
    }
    ClientConnection& connection = *lease.connection();
    connection_ = &connection;
    result_.connection_reused = connection.used;
    AwaitFirstByte();
    const HttpFailure failure = co_await SendRequest();
    if (failure != HttpFailure::kNone) {
      Fail(failure, "while the request was sent");
      co_return;
    }
    co_await ReadAnswer(lease);
  }

 private:
  bool PrepareRequest() {
    if (const std::string_view url = core_.options.proxy.For(request_.origin); !url.empty()) {
      auto proxy = ParseProxy(url);
      if (!proxy.ok()) {
        Fail(HttpFailure::kProxy, Message(proxy.status()));
        return false;
      }
      proxy_ = *std::move(proxy);
    }
    const bool absolute_form = proxy_.has_value() && !request_.origin.https;
    auto wire =
        WriteRequest(request_, core_.options.user_agent, absolute_form ? &*proxy_ : nullptr);
    if (!wire.ok()) {
      Fail(HttpFailure::kInvalidRequest, Message(wire.status()));
      return false;
    }
    wire_ = *std::move(wire);
    // Gives the memory back, which an assignment would not.
    std::string().swap(request_.body);
    no_body_ = request_.method == "HEAD";
    return true;
  }

  // From now on: a large request is long under way before its answer can begin, and while its peer
  // takes it the time for that has not begun.
  void AwaitFirstByte() {
    first_byte_deadline_ = After(std::chrono::steady_clock::now(), request_.timeouts.first_byte);
    Until(first_byte_deadline_, HttpFailure::kFirstByteTimeout);
  }

  void Until(SteadyTime when, HttpFailure kind) {
    if (total_deadline_ <= when) {
      connection_->SetDeadline(total_deadline_, HttpFailure::kTotalTimeout);
    } else {
      connection_->SetDeadline(when, kind);
    }
  }

  // kNone also when the peer broke off: what it said before is read afterwards.
  asio::awaitable<HttpFailure> SendRequest() {
    ByteStream& stream = connection_->stream;
    const std::uint64_t before = stream.bytes_written();
    std::string_view rest = wire_;
    while (!rest.empty()) {
      const IoResult written = stream.Write(rest);
      result_.request_bytes_written = stream.bytes_written() != before;
      if (written.status == IoStatus::kOk) {
        rest.remove_prefix(written.bytes);
        AwaitFirstByte();
        continue;
      }
      if (written.status == IoStatus::kError || written.status == IoStatus::kEof) {
        send_broke_ = true;
        break;
      }
      const HttpFailure failure = co_await WaitReady(*connection_, written.status, *cancellation_);
      if (failure != HttpFailure::kNone) co_return failure;
    }
    // Nothing is ever sent twice, so a waiting call need not hold its request.
    std::string().swap(wire_);
    co_return HttpFailure::kNone;
  }

  asio::awaitable<void> ReadAnswer(ConnectionPool::Lease& lease) {
    ByteStream& stream = connection_->stream;
    ResponseReader reader({.header_bytes = request_.max_response_header_bytes,
                           .body_bytes = request_.max_response_body_bytes},
                          no_body_);
    // TLS keeps the buffer of what it read last, such as the end of the handshake, until a read
    // finds nothing: 17 KB that would wait with the call.
    IoStatus wanted = stream.tls() || send_broke_ ? IoStatus::kOk : IoStatus::kWantRead;
    while (true) {
      if (wanted != IoStatus::kOk) {
        const HttpFailure failure = co_await WaitReady(*connection_, wanted, *cancellation_);
        if (failure != HttpFailure::kNone) {
          FailReading(failure, reader,
                      reader.started() && !reader.header_done() ? "within its header" : "");
          co_return;
        }
      }
      const IoResult read = stream.Read(core_.buffer.data(), core_.buffer.size());
      switch (read.status) {
        case IoStatus::kWantRead:
        case IoStatus::kWantWrite:
          wanted = read.status;
          continue;
        case IoStatus::kError:
        case IoStatus::kEof: {
          const bool complete =
              read.status == IoStatus::kEof && reader.FeedEnd() == ReadState::kDone;
          if (complete) {
            TakeAnswer(reader);
          } else {
            FailReading(reader.started() ? HttpFailure::kTruncated : HttpFailure::kReset, reader,
                        read.status == IoStatus::kEof ? "closed" : stream.error());
          }
          co_return;
        }
        case IoStatus::kOk:
          break;
      }
      if (!result_.first_byte) {
        result_.first_byte = std::chrono::duration_cast<std::chrono::microseconds>(
            std::chrono::steady_clock::now() - start_);
      }
      ReadState fed = reader.Feed({core_.buffer.data(), read.bytes});
      if (KeepsTooMuch(reader)) fed = ReadState::kBodyTooLarge;
      if (request_.take_body && (fed == ReadState::kDone || fed == ReadState::kNeedMore)) {
        std::string why;
        const HttpFailure failure = co_await HandOver(reader, fed == ReadState::kDone, why);
        if (failure != HttpFailure::kNone) {
          FailReading(failure, reader, why);
          co_return;
        }
      }
      switch (fed) {
        case ReadState::kDone:
          if (reader.reusable() && !send_broke_ && !stream.HasBuffered()) lease.set_reusable();
          TakeAnswer(reader);
          co_return;
        case ReadState::kNeedMore:
          OnPiece(reader);
          // TLS may hold another record; a plain socket that did not fill the buffer is empty.
          wanted = stream.tls() || read.bytes == core_.buffer.size() ? IoStatus::kOk
                                                                     : IoStatus::kWantRead;
          break;
        case ReadState::kMalformed:
          FailReading(HttpFailure::kMalformed, reader, reader.error());
          co_return;
        case ReadState::kHeaderTooLarge:
          FailReading(HttpFailure::kTooLarge, reader,
                      fmt::format("header above {} bytes", request_.max_response_header_bytes));
          co_return;
        case ReadState::kBodyTooLarge:
          FailReading(
              HttpFailure::kTooLarge, reader,
              fmt::format("body above {} bytes",
                          KeepsTooMuch(reader) ? kMaxKeptBytes : request_.max_response_body_bytes));
          co_return;
      }
    }
  }

  // A part of the answer came. The header has the idle timeout as a whole, so that one that drips
  // for ever ends; each piece of the body has it anew. Interim answers are no first byte.
  void OnPiece(const ResponseReader& reader) {
    if (!reader.final_started()) {
      header_begun_ = false;
      Until(first_byte_deadline_, HttpFailure::kFirstByteTimeout);
      return;
    }
    if (!reader.header_done() && std::exchange(header_begun_, true)) return;
    Until(After(std::chrono::steady_clock::now(), request_.timeouts.idle),
          HttpFailure::kIdleTimeout);
  }

  // Whether more is there of a body that is not handed over than who hands over can want of it.
  bool KeepsTooMuch(ResponseReader& reader) const {
    return request_.take_body && reader.header_done() && reader.message().status != 200 &&
           reader.message().body.size() > kMaxKeptBytes;
  }

  // Gives away what has come of the body.
  asio::awaitable<HttpFailure> HandOver(ResponseReader& reader, bool done, std::string& why) {
    if (!reader.header_done() || reader.message().status != 200) co_return HttpFailure::kNone;
    if (hand_over_ == nullptr) {
      hand_over_ = std::make_unique<BodyHandOver>(
          reader.message().headers.Find("content-encoding").value_or(""),
          request_.max_response_body_bytes, request_.take_body);
    }
    const std::string piece = std::exchange(reader.message().body, {});
    Until(SteadyTime::max(), HttpFailure::kIdleTimeout);
    const HttpFailure failure = co_await hand_over_->Take(piece, done, why);
    co_return failure;
  }

  void TakeAnswer(ResponseReader& reader) {
    result_.status = reader.message().status;
    result_.headers = std::move(reader.message().headers);
    result_.body = std::move(reader.message().body);
    const auto coding = result_.headers.Find("content-encoding");
    if (!coding) return;
    const DecodeStatus decoded =
        DecodeBody(*coding, request_.max_response_body_bytes, &result_.body);
    if (decoded == DecodeStatus::kOk) return;
    result_.body.clear();
    // Of an error the status says enough.
    if (result_.status / 100 != 2) return;
    if (decoded == DecodeStatus::kTooLarge) {
      Fail(HttpFailure::kTooLarge, TooLargeInflated(request_.max_response_body_bytes));
    } else {
      Fail(HttpFailure::kMalformed, decoded == DecodeStatus::kDamaged
                                        ? fmt::format("its body is no valid {}", *coding)
                                        : std::string(kUnreadCoding));
    }
  }

  void FailReading(HttpFailure failure, ResponseReader& reader, std::string_view why) {
    if (reader.header_done()) {
      result_.status = reader.message().status;
      result_.headers = std::move(reader.message().headers);
    }
    Fail(failure, why);
  }

  void Fail(HttpFailure failure, std::string_view why) {
    result_.failure = failure;
    const std::string where =
        connection_ == nullptr || connection_->peer.empty()
            ? request_.origin.ToString()
            : fmt::format("{} ({})", request_.origin.ToString(), connection_->peer);
    result_.text = fmt::format("{}: {}", where, Describe(failure));
    if (!why.empty()) result_.text += fmt::format(" ({})", why);
  }

  std::string Describe(HttpFailure failure) const {
    const HttpTimeouts& timeouts = request_.timeouts;
    switch (failure) {
      case HttpFailure::kConnectTimeout:
        return fmt::format("no connection within {} ms", timeouts.connect.count());
      case HttpFailure::kFirstByteTimeout:
        return fmt::format("no answer within {} ms", timeouts.first_byte.count());
      case HttpFailure::kIdleTimeout:
        return fmt::format("the answer paused for more than {} ms", timeouts.idle.count());
      case HttpFailure::kTotalTimeout:
        return fmt::format("the call took more than {} ms", timeouts.total.count());
      case HttpFailure::kReset:
        return "the connection ended before an answer";
      case HttpFailure::kTruncated:
        return "the connection ended within the answer";
      case HttpFailure::kMalformed:
        return "the answer cannot be read";
      case HttpFailure::kTooLarge:
        return "the answer is above its limit";
      case HttpFailure::kCancelled:
        return "cancelled";
      case HttpFailure::kInvalidRequest:
        return "the request cannot be sent";
      default:
        return "no connection";
    }
  }

  ClientCore& core_;
  HttpRequest& request_;
  HttpResult& result_;
  std::optional<asio::cancellation_state> cancellation_;
  SteadyTime start_{};
  SteadyTime total_deadline_{};
  SteadyTime first_byte_deadline_{};
  // The deadline of the header is set.
  bool header_begun_ = false;
  std::optional<Proxy> proxy_;
  std::string wire_;
  bool no_body_ = false;
  bool send_broke_ = false;
  ClientConnection* connection_ = nullptr;
  std::unique_ptr<BodyHandOver> hand_over_;
};

asio::awaitable<HttpResult> RunCall(std::shared_ptr<ClientCore> core, HttpRequest request) {
  HttpResult result;
  // A cancellation is to end as a result, not as an exception out of the next co_await.
  const bool throwing = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  try {
    Exchange exchange(*core, request, result);
    co_await exchange.Run();
  } catch (const std::exception& error) {
    // Out of memory or of descriptors within Asio.
    result.failure = result.request_bytes_written ? HttpFailure::kReset : HttpFailure::kConnect;
    result.text = fmt::format("{}: {}", request.origin.ToString(), error.what());
  }
  co_await asio::this_coro::throw_if_cancelled(throwing);
  co_return result;
}

class BeastHttpClient final : public HttpClient {
 public:
  BeastHttpClient(asio::any_io_executor executor, HttpClientOptions options)
      : core_(std::make_shared<ClientCore>(std::move(executor), std::move(options))) {}
  ~BeastHttpClient() override {
    core_->pool->Shutdown();
    core_->dialer.Shutdown();
  }

  asio::awaitable<HttpResult> Call(HttpRequest request) override {
    return RunCall(core_, std::move(request));
  }

 private:
  std::shared_ptr<ClientCore> core_;
};

}  // namespace

std::unique_ptr<HttpClient> MakeHttpClient(asio::any_io_executor executor,
                                           HttpClientOptions options) {
  return std::make_unique<BeastHttpClient>(std::move(executor), std::move(options));
}

std::unique_ptr<HttpClient> MakeHttpClient(asio::io_context& io, HttpClientOptions options) {
  return MakeHttpClient(asio::any_io_executor(io.get_executor()), std::move(options));
}

}  // namespace candor::net
