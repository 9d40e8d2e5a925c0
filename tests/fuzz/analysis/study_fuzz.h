// One input of the fuzzer: what must hold for any files that are analysed.
#pragma once

#include <string_view>

namespace candor::analysis {

// Reads `input`, a byte that says as what and then the text:
//   'l' a line of outcomes.jsonl; the whole and any pieces come out alike, an error has a text
//   'x' an export: job.json, scenarios.json and outcomes.jsonl with NULs between
//   '0' .. '7' one file of the paper's folder (scenarios, instilled weights, choices, native
//       choices, published weights, reports, native reports, reports of one half), beside others
//       that are well-formed
// A study has numbers that are finite and as many as it says; rows kept out are counted, each with
// file, line and reason; an error names the folder. Aborts when one of these does not hold.
void CheckStudyInput(std::string_view input);

}  // namespace candor::analysis
