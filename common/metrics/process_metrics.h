// What the process takes of the machine, under the names that every Prometheus client has:
// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds and so on.
#pragma once

#include "common/metrics/families.h"

#include <string>

namespace candor::metrics {

// Reads /proc/self (or what stands in for it in tests); what cannot be read is left out. Takes some
// tens of microseconds, more with thousands of open files.
void AddProcessMetrics(Families& families, const std::string& proc = "/proc");

}  // namespace candor::metrics
