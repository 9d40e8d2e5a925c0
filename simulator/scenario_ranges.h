// The ranges of attributes, which no prompt shows: a simulated model weighs (A_k - B_k) /
// (max_k - min_k), so that what is estimated from its choices is what it was given.
//
//   ScenarioRanges ranges;
//   ranges.Add(scenario::BuiltinScenarioSet());
//   std::vector<double> x = ranges.Differences(task, messages);
//
// Scenarios are recognised by the set of their attribute names; of several with the same names, by
// their question, and by the values' lying within the ranges. For a scenario that nobody added the
// scale of an attribute is the larger magnitude of its two values: a function of the request alone,
// right in sign and, for ranges that begin near 0, roughly right in size.
//
// Not changed once calls are served; then any number of threads may ask.
#pragma once

#include "simulator/message_reader.h"

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace candor::v1 {
class ScenarioSet;
}

namespace candor::simulator {

class ScenarioRanges {
 public:
  void Add(const v1::ScenarioSet& set);
  // Scenarios added.
  std::size_t size() const { return size_; }

  // x_k = (A_k - B_k) / scale_k for each attribute, in the order of the task.
  std::vector<double> Differences(const Task& task, std::span<const ChatMessage> messages) const;

 private:
  struct Range {
    double min;
    double max;
  };
  struct Known {
    std::string question;
    // In the order of the sorted names.
    std::vector<Range> ranges;
  };

  static std::string Key(std::span<const std::string_view> sorted_names);

  absl::flat_hash_map<std::string, std::vector<Known>> by_names_;
  std::size_t size_ = 0;
};

}  // namespace candor::simulator
