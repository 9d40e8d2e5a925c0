// Adaptive designs in the simulated cluster. The proposer here makes a pair out of a hash of the
// outcomes that it may rest on: whatever else had a part in it would show, because a pair that is
// asked for again, by any later life of the coordinator, has to come out the same.
#include "tests/unit/coordinator/engine/simulation/world.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace candor::engine::simulation {
namespace {

// The cells of one scenario of an adaptive entry.
struct Steps {
  std::uint32_t scenarios = 0;
  std::uint32_t a_pair = 1;
  std::uint32_t random_pairs = 0;

  Steps(const v1::JobSpecification& specification, int entry) {
    const v1::ResolvedEntry& resolved = specification.entries(entry);
    scenarios = static_cast<std::uint32_t>(resolved.scenario_indexes_size());
    a_pair = static_cast<std::uint32_t>(resolved.choices().samples_per_trial()) *
             (resolved.choices().orders() == v1::Choices::BOTH ? 2 : 1);
    random_pairs = static_cast<std::uint32_t>(resolved.choices().adaptive().random_pairs());
  }
  // Of a scenario, before a pair.
  std::vector<CellKey> Before(const WantedPair& pair) const {
    std::vector<CellKey> cells;
    for (std::uint32_t step = 0; step < pair.pair * a_pair; ++step) {
      cells.push_back({pair.entry, v1::Cell::CHOICE, step * scenarios + pair.scenario});
    }
    return cells;
  }
};

}  // namespace

void World::Propose(const std::vector<WantedPair>& pairs) {
  for (const WantedPair& pair : pairs) {
    Trace(pair.scenario);
    Trace(pair.pair);
    CheckEarlierIsDurable(pair);
    After(Between(0, 50 * kMillisecond), [this, pair, life = life_] {
      if (life != life_) return;
      const std::optional<std::string> text = ProposalFor(pair);
      if (!text) return;  // the job was deleted
      auto trial = std::make_shared<v1::ExplicitTrial>();
      trial->ParseFromString(*text);
      AsCoordinator([this, pair, trial] {
        TrialsProposed event;
        event.proposals.push_back({pair, trial});
        Tell(std::move(event));
      });
    });
  }
}

// Replies that came to a cell after it was given up count for no proposal: it may have been made
// without them.
std::optional<std::string> World::ProposalFor(const WantedPair& pair) {
  const auto rows = store_.jobs().find(pair.job);
  if (rows == store_.jobs().end()) return std::nullopt;
  std::uint64_t hash = 14695981039346656037U;
  const Steps steps(*rows->second.record.specification, pair.entry);
  for (const CellKey& cell : steps.Before(pair)) {
    const auto outcome = rows->second.outcomes.find(cell);
    if (outcome == rows->second.outcomes.end() || rows->second.failed.contains(cell)) continue;
    hash = (hash ^ cell.index) * 1099511628211U;
    hash = (hash ^ static_cast<std::uint64_t>(outcome->second.choice)) * 1099511628211U;
  }
  v1::ExplicitTrial trial;
  for (int i = 0; i < 2; ++i) {
    trial.add_a(static_cast<double>((hash >> (8 * i)) & 0xffU));
    trial.add_b(static_cast<double>((hash >> (16 + 8 * i)) & 0xffU));
  }
  std::string text = trial.SerializeAsString();
  const auto [first, added] =
      proposed_.try_emplace({pair.job, pair.entry, pair.scenario, pair.pair}, text);
  ++(added ? outcome_.proposals : outcome_.proposals_again);
  if (!added && first->second != text) {
    Fail(fmt::format("pair {} of scenario {} was proposed twice, and differently", pair.pair,
                     pair.scenario));
  }
  return text;
}

void World::CheckEarlierIsDurable(const WantedPair& pair) {
  const auto rows = store_.jobs().find(pair.job);
  if (rows == store_.jobs().end()) return;
  const Steps steps(*rows->second.record.specification, pair.entry);
  if (pair.pair < steps.random_pairs) Fail("a pair was asked for that is drawn");
  for (const CellKey& cell : steps.Before(pair)) {
    if (rows->second.outcomes.contains(cell) || rows->second.failed.contains(cell)) continue;
    Fail(fmt::format("pair {} was asked for before cell {} was durable", pair.pair, cell.index));
  }
}

// Every call of a cell shows the same trial.
void World::CheckTrial(const LeaseRecord& lease) {
  const auto rows = store_.jobs().find(lease.job);
  if (rows == store_.jobs().end()) return;
  const v1::JobSpecification& specification = *rows->second.record.specification;
  const Steps steps(specification, lease.cell.entry);
  const std::uint32_t scenario = lease.cell.index % steps.scenarios;
  const std::uint32_t pair = lease.cell.index / steps.scenarios / steps.a_pair;
  const bool proposed =
      lease.cell.kind == v1::Cell::CHOICE &&
      specification.entries(lease.cell.entry).choices().design() == v1::Choices::ADAPTIVE &&
      pair >= steps.random_pairs;
  if (proposed != (lease.trial != nullptr)) {
    Fail(fmt::format("cell {} was leased {} a trial", lease.cell.index,
                     proposed ? "without" : "with"));
    return;
  }
  if (!proposed) return;
  const auto found = proposed_.find({lease.job, lease.cell.entry, scenario, pair});
  if (found == proposed_.end() || found->second != lease.trial->SerializeAsString()) {
    Fail(fmt::format("cell {} was leased with another trial than its own", lease.cell.index));
  }
}

}  // namespace candor::engine::simulation
