// An answer to a call, and how it is to be delivered.
#pragma once

#include "common/base/clock.h"
#include "common/net/http_server.h"
#include "simulator/dialect.h"
#include "simulator/ledger.h"

#include <cstddef>
#include <cstdint>

namespace candor::simulator {

class Limiter;

enum class Delivery : std::uint8_t {
  kWhole,
  // In chunks, which do not end where lines or events do: how streams come.
  kPieces,
  // The first `body_bytes_sent` of the body that its header promises, then the end.
  kTruncated,
  // The same, but the connection stays open.
  kStalled,
  // The header comes a byte a second.
  kDripped,
  // The body is the beginning of one that never ends.
  kEndless,
  // The body is the beginning of one of 2 GB, which the header promises.
  kHuge,
  kReset,
  // Nothing is ever sent.
  kIgnored,
};

struct Answer {
  Delivery delivery = Delivery::kWhole;
  net::HttpServerResponse response;
  std::size_t body_bytes_sent = 0;
  Duration delay{0};

  // For ProviderService::Finish.
  std::uint64_t call = 0;
  LedgerEnd end;
  // What counts against token limits at the end.
  Charge charge;
  // Null for a call that was not admitted.
  Limiter* limiter = nullptr;
};

}  // namespace candor::simulator
