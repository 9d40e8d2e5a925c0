// The chains of an adaptive design: for each scenario of an entry the one cell that is asked next,
// and the trial that it shows.
//
//   Chain& chain = chains.Of(index);
//   chains.Advance(chain, cells);             // past every cell that is done or given up
//   if (!chains.AtEnd(chain) && chains.IsDrawn(chain)) cells.Open(chains.FrontOf(chain));
//
// A scenario's cells are its steps: sample by sample, trial by trial, in the order of their
// numbers. A step goes only when all before it are settled (done, or given up), so that the trial
// of a pair can be a function of the answers to all earlier pairs. The first pairs are drawn from
// the random stream; each later one is proposed, once for all of its steps (both orders, every
// sample).
//
// Costs some tens of bytes a scenario, and nothing a cell. Not for concurrent use.
#pragma once

#include "candor/v1/cell.pb.h"
#include "candor/v1/specification.pb.h"
#include "coordinator/engine/cell_table.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace candor::engine {

class ChainTable {
 public:
  struct Chain {
    // The front: the first step that is not settled.
    std::uint32_t step = 0;
    // The front's pair was asked for and has not come.
    bool asked = false;
    // Likewise, after a restart, when the front had been leased before: its lease may come back
    // before its pair does.
    bool restoring = false;
    // The front's pair, where it is proposed; null while it is not there.
    std::shared_ptr<const v1::ExplicitTrial> trial;
  };

  // No chains: the kind is not adaptive.
  ChainTable() = default;
  // Those of an entry's choices; none unless their design is ADAPTIVE.
  explicit ChainTable(const v1::ResolvedEntry& entry);

  bool empty() const { return chains_.empty(); }
  std::vector<Chain>& chains() { return chains_; }
  // Chains that wait for their pair.
  std::uint32_t asked() const { return asked_; }
  // Chains that were leased before a restart and wait for their pair: while there are any, no cell
  // of the kind may be leased.
  std::uint32_t restoring() const { return restoring_; }

  Chain& Of(std::uint32_t index) { return chains_[index % scenarios()]; }
  std::uint32_t ScenarioOf(const Chain& chain) const {
    return static_cast<std::uint32_t>(&chain - chains_.data());
  }
  // The cell at the front. Not at the end.
  std::uint32_t FrontOf(const Chain& chain) const {
    return chain.step * scenarios() + ScenarioOf(chain);
  }
  std::uint32_t PairOf(const Chain& chain) const { return chain.step / steps_per_pair_; }
  bool AtEnd(const Chain& chain) const { return chain.step == steps_; }
  // Whether the front's pair comes from the random stream.
  bool IsDrawn(const Chain& chain) const { return PairOf(chain) < random_pairs_; }

  // Moves the front past all that is settled. A trial and a question about another pair than the
  // new front's are forgotten.
  void Advance(Chain& chain, const CellTable& cells);
  // The front's pair is asked for; `restoring` when its cell is not fresh.
  void Ask(Chain& chain, bool restoring);
  // It has come.
  void Answer(Chain& chain, std::shared_ptr<const v1::ExplicitTrial> trial);

 private:
  std::uint32_t scenarios() const { return static_cast<std::uint32_t>(chains_.size()); }
  void Forget(Chain& chain);

  std::vector<Chain> chains_;
  std::uint32_t steps_ = 0;
  std::uint32_t steps_per_pair_ = 1;
  std::uint32_t random_pairs_ = 0;
  std::uint32_t asked_ = 0;
  std::uint32_t restoring_ = 0;
};

}  // namespace candor::engine
