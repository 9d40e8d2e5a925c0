// candor: jobs, progress and exports from a terminal.
#include "cli/run.h"
#include "common/base/program.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

namespace {

bool IsSet(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

// Whether the locale's characters are UTF-8: the first of these that is set decides.
bool Utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (!IsSet(name)) continue;
    const std::string value = std::getenv(name);
    return value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  candor::cli::Interrupt interrupt;
  bool again = false;
  // Before gRPC starts threads.
  const candor::ShutdownSignal shutdown([&](int) {
    if (again) _exit(candor::cli::kExitInterrupted);
    again = true;
    interrupt.Trigger();
  });
  std::ios::sync_with_stdio(false);
  const candor::SystemClock clock;
  candor::SystemIdGenerator ids;
  candor::cli::World world{clock, ids, interrupt, std::cin, std::cout, std::cerr};
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::strcmp(term, "dumb") == 0;
  world.terminal = isatty(STDOUT_FILENO) != 0 && !dumb;
  // https://no-color.org
  world.style.color = world.terminal && !IsSet("NO_COLOR");
  world.style.unicode = world.terminal && Utf8();
  winsize size{};
  if (world.terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    world.style.width = size.ws_col;
    world.height = size.ws_row;
  }
  return candor::cli::RunCandor(argc, argv, world);
}
