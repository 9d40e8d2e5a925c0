#include "common/net/body_hand_over.h"

#include <fmt/format.h>

namespace candor::net {

namespace asio = boost::asio;

BodyHandOver::BodyHandOver(std::string_view content_encoding, std::size_t max_bytes,
                           const TakeBody& take)
    : coding_(CodingOf(content_encoding)), max_bytes_(max_bytes), take_(take) {
  if (coding_ == ContentCoding::kGzip || coding_ == ContentCoding::kDeflate) {
    inflater_ = std::make_unique<BodyInflater>();
  }
}

asio::awaitable<HttpFailure> BodyHandOver::Take(std::string_view piece, bool done,
                                                std::string& why) {
  if (coding_ == ContentCoding::kUnknown) {
    why = kUnreadCoding;
    co_return HttpFailure::kMalformed;
  }
  if (inflater_ == nullptr) {
    if (piece.empty()) co_return HttpFailure::kNone;
    const bool goes_on = co_await take_(piece);
    co_return goes_on ? HttpFailure::kNone : HttpFailure::kCancelled;
  }
  inflater_->Feed(piece);
  std::string_view plain;
  BodyInflater::State state = inflater_->Next(&plain);
  for (; state == BodyInflater::State::kPiece; state = inflater_->Next(&plain)) {
    inflated_ += plain.size();
    if (inflated_ > max_bytes_) {
      why = TooLargeInflated(max_bytes_);
      co_return HttpFailure::kTooLarge;
    }
    const bool goes_on = co_await take_(plain);
    if (!goes_on) co_return HttpFailure::kCancelled;
  }
  if (state == BodyInflater::State::kDamaged || (done && !inflater_->whole())) {
    why = "its body is compressed and damaged";
    co_return HttpFailure::kMalformed;
  }
  co_return HttpFailure::kNone;
}

std::string TooLargeInflated(std::size_t max_bytes) {
  return fmt::format("body above {} bytes once inflated", max_bytes);
}

}  // namespace candor::net
