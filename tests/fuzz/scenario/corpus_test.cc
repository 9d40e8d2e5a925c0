// The corpus, run without a fuzzer: as it is, and damaged.
#include "tests/fuzz/corpus.h"

#include "tests/fuzz/scenario/fuzz_input.h"

namespace candor::scenario {
namespace {

using namespace std::string_view_literals;

TEST(ScenarioFuzz, HoldsOnTheCorpus) {
  for (const std::string& input : fuzz::ReadCorpus("scenario", 15)) FuzzInput(input);
}

TEST(ScenarioFuzz, HoldsOnADamagedCorpus) {
  fuzz::DamageAll(fuzz::ReadCorpus("scenario", 15), "{}[]\",:\\\n\r\0 -.e9\xff\xc3"sv, 200,
                  [](const std::string& input) { FuzzInput(input); });
}

}  // namespace
}  // namespace candor::scenario
