// The fuzzer's corpus, its prefixes and damaged copies of it, without a fuzzer.
#include "tests/fuzz/corpus.h"

#include "tests/fuzz/reply/reply_fuzz.h"

namespace candor::reply {
namespace {

void Check(const std::string& text) {
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  CheckReply(bytes);
}

TEST(ReplyCorpus, Holds) {
  for (const std::string& text : fuzz::ReadCorpus("reply", 30)) {
    SCOPED_TRACE(text);
    Check(text);
  }
}

TEST(ReplyCorpus, EveryPrefixHolds) {
  for (const std::string& text : fuzz::ReadCorpus("reply", 30)) {
    for (const char how : {'0', '1'}) {
      for (std::size_t size = 1; size <= text.size(); ++size) Check(how + text.substr(1, size - 1));
    }
  }
}

TEST(ReplyCorpus, DamagedCopiesHold) {
  fuzz::DamageAll(fuzz::ReadCorpus("reply", 30), "{}[]\",:'\\/*#`=AaBb \n-+.%0", 300, Check);
}

}  // namespace
}  // namespace candor::reply
