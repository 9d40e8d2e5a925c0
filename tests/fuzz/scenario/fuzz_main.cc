// libFuzzer's door: build with clang and -DCANDOR_FUZZ=ON, then
//   candor_scenario_fuzz tests/fuzz/scenario/corpus
#include "tests/fuzz/scenario/fuzz_input.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  candor::scenario::FuzzInput({reinterpret_cast<const char*>(data), size});
  return 0;
}
