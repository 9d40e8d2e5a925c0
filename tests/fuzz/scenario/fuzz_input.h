// What is fuzzed: the readers of files that people bring.
#pragma once

#include <string_view>

namespace candor::scenario {

// Reads `input`, a byte that says as what and then the text:
//   's' a scenario file; what parses must print and parse to the same set
//   'i' an import, the roles after the first NUL
//   'g' what generation takes, candidates, roles and prompts with NULs between: all files or none,
//       tables and lines of chats that are such
//   'p' a prompt template, in text format; what is valid must render within its estimate
//   'j' a job, in text format; what resolves must have cells that number both ways
// Aborts when one of these does not hold. Anything else is ignored.
void FuzzInput(std::string_view input);

}  // namespace candor::scenario
