// The corpus, run without a fuzzer: as it is, and with seeded damage.
#include "common/base/files.h"
#include "common/base/random.h"
#include "tests/fuzz/scenario/fuzz_input.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace candor::scenario {
namespace {

std::vector<std::string> Corpus() {
  std::vector<std::string> paths;
  for (const auto& file : std::filesystem::directory_iterator(std::string(CANDOR_SOURCE_DIR) +
                                                              "/tests/fuzz/scenario/corpus")) {
    paths.push_back(file.path().string());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const std::string& path : paths) {
    auto text = ReadFile(path);
    EXPECT_TRUE(text.ok()) << text.status();
    if (text.ok()) inputs.push_back(*std::move(text));
  }
  return inputs;
}

TEST(ScenarioFuzz, HoldsOnTheCorpus) {
  const auto inputs = Corpus();
  EXPECT_GE(inputs.size(), 15U);
  for (const std::string& input : inputs) FuzzInput(input);
}

TEST(ScenarioFuzz, HoldsOnADamagedCorpus) {
  RandomStream random(20'250'101);
  const std::string spice = "{}[]\",:\\\n\r\0 -.e9\xff\xc3";
  for (const std::string& input : Corpus()) {
    for (int round = 0; round < 200; ++round) {
      std::string damaged = input;
      for (std::uint64_t i = 1 + random.Below(4); i > 0 && damaged.size() > 1; --i) {
        const std::size_t at = 1 + random.Below(damaged.size() - 1);
        switch (random.Below(4)) {
          case 0:
            damaged.erase(at, 1 + random.Below(8));
            break;
          case 1:
            damaged.insert(at, 1, spice[random.Below(spice.size())]);
            break;
          case 2:
            damaged[at] = static_cast<char>(random.Below(256));
            break;
          default:
            damaged.insert(at, damaged, at, random.Below(32));
            break;
        }
      }
      FuzzInput(damaged);
    }
  }
}

}  // namespace
}  // namespace candor::scenario
