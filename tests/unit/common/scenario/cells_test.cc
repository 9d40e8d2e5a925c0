#include "common/scenario/cells.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <tuple>

namespace candor::scenario {
namespace {

v1::JobSpecification Specification(int trials, v1::Choices::Orders orders, int samples) {
  v1::JobSpecification specification;
  for (int i = 0; i < 5; ++i) specification.add_scenarios();
  v1::ResolvedEntry* entry = specification.add_entries();
  for (const std::uint32_t position : {4U, 0U, 2U}) entry->add_scenario_indexes(position);
  entry->mutable_choices()->set_trials_per_scenario(trials);
  entry->mutable_choices()->set_orders(orders);
  entry->mutable_choices()->set_samples_per_trial(samples);
  entry->mutable_self_reports()->set_reports_per_scenario(7);
  return specification;
}

TEST(CellMap, CountsTheScenarioFastestAndTheTrialSlowest) {
  const auto specification = Specification(4, v1::Choices::ONE, 2);
  const CellMap cells(specification, 0, v1::Cell::CHOICE);
  ASSERT_EQ(cells.size(), 24U);
  EXPECT_EQ(cells.At(0), (CellAddress{4, 0, 0, 0, 0, 0}));
  EXPECT_EQ(cells.At(1), (CellAddress{0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(cells.At(2), (CellAddress{2, 2, 0, 0, 0, 0}));
  EXPECT_EQ(cells.At(3), (CellAddress{4, 0, 0, 0, 0, 1}));
  EXPECT_EQ(cells.At(6), (CellAddress{4, 0, 1, 1, 0, 0}));
  EXPECT_EQ(cells.At(23), (CellAddress{2, 2, 3, 3, 0, 1}));
}

TEST(CellMap, BothOrdersOfAPairAreNeighbouringTrials) {
  const auto specification = Specification(4, v1::Choices::BOTH, 1);
  const CellMap cells(specification, 0, v1::Cell::CHOICE);
  EXPECT_EQ(cells.pairs(), 2U);
  EXPECT_EQ(cells.At(0), (CellAddress{4, 0, 0, 0, 0, 0}));
  EXPECT_EQ(cells.At(3), (CellAddress{4, 0, 1, 0, 1, 0}));
  EXPECT_EQ(cells.At(6), (CellAddress{4, 0, 2, 1, 0, 0}));
  EXPECT_EQ(cells.At(9), (CellAddress{4, 0, 3, 1, 1, 0}));
}

TEST(CellMap, SelfReportsHaveAPairEach) {
  const auto specification = Specification(4, v1::Choices::BOTH, 3);
  const CellMap cells(specification, 0, v1::Cell::SELF_REPORT);
  ASSERT_EQ(cells.size(), 21U);
  EXPECT_EQ(cells.At(20), (CellAddress{2, 2, 6, 6, 0, 0}));
}

TEST(CellMap, IsABijection) {
  for (const auto orders : {v1::Choices::ONE, v1::Choices::BOTH}) {
    const auto specification = Specification(10, orders, 3);
    const CellMap cells(specification, 0, v1::Cell::CHOICE);
    std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>> seen;
    for (std::uint32_t index = 0; index < cells.size(); ++index) {
      const CellAddress address = cells.At(index);
      ASSERT_EQ(cells.IndexOf(address), index);
      EXPECT_LT(address.pair, cells.pairs());
      seen.emplace(address.scenario_index, address.pair, address.order, address.sample);
    }
    EXPECT_EQ(seen.size(), cells.size());
  }
}

TEST(CellMap, MoreTrialsOnlyAppend) {
  const auto few = Specification(4, v1::Choices::ONE, 2);
  const auto many = Specification(40, v1::Choices::ONE, 2);
  const CellMap a(few, 0, v1::Cell::CHOICE);
  const CellMap b(many, 0, v1::Cell::CHOICE);
  for (std::uint32_t index = 0; index < a.size(); ++index) EXPECT_EQ(a.At(index), b.At(index));
}

TEST(CellMap, HoldsTheLargestTable) {
  auto specification = Specification(1'431'655'765, v1::Choices::ONE, 1);
  const CellMap cells(specification, 0, v1::Cell::CHOICE);
  ASSERT_EQ(cells.size(), 4'294'967'295U);
  const CellAddress last = cells.At(4'294'967'294U);
  EXPECT_EQ(last, (CellAddress{2, 2, 1'431'655'764, 1'431'655'764, 0, 0}));
  EXPECT_EQ(cells.IndexOf(last), 4'294'967'294U);
}

TEST(CellMap, IsEmptyWhenNothingIsAsked) {
  EXPECT_EQ(CellMap().size(), 0U);
  const auto specification = Specification(0, v1::Choices::ONE, 1);
  EXPECT_EQ(CellMap(specification, 0, v1::Cell::CHOICE).size(), 0U);
}

}  // namespace
}  // namespace candor::scenario
