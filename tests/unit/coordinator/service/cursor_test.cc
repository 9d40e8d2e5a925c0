#include "coordinator/service/cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::service {
namespace {

TEST(Cursor, ComesBackAsItWas) {
  for (const std::uint64_t position : {std::uint64_t{1}, std::uint64_t{4096}, ~std::uint64_t{0}}) {
    EXPECT_EQ(*ParseNumberCursor(PrintCursor("outcomes:COMMIT:jobs/a", position),
                                 "outcomes:COMMIT:jobs/a"),
              position);
  }
  EXPECT_EQ(*ParseCursor(PrintCursor("workers", "workers/ä b"), "workers"), "workers/ä b");
}

TEST(Cursor, AnEmptyOneIsTheBeginning) { EXPECT_EQ(*ParseNumberCursor("", "outcomes"), 0U); }

TEST(Cursor, OfAnotherSequenceIsRefused) {
  const std::string cursor = PrintCursor("outcomes:COMMIT:jobs/a", 7);
  EXPECT_TRUE(
      absl::IsInvalidArgument(ParseNumberCursor(cursor, "outcomes:COMMIT:jobs/b").status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(ParseNumberCursor(cursor, "outcomes:CANONICAL:jobs/a").status()));
}

TEST(Cursor, ChangedOnesAreRefused) {
  const std::string cursor = PrintCursor("outcomes", 123456);
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    std::string changed = cursor;
    changed[i] = changed[i] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(ParseNumberCursor(changed, "outcomes").ok()) << changed;
    EXPECT_FALSE(ParseNumberCursor(cursor.substr(0, i), "outcomes").ok() && i > 0) << i;
  }
  EXPECT_FALSE(ParseNumberCursor(std::string(10'000, 'a'), "outcomes").ok());
  EXPECT_FALSE(ParseNumberCursor(PrintCursor("outcomes", "no number"), "outcomes").ok());
}

}  // namespace
}  // namespace candor::service
