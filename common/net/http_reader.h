// Bytes -> HTTP/1 messages, a piece at a time. Internal; what the fuzz targets drive.
//
// A reader holds on to no buffer of its own while it waits: the caller reads into a buffer shared
// by all connections of its thread, and the reader keeps only what it could not use yet.
#pragma once

#include "common/net/http_types.h"

#include <boost/beast/http/basic_parser.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace candor::net {

enum class ReadState { kNeedMore, kDone, kMalformed, kHeaderTooLarge, kBodyTooLarge };

struct ReadLimits {
  std::uint32_t header_bytes = 64 << 10;
  std::uint64_t body_bytes = std::uint64_t{16} << 20;
};

namespace internal {

namespace http = boost::beast::http;

// Collects what Beast's parser finds.
template <bool kIsRequest>
class Collector final : public http::basic_parser<kIsRequest> {
 public:
  struct Message {
    std::string method;
    std::string target;
    int status = 0;
    // 10 or 11.
    int version = 11;
    HttpHeaders headers;
    std::string body;
    bool header_done = false;

    void Clear();
  };

  Collector(Message& message, const ReadLimits& limits);

 private:
  using Error = boost::beast::error_code;
  using Text = boost::beast::string_view;

  void on_request_impl(http::verb, Text method, Text target, int, Error&) override;
  void on_response_impl(int status, Text, int, Error&) override;
  void on_field_impl(http::field, Text name, Text value, Error&) override;
  void on_header_impl(Error&) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& size, Error&) override;
  std::size_t on_body_impl(Text piece, Error&) override;
  void on_chunk_header_impl(std::uint64_t, Text, Error&) override;
  std::size_t on_chunk_body_impl(std::uint64_t, Text piece, Error&) override;
  void on_finish_impl(Error&) override;

  Message& message_;
};

}  // namespace internal

// Reads one message after the other of one connection.
template <bool kIsRequest>
class MessageReader {
 public:
  using Message = typename internal::Collector<kIsRequest>::Message;

  explicit MessageReader(ReadLimits limits) : limits_(limits) { Restart(); }
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;

  // Takes bytes, until the message is whole; what follows it is kept for the next. kNeedMore: go
  // on. After anything else but kDone the connection is of no more use.
  ReadState Feed(std::string_view data);
  // The peer ended the stream in order. kDone when that was the end of the message.
  ReadState FeedEnd();
  // Forgets the message and begins the next one, with the bytes that are there already. Feed({})
  // then looks whether they are enough.
  void Restart();
  // The message has no body, whatever its header says: an answer to HEAD or CONNECT.
  void ExpectNoBody() { parser_->skip(true); }

  Message& message() { return message_; }
  // Whether a byte of the message has come.
  bool started() const { return started_; }
  bool header_done() const { return message_.header_done; }
  // After kDone: whether the connection can carry another message.
  bool keep_alive() const { return parser_->keep_alive() && !parser_->need_eof(); }
  // Bytes behind the message.
  bool has_rest() const { return !rest_.empty(); }
  // What is wrong, after kMalformed.
  const std::string& error() const { return error_; }

 private:
  ReadState Fail(const boost::beast::error_code& error);

  ReadLimits limits_;
  Message message_;
  std::optional<internal::Collector<kIsRequest>> parser_;
  std::string rest_;
  std::string error_;
  bool started_ = false;
};

extern template class MessageReader<true>;
extern template class MessageReader<false>;

using RequestReader = MessageReader<true>;

// Reads the answer to one request: interim answers (1xx) are read over.
class ResponseReader {
 public:
  ResponseReader(ReadLimits limits, bool no_body);

  ReadState Feed(std::string_view data);
  ReadState FeedEnd();

  MessageReader<false>::Message& message() { return reader_.message(); }
  // Whether a byte of an answer has come.
  bool started() const { return interim_ > 0 || reader_.started(); }
  // The same, of what is not known to be an interim answer.
  bool final_started() const { return reader_.started(); }
  bool header_done() const { return reader_.header_done(); }
  // Bytes behind the answer.
  bool has_rest() const { return reader_.has_rest(); }
  // Whether the connection can carry another call: bytes that nobody asked for say no.
  bool reusable() const {
    return reader_.keep_alive() && !reader_.has_rest() && reader_.started() &&
           message_status_ != 101;
  }
  const std::string& error() const { return error_.empty() ? reader_.error() : error_; }

 private:
  ReadState SkipInterim(ReadState state);

  MessageReader<false> reader_;
  bool no_body_;
  int interim_ = 0;
  int message_status_ = 0;
  std::string error_;
};

}  // namespace candor::net
