// `candor` as a function, so that tests run whole command lines.
#pragma once

#include "cli/commands.h"
#include "cli/interrupt.h"

namespace candor::cli {

// The world of one run.
struct World {
  const Clock& clock;
  IdGenerator& ids;
  Interrupt& interrupt;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;
  std::size_t height = 24;
  ProgressStyle style;
  std::vector<std::chrono::milliseconds> pauses = {
      std::chrono::milliseconds(200), std::chrono::milliseconds(500),
      std::chrono::milliseconds(1000), std::chrono::milliseconds(2000),
      std::chrono::milliseconds(5000)};
};

// Runs one command line and returns the exit code. Help, usage errors and --print-config go to the
// standard streams, what commands say to the world's.
int RunCandor(int argc, const char* const* argv, World& world);

}  // namespace candor::cli
