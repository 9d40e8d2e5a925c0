#include "tests/fuzz/net/response_fuzz.h"

#include "common/net/http_reader.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

namespace candor::net {
namespace {

constexpr ReadLimits kLimits{.header_bytes = 1024, .body_bytes = 4096};

struct Outcome {
  ReadState state = ReadState::kNeedMore;
  int status = 0;
  std::string body;
  std::size_t headers = 0;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome ReadInPieces(std::string_view bytes, std::size_t piece, bool no_body) {
  ResponseReader reader(kLimits, no_body);
  Outcome outcome;
  while (!bytes.empty() && outcome.state == ReadState::kNeedMore) {
    const std::size_t size = std::min(piece, bytes.size());
    outcome.state = reader.Feed(bytes.substr(0, size));
    bytes.remove_prefix(size);
    if (reader.message().body.size() > kLimits.body_bytes) std::abort();
  }
  if (outcome.state == ReadState::kNeedMore) outcome.state = reader.FeedEnd();
  if (outcome.state == ReadState::kDone) {
    outcome.status = reader.message().status;
    outcome.body = reader.message().body;
    outcome.headers = reader.message().headers.size();
  }
  return outcome;
}

}  // namespace

void FuzzResponse(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  const std::size_t piece = 1 + data[0] % 17;
  const bool no_body = data[0] >= 240;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = ReadInPieces(bytes, bytes.size() + 1, no_body);
  const Outcome pieces = ReadInPieces(bytes, piece, no_body);
  // Which of several faults is seen first may depend on the cut; what is accepted may not.
  const bool both_good = whole.state == ReadState::kDone && pieces.state == ReadState::kDone;
  if (both_good && !(whole == pieces)) std::abort();
}

}  // namespace candor::net

#ifdef CANDOR_FUZZ
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  candor::net::FuzzResponse(data, size);
  return 0;
}
#endif
