#include "common/scenario/catalogue.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

// The bytes of data/catalogue/builtin.json, as the assembler reads them: the build names the file,
// and compiles this again when it changes.
__asm__(
    ".pushsection .rodata\n"
    ".global candor_builtin_catalogue_begin\n"
    ".hidden candor_builtin_catalogue_begin\n"
    ".global candor_builtin_catalogue_end\n"
    ".hidden candor_builtin_catalogue_end\n"
    "candor_builtin_catalogue_begin:\n"
    ".incbin \"" CANDOR_BUILTIN_CATALOGUE
    "\"\n"
    "candor_builtin_catalogue_end:\n"
    ".popsection\n");
extern "C" {
extern const char candor_builtin_catalogue_begin[];
extern const char candor_builtin_catalogue_end[];
}

namespace candor::scenario {

const v1::ScenarioSet& BuiltinScenarioSet() {
  static const v1::ScenarioSet* const set = [] {
    // Two symbols, one array: the end is taken as a number, since it belongs to no array of its
    // own.
    const auto size = reinterpret_cast<std::uintptr_t>(candor_builtin_catalogue_end) -
                      reinterpret_cast<std::uintptr_t>(candor_builtin_catalogue_begin);
    auto parsed = ParseScenarioSet({candor_builtin_catalogue_begin, size});
    if (!parsed.ok()) {
      // A broken build, which the unit tests catch: there is nothing to run with.
      std::fprintf(stderr, "the built-in catalogue is broken: %s\n",
                   Message(parsed.status()).c_str());
      std::abort();
    }
    auto* made = new v1::ScenarioSet(*std::move(parsed));  // kept for the life of the program
    made->set_built_in(true);
    return made;
  }();
  return *set;
}

}  // namespace candor::scenario
