#include "common/net/content_coding.h"

#include "common/net/http_types.h"

#include <absl/strings/ascii.h>

#include <zlib.h>

#include <array>
#include <utility>

namespace candor::net {
namespace {

// Of zlib: a window of 32 KB, with gzip's header or zlib's, whichever is there.
constexpr int kGzipOrZlib = MAX_WBITS + 32;
constexpr int kRawDeflate = -MAX_WBITS;

class Inflater {
 public:
  explicit Inflater(int window_bits) { ready_ = ::inflateInit2(&stream_, window_bits) == Z_OK; }
  ~Inflater() {
    if (ready_) ::inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // The whole of `input`, which may be several gzip members in a row.
  DecodeStatus Run(std::string& input, std::size_t max_bytes, std::string* output) {
    if (!ready_) return DecodeStatus::kDamaged;
    std::array<char, 16384> piece;
    // zlib only reads what next_in points to.
    stream_.next_in = reinterpret_cast<Bytef*>(input.data());
    stream_.avail_in = static_cast<uInt>(input.size());
    while (true) {
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = static_cast<uInt>(piece.size());
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      const std::size_t size = piece.size() - stream_.avail_out;
      if (size > max_bytes - output->size()) return DecodeStatus::kTooLarge;
      output->append(piece.data(), size);
      if (result == Z_STREAM_END) {
        if (stream_.avail_in == 0) return DecodeStatus::kOk;
        if (::inflateReset(&stream_) != Z_OK) return DecodeStatus::kDamaged;
        continue;
      }
      // Without an end there is more to come, and nothing is left.
      if (result != Z_OK) return DecodeStatus::kDamaged;
    }
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace

DecodeStatus DecodeBody(std::string_view coding, std::size_t max_bytes, std::string* body) {
  while (!coding.empty() && absl::ascii_isspace(static_cast<unsigned char>(coding.back()))) {
    coding.remove_suffix(1);
  }
  if (coding.empty() || EqualIgnoringCase(coding, "identity")) return DecodeStatus::kOk;
  const bool deflate = EqualIgnoringCase(coding, "deflate");
  if (!deflate && !EqualIgnoringCase(coding, "gzip") && !EqualIgnoringCase(coding, "x-gzip")) {
    return DecodeStatus::kUnknown;
  }
  // A HEAD request and some errors name a coding and send nothing.
  if (body->empty()) return DecodeStatus::kOk;
  std::string plain;
  DecodeStatus status = Inflater(kGzipOrZlib).Run(*body, max_bytes, &plain);
  if (status == DecodeStatus::kDamaged && deflate) {
    // RFC 9110 says zlib's format; what some send is the bare stream.
    plain.clear();
    status = Inflater(kRawDeflate).Run(*body, max_bytes, &plain);
  }
  *body = std::move(plain);
  return status;
}

}  // namespace candor::net
