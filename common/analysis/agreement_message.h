// What the statistics found, as messages. Private to the room.
#pragma once

#include "candor/v1/analysis.pb.h"
#include "common/analysis/pairing.h"
#include "common/statistics/agreement.h"
#include "common/statistics/contrast.h"

#include <optional>

namespace candor::analysis {

v1::Interval IntervalMessage(const statistics::Interval& interval);
v1::Line LineMessage(const statistics::TreatedLine& treated);

// One comparison, measured: everything but what is counted outside of it (classes, replies of
// choices) and the lines with other weights. `paired` as it is before reports beyond the scale were
// treated. With `with_scenarios` also per scenario.
v1::Agreement AgreementMessage(const Study& study, const Comparison& comparison,
                               const Paired& paired, const statistics::AgreementOptions& options,
                               bool with_scenarios);

v1::Contrast ContrastMessage(const statistics::ContrastResult& result,
                             const statistics::BootstrapOptions& options);

}  // namespace candor::analysis
