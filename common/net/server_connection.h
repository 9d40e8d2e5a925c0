// One connection of an HttpServer. Internal.
//
// A state machine on the thread of its io_context; Responder and StreamWriter reach it from any
// thread through the functions of the first group.
#pragma once

#include "common/net/byte_stream.h"
#include "common/net/http_reader.h"
#include "common/net/http_server.h"
#include "common/net/lazy_deadline.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/socket_base.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

namespace candor::net {

class ServerConnection;

// What the connections of one io_context share.
struct ServerLane {
  explicit ServerLane(boost::asio::io_context& the_io) : io(&the_io) {}

  boost::asio::io_context* io;
  std::vector<char> buffer = std::vector<char>(std::size_t{64} << 10);
  std::unordered_set<ServerConnection*> connections;
  // No further requests: the server stops.
  bool stopping = false;
};

// What all connections of a server share.
struct ServerCore {
  HttpServerOptions options;
  HttpServer::Handler handler;
  SslContext tls;
  std::vector<std::unique_ptr<ServerLane>> lanes;
  std::atomic<std::size_t> connections{0};
  // Set by Stop; called when the last connection has gone.
  std::mutex done_mutex;
  absl::AnyInvocable<void()> done;

  void ConnectionClosed();
  void CallDoneIfEmpty();
};

class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  enum class Ending { kWhole, kTruncated, kReset, kIgnore, kStream, kRaw };

  ServerConnection(std::shared_ptr<ServerCore> core, ServerLane& lane, ByteStream::Socket socket);
  ~ServerConnection();

  // From any thread; by the one who holds the Responder, then by the one who holds the writer.
  HttpServerResponse& response() { return response_; }
  void Answer(Ending ending, std::size_t body_bytes_sent = 0);
  bool StreamWrite(std::string_view piece);
  std::size_t StreamQueued() const;
  void StreamOnDrained(absl::AnyInvocable<void()> callback);
  void StreamEnd(bool whole);
  bool StreamClosed() const;

  // On the lane's thread.
  void Start();
  // Finishes what is under way and closes; at once if nothing is.
  void Drain();
  void Close();
  void OnDeadline();

 private:
  enum class State {
    kHandshake,
    // Between requests, or within one.
    kReading,
    // The handler or its Responder has the request.
    kHandling,
    kIgnoring,
    kWriting,
    kStreaming,
    // The last answer is out; input is thrown away so that the peer can read it in peace.
    kLingering,
    kClosed,
  };
  struct Stream;

  void OnLane(void (ServerConnection::*step)());
  void Wait(boost::asio::socket_base::wait_type direction);
  void WaitFor(IoStatus wanted);
  void OnReadable();
  void OnWritable();
  void Shake();
  void ReadSome();
  // Serves the requests that are there. True: more input is needed.
  bool Serve(ReadState read);
  void GoOn();
  void Dispatch();
  void ExpectMore();
  void Refuse(ReadState read);
  void RefuseWith(int status, std::string_view why);
  void Discard();
  void BeginAnswer();
  void BeginStream();
  void WriteHead(bool streaming);
  void Flush();
  void FlushStream();
  bool TakePending();
  void CallDrained(Stream& stream);
  void NextRequest();
  void SetDeadline(std::chrono::milliseconds timeout);

  const std::shared_ptr<ServerCore> core_;
  ServerLane& lane_;
  ByteStream stream_;
  LazyDeadline<ServerConnection> deadline_;
  RequestReader reader_;
  HttpServerRequest request_;
  State state_ = State::kReading;
  bool read_wait_ = false;
  bool write_wait_ = false;
  bool serving_ = false;
  bool header_deadline_set_ = false;
  bool continue_sent_ = false;
  // After this answer.
  bool close_ = false;
  bool linger_ = false;

  // The answer on its way from Responder to lane.
  HttpServerResponse response_;
  Ending ending_ = Ending::kWhole;
  std::size_t truncated_bytes_ = 0;

  // What is being written: both, in order, but for the first `sent_` bytes.
  std::string out_head_;
  std::string out_body_;
  std::size_t sent_ = 0;

  // Of the holder of the writer; the lane has its own pointer, from the header to the end.
  std::unique_ptr<Stream> streaming_;
  Stream* lane_stream_ = nullptr;
};

}  // namespace candor::net
