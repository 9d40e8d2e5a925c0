// Whether a job asks the same cells as another one, so that an outcome of a cell there is one of
// the same cell here.
#pragma once

#include "candor/v1/specification.pb.h"
#include "common/base/violations.h"

#include <string_view>

namespace candor::service {

// Adds a violation for each way in which `job` differs from `earlier`, which is called
// `earlier_name`: seed, attribute order, entries with their endpoints, models, wording, scenarios
// and designs. Samplings may differ, and trials and reports may be more. Paths are fields of the
// job, such as "job.models[0].model".
void CheckSameDesign(const v1::JobSpecification& job, const v1::JobSpecification& earlier,
                     std::string_view earlier_name, FieldViolations& violations);

}  // namespace candor::service
