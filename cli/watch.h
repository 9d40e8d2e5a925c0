// Watching a job: redrawn in place in a terminal, a line every 10 s elsewhere.
#pragma once

#include "cli/commands.h"

namespace candor::cli {

// Until the job ends: 0 for SUCCEEDED, 3 for other ends; 130 when interrupted, which leaves the job
// alone. A coordinator that goes away is waited for, and said so once; when none is there from the
// start that is an error.
StatusOr<int> WatchJob(Context& context, const std::string& job);

}  // namespace candor::cli
