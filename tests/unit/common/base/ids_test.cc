#include "common/base/ids.h"

#include <gtest/gtest.h>

#include <set>

namespace candor {
namespace {

TEST(SystemIdGenerator, MakesDistinctNamesOfSixteenPlainCharacters) {
  SystemIdGenerator ids;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = ids.Next();
    EXPECT_EQ(id.size(), 16U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz"), std::string::npos) << id;
    EXPECT_TRUE(seen.insert(id).second) << id;
  }
}

TEST(SequentialIds, CountInBase32) {
  SequentialIds ids;
  EXPECT_EQ(ids.Next(), "0000000000000001");
  for (int i = 2; i < 33; ++i) ids.Next();
  EXPECT_EQ(ids.Next(), "0000000000000011");
}

}  // namespace
}  // namespace candor
