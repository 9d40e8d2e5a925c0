#include "common/metrics/process_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

namespace candor::metrics {
namespace {

std::optional<double> ValueOf(const Families& families, const std::string& name) {
  for (const auto& family : families) {
    if (family.name != name) continue;
    return family.type == prometheus::MetricType::Counter ? family.metric.at(0).counter.value
                                                          : family.metric.at(0).gauge.value;
  }
  return std::nullopt;
}

// A directory like /proc that goes with the test.
class FakeProc {
 public:
  FakeProc() : path_(testing::TempDir() + "proc-" + std::to_string(getpid())) {
    std::filesystem::create_directories(path_ + "/self/fd");
  }
  ~FakeProc() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
  }

 private:
  std::string path_;
};

TEST(ProcessMetricsTest, AreThoseOfThisProcess) {
  Families families;
  AddProcessMetrics(families);
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes",
                           "process_virtual_memory_bytes", "process_threads",
                           "process_start_time_seconds", "process_open_fds", "process_max_fds"}) {
    EXPECT_TRUE(ValueOf(families, name).has_value()) << name;
  }
  EXPECT_GE(ValueOf(families, "process_threads"), 1);
  EXPECT_GT(ValueOf(families, "process_resident_memory_bytes"), 1e6);
  EXPECT_GE(ValueOf(families, "process_open_fds"), 3);
  EXPECT_GT(ValueOf(families, "process_start_time_seconds"), 1.5e9);
}

TEST(ProcessMetricsTest, ANameMayHoldAnything) {
  const FakeProc proc;
  proc.Write("stat", "cpu 1 2 3\nbtime 1000\n");
  proc.Write("self/stat",
             "7 (a) R 9 (b) S 1 2 3 4 5 6 7 8 9 10 300 200 0 0 20 0 4 0 500 8192 2 99\n");
  for (const char* name : {"0", "1", "2"}) proc.Write(std::string("self/fd/") + name, "");
  Families families;
  AddProcessMetrics(families, proc.path());
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  EXPECT_EQ(ValueOf(families, "process_cpu_seconds_total"), 500 / ticks);
  EXPECT_EQ(ValueOf(families, "process_threads"), 4);
  EXPECT_EQ(ValueOf(families, "process_start_time_seconds"), 1000 + 500 / ticks);
  EXPECT_EQ(ValueOf(families, "process_virtual_memory_bytes"), 8192);
  EXPECT_EQ(ValueOf(families, "process_open_fds"), 2);
}

TEST(ProcessMetricsTest, WhatCannotBeReadIsLeftOut) {
  const FakeProc proc;
  proc.Write("self/stat", "nonsense");
  Families families;
  AddProcessMetrics(families, proc.path() + "/self");
  EXPECT_FALSE(ValueOf(families, "process_cpu_seconds_total").has_value());
  EXPECT_FALSE(ValueOf(families, "process_open_fds").has_value());
  AddProcessMetrics(families, proc.path());
  EXPECT_FALSE(ValueOf(families, "process_cpu_seconds_total").has_value());
}

}  // namespace
}  // namespace candor::metrics
