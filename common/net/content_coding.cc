#include "common/net/content_coding.h"

#include "common/net/http_types.h"

#include <absl/strings/ascii.h>

#include <zlib.h>

#include <utility>

namespace candor::net {
namespace {

// Of zlib: a window of 32 KB, with gzip's header or zlib's, whichever is there; or no header.
constexpr int kGzipOrZlib = MAX_WBITS + 32;
constexpr int kBareDeflate = -MAX_WBITS;

DecodeStatus InflateAll(BodyInflater::Format format, std::string_view body, std::size_t max_bytes,
                        std::string* plain) {
  plain->clear();
  BodyInflater inflater(format);
  inflater.Feed(body);
  std::string_view piece;
  BodyInflater::State state = inflater.Next(&piece);
  for (; state == BodyInflater::State::kPiece; state = inflater.Next(&piece)) {
    if (piece.size() > max_bytes - plain->size()) return DecodeStatus::kTooLarge;
    plain->append(piece);
  }
  return state == BodyInflater::State::kNeedMore && inflater.whole() ? DecodeStatus::kOk
                                                                     : DecodeStatus::kDamaged;
}

}  // namespace

ContentCoding CodingOf(std::string_view coding) {
  while (!coding.empty() && absl::ascii_isspace(static_cast<unsigned char>(coding.back()))) {
    coding.remove_suffix(1);
  }
  if (coding.empty() || EqualIgnoringCase(coding, "identity")) return ContentCoding::kNone;
  if (EqualIgnoringCase(coding, "gzip") || EqualIgnoringCase(coding, "x-gzip")) {
    return ContentCoding::kGzip;
  }
  return EqualIgnoringCase(coding, "deflate") ? ContentCoding::kDeflate : ContentCoding::kUnknown;
}

BodyInflater::BodyInflater(Format format) : stream_(std::make_unique<z_stream>()) {
  ready_ = ::inflateInit2(stream_.get(),
                          format == Format::kBareDeflate ? kBareDeflate : kGzipOrZlib) == Z_OK;
}

BodyInflater::~BodyInflater() {
  if (ready_) ::inflateEnd(stream_.get());
}

void BodyInflater::Feed(std::string_view input) {
  started_ = started_ || !input.empty();
  // zlib only reads what next_in points to.
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream_->avail_in = static_cast<uInt>(input.size());
}

BodyInflater::State BodyInflater::Next(std::string_view* piece) {
  if (!ready_) return State::kDamaged;
  while (stream_->avail_in > 0 || filled_) {
    // Another member follows.
    if (ended_ && ::inflateReset(stream_.get()) != Z_OK) return State::kDamaged;
    ended_ = false;
    stream_->next_out = reinterpret_cast<Bytef*>(piece_.data());
    stream_->avail_out = static_cast<uInt>(piece_.size());
    const int result = ::inflate(stream_.get(), Z_NO_FLUSH);
    const std::size_t size = piece_.size() - stream_->avail_out;
    ended_ = result == Z_STREAM_END;
    filled_ = stream_->avail_out == 0 && !ended_;
    // Nothing was left to be given out.
    if (result == Z_BUF_ERROR && size == 0 && stream_->avail_in == 0) break;
    if (result != Z_OK && !ended_) return State::kDamaged;
    if (size == 0) continue;
    *piece = std::string_view(piece_.data(), size);
    return State::kPiece;
  }
  filled_ = false;
  return State::kNeedMore;
}

DecodeStatus DecodeBody(std::string_view content_encoding, std::size_t max_bytes,
                        std::string* body) {
  const ContentCoding coding = CodingOf(content_encoding);
  if (coding == ContentCoding::kNone) return DecodeStatus::kOk;
  if (coding == ContentCoding::kUnknown) return DecodeStatus::kUnknown;
  // A HEAD request and some errors name a coding and send nothing.
  if (body->empty()) return DecodeStatus::kOk;
  std::string plain;
  DecodeStatus status = InflateAll(BodyInflater::Format::kGzipOrZlib, *body, max_bytes, &plain);
  if (status == DecodeStatus::kDamaged && coding == ContentCoding::kDeflate) {
    status = InflateAll(BodyInflater::Format::kBareDeflate, *body, max_bytes, &plain);
  }
  *body = std::move(plain);
  return status;
}

}  // namespace candor::net
