// Cell arithmetic: which answer a cell's number stands for, and the other way round.
//
//   const CellMap cells(specification, entry_index, v1::Cell::CHOICE);
//   for (std::uint64_t i = 0; i < cells.size(); ++i) {
//     const CellAddress address = cells.At(static_cast<std::uint32_t>(i));
//     ... specification.scenarios(address.scenario_index) ...
//   }
//
// index = ((trial * samples) + sample) * scenarios + scenario_ordinal (proto/candor/v1/cell.proto):
// the scenario runs fastest, so that a job that ends early has asked all of them about equally
// often.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/specification.pb.h"

#include <cstdint>

namespace candor::scenario {

// What a cell asks for.
struct CellAddress {
  // Position in JobSpecification.scenarios.
  std::uint32_t scenario_index = 0;
  // Position in the entry's own list of scenarios.
  std::uint32_t scenario_ordinal = 0;
  // The trial, from 0 within (scenario, kind). Both orders of pair p are trials 2p and 2p + 1.
  std::uint32_t trial = 0;
  // The pair of options: `trial`, or half of it when both orders are asked.
  std::uint32_t pair = 0;
  // 0: options as drawn. 1: A and B swapped.
  std::uint32_t order = 0;
  // Which repetition of the same prompt.
  std::uint32_t sample = 0;

  bool operator==(const CellAddress&) const = default;
};

// The cells of one (entry, kind) of a resolved job. 24 bytes, copied freely; `At` and `IndexOf`
// take a few nanoseconds and allocate nothing. May be used by any number of threads. The
// specification must outlive the map.
class CellMap {
 public:
  // No cells.
  CellMap() = default;
  // `entry_index` is a position in `specification.entries`, and `kind` is CHOICE or SELF_REPORT.
  // The specification is one that ResolveJob made: its counts are in range.
  CellMap(const v1::JobSpecification& specification, int entry_index, v1::Cell::Kind kind);

  // Cells altogether: scenarios * trials * samples, at most 2^32 - 1. 0 when the entry asks for
  // nothing of this kind.
  std::uint64_t size() const { return std::uint64_t{scenarios_} * trials_ * samples_; }

  // The address of cell `index`, which is below `size()`.
  CellAddress At(std::uint32_t index) const {
    CellAddress address;
    std::uint32_t rest = index / scenarios_;
    address.scenario_ordinal = index - rest * scenarios_;
    address.scenario_index = scenario_indexes_[address.scenario_ordinal];
    address.trial = rest / samples_;
    address.sample = rest - address.trial * samples_;
    address.pair = address.trial >> order_bits_;
    address.order = address.trial & order_bits_;
    return address;
  }

  // The number of a cell: the inverse of `At`.
  std::uint32_t IndexOf(std::uint32_t scenario_ordinal, std::uint32_t trial,
                        std::uint32_t sample) const {
    return (trial * samples_ + sample) * scenarios_ + scenario_ordinal;
  }
  std::uint32_t IndexOf(const CellAddress& address) const {
    return IndexOf(address.scenario_ordinal, address.trial, address.sample);
  }

  // Scenarios of the entry.
  std::uint32_t scenarios() const { return scenarios_; }
  // Trials a scenario: both orders of a pair are two.
  std::uint32_t trials() const { return trials_; }
  // Samples a trial.
  std::uint32_t samples() const { return samples_; }
  // Pairs a scenario.
  std::uint32_t pairs() const { return trials_ >> order_bits_; }

 private:
  const std::uint32_t* scenario_indexes_ = nullptr;
  std::uint32_t scenarios_ = 0;
  std::uint32_t trials_ = 0;
  std::uint32_t samples_ = 1;
  // 1 when both orders are asked, else 0.
  std::uint32_t order_bits_ = 0;
};

// Whether a pair of an entry's choices comes from the random stream. Those of an adaptive design do
// up to its `random_pairs`; each later one follows from the answers to the pairs before it.
bool IsDrawn(const v1::ResolvedEntry& entry, std::uint32_t pair);

}  // namespace candor::scenario
