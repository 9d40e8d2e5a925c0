// The pairs of an adaptive design: which trial a scenario is asked next, as a pure function of
// (seed, scenario, pair, answers to all earlier pairs).
//
//   std::vector<std::uint32_t> cells = CellsBefore(map, /*scenario_ordinal=*/3, /*pair=*/7);
//   ... outcomes of those cells, in that order, without cells that were given up ...
//   v1::ExplicitTrial trial = NextPair(seed, scenario, /*candidates=*/64, /*pair=*/7, outcomes);
//
// method.md, section 5: of random candidates (scenario/trial.h, item 7) the one that the choice
// model expects to learn most from (statistics/adaptive.h), with the weights' prior sd 1. Answers
// are read as the analysis reads them: the probability of A where log-probabilities came along,
// else the letter; the samples of a trial count once, as their mean; replies that are no choice
// count for nothing.
//
// The same answers give the same pair, on any machine and in any order of arrival. So a proposal
// needs no record: whoever works it out again gets it again.
#pragma once

#include "candor/v1/cell.pb.h"
#include "candor/v1/outcome.pb.h"
#include "candor/v1/scenario.pb.h"
#include "common/scenario/cells.h"

#include <cstdint>
#include <span>
#include <vector>

namespace candor::design {

// The cells of all earlier pairs of a scenario, both orders and all samples, in ascending order.
// `cells` are those of an entry's choices.
std::vector<std::uint32_t> CellsBefore(const scenario::CellMap& cells,
                                       std::uint32_t scenario_ordinal, std::uint32_t pair);

// The values of both options, before any order. `outcomes` are those of CellsBefore, in any order;
// one that does not fit the scenario counts for nothing. `candidates` is at least 1. Takes about 50
// microseconds for 50 answers and 64 candidates. May be called from any thread.
//
// Should the model not fit, which no data are known to bring about, it is the first candidate.
v1::ExplicitTrial NextPair(std::uint64_t seed, const v1::Scenario& scenario,
                           std::uint32_t candidates, std::uint32_t pair,
                           std::span<const v1::Outcome> outcomes);

}  // namespace candor::design
