#include "common/net/server_connection.h"

#include <boost/asio/post.hpp>
#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace candor::net {
namespace asio = boost::asio;
using asio::socket_base;

namespace {

constexpr std::chrono::milliseconds kLingerTime{1000};
// Buffers above this are given back after their request.
constexpr std::size_t kKeptBufferBytes = 64 << 10;

std::string_view Reason(int status) {
  const auto text = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(
      boost::beast::http::int_to_status(static_cast<unsigned>(status))));
  return {text.data(), text.size()};
}

bool HasLineBreak(std::string_view text) { return text.find_first_of("\r\n") != text.npos; }

}  // namespace

// Written by the holder of the StreamWriter, sent by the lane.
struct ServerConnection::Stream {
  std::mutex mutex;
  // Framed, not yet taken by the lane.
  std::string pending;
  absl::AnyInvocable<void()> on_drained;
  bool ended = false;
  bool cut_off = false;
  bool chunked = true;
  bool bodiless = false;
  std::atomic<std::size_t> queued{0};
  std::atomic<bool> closed{false};
};

void ServerCore::ConnectionClosed() {
  if (--connections == 0) CallDoneIfEmpty();
}

void ServerCore::CallDoneIfEmpty() {
  absl::AnyInvocable<void()> call;
  {
    const std::lock_guard lock(done_mutex);
    if (connections != 0) return;
    call = std::exchange(done, nullptr);
  }
  if (call) asio::post(*lanes.front()->io, [call = std::move(call)]() mutable { call(); });
}

ServerConnection::ServerConnection(std::shared_ptr<ServerCore> core, ServerLane& lane,
                                   ByteStream::Socket socket)
    : core_(std::move(core)),
      lane_(lane),
      stream_(std::move(socket)),
      deadline_(stream_.socket().get_executor()),
      reader_({.header_bytes = core_->options.max_header_bytes,
               .body_bytes = core_->options.max_body_bytes}) {}

ServerConnection::~ServerConnection() = default;

void ServerConnection::OnLane(void (ServerConnection::*step)()) {
  if (lane_.io->get_executor().running_in_this_thread()) {
    (this->*step)();
  } else {
    asio::post(*lane_.io, [self = shared_from_this(), step] { ((*self).*step)(); });
  }
}

void ServerConnection::Answer(Ending ending, std::size_t body_bytes_sent) {
  ending_ = ending;
  truncated_bytes_ = body_bytes_sent;
  if (ending == Ending::kStream) {
    const bool bodiless =
        request_.method == "HEAD" || response_.status == 204 || response_.status == 304;
    streaming_ = std::make_unique<Stream>();
    streaming_->bodiless = bodiless;
    streaming_->chunked = reader_.message().version >= 11;
  } else if (ending == Ending::kRaw) {
    streaming_ = std::make_unique<Stream>();
    streaming_->chunked = false;
  }
  OnLane(&ServerConnection::BeginAnswer);
}

bool ServerConnection::StreamWrite(std::string_view piece) {
  Stream& stream = *streaming_;
  if (stream.closed) return false;
  if (piece.empty()) return true;
  {
    const std::lock_guard lock(stream.mutex);
    if (stream.bodiless) return true;
    const std::size_t before = stream.pending.size();
    if (stream.chunked) {
      fmt::format_to(std::back_inserter(stream.pending), "{:x}\r\n", piece.size());
    }
    stream.pending.append(piece);
    if (stream.chunked) stream.pending.append("\r\n");
    stream.queued += stream.pending.size() - before;
    // What is queued already has its flush on the way.
    if (before != 0) return true;
  }
  OnLane(&ServerConnection::FlushStream);
  return true;
}

std::size_t ServerConnection::StreamQueued() const { return streaming_->queued; }
bool ServerConnection::StreamClosed() const { return streaming_->closed; }

void ServerConnection::StreamOnDrained(absl::AnyInvocable<void()> callback) {
  {
    const std::lock_guard lock(streaming_->mutex);
    streaming_->on_drained = std::move(callback);
  }
  OnLane(&ServerConnection::FlushStream);
}

void ServerConnection::StreamEnd(bool whole) {
  {
    const std::lock_guard lock(streaming_->mutex);
    streaming_->ended = true;
    streaming_->cut_off = !whole;
    if (whole && streaming_->chunked && !streaming_->bodiless) {
      streaming_->pending.append("0\r\n\r\n");
      streaming_->queued += 5;
    }
  }
  OnLane(&ServerConnection::FlushStream);
}

void ServerConnection::Start() {
  lane_.connections.insert(this);
  if (lane_.stopping) return Close();
  stream_.Prepare();
  if (core_->tls != nullptr) {
    stream_.StartTls(core_->tls.get(), {});
    state_ = State::kHandshake;
    SetDeadline(core_->options.header_timeout);
    return Shake();
  }
  SetDeadline(core_->options.idle_timeout);
  Wait(socket_base::wait_read);
}

void ServerConnection::Drain() {
  const bool idle = state_ == State::kReading && !reader_.started();
  if (idle || state_ == State::kIgnoring || state_ == State::kHandshake) return Close();
  close_ = true;
}

void ServerConnection::Close() {
  if (state_ == State::kClosed) return;
  const auto self = shared_from_this();
  state_ = State::kClosed;
  deadline_.Cancel();
  stream_.Close();
  lane_.connections.erase(this);
  if (lane_stream_ != nullptr) {
    lane_stream_->closed = true;
    CallDrained(*lane_stream_);
  }
  core_->ConnectionClosed();
}

void ServerConnection::OnDeadline() {
  if (state_ == State::kReading && reader_.started()) {
    return RefuseWith(408, "the request took too long");
  }
  Close();
}

void ServerConnection::SetDeadline(std::chrono::milliseconds timeout) {
  if (timeout.count() <= 0) return deadline_.Clear();
  deadline_.Set(shared_from_this(), std::chrono::steady_clock::now() + timeout);
}

void ServerConnection::Wait(socket_base::wait_type direction) {
  bool& pending = direction == socket_base::wait_read ? read_wait_ : write_wait_;
  if (pending) return;
  pending = true;
  stream_.socket().async_wait(direction,
                              [self = shared_from_this(), &pending, direction](const auto&) {
                                pending = false;
                                if (self->state_ == State::kClosed) return;
                                if (direction == socket_base::wait_read) {
                                  self->OnReadable();
                                } else {
                                  self->OnWritable();
                                }
                              });
}

void ServerConnection::WaitFor(IoStatus wanted) {
  Wait(wanted == IoStatus::kWantWrite ? socket_base::wait_write : socket_base::wait_read);
}

void ServerConnection::OnReadable() {
  switch (state_) {
    case State::kHandshake:
      return Shake();
    case State::kReading:
      return ReadSome();
    case State::kIgnoring:
    case State::kLingering:
      return Discard();
    case State::kHandling:
    case State::kWriting:
    case State::kStreaming: {
      const IoResult peeked = stream_.Peek();
      if (peeked.status == IoStatus::kEof || peeked.status == IoStatus::kError) return Close();
      // A pipelined request waits in the socket until this one is answered.
      if (peeked.status != IoStatus::kOk) WaitFor(peeked.status);
      // TLS may have been waiting for input in order to write.
      if (stream_.tls() && state_ != State::kHandling) Flush();
      return;
    }
    case State::kClosed:
      return;
  }
}

void ServerConnection::OnWritable() {
  if (state_ == State::kHandshake) return Shake();
  if (state_ == State::kReading) return ReadSome();
  if (state_ == State::kWriting || state_ == State::kStreaming) Flush();
}

void ServerConnection::Shake() {
  const IoResult shaken = stream_.Handshake();
  if (shaken.status == IoStatus::kError) return Close();
  if (shaken.status != IoStatus::kOk) return WaitFor(shaken.status);
  state_ = State::kReading;
  SetDeadline(core_->options.idle_timeout);
  ReadSome();
}

void ServerConnection::ReadSome() {
  while (true) {
    const IoResult read = stream_.Read(lane_.buffer.data(), lane_.buffer.size());
    if (read.status == IoStatus::kEof || read.status == IoStatus::kError) return Close();
    if (read.status != IoStatus::kOk) return WaitFor(read.status);
    if (!Serve(reader_.Feed({lane_.buffer.data(), read.bytes}))) return;
    if (!stream_.tls()) return Wait(socket_base::wait_read);
  }
}

bool ServerConnection::Serve(ReadState read) {
  const auto self = shared_from_this();
  serving_ = true;
  while (read == ReadState::kDone) {
    Dispatch();
    if (state_ != State::kReading) break;
    read = reader_.Feed({});
  }
  serving_ = false;
  if (state_ != State::kReading) return false;
  if (read != ReadState::kNeedMore) {
    Refuse(read);
    return false;
  }
  ExpectMore();
  return state_ == State::kReading;
}

void ServerConnection::GoOn() {
  if (!Serve(reader_.Feed({}))) return;
  if (stream_.HasBuffered()) return ReadSome();
  Wait(socket_base::wait_read);
}

void ServerConnection::Dispatch() {
  auto& message = reader_.message();
  request_.method = message.method;
  request_.target = message.target;
  const auto question = request_.target.find('?');
  request_.path = request_.target.substr(0, question);
  request_.query = question == std::string_view::npos ? std::string_view()
                                                      : request_.target.substr(question + 1);
  // Both pairs of buffers keep their room, so a request of the usual size allocates nothing.
  std::swap(request_.headers, message.headers);
  std::swap(request_.body, message.body);
  close_ = close_ || !reader_.keep_alive() || lane_.stopping;
  deadline_.Clear();
  state_ = State::kHandling;
  core_->handler(request_, Responder(shared_from_this()));
  if (state_ == State::kHandling) Wait(socket_base::wait_read);
}

void ServerConnection::ExpectMore() {
  if (!reader_.started()) return;
  if (!reader_.header_done()) {
    if (!std::exchange(header_deadline_set_, true)) SetDeadline(core_->options.header_timeout);
    return;
  }
  SetDeadline(core_->options.idle_timeout);
  if (continue_sent_) return;
  continue_sent_ = true;
  const auto expect = reader_.message().headers.Find("expect");
  if (expect.has_value() && EqualIgnoringCase(*expect, "100-continue")) {
    // 25 bytes on an empty socket: if they do not go, the client's own timer sends the body.
    stream_.Write("HTTP/1.1 100 Continue\r\n\r\n");
  }
}

void ServerConnection::Refuse(ReadState read) {
  switch (read) {
    case ReadState::kHeaderTooLarge:
      return RefuseWith(
          431, fmt::format("the header is above {} bytes", core_->options.max_header_bytes));
    case ReadState::kBodyTooLarge:
      return RefuseWith(413,
                        fmt::format("the body is above {} bytes", core_->options.max_body_bytes));
    default:
      return RefuseWith(400, "this is no HTTP/1.1 request: " + reader_.error());
  }
}

void ServerConnection::RefuseWith(int status, std::string_view why) {
  response_ = {.status = status, .content_type = "text/plain", .headers = {}, .body = {}};
  response_.body.append(why).append("\n");
  close_ = true;
  linger_ = true;
  state_ = State::kHandling;
  ending_ = Ending::kWhole;
  BeginAnswer();
}

void ServerConnection::Discard() {
  while (true) {
    const IoResult read = stream_.Read(lane_.buffer.data(), lane_.buffer.size());
    if (read.status == IoStatus::kOk) continue;
    if (read.status == IoStatus::kEof || read.status == IoStatus::kError) return Close();
    return WaitFor(read.status);
  }
}

void ServerConnection::BeginAnswer() {
  if (state_ == State::kClosed) {
    if (ending_ == Ending::kStream || ending_ == Ending::kRaw) {
      lane_stream_ = streaming_.get();
      lane_stream_->closed = true;
      CallDrained(*lane_stream_);
    }
    return;
  }
  switch (ending_) {
    case Ending::kReset:
      stream_.Abort();
      return Close();
    case Ending::kIgnore:
      if (close_ && lane_.stopping) return Close();
      state_ = State::kIgnoring;
      return Discard();
    case Ending::kStream:
    case Ending::kRaw:
      return BeginStream();
    case Ending::kTruncated:
      close_ = true;
      [[fallthrough]];
    case Ending::kWhole:
      break;
  }
  state_ = State::kWriting;
  WriteHead(/*streaming=*/false);
  out_body_ = std::move(response_.body);
  if (!linger_ && request_.method == "HEAD") out_body_.clear();
  if (ending_ == Ending::kTruncated && truncated_bytes_ < out_body_.size()) {
    out_body_.resize(truncated_bytes_);
  }
  Flush();
}

void ServerConnection::BeginStream() {
  state_ = State::kStreaming;
  lane_stream_ = streaming_.get();
  // Without chunks, only the end of the connection ends the body.
  if (!lane_stream_->chunked && !lane_stream_->bodiless) close_ = true;
  if (ending_ == Ending::kRaw) {
    out_head_.clear();
    sent_ = 0;
  } else {
    WriteHead(/*streaming=*/true);
  }
  out_body_.clear();
  lane_stream_->queued += out_head_.size();
  Flush();
  if (state_ == State::kStreaming) Wait(socket_base::wait_read);
}

void ServerConnection::WriteHead(bool streaming) {
  out_head_.clear();
  sent_ = 0;
  const int status = response_.status;
  auto out = std::back_inserter(out_head_);
  fmt::format_to(out, "HTTP/1.1 {} {}\r\n", status, Reason(status));
  const bool bodiless = status == 204 || status == 304;
  if (!bodiless && !response_.content_type.empty() && !HasLineBreak(response_.content_type)) {
    fmt::format_to(out, "Content-Type: {}\r\n", response_.content_type);
  }
  if (streaming) {
    if (lane_stream_->chunked && !bodiless) out_head_ += "Transfer-Encoding: chunked\r\n";
  } else if (bodiless) {
    response_.body.clear();
  } else {
    fmt::format_to(out, "Content-Length: {}\r\n", response_.body.size());
  }
  for (std::size_t i = 0; i < response_.headers.size(); ++i) {
    const std::string_view name = response_.headers.name(i);
    const std::string_view value = response_.headers.value(i);
    if (HasLineBreak(name) || HasLineBreak(value)) continue;
    out_head_.append(name).append(": ").append(value).append("\r\n");
  }
  if (close_) {
    out_head_ += "Connection: close\r\n";
  } else if (reader_.message().version < 11) {
    out_head_ += "Connection: keep-alive\r\n";
  }
  out_head_ += "\r\n";
}

void ServerConnection::Flush() {
  do {
    while (sent_ < out_head_.size() + out_body_.size()) {
      const std::string_view head =
          std::string_view(out_head_).substr(std::min(sent_, out_head_.size()));
      const std::string_view body = std::string_view(out_body_).substr(
          sent_ > out_head_.size() ? sent_ - out_head_.size() : 0);
      const IoResult written = stream_.Write(head, body);
      if (written.status == IoStatus::kOk) {
        sent_ += written.bytes;
        if (state_ == State::kStreaming) lane_stream_->queued -= written.bytes;
        continue;
      }
      if (written.status == IoStatus::kEof || written.status == IoStatus::kError) return Close();
      SetDeadline(core_->options.idle_timeout);
      return WaitFor(written.status);
    }
  } while (state_ == State::kStreaming && TakePending());
  if (state_ == State::kWriting) return NextRequest();
  deadline_.Clear();
  bool ended = false;
  bool cut_off = false;
  {
    const std::lock_guard lock(lane_stream_->mutex);
    ended = lane_stream_->ended && lane_stream_->pending.empty();
    cut_off = lane_stream_->cut_off;
  }
  CallDrained(*lane_stream_);
  if (!ended) return;
  if (cut_off) return Close();
  lane_stream_ = nullptr;
  NextRequest();
}

bool ServerConnection::TakePending() {
  const std::lock_guard lock(lane_stream_->mutex);
  out_head_.clear();
  sent_ = 0;
  std::swap(out_head_, lane_stream_->pending);
  return !out_head_.empty();
}

void ServerConnection::FlushStream() {
  if (state_ == State::kStreaming) {
    if (!write_wait_) Flush();
  } else if (state_ == State::kClosed && lane_stream_ != nullptr) {
    CallDrained(*lane_stream_);
  }
}

// Posted, never called on the spot: whoever writes the next piece in it does not deepen the stack.
void ServerConnection::CallDrained(Stream& stream) {
  absl::AnyInvocable<void()> callback;
  {
    const std::lock_guard lock(stream.mutex);
    callback = std::exchange(stream.on_drained, nullptr);
  }
  if (callback) asio::post(*lane_.io, [callback = std::move(callback)]() mutable { callback(); });
}

void ServerConnection::NextRequest() {
  if (close_) {
    if (!linger_) return Close();
    boost::system::error_code ignored;
    stream_.socket().shutdown(socket_base::shutdown_send, ignored);
    state_ = State::kLingering;
    SetDeadline(kLingerTime);
    return Discard();
  }
  state_ = State::kReading;
  header_deadline_set_ = false;
  continue_sent_ = false;
  request_.headers.Clear();
  request_.body.clear();
  if (request_.body.capacity() > kKeptBufferBytes) request_.body = {};
  if (out_body_.capacity() > kKeptBufferBytes) out_body_ = {};
  reader_.Restart();
  SetDeadline(core_->options.idle_timeout);
  if (!serving_) GoOn();
}

}  // namespace candor::net
