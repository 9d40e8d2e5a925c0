// The fuzzer's corpus and mutations of it, without a fuzzer.
#include "common/base/files.h"
#include "common/base/random.h"
#include "tests/fuzz/reply/reply_fuzz.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace candor::reply {
namespace {

std::vector<std::string> Corpus() {
  std::vector<std::string> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(CANDOR_SOURCE_DIR "/tests/fuzz/reply/corpus")) {
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
  CheckReply(bytes);
}

TEST(ReplyCorpus, Holds) {
  const std::vector<std::string> corpus = Corpus();
  EXPECT_GE(corpus.size(), 30U);
  for (const std::string& text : corpus) {
    SCOPED_TRACE(text);
    Check(text);
  }
}

TEST(ReplyCorpus, EveryPrefixHolds) {
  for (const std::string& text : Corpus()) {
    for (const char how : {'0', '1'}) {
      for (std::size_t size = 1; size <= text.size(); ++size) Check(how + text.substr(1, size - 1));
    }
  }
}

TEST(ReplyCorpus, MutationsHold) {
  // Bytes that mean something to a reader come up more often than by chance.
  const std::string telling = "{}[]\",:'\\/*#`=AaBb \n-+.%0";
  const std::vector<std::string> corpus = Corpus();
  for (std::size_t file = 0; file < corpus.size(); ++file) {
    RandomStream random(/*key=*/20, /*stream=*/file);
    for (int round = 0; round < 300; ++round) {
      std::string text = corpus[file];
      for (std::uint64_t change = random.Below(4) + 1; change > 0 && text.size() > 1; --change) {
        const std::size_t at = 1 + random.Below(text.size() - 1);
        const char byte = random.Below(2) == 0 ? telling[random.Below(telling.size())]
                                               : static_cast<char>(random.Below(256));
        switch (random.Below(4)) {
          case 0:
            text[at] = byte;
            break;
          case 1:
            text.insert(at, 1, byte);
            break;
          case 2:
            text.erase(at, 1 + random.Below(3));
            break;
          default: {
            const std::string& other = corpus[random.Below(corpus.size())];
            text.insert(at, other.substr(random.Below(other.size() + 1), 20));
          }
        }
      }
      SCOPED_TRACE(text);
      Check(text);
    }
  }
}

}  // namespace
}  // namespace candor::reply
