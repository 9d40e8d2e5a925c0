// Bodies that come compressed although nobody asked for it. Internal.
//
// Requests say `Accept-Encoding: identity`, and proxies exist that compress all the same. The reply
// is paid for, so it is read; but never into more memory than an answer may take anyway.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace candor::net {

// What a Content-Encoding says was done to a body.
enum class ContentCoding {
  // Nothing: "identity", or an empty one.
  kNone,
  // "gzip", "x-gzip".
  kGzip,
  // "deflate".
  kDeflate,
  // A coding that is not read: br, zstd, several at once.
  kUnknown,
};
ContentCoding CodingOf(std::string_view content_encoding);

// Inflates a body as it comes, in some 20 KB of memory whatever is in it.
//
//   inflater.Feed(bytes);
//   while ((state = inflater.Next(&piece)) == BodyInflater::State::kPiece) Use(piece);
//   if (state == BodyInflater::State::kDamaged) ...
class BodyInflater {
 public:
  enum class Format {
    kGzipOrZlib,
    // RFC 9110 says that "deflate" is zlib's format; what some send is the bare stream.
    kBareDeflate,
  };
  enum class State { kPiece, kNeedMore, kDamaged };

  explicit BodyInflater(Format format = Format::kGzipOrZlib);
  ~BodyInflater();

  // What follows; must live until Next has said kNeedMore.
  void Feed(std::string_view input);
  // kPiece: `piece` is what follows, at most 16 KB, until the next call.
  State Next(std::string_view* piece);
  // Whether what was fed may end here: it was nothing, or one or more members in a row.
  bool whole() const { return !started_ || ended_; }

 private:
  const std::unique_ptr<z_stream_s> stream_;
  bool ready_ = false;
  bool started_ = false;
  bool ended_ = false;
  // There may be more without further input.
  bool filled_ = false;
  std::array<char, 16384> piece_;
};

enum class DecodeStatus {
  kOk,
  // Not what it says it is, or cut short.
  kDamaged,
  // Above `max_bytes`.
  kTooLarge,
  // A coding that is not read.
  kUnknown,
};

// Undoes `coding`, the value of Content-Encoding: "identity" (and an absent one) changes nothing;
// "gzip", "x-gzip" and "deflate" are inflated in place. `body` is unspecified unless kOk.
DecodeStatus DecodeBody(std::string_view coding, std::size_t max_bytes, std::string* body);

}  // namespace candor::net
