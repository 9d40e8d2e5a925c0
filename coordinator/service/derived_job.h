// Jobs made from other jobs: longer ones, and ones that ask again.
#pragma once

#include "candor/v1/evaluation_service.pb.h"
#include "candor/v1/job.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/base/status.h"
#include "common/base/violations.h"
#include "coordinator/engine/records.h"

#include <span>
#include <string>
#include <vector>

namespace candor::service {

// Jobs that one may name in `reuse_from`.
inline constexpr int kMaxReuseSources = 16;

// `job` with the request's trials and reports, which takes over what `job` has, and what those of
// its own sources have that are `present` still. A job that asked some of its cells in another way
// (retry_of) is taken over cell by cell, so that none of them is asked again. Paths of violations
// are fields of the request.
v1::Job ExtendedJob(const v1::Job& job, const v1::ExtendJobRequest& request,
                    const std::vector<std::string>& present, FieldViolations& violations);

// `job` with retry_of, and the request's sampling where cells are asked again: in the entries that
// it names. CheckSources finds what is wrong with it.
v1::Job RetriedJob(const v1::Job& job, const v1::RetryJobRequest& request);

// Whether `made` is what the request made: then the request, applied to it once more, changes
// nothing. So it can be told when the job that was continued is gone, or its sources are.
bool IsMadeBy(const v1::Job& made, const v1::ExtendJobRequest& request);
bool IsMadeBy(const v1::Job& made, const v1::RetryJobRequest& request);

// A longer job asks only what is new. FAILED_PRECONDITION when it would ask again for cells of
// `job` that have an outcome there, because candor.yaml has since changed what is sent for them.
// `job` is as it was before its outcomes were looked through; `reused` is what was found. What
// follows from a missing answer, in an adaptive design, is asked again and no error.
Status CheckAllTaken(const v1::Job& job, const v1::JobSpecification& specification,
                     std::span<const engine::ReusedOutcomesRecord> reused);

// What can be said of `reuse_from` and `retry_of` without looking at the jobs that they name. Paths
// begin with "job.".
void CheckSources(const v1::Job& job, FieldViolations& violations);

}  // namespace candor::service
