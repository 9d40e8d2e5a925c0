#include "common/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>

namespace candor::metrics {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Of /proc/self/stat, in the units that it has.
struct Stat {
  double user_ticks = 0;
  double system_ticks = 0;
  double threads = 0;
  double start_ticks = 0;
  double virtual_bytes = 0;
  double resident_pages = 0;
};

// The name of the program stands in parentheses and may hold any: what follows the last one counts.
std::optional<Stat> ReadStat(const std::string& path) {
  const std::string text = ReadAll(path);
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(name_end + 1));
  std::string state;
  rest >> state;
  // Fields 4 to 24 of proc(5), the first of them at place 0.
  std::vector<double> fields;
  double value = 0;
  while (fields.size() < 21 && rest >> value) fields.push_back(value);
  if (fields.size() < 21) return std::nullopt;
  return Stat{.user_ticks = fields[10],
              .system_ticks = fields[11],
              .threads = fields[16],
              .start_ticks = fields[18],
              .virtual_bytes = fields[19],
              .resident_pages = fields[20]};
}

// Seconds since the epoch at which the machine started.
std::optional<double> BootTime(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return std::nullopt;
}

std::optional<double> CountFiles(const std::string& directory) {
  std::error_code error;
  std::filesystem::directory_iterator at(directory, error);
  double count = 0;
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) ++count;
  if (error) return std::nullopt;
  // One of them is the listing itself.
  return count - 1;
}

}  // namespace

void AddProcessMetrics(Families& families, const std::string& proc) {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  if (const auto stat = ReadStat(proc + "/self/stat")) {
    Counter(families, "process_cpu_seconds_total", "CPU time of the process, user and system.")
        .Set((stat->user_ticks + stat->system_ticks) / ticks);
    Gauge(families, "process_resident_memory_bytes", "Memory that the process has in RAM.")
        .Set(stat->resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
    Gauge(families, "process_virtual_memory_bytes", "Address space of the process.")
        .Set(stat->virtual_bytes);
    Gauge(families, "process_threads", "Threads of the process.").Set(stat->threads);
    if (const auto boot = BootTime(proc + "/stat")) {
      Gauge(families, "process_start_time_seconds",
            "When the process started, in seconds since the Unix epoch.")
          .Set(*boot + stat->start_ticks / ticks);
    }
  }
  if (const auto open = CountFiles(proc + "/self/fd")) {
    Gauge(families, "process_open_fds", "Open file descriptors.").Set(*open);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    Gauge(families, "process_max_fds", "Open file descriptors at most.")
        .Set(static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace candor::metrics
