// A body that is given away as it comes (HttpRequest::take_body), inflated where it is compressed.
// Internal.
#pragma once

#include "common/net/content_coding.h"
#include "common/net/http_client.h"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace candor::net {

class BodyHandOver {
 public:
  using TakeBody = std::function<boost::asio::awaitable<bool>(std::string_view piece)>;

  // `content_encoding` as the header says; `take` must outlive it. Above `max_bytes`, once
  // inflated, nothing more is given away.
  BodyHandOver(std::string_view content_encoding, std::size_t max_bytes, const TakeBody& take);

  // Gives a piece away; `done` with the last. kNone: it was taken. Otherwise the call is over:
  // kCancelled when nobody wants more, kMalformed or kTooLarge, with the reason in `why`.
  boost::asio::awaitable<HttpFailure> Take(std::string_view piece, bool done, std::string& why);

 private:
  const ContentCoding coding_;
  const std::size_t max_bytes_;
  const TakeBody& take_;
  // Null where nothing is compressed.
  std::unique_ptr<BodyInflater> inflater_;
  std::uint64_t inflated_ = 0;
};

// Why compressed bodies cannot be had, in words.
inline constexpr std::string_view kUnreadCoding =
    "its body is compressed in a way that was not asked for and is not read";
std::string TooLargeInflated(std::size_t max_bytes);

}  // namespace candor::net
