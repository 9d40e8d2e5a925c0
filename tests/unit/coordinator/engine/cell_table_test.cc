#include "coordinator/engine/cell_table.h"

#include "common/base/random.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <vector>

namespace candor::engine {
namespace {

using Place = CellTable::Place;
constexpr TimePoint kNow{std::chrono::seconds(1)};

TEST(CellTableTest, FreshCellsGoInOrder) {
  CellTable cells(130);
  std::uint32_t index = 0;
  for (std::uint32_t expected = 0; expected < 130; ++expected) {
    ASSERT_TRUE(cells.Take(kNow, &index));
    ASSERT_EQ(index, expected);
  }
  EXPECT_FALSE(cells.Take(kNow, &index));
  EXPECT_EQ(cells.leased(), 130U);
  EXPECT_EQ(cells.pending(), 0U);
}

TEST(CellTableTest, WhatComesBackGoesFirstOnceItIsReady) {
  CellTable cells(3);
  std::uint32_t index = 0;
  cells.Take(kNow, &index);
  cells.Know(0).failures = 1;
  cells.Return(0, kNow + std::chrono::seconds(5), false);
  EXPECT_EQ(cells.NextReady(), kNow + std::chrono::seconds(5));
  ASSERT_TRUE(cells.Take(kNow, &index));
  EXPECT_EQ(index, 1U);
  ASSERT_TRUE(cells.Take(kNow + std::chrono::seconds(5), &index));
  EXPECT_EQ(index, 0U);
  ASSERT_NE(cells.Find(0), nullptr);
  EXPECT_EQ(cells.Find(0)->failures, 1);
}

TEST(CellTableTest, AloneCellsGoOnlyAlone) {
  CellTable cells(1);
  std::uint32_t index = 0;
  cells.Take(kNow, &index);
  cells.Return(0, kNow, true);
  EXPECT_FALSE(cells.Take(kNow, &index));
  EXPECT_TRUE(cells.HasAlone(kNow));
  EXPECT_TRUE(cells.TakeAlone(kNow, &index));
  EXPECT_FALSE(cells.HasAlone(kNow));
}

TEST(CellTableTest, AnOutcomeTakesACellFromWhereverItIs) {
  CellTable cells(5);
  std::uint32_t index = 0;
  for (int i = 0; i < 4; ++i) cells.Take(kNow, &index);
  cells.Return(0, kNow, false);
  cells.MarkTentative(1);
  cells.MarkFailed(2);
  for (std::uint32_t i = 0; i < 5; ++i) cells.MarkDone(i);
  EXPECT_EQ(cells.done(), 5U);
  EXPECT_EQ(cells.failed(), 0U);
  EXPECT_EQ(cells.pending(), 0U);
  EXPECT_EQ(cells.leased(), 0U);
  EXPECT_FALSE(cells.HasReady(kNow));
}

TEST(CellTableTest, TentativeCellsComeBackOrAreGivenUp) {
  CellTable cells(2);
  std::uint32_t index = 0;
  cells.Take(kNow, &index);
  cells.Take(kNow, &index);
  cells.MarkTentative(0);
  cells.MarkTentative(1);
  EXPECT_EQ(cells.pending(), 2U);
  cells.ReturnTentative(kNow);
  EXPECT_TRUE(cells.Take(kNow, &index));
  cells.MarkTentative(index);
  EXPECT_EQ(cells.GiveUpTentative(), std::vector<std::uint32_t>{0});
  EXPECT_EQ(cells.failed(), 1U);
  EXPECT_EQ(cells.At(0), Place::kFailed);
}

TEST(CellTableTest, CellsOpenedOneByOneGoInThatOrder) {
  CellTable cells(100, CellTable::Opening::kOneByOne);
  std::uint32_t index = 0;
  EXPECT_FALSE(cells.HasReady(kNow));
  EXPECT_FALSE(cells.Take(kNow, &index));
  EXPECT_EQ(cells.pending(), 100U);
  EXPECT_EQ(cells.closed(), 100U);
  for (const std::uint32_t opened : {70U, 3U, 42U}) cells.Open(opened);
  EXPECT_TRUE(cells.HasReady(kNow));
  EXPECT_EQ(cells.closed(), 97U);
  // An open cell and a closed one get their outcomes before they were taken.
  cells.MarkDone(3);
  cells.MarkDone(50);
  EXPECT_EQ(cells.closed(), 96U);
  ASSERT_TRUE(cells.Take(kNow, &index));
  EXPECT_EQ(index, 70U);
  ASSERT_TRUE(cells.Take(kNow, &index));
  EXPECT_EQ(index, 42U);
  EXPECT_FALSE(cells.Take(kNow, &index));
  // What comes back is open.
  cells.Return(70, kNow, false);
  ASSERT_TRUE(cells.Take(kNow, &index));
  EXPECT_EQ(index, 70U);
  EXPECT_EQ(cells.pending(), 96U);
  EXPECT_EQ(cells.leased(), 2U);
}

TEST(CellTableTest, RestoringRefusesWhatIsOutOfRangeOrTwice) {
  CellTable cells(10);
  EXPECT_TRUE(cells.RestoreDone(3));
  EXPECT_FALSE(cells.RestoreDone(3));
  EXPECT_FALSE(cells.RestoreDone(10));
  EXPECT_TRUE(cells.RestoreFailed(4));
  EXPECT_TRUE(cells.RestoreLeased(5));
  CellTable::Tried known;
  known.failures = 2;
  EXPECT_TRUE(cells.RestoreTried(5, known, false, kNow));
  EXPECT_TRUE(cells.RestoreTried(6, known, false, kNow));
  EXPECT_FALSE(cells.RestoreTried(3, known, false, kNow));
  EXPECT_EQ(cells.At(4), Place::kFailed);
  EXPECT_EQ(cells.At(5), Place::kLeased);
  EXPECT_EQ(cells.At(6), Place::kQueued);
  EXPECT_EQ(cells.pending(), 7U);
  EXPECT_EQ(cells.leased(), 1U);
}

// Random steps beside a map that says where each cell is.
TEST(CellTableTest, AgreesWithAModel) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    RandomStream random(seed);
    const auto size = static_cast<std::uint32_t>(1 + random.Below(200));
    CellTable cells(size);
    std::map<std::uint32_t, Place> model;
    for (std::uint32_t i = 0; i < size; ++i) model[i] = Place::kFresh;
    TimePoint now = kNow;
    for (int step = 0; step < 3000; ++step) {
      now += Duration(random.Below(1000));
      const auto cell = static_cast<std::uint32_t>(random.Below(size));
      const bool leased = model[cell] == Place::kLeased;
      std::uint32_t index = 0;
      switch (random.Below(7)) {
        case 0:
        case 1:
          if (cells.Take(now, &index)) {
            ASSERT_TRUE(model[index] == Place::kFresh || model[index] == Place::kQueued);
            model[index] = Place::kLeased;
          }
          break;
        case 2:
          if (cells.TakeAlone(now, &index)) {
            ASSERT_EQ(model[index], Place::kQueued);
            model[index] = Place::kLeased;
          }
          break;
        case 3:
          if (leased) {
            cells.Know(cell).failures += 1;
            cells.Return(cell, now + Duration(random.Below(5000)), random.Uniform() < 0.2);
            model[cell] = Place::kQueued;
          }
          break;
        case 4:
          if (leased && random.Uniform() < 0.2) {
            cells.MarkTentative(cell);
            model[cell] = Place::kTentative;
          }
          break;
        case 5:
          if (model[cell] != Place::kDone && random.Uniform() < 0.1) {
            cells.MarkDone(cell);
            model[cell] = Place::kDone;
          }
          break;
        default:
          if (leased && random.Uniform() < 0.05) {
            cells.MarkFailed(cell);
            model[cell] = Place::kFailed;
          }
          break;
      }
      std::map<Place, std::uint64_t> counts;
      for (const auto& [number, place] : model) {
        ++counts[place];
        ASSERT_EQ(cells.At(number), place) << number;
      }
      ASSERT_EQ(cells.done(), counts[Place::kDone]);
      ASSERT_EQ(cells.failed(), counts[Place::kFailed]);
      ASSERT_EQ(cells.leased(), counts[Place::kLeased]);
    }
  }
}

}  // namespace
}  // namespace candor::engine
