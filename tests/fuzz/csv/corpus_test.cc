// The fuzzer's corpus, its prefixes and damaged copies of it, without a fuzzer.
#include "tests/fuzz/corpus.h"

#include "tests/fuzz/csv/csv_fuzz.h"

namespace candor {
namespace {

using namespace std::string_view_literals;

TEST(CsvCorpus, HoldsWithEveryPrefix) {
  for (const std::string& input : fuzz::ReadCorpus("csv", 15)) {
    SCOPED_TRACE(input);
    for (std::size_t size = 0; size <= input.size(); ++size) CheckCsv(input.substr(0, size));
  }
}

TEST(CsvCorpus, DamagedCopiesHold) {
  fuzz::DamageAll(fuzz::ReadCorpus("csv", 15), "\",\n\r\0 -.e9\xFF\xC3\xEF"sv, 500,
                  [](const std::string& input) { CheckCsv(input); });
}

}  // namespace
}  // namespace candor
