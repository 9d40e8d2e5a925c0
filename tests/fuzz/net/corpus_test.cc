// The fuzzer's corpus as a test, and each of its files cut short at every byte.
#include "tests/fuzz/corpus.h"

#include "tests/fuzz/net/response_fuzz.h"

namespace candor::net {
namespace {

TEST(ResponseCorpusTest, ReadsEveryFile) {
  for (const std::string& bytes : fuzz::ReadCorpus("net", 10)) {
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      FuzzResponse(reinterpret_cast<const std::uint8_t*>(bytes.data()), size);
    }
  }
}

}  // namespace
}  // namespace candor::net
