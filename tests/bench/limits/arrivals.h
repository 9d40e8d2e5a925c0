// What a provider saw, from the simulator's ledger, and what share of its limit that was.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::bench {

// Seconds of the system's clock.
using Second = double;
Second Now();

struct Arrival {
  Second time = 0;
  bool admitted = false;
  // Because of a limit.
  bool rejected = false;
  std::string model;
  // Against a limit of tokens.
  std::int64_t tokens = 0;
};

// In the order of arrival. `address` is the simulator's "host:port".
std::vector<Arrival> ReadArrivals(const std::string& address);

// What is measured: in which time, against how much a minute, and what is left out.
struct Span {
  Second from = 0;
  Second to = 0;
  double limit_a_minute = 0;
  // Whether the limit is of tokens, and not of requests.
  bool tokens = false;
  // Seconds that do not count for shares, such as a restart.
  std::vector<std::pair<Second, Second>> without;
};

// Shares of the limit, from 0 to 1 and beyond.
struct Share {
  // Of the whole span.
  double whole = 0;
  // The least of any 60 s, and of any 10 s (beginning at each whole second) that lie in the span
  // and touch nothing that is left out; negative when there is no such window.
  double least_60s = -1;
  double least_10s = -1;
  // The most of any 60 s that end in the span, nothing left out: above 1 is an excess.
  double most_60s = 0;
  // Rejected calls among all in the span.
  double rejected = 0;
};
Share MeasureShare(const std::vector<Arrival>& arrivals, const Span& span);

}  // namespace candor::bench
