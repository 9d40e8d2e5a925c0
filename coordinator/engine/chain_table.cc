#include "coordinator/engine/chain_table.h"

#include <algorithm>
#include <utility>

namespace candor::engine {

ChainTable::ChainTable(const v1::ResolvedEntry& entry) {
  const v1::Choices& choices = entry.choices();
  if (choices.design() != v1::Choices::ADAPTIVE || choices.trials_per_scenario() <= 0) return;
  const auto samples = static_cast<std::uint32_t>(std::max(1, choices.samples_per_trial()));
  steps_ = static_cast<std::uint32_t>(choices.trials_per_scenario()) * samples;
  steps_per_pair_ = samples * (choices.orders() == v1::Choices::BOTH ? 2 : 1);
  random_pairs_ = static_cast<std::uint32_t>(std::max(1, choices.adaptive().random_pairs()));
  chains_.resize(static_cast<std::size_t>(entry.scenario_indexes_size()));
}

void ChainTable::Forget(Chain& chain) {
  if (std::exchange(chain.asked, false)) --asked_;
  if (std::exchange(chain.restoring, false)) --restoring_;
  chain.trial.reset();
}

void ChainTable::Advance(Chain& chain, const CellTable& cells) {
  const std::uint32_t pair = PairOf(chain);
  const std::uint32_t before = chain.step;
  while (!AtEnd(chain)) {
    const CellTable::Place place = cells.At(FrontOf(chain));
    if (place != CellTable::Place::kDone && place != CellTable::Place::kFailed) break;
    ++chain.step;
  }
  if (chain.step == before) return;
  if (AtEnd(chain) || PairOf(chain) != pair) {
    Forget(chain);
  } else if (std::exchange(chain.restoring, false)) {
    // The new front was never leased: it goes when the pair is there.
    --restoring_;
  }
}

void ChainTable::Ask(Chain& chain, bool restoring) {
  chain.asked = true;
  ++asked_;
  chain.restoring = restoring;
  if (restoring) ++restoring_;
}

void ChainTable::Answer(Chain& chain, std::shared_ptr<const v1::ExplicitTrial> trial) {
  Forget(chain);
  chain.trial = std::move(trial);
}

}  // namespace candor::engine
