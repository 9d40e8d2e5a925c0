// What most scripts do: so many loops, each with exponential back-off after a 429.
#pragma once

#include <string>

namespace candor::bench {

struct NaiveOptions {
  int loops = 64;
  double seconds = 60;
  // "m", and a body that any chat endpoint takes.
  std::string model = "m";
  // 1 s, doubled up to 60 s, with full jitter, as the examples of providers have it.
  double first_wait = 1;
  double most_wait = 60;
};

// Calls the simulator at "host:port" for so long, and returns.
void RunNaiveClient(const std::string& address, const NaiveOptions& options);

}  // namespace candor::bench
