#include "common/net/http_reader.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>

namespace candor::net {
namespace internal {
namespace {

// A body is given room for what it announces, but not for more than this before it comes.
constexpr std::uint64_t kMaxReserveBytes = 256 << 10;

}  // namespace

template <bool kIsRequest>
void Collector<kIsRequest>::Message::Clear() {
  method.clear();
  target.clear();
  status = 0;
  version = 11;
  headers.Clear();
  body.clear();
  header_done = false;
}

template <bool kIsRequest>
Collector<kIsRequest>::Collector(Message& message, const ReadLimits& limits) : message_(message) {
  this->eager(true);
  this->header_limit(limits.header_bytes);
  this->body_limit(limits.body_bytes);
}

template <bool kIsRequest>
void Collector<kIsRequest>::on_request_impl(http::verb, Text method, Text target, int version,
                                            Error&) {
  message_.version = version;
  message_.method.assign(method.data(), method.size());
  message_.target.assign(target.data(), target.size());
}

template <bool kIsRequest>
void Collector<kIsRequest>::on_response_impl(int status, Text, int, Error&) {
  message_.status = status;
  message_.headers.Reserve();
}

template <bool kIsRequest>
void Collector<kIsRequest>::on_field_impl(http::field, Text name, Text value, Error&) {
  // Fields behind a chunked body (trailers) are dropped: nobody may mix them with the header.
  if (!message_.header_done) message_.headers.Add(name, value);
}

template <bool kIsRequest>
void Collector<kIsRequest>::on_header_impl(Error&) {
  message_.header_done = true;
}

template <bool kIsRequest>
void Collector<kIsRequest>::on_body_init_impl(const boost::optional<std::uint64_t>& size, Error&) {
  if (size.has_value()) message_.body.reserve(std::min(*size, kMaxReserveBytes));
}

template <bool kIsRequest>
std::size_t Collector<kIsRequest>::on_body_impl(Text piece, Error&) {
  message_.body.append(piece.data(), piece.size());
  return piece.size();
}

template <bool kIsRequest>
void Collector<kIsRequest>::on_chunk_header_impl(std::uint64_t, Text, Error&) {}

template <bool kIsRequest>
std::size_t Collector<kIsRequest>::on_chunk_body_impl(std::uint64_t, Text piece, Error&) {
  message_.body.append(piece.data(), piece.size());
  return piece.size();
}

template <bool kIsRequest>
void Collector<kIsRequest>::on_finish_impl(Error&) {}

template class Collector<true>;
template class Collector<false>;

}  // namespace internal

template <bool kIsRequest>
void MessageReader<kIsRequest>::Restart() {
  message_.Clear();
  parser_.emplace(message_, limits_);
  started_ = false;
}

template <bool kIsRequest>
ReadState MessageReader<kIsRequest>::Feed(std::string_view data) {
  const bool from_rest = !rest_.empty();
  if (from_rest) rest_.append(data);
  const std::string_view input = from_rest ? std::string_view(rest_) : data;
  if (!input.empty()) started_ = true;
  std::size_t used = 0;
  boost::beast::error_code error;
  while (used < input.size() && !parser_->is_done()) {
    const std::size_t n =
        parser_->put(boost::asio::const_buffer(input.data() + used, input.size() - used), error);
    used += n;
    if (error == boost::beast::http::error::need_more) {
      error = {};
      break;
    }
    if (error) return Fail(error);
    if (n == 0) break;
  }
  if (from_rest) {
    rest_.erase(0, used);
  } else {
    rest_.assign(input.substr(used));
  }
  if (parser_->is_done()) return ReadState::kDone;
  // Beast bounds the header; this bounds what else could be withheld, as an endless chunk header.
  if (rest_.size() > std::size_t{limits_.header_bytes} + 1024) {
    error_ = "a line without end";
    return ReadState::kHeaderTooLarge;
  }
  return ReadState::kNeedMore;
}

template <bool kIsRequest>
ReadState MessageReader<kIsRequest>::FeedEnd() {
  if (!started_) return ReadState::kNeedMore;
  boost::beast::error_code error;
  if (rest_.empty() && parser_->got_some()) {
    parser_->put_eof(error);
    if (!error && parser_->is_done()) return ReadState::kDone;
  }
  return ReadState::kNeedMore;
}

template <bool kIsRequest>
ReadState MessageReader<kIsRequest>::Fail(const boost::beast::error_code& error) {
  error_ = error.message();
  if (error == boost::beast::http::error::header_limit) return ReadState::kHeaderTooLarge;
  if (error == boost::beast::http::error::body_limit ||
      error == boost::beast::http::error::buffer_overflow) {
    return ReadState::kBodyTooLarge;
  }
  return ReadState::kMalformed;
}

template class MessageReader<true>;
template class MessageReader<false>;

ResponseReader::ResponseReader(ReadLimits limits, bool no_body)
    : reader_(limits), no_body_(no_body) {
  if (no_body_) reader_.ExpectNoBody();
}

ReadState ResponseReader::Feed(std::string_view data) { return SkipInterim(reader_.Feed(data)); }

ReadState ResponseReader::FeedEnd() { return SkipInterim(reader_.FeedEnd()); }

ReadState ResponseReader::SkipInterim(ReadState state) {
  constexpr int kMaxInterim = 16;
  while (state == ReadState::kDone) {
    message_status_ = reader_.message().status;
    if (message_status_ / 100 != 1 || message_status_ == 101) break;
    if (++interim_ > kMaxInterim) {
      error_ = "too many interim answers";
      return ReadState::kMalformed;
    }
    reader_.Restart();
    if (no_body_) reader_.ExpectNoBody();
    state = reader_.Feed({});
  }
  return state;
}

}  // namespace candor::net
