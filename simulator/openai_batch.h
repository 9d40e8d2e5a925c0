// A batch of OpenAI's API, and its JSON.
#pragma once

#include "simulator/batch_run.h"
#include "simulator/openai_batch_input.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {

struct OpenAiBatch {
  std::string id;
  std::string input_file;
  std::string endpoint;
  std::string window;
  // As it came, an object or null.
  std::string metadata;
  std::string model;
  std::vector<BatchInputError> errors;
  std::int64_t enqueued_tokens = 0;
  std::unique_ptr<BatchRun> run;
  std::string output_file;
  std::string error_file;
  bool files_written = false;

  bool failed() const { return !errors.empty() && run->phase() != BatchRun::Phase::kValidating; }
  bool ended() const { return failed() || run->phase() == BatchRun::Phase::kEnded; }
};

// "validating", "in_progress", ...
std::string_view StatusOf(const OpenAiBatch& batch);
// The batch object, as of the last time that its run was advanced.
std::string PrintBatch(const OpenAiBatch& batch);

}  // namespace candor::simulator
