// The fuzzer's corpus, its prefixes and damaged copies of it, without a fuzzer.
#include "tests/fuzz/corpus.h"

#include "tests/fuzz/analysis/study_fuzz.h"

namespace candor::analysis {
namespace {

TEST(StudyCorpus, Holds) {
  for (const std::string& input : fuzz::ReadCorpus("analysis", 20)) {
    SCOPED_TRACE(input);
    CheckStudyInput(input);
  }
}

TEST(StudyCorpus, EveryPrefixOfALineHolds) {
  for (const std::string& input : fuzz::ReadCorpus("analysis", 20)) {
    if (!input.starts_with('l')) continue;
    SCOPED_TRACE(input);
    for (std::size_t size = 0; size <= input.size(); ++size) {
      CheckStudyInput(input.substr(0, size));
    }
  }
}

TEST(StudyCorpus, DamagedCopiesHold) {
  fuzz::DamageAll(fuzz::ReadCorpus("analysis", 20), "{}[]\",:\\\r\n -.e019\xFF\xC3", 40,
                  [](const std::string& input) { CheckStudyInput(input); });
}

}  // namespace
}  // namespace candor::analysis
