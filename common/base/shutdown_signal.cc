#include "common/base/program.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>

namespace candor {
namespace {

sigset_t Signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

ShutdownSignal::ShutdownSignal(std::function<void(int)> callback) : callback_(std::move(callback)) {
  signal(SIGPIPE, SIG_IGN);
  const sigset_t set = Signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  stop_ = eventfd(0, EFD_CLOEXEC);
  // At the start of a program there are descriptors, or nothing works.
  if (signals_ < 0 || stop_ < 0) std::abort();
  thread_ = std::thread([this] { Run(); });
}

ShutdownSignal::~ShutdownSignal() {
  const std::uint64_t one = 1;
  // Cannot fail: the counter is far from its limit.
  if (write(stop_, &one, sizeof one) != sizeof one) std::abort();
  thread_.join();
  close(signals_);
  close(stop_);
  const sigset_t set = Signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void ShutdownSignal::Run() {
  pollfd waiting[] = {{signals_, POLLIN, 0}, {stop_, POLLIN, 0}};
  while (true) {
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) return;
    if ((waiting[1].revents & POLLIN) != 0) return;
    signalfd_siginfo info{};
    while (read(signals_, &info, sizeof info) == sizeof info)
      callback_(static_cast<int>(info.ssi_signo));
  }
}

}  // namespace candor
