// The fuzzer's corpus as a test, and each of its files cut short at every byte.
#include "tests/fuzz/net/response_fuzz.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace candor::net {
namespace {

TEST(ResponseCorpusTest, ReadsEveryFile) {
  int files = 0;
  const std::filesystem::path corpus =
      std::filesystem::path(CANDOR_SOURCE_DIR) / "tests/fuzz/net/corpus";
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    std::ifstream stream(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      FuzzResponse(reinterpret_cast<const std::uint8_t*>(bytes.data()), size);
    }
    ++files;
  }
  EXPECT_GE(files, 10);
}

}  // namespace
}  // namespace candor::net
