#include "coordinator/engine/engine_impl.h"
#include "coordinator/engine/planted_bug.h"

#include <utility>

namespace candor::engine {

// How an adaptive design runs: of each scenario one cell goes at a time (chain_table.h). A pair
// that is to be proposed is asked for once all that it rests on is durable, because whoever
// proposes it reads that from the store; and because it is a function of nothing else, a restart
// needs no record of it: the same outcomes give the same pair.

void Engine::Impl::StartChains(JobState& job, std::uint16_t entry, KindState& kind) {
  for (ChainTable::Chain& chain : kind.chains.chains()) {
    kind.chains.Advance(chain, kind.cells);
    if (kind.chains.AtEnd(chain)) continue;
    if (kind.chains.IsDrawn(chain)) {
      kind.cells.Open(kind.chains.FrontOf(chain));
    } else {
      // What it rests on was taken over with this event's batch.
      kind.chains.Ask(chain, /*restoring=*/false);
      at_commit_.wanted.push_back(
          {job.key(), entry, kind.chains.ScenarioOf(chain), kind.chains.PairOf(chain)});
    }
  }
}

void Engine::Impl::RestoreChains(JobState& job) {
  for (std::size_t number = 0; number < job.entries.size(); ++number) {
    for (KindState& kind : job.entries[number].kinds) {
      for (ChainTable::Chain& chain : kind.chains.chains()) {
        kind.chains.Advance(chain, kind.cells);
        if (kind.chains.AtEnd(chain) || !job.may_run()) continue;
        const std::uint32_t front = kind.chains.FrontOf(chain);
        const bool fresh = kind.cells.At(front) == CellTable::Place::kFresh;
        if (!kind.chains.IsDrawn(chain)) {
          kind.chains.Ask(chain, /*restoring=*/!fresh);
          wanted_.push_back({job.key(), static_cast<std::uint16_t>(number),
                             kind.chains.ScenarioOf(chain), kind.chains.PairOf(chain)});
        } else if (fresh) {
          kind.cells.Open(front);
        }
      }
    }
  }
}

void Engine::Impl::CellSettled(JobState& job, std::uint16_t entry, KindState& kind,
                               std::uint32_t index) {
  if (kind.chains.empty()) return;
  ChainTable::Chain& chain = kind.chains.Of(index);
  // A reply may come late to a cell that was given up.
  if (kind.chains.AtEnd(chain) || kind.chains.FrontOf(chain) != index) return;
  kind.chains.Advance(chain, kind.cells);
  if (kind.chains.AtEnd(chain) || !job.may_run()) return;
  if (kind.chains.IsDrawn(chain) || chain.trial != nullptr) {
    kind.cells.Open(kind.chains.FrontOf(chain));
  } else if (!chain.asked) {
    kind.chains.Ask(chain, /*restoring=*/false);
    const WantedPair wanted{job.key(), entry, kind.chains.ScenarioOf(chain),
                            kind.chains.PairOf(chain)};
    if (Planted(PlantedBug::kProposedTooSoon)) {
      wanted_.push_back(wanted);
    } else {
      at_commit_.wanted.push_back(wanted);
    }
  }
}

void Engine::Impl::On(TrialsProposed& event) {
  for (TrialsProposed::Proposal& proposal : event.proposals) {
    JobState* job = FindJob(proposal.pair.job);
    if (job == nullptr || !job->has_cells || proposal.pair.entry >= job->entries.size()) continue;
    KindState* kind = job->entries[proposal.pair.entry].FindKind(v1::Cell::CHOICE);
    if (kind == nullptr || proposal.pair.scenario >= kind->chains.chains().size()) continue;
    ChainTable::Chain& chain = kind->chains.chains()[proposal.pair.scenario];
    // The chain may have gone on, by replies that came late.
    if (!chain.asked || kind->chains.PairOf(chain) != proposal.pair.pair) continue;
    kind->chains.Answer(chain, std::move(proposal.trial));
    const std::uint32_t front = kind->chains.FrontOf(chain);
    if (kind->cells.At(front) == CellTable::Place::kFresh) kind->cells.Open(front);
  }
}

}  // namespace candor::engine
