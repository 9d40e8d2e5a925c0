#include "common/scenario/trial.h"

#include "common/base/digest.h"
#include "common/base/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string_view>
#include <utility>

namespace candor::scenario {
namespace {

// The id comes last, so that no two (seed, kind, id) share a text.
std::uint64_t StreamKey(std::string_view purpose, std::uint64_t seed, std::string_view scenario_id,
                        v1::Cell::Kind kind) {
  const std::string_view kind_name = kind == v1::Cell::SELF_REPORT ? "SELF_REPORT" : "CHOICE";
  const Digest digest =
      Sha256(fmt::format("candor/{}/1\n{}\n{}\n{}", purpose, seed, kind_name, scenario_id));
  std::uint64_t key = 0;
  for (std::size_t i = 8; i-- > 0;) key = (key << 8U) | digest[i];
  return key;
}

std::vector<ValueRange> RangesOf(const v1::Scenario& scenario) {
  std::vector<ValueRange> ranges;
  ranges.reserve(static_cast<std::size_t>(scenario.attributes_size()));
  for (const v1::Attribute& attribute : scenario.attributes()) {
    ranges.push_back(
        {attribute.min(), attribute.max(), Decimals(attribute.min(), attribute.max())});
  }
  return ranges;
}

void DrawValues(RandomStream random, const std::vector<ValueRange>& ranges, std::vector<double>& a,
                std::vector<double>& b) {
  for (std::vector<double>* values : {&a, &b}) {
    values->resize(ranges.size());
    for (std::size_t k = 0; k < ranges.size(); ++k) {
      const ValueRange& range = ranges[k];
      // This file is compiled with -ffp-contract=off: the product is rounded before the sum.
      const double drawn = range.min + (range.max - range.min) * random.Uniform();
      const double rounded = RoundToDecimals(drawn, range.decimals);
      (*values)[k] = std::clamp(rounded, range.min, range.max) + 0.0;  // -0.0 + 0.0 is 0.0
    }
  }
}

}  // namespace

TrialStream::TrialStream(std::uint64_t seed, const v1::Scenario& scenario, v1::Cell::Kind kind,
                         v1::Job::AttributeOrder attribute_order)
    : key_(StreamKey("trial", seed, scenario.id(), kind)),
      order_key_(StreamKey("attribute_order", seed, scenario.id(), kind)),
      shuffled_(attribute_order == v1::Job::SHUFFLED),
      ranges_(RangesOf(scenario)) {}

void TrialStream::Draw(std::uint32_t pair, std::uint32_t order, Trial& trial) const {
  DrawValues(RandomStream(key_, pair), ranges_, trial.a, trial.b);
  if (order == 1) std::swap(trial.a, trial.b);
  ShuffleAttributes(pair, trial);
}

Status TrialStream::Place(const v1::ExplicitTrial& values, std::uint32_t pair, std::uint32_t order,
                          Trial& trial) const {
  const auto wanted = static_cast<int>(ranges_.size());
  if (values.a_size() != wanted || values.b_size() != wanted) {
    return InvalidArgument(
        "trial: has {} values of option A and {} of option B; give one an attribute, {} each",
        values.a_size(), values.b_size(), wanted);
  }
  for (int k = 0; k < wanted; ++k) {
    if (!std::isfinite(values.a(k)) || !std::isfinite(values.b(k))) {
      return InvalidArgument("trial: value {} of option {} is {}; give a finite number", k,
                             std::isfinite(values.a(k)) ? "B" : "A",
                             std::isfinite(values.a(k)) ? values.b(k) : values.a(k));
    }
  }
  trial.a.assign(values.a().begin(), values.a().end());
  trial.b.assign(values.b().begin(), values.b().end());
  if (order == 1) std::swap(trial.a, trial.b);
  ShuffleAttributes(pair, trial);
  return {};
}

void TrialStream::ShuffleAttributes(std::uint32_t pair, Trial& trial) const {
  trial.attribute_order.resize(ranges_.size());
  std::iota(trial.attribute_order.begin(), trial.attribute_order.end(), 0U);
  if (!shuffled_) return;
  RandomStream random(order_key_, pair);
  for (std::size_t i = ranges_.size(); i-- > 1;) {
    std::swap(trial.attribute_order[i], trial.attribute_order[random.Below(i + 1)]);
  }
}

CandidateStream::CandidateStream(std::uint64_t seed, const v1::Scenario& scenario)
    : key_(StreamKey("candidate", seed, scenario.id(), v1::Cell::CHOICE)),
      ranges_(RangesOf(scenario)) {}

void CandidateStream::Draw(std::uint32_t pair, std::uint32_t candidate, std::vector<double>& a,
                           std::vector<double>& b) const {
  const std::uint64_t stream = std::uint64_t{candidate} << 32U | pair;
  DrawValues(RandomStream(key_, stream), ranges_, a, b);
}

int Decimals(double min, double max) {
  const double range = max - min;
  if (range >= 5) return 0;
  if (range >= 1) return 1;
  return std::abs(static_cast<int>(std::floor(std::log10(range)))) + 1;
}

double RoundToDecimals(double value, int decimals) {
  // Ties to even of the exact binary value, in the rounding mode that nothing changes.
  if (decimals == 0) return std::nearbyint(value);
  std::array<char, 400> text;  // 309 digits, 40 decimals, sign and point
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, decimals)
                       .ptr;
  double rounded = value;
  std::from_chars(text.data(), end, rounded);
  return rounded;
}

void AppendValue(double value, std::string& text) {
  std::array<char, 40> buffer;
  const double size = std::abs(value);
  const bool fixed = value == 0 || (size >= 1e-4 && size < 1e16);
  const auto end = fixed ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                         std::chars_format::fixed)
                               .ptr
                         : std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                         std::chars_format::scientific)
                               .ptr;
  const std::string_view digits(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  text += digits;
  if (fixed && digits.find('.') == std::string_view::npos) text += ".0";
}

std::string FormatValue(double value) {
  std::string text;
  AppendValue(value, text);
  return text;
}

void SetShownValues(const v1::Scenario& scenario, const Trial& trial, v1::Outcome* outcome) {
  outcome->clear_option_a();
  outcome->clear_option_b();
  for (const std::uint32_t k : trial.attribute_order) {
    const std::string& name = scenario.attributes(static_cast<int>(k)).name();
    v1::ShownValue* a = outcome->add_option_a();
    a->set_attribute(name);
    a->set_value(trial.a[k]);
    v1::ShownValue* b = outcome->add_option_b();
    b->set_attribute(name);
    b->set_value(trial.b[k]);
  }
}

}  // namespace candor::scenario
