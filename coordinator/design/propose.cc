#include "coordinator/design/propose.h"

#include "common/scenario/cells.h"
#include "coordinator/design/pair.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace candor::design {
namespace {

StatusOr<v1::ExplicitTrial> Propose(const store::Store& store,
                                    const v1::JobSpecification& specification,
                                    const engine::WantedPair& wanted) {
  if (wanted.entry >= specification.entries_size()) {
    return InvalidArgument("entry {} is none of the job's", wanted.entry);
  }
  const scenario::CellMap cells(specification, wanted.entry, v1::Cell::CHOICE);
  if (wanted.scenario >= cells.scenarios() || wanted.pair >= cells.pairs()) {
    return InvalidArgument("entry {} has no pair {} of scenario {}", wanted.entry, wanted.pair,
                           wanted.scenario);
  }
  std::vector<engine::CellKey> before;
  for (const std::uint32_t index : CellsBefore(cells, wanted.scenario, wanted.pair)) {
    before.push_back({.entry = wanted.entry, .kind = v1::Cell::CHOICE, .index = index});
  }
  CANDOR_ASSIGN_OR_RETURN(std::vector<store::CellResult> results,
                          store.ReadCells(wanted.job, before));
  std::vector<v1::Outcome> outcomes;
  outcomes.reserve(results.size());
  for (store::CellResult& result : results) {
    if (result.outcome && !result.given_up) outcomes.push_back(*std::move(result.outcome));
  }
  const auto index = cells.At(cells.IndexOf(wanted.scenario, 0, 0)).scenario_index;
  const v1::Choices& choices = specification.entries(wanted.entry).choices();
  return NextPair(specification.seed(), specification.scenarios(static_cast<int>(index)),
                  static_cast<std::uint32_t>(std::max(1, choices.adaptive().candidates())),
                  wanted.pair, outcomes);
}

}  // namespace

StatusOr<engine::TrialsProposed> ProposeTrials(const store::Store& store,
                                               const v1::JobSpecification& specification,
                                               std::span<const engine::WantedPair> pairs) {
  engine::TrialsProposed proposed;
  for (const engine::WantedPair& pair : pairs) {
    CANDOR_ASSIGN_OR_RETURN(v1::ExplicitTrial trial, Propose(store, specification, pair));
    proposed.proposals.push_back(
        {pair, std::make_shared<const v1::ExplicitTrial>(std::move(trial))});
  }
  return proposed;
}

}  // namespace candor::design
