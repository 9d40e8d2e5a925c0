// The fuzzer's corpus, its prefixes and mutations of it, without a fuzzer.
#include "common/base/files.h"
#include "common/base/random.h"
#include "tests/fuzz/dialect/answer_fuzz.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace candor::dialect {
namespace {

std::vector<std::string> Corpus() {
  std::vector<std::string> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(CANDOR_SOURCE_DIR "/tests/fuzz/dialect/corpus")) {
    paths.push_back(entry.path().string());
  }
  std::ranges::sort(paths);
  std::vector<std::string> texts;
  for (const std::string& path : paths) {
    StatusOr<std::string> text = ReadFile(path);
    EXPECT_TRUE(text.ok()) << text.status();
    if (text.ok()) texts.push_back(*std::move(text));
  }
  return texts;
}

void Check(const std::string& text) {
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  CheckAnswer(bytes);
}

TEST(AnswerCorpus, HoldsWithEveryPrefix) {
  const std::vector<std::string> corpus = Corpus();
  EXPECT_GE(corpus.size(), 10U);
  for (const std::string& text : corpus) {
    SCOPED_TRACE(text);
    for (std::size_t size = 0; size <= text.size(); ++size) Check(text.substr(0, size));
  }
}

TEST(AnswerCorpus, MutationsHold) {
  const std::string telling = "{}[]\",:\\ \n-+.0123456789smhEe";
  const std::vector<std::string> corpus = Corpus();
  for (std::size_t file = 0; file < corpus.size(); ++file) {
    RandomStream random(/*key=*/20, /*stream=*/file);
    for (int round = 0; round < 500; ++round) {
      std::string text = corpus[file];
      for (std::uint64_t change = random.Below(4) + 1; change > 0; --change) {
        const std::size_t at = random.Below(text.size());
        const char byte = random.Below(2) == 0 ? telling[random.Below(telling.size())]
                                               : static_cast<char>(random.Below(256));
        const std::string& other = corpus[random.Below(corpus.size())];
        switch (random.Below(4)) {
          case 0:
            text[at] = byte;
            break;
          case 1:
            text.insert(at, 1, byte);
            break;
          case 2:
            if (text.size() > 4) text.erase(at, 1 + random.Below(3));
            break;
          default:
            text.insert(at, other.substr(random.Below(other.size() + 1), 20));
        }
        if (text.empty()) text = "0";
      }
      SCOPED_TRACE(text);
      Check(text);
    }
  }
}

}  // namespace
}  // namespace candor::dialect
