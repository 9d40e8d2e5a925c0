// The fuzzer's corpus, its prefixes and damaged copies of it, without a fuzzer.
#include "tests/fuzz/corpus.h"

#include "tests/fuzz/dialect/answer_fuzz.h"

namespace candor::dialect {
namespace {

void Check(const std::string& text) {
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  CheckAnswer(bytes);
}

TEST(AnswerCorpus, HoldsWithEveryPrefix) {
  for (const std::string& text : fuzz::ReadCorpus("dialect", 10)) {
    SCOPED_TRACE(text);
    for (std::size_t size = 0; size <= text.size(); ++size) Check(text.substr(0, size));
  }
}

TEST(AnswerCorpus, DamagedCopiesHold) {
  fuzz::DamageAll(fuzz::ReadCorpus("dialect", 10), "{}[]\",:\\ \n-+.0123456789smhEe", 500, Check);
}

}  // namespace
}  // namespace candor::dialect
