// A job as a log that Inspect (inspect_ai) reads: EvalLog of version 2 as JSON. Pure.
//
//   InspectLog log(exported, scope);
//   file.Append(log.Head());
//   for (const v1::Outcome& outcome : outcomes) file.Append(*log.Sample(outcome));
//   file.Append(log.Tail());
//
// A sample is a cell with its outcome: the prompt as it was rendered, the reply, and the score
// "readable", 1 or 0, with the class and what was read. Repetitions of a prompt are epochs. The
// target is what fine-tuning tried to teach, where a scenario has instilled weights: the weights,
// or the option that they make the better one. Everything of an outcome is there, in `metadata`
// where Inspect has no field of its own. The head comes first and is complete, so that readers of
// headers alone need not read samples.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "cli/export_read.h"
#include "common/base/status.h"
#include "common/scenario/prompt.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace candor::cli {

// What one log is about.
struct InspectScope {
  // Position of the entry in the specification; absent: all of the job.
  std::optional<int> entry;
  // With an entry: of which kind.
  v1::Cell::Kind kind = v1::Cell::CHOICE;
};

class InspectLog {
 public:
  // `exported` must outlive the log. INVALID_ARGUMENT when a wording of the job is none.
  static StatusOr<InspectLog> Create(const ExportedJob& exported, const InspectScope& scope,
                                     std::string version);

  // Everything before the first sample.
  std::string Head() const;
  // One sample, with the comma before it unless it is the first. DATA_LOSS for an outcome that is
  // none of the job's.
  StatusOr<std::string> Sample(const v1::Outcome& outcome);
  std::string Tail() const { return "\n  ]\n}\n"; }

 private:
  InspectLog(const ExportedJob& exported, const InspectScope& scope, std::string version)
      : exported_(exported), scope_(scope), version_(std::move(version)) {}

  const ExportedJob& exported_;
  InspectScope scope_;
  std::string version_;
  std::map<std::string, int> entries_;
  std::map<std::string, const v1::Scenario*> scenarios_;
  // By entry, choice and self-report.
  std::vector<std::pair<scenario::PromptRenderer, scenario::PromptRenderer>> prompts_;
  std::vector<std::string> contents_;  // reused
  bool first_ = true;
};

}  // namespace candor::cli
