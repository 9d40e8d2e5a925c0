// Families of Prometheus metrics from values that somebody else keeps: gauges of how things stand,
// and counters that are counted elsewhere. What is counted where it happens is a
// prometheus::Counter or Histogram of a registry instead, found once and incremented through a
// pointer.
//
//   std::vector<prometheus::MetricFamily> families;
//   Family workers = Gauge(families, "candor_workers", "Workers by state.");
//   workers.Add({{"state", "ready"}}, 3);
//   workers.Add({{"state", "away"}}, 0);
//
// Names follow https://prometheus.io/docs/practices/naming: a unit in the name, base units
// (seconds, bytes), `_total` for counters. A label has few values: no job, scenario or worker is
// one.
#pragma once

#include <prometheus/metric_family.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::metrics {

using Families = std::vector<prometheus::MetricFamily>;
using Label = std::pair<std::string_view, std::string_view>;

// The family that was begun last in its list: done with before the next one begins.
class Family {
 public:
  explicit Family(prometheus::MetricFamily& family) : family_(family) {}
  void Add(std::initializer_list<Label> labels, double value);
  void Set(double value) { Add({}, value); }

 private:
  prometheus::MetricFamily& family_;
};

Family Gauge(Families& families, std::string name, std::string help);
Family Counter(Families& families, std::string name, std::string help);

// "RATE_LIMITED" -> "rate_limited": names of enums as values of labels.
std::string LowerCase(std::string_view name);

// Bounds of histograms, in seconds: of calls to providers (10 ms to 5 min) and of writes to a disk
// (100 us to 10 s).
std::vector<double> CallSeconds();
std::vector<double> DiskSeconds();

// Families in Prometheus' text format, of version 0.0.4.
std::string Text(const Families& families);
inline constexpr std::string_view kTextType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace candor::metrics
