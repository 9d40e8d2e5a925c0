// The file of requests that an OpenAI batch begins with.
#pragma once

#include "simulator/batch_run.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {

struct BatchInputError {
  std::string code;
  std::string message;
  std::string param;
  // From 1; 0: of the whole file.
  std::int64_t line = 0;
};

// What a file of requests holds.
struct BatchInput {
  std::vector<BatchLine> lines;
  std::vector<BatchInputError> errors;
  std::string model;
  std::int64_t tokens = 0;
};

// Reads and checks a file, in the words in which a batch's errors are listed. Views point into it.
BatchInput ReadBatchInput(std::string_view text, std::string_view endpoint);

}  // namespace candor::simulator
