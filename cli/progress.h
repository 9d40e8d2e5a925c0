// How a job stands, as lines of text. Pure: the terminal is watch.h's matter.
//
//   jobs/4k9wq0z7m3t8x2ab  first  RUNNING  4,012/8,000  50%  1m40s left
//   base  RUNNING  312.0/s
//     choices       [##########----------]  4,000/6,000   66%  64 in flight  VALID 3,990  REFUSAL
//     10
//                   1.2M tokens in, 32.0k out  spend 1.23
//     self-reports  [##------------------]    212/2,000   10%
//     so far        slope 0.54 [0.47, 0.62], r 0.55, 18 scenarios
#pragma once

#include "candor/v1/evaluation_service.pb.h"

#include <cstddef>
#include <string>
#include <vector>

namespace candor::cli {

struct ProgressStyle {
  // Columns of a line at most, at least 40.
  std::size_t width = 80;
  // ANSI colours.
  bool color = false;
  // Block characters instead of '#' and '-'.
  bool unicode = false;
};

// The job's counts over all entries and kinds.
struct JobTotals {
  std::int64_t total = 0;
  std::int64_t done = 0;
  std::int64_t failed = 0;
  std::int64_t in_flight = 0;
  // Taken over from other jobs, of `done`.
  std::int64_t reused = 0;
  std::int64_t money = 0;
  // The most that calls of unknown fate can have cost.
  std::int64_t unknown_money = 0;
  double rate = 0;
};
JobTotals Totals(const v1::Job& job);

// The whole picture. Without colours no line is wider than `style.width`; colours add no columns.
// `estimates` may be null: nothing is known yet.
std::vector<std::string> RenderProgress(const v1::Job& job,
                                        const google::protobuf::Duration* time_left,
                                        const ProgressStyle& style,
                                        const v1::LiveEstimates* estimates = nullptr);

// The same in one line, for logs and pipes.
std::string RenderProgressLine(const v1::Job& job, const google::protobuf::Duration* time_left,
                               const v1::LiveEstimates* estimates = nullptr);

// What an entry's outcomes say so far: "slope 0.54 [0.47, 0.62], r 0.55, 18 scenarios". Empty while
// they say nothing.
std::string EstimateText(const v1::LiveEstimates::EntryEstimate& estimate);

// The job's analysis plan in words, with the beginning of its hash; no lines without a plan.
std::vector<std::string> RenderPlan(const v1::Job& job, std::size_t width);

// What a message of WatchJob changes in the picture: a snapshot replaces it, a change its
// output-only fields, a heartbeat its state. Estimates stay until others come.
void ApplyUpdate(const v1::WatchJobResponse& update, v1::WatchJobResponse* picture);

bool IsTerminal(v1::Job::State state);

}  // namespace candor::cli
