#include "simulator/scenario_ranges.h"

#include "candor/v1/scenario.pb.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace candor::simulator {
namespace {

// Values are rounded to few decimals, so one may lie a little outside of its range.
constexpr double kTolerance = 0.1;

template <typename NameOf>
std::vector<std::size_t> SortedByName(std::size_t count, NameOf name_of) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return name_of(a) < name_of(b); });
  return order;
}

bool Holds(double min, double max, double value) {
  const double slack = kTolerance * (max - min);
  return value >= min - slack && value <= max + slack;
}

bool Mentions(std::span<const ChatMessage> messages, std::string_view text) {
  return std::any_of(messages.begin(), messages.end(), [&](const ChatMessage& message) {
    return message.content.find(text) != std::string_view::npos;
  });
}

}  // namespace

std::string ScenarioRanges::Key(std::span<const std::string_view> sorted_names) {
  std::string key;
  key.reserve(128);
  for (const std::string_view name : sorted_names) {
    key += name;
    key += '\n';
  }
  return key;
}

void ScenarioRanges::Add(const v1::ScenarioSet& set) {
  for (const v1::Scenario& scenario : set.scenarios()) {
    const auto attribute = [&](std::size_t k) -> const v1::Attribute& {
      return scenario.attributes(static_cast<int>(k));
    };
    const auto count = static_cast<std::size_t>(scenario.attributes_size());
    const auto order =
        SortedByName(count, [&](std::size_t k) { return std::string_view(attribute(k).name()); });
    std::vector<std::string_view> names;
    Known known{scenario.question(), {}};
    for (const std::size_t k : order) {
      names.emplace_back(attribute(k).name());
      known.ranges.push_back({attribute(k).min(), attribute(k).max()});
    }
    by_names_[Key(names)].push_back(std::move(known));
    ++size_;
  }
}

std::vector<double> ScenarioRanges::Differences(const Task& task,
                                                std::span<const ChatMessage> messages) const {
  const std::vector<ShownAttribute>& shown = task.attributes;
  const auto order = SortedByName(shown.size(), [&](std::size_t k) { return shown[k].name; });
  std::vector<std::string_view> names;
  names.reserve(shown.size());
  for (const std::size_t k : order) names.push_back(shown[k].name);

  const Known* found = nullptr;
  if (const auto it = by_names_.find(Key(names)); it != by_names_.end()) {
    for (const Known& known : it->second) {
      bool fits = true;
      for (std::size_t i = 0; fits && i < order.size(); ++i) {
        const auto& [min, max] = known.ranges[i];
        fits = Holds(min, max, shown[order[i]].a) && Holds(min, max, shown[order[i]].b);
      }
      if (!fits) continue;
      if (found == nullptr) found = &known;
      if (it->second.size() > 1 && Mentions(messages, known.question)) {
        found = &known;
        break;
      }
    }
  }
  std::vector<double> x(shown.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const ShownAttribute& attribute = shown[order[i]];
    const double scale = found != nullptr ? found->ranges[i].max - found->ranges[i].min
                                          : std::max(std::abs(attribute.a), std::abs(attribute.b));
    x[order[i]] = scale > 0 ? (attribute.a - attribute.b) / scale : 0;
  }
  return x;
}

}  // namespace candor::simulator
