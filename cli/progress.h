// How a job stands, as lines of text. Pure: the terminal is watch.h's matter.
//
//   jobs/4k9wq0z7m3t8x2ab  first  RUNNING  4,012/8,000  50%  1m40s left
//   base  RUNNING  312.0/s
//     choices       [##########----------]  4,000/6,000   66%  64 in flight  VALID 3,990  REFUSAL
//     10
//                   1.2M tokens in, 32.0k out  spend 1.23
//     self-reports  [--------------------]     12/2,000    0%
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
  std::int64_t money = 0;
  double rate = 0;
};
JobTotals Totals(const v1::Job& job);

// The whole picture. Without colours no line is wider than `style.width`; colours add no columns.
std::vector<std::string> RenderProgress(const v1::Job& job,
                                        const google::protobuf::Duration* time_left,
                                        const ProgressStyle& style);

// The same in one line, for logs and pipes.
std::string RenderProgressLine(const v1::Job& job, const google::protobuf::Duration* time_left);

// What a message of WatchJob changes in the picture: a snapshot replaces it, a change its
// output-only fields, a heartbeat its state.
void ApplyUpdate(const v1::WatchJobResponse& update, v1::WatchJobResponse* picture);

bool IsTerminal(v1::Job::State state);

}  // namespace candor::cli
