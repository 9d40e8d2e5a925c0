// What a job's design can be expected to tell, before a call is paid for.
#pragma once

#include "candor/v1/evaluation_service.pb.h"
#include "candor/v1/job.pb.h"
#include "candor/v1/specification.pb.h"

#include <google/protobuf/repeated_ptr_field.h>

namespace candor::analysis {

// One item an entry that asks for self-reports and has weights to judge them against, by the
// formulas of common/statistics/precision.h; scenarios that the plan leaves out do not count.
google::protobuf::RepeatedPtrField<v1::DesignPrecision> ExpectPrecision(
    const v1::JobSpecification& specification, const v1::AnalysisPlan& plan);

}  // namespace candor::analysis
