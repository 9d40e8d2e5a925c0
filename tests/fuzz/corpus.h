// What the tests of all fuzzers' corpora share: reading one, and damaging what is in it.
#pragma once

#include "common/base/files.h"
#include "common/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace candor::fuzz {

// The inputs of tests/fuzz/{room}/corpus, in the order of their names. Fails the test for one that
// cannot be read, and for fewer than `at_least`.
inline std::vector<std::string> ReadCorpus(std::string_view room, std::size_t at_least) {
  const std::string folder = fmt::format("{}/tests/fuzz/{}/corpus", CANDOR_SOURCE_DIR, room);
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    paths.push_back(entry.path().string());
  }
  EXPECT_FALSE(error) << folder << ": " << error.message();
  std::ranges::sort(paths);
  std::vector<std::string> inputs;
  for (const std::string& path : paths) {
    StatusOr<std::string> input = ReadFile(path);
    EXPECT_TRUE(input.ok()) << input.status();
    if (input.ok()) inputs.push_back(*std::move(input));
  }
  EXPECT_GE(inputs.size(), at_least) << folder;
  return inputs;
}

// An input with one to four changes behind its first byte, which says as what it is read: a byte
// replaced, put in or left out, or a piece of another input put in. `telling` are the bytes that
// mean something to the reader; they come up more often than by chance. One byte or none stays.
inline std::string Damage(std::string input, std::string_view telling,
                          const std::vector<std::string>& corpus, RandomStream& random) {
  for (std::uint64_t change = random.Below(4) + 1; change > 0 && input.size() > 1; --change) {
    const std::size_t at = 1 + random.Below(input.size() - 1);
    const char byte = random.Below(2) == 0 ? telling[random.Below(telling.size())]
                                           : static_cast<char>(random.Below(256));
    switch (random.Below(4)) {
      case 0:
        input[at] = byte;
        break;
      case 1:
        input.insert(at, 1, byte);
        break;
      case 2:
        input.erase(at, 1 + random.Below(8));
        break;
      default: {
        const std::string& other = corpus[random.Below(corpus.size())];
        input.insert(at, other.substr(random.Below(other.size() + 1), random.Below(32)));
      }
    }
  }
  return input;
}

// Calls `check` with `rounds` damaged copies of every input; always the same ones.
template <typename Check>
void DamageAll(const std::vector<std::string>& corpus, std::string_view telling, int rounds,
               const Check& check) {
  for (std::size_t i = 0; i < corpus.size(); ++i) {
    RandomStream random(/*key=*/20, /*stream=*/i);
    for (int round = 0; round < rounds; ++round) {
      const std::string input = Damage(corpus[i], telling, corpus, random);
      SCOPED_TRACE(input);
      check(input);
    }
  }
}

}  // namespace candor::fuzz
