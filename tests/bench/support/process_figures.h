// What the operating system says of a process: for benchmarks of real processes.
#pragma once

#include <sys/types.h>

namespace candor::bench {

// User and system time so far, in seconds (in steps of 10 ms).
double CpuSeconds(pid_t process);

// Resident memory in MB: now, and the most that it ever was.
struct Resident {
  double now = 0;
  double most = 0;
};
Resident ResidentMegabytes(pid_t process);

}  // namespace candor::bench
