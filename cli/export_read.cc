#include "cli/export_read.h"

#include "cli/client.h"
#include "cli/text.h"

#include <ostream>

namespace candor::cli {

StatusOr<ExportedJob> ReadJob(Context& context, const std::string& name) {
  ExportedJob exported;
  v1::GetJobRequest get;
  get.set_name(name);
  CANDOR_RETURN_IF_ERROR(
      context.client.Call(context.client.evaluation(), &Evaluation::GetJob, get, &exported.job));
  v1::GetJobSpecificationRequest get_specification;
  get_specification.set_name(name);
  CANDOR_RETURN_IF_ERROR(context.client.Call(context.client.evaluation(),
                                             &Evaluation::GetJobSpecification, get_specification,
                                             &exported.specification));
  v1::ClusterStatus cluster;
  CANDOR_RETURN_IF_ERROR(context.client.Call(context.client.cluster(), &Cluster::GetStatus,
                                             v1::GetStatusRequest(), &cluster));
  exported.coordinator_version = cluster.version();
  return exported;
}

Status ReadOutcomes(Context& context, const std::string& name,
                    const std::function<Status(const v1::Outcome&)>& on_outcome) {
  v1::StreamOutcomesRequest request;
  request.set_name(name);
  request.set_order(v1::StreamOutcomesRequest::CANONICAL);
  return context.client.Read<v1::StreamOutcomesRequest, v1::StreamOutcomesResponse>(
      request,
      [&](grpc::ClientContext* call, const v1::StreamOutcomesRequest& from) {
        return context.client.evaluation().StreamOutcomes(call, from);
      },
      context.pauses,
      [&](const v1::StreamOutcomesResponse& response) -> StatusOr<bool> {
        for (const v1::Outcome& outcome : response.outcomes())
          CANDOR_RETURN_IF_ERROR(on_outcome(outcome));
        return true;
      });
}

Status ReadAttempts(Context& context, const std::string& name,
                    const std::function<Status(const v1::Attempt&)>& on_attempt) {
  v1::StreamAttemptsRequest request;
  request.set_name(name);
  return context.client.Read<v1::StreamAttemptsRequest, v1::StreamAttemptsResponse>(
      request,
      [&](grpc::ClientContext* call, const v1::StreamAttemptsRequest& from) {
        return context.client.evaluation().StreamAttempts(call, from);
      },
      context.pauses,
      [&](const v1::StreamAttemptsResponse& response) -> StatusOr<bool> {
        for (const v1::Attempt& attempt : response.attempts())
          CANDOR_RETURN_IF_ERROR(on_attempt(attempt));
        return true;
      });
}

void SayIfUnfinished(const v1::Job& job, std::ostream& err) {
  if (IsTerminal(job.state())) return;
  err << fmt::format("The job is {}: this is what it has so far.\n",
                     v1::Job::State_Name(job.state()));
}

}  // namespace candor::cli
