// The chooser-by-reporter matrix of a study. Private to the room.
#pragma once

#include "candor/v1/analysis.pb.h"
#include "common/analysis/pairing.h"
#include "common/analysis/study.h"
#include "common/statistics/bootstrap.h"

#include <vector>

namespace candor::analysis {

// Sets `privileged_access` when at least two participants have weights and one of them reports;
// otherwise leaves it out with a line, where there are several participants at all. `fits` are as
// long as the study's choosers.
void FillPrivilegedAccess(const Study& study, const std::vector<ChooserFits>& fits,
                          const statistics::BootstrapOptions& options, v1::Analysis* analysis);

}  // namespace candor::analysis
