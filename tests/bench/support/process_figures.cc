#include "tests/bench/support/process_figures.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace candor::bench {

double CpuSeconds(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto parenthesis = text.rfind(')');
  if (parenthesis == std::string::npos) return 0;
  std::istringstream fields(text.substr(parenthesis + 2));
  std::string field;
  double ticks = 0;
  // utime and stime are the 14th and 15th field; the second ends with the last parenthesis.
  for (int i = 3; i <= 15 && fields >> field; ++i) {
    if (i >= 14) ticks += std::stod(field);
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

Resident ResidentMegabytes(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  Resident resident;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("VmRSS:", 0) == 0) resident.now = std::stod(line.substr(6)) / 1024;
    if (line.rfind("VmHWM:", 0) == 0) resident.most = std::stod(line.substr(6)) / 1024;
  }
  return resident;
}

}  // namespace candor::bench
