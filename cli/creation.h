// What `candor submit`, `extend` and `retry` have in common.
#pragma once

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/estimate.h"
#include "cli/watch.h"

#include <memory>
#include <ostream>
#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace candor::cli {

struct CreationOptions {
  std::string request_id;
  bool watch = false;
  bool validate_only = false;
};

void AddCreationOptions(CLI::App* command, CreationOptions* options);

// Makes the call and shows what came of it: the name alone on standard output, the estimate on
// standard error. With a request id the call can be repeated, because it creates one job at most;
// one is made up where there is none. `what` stands before errors.
template <typename Request>
StatusOr<int> CreateAndShow(const CreationOptions& options, const std::string& what,
                            Request request,
                            grpc::Status (Evaluation::*method)(grpc::ClientContext*, const Request&,
                                                               v1::CreateJobResponse*),
                            Context& context) {
  if (!options.request_id.empty()) request.set_request_id(options.request_id);
  if (request.request_id().empty()) request.set_request_id(context.ids.Next());
  if (options.validate_only) request.set_validate_only(true);
  v1::CreateJobResponse response;
  Status status;
  for (std::size_t attempt = 0;; ++attempt) {
    status = context.client.Call(context.client.evaluation(), method, request, &response);
    if (status.code() != absl::StatusCode::kUnavailable || attempt == context.pauses.size()) break;
    if (context.client.interrupt().WaitFor(context.pauses[attempt])) break;
  }
  if (!status.ok()) return Annotate(status, what);
  if (request.validate_only()) {
    context.out << EstimateLines(response.estimate());
    return 0;
  }
  // The name alone on standard output: JOB=$(candor submit job.yaml).
  context.out << response.job().name() << '\n' << std::flush;
  context.err << EstimateLines(response.estimate());
  if (options.watch) return WatchJob(context, response.job().name());
  context.err << fmt::format("`candor watch {}` shows how it goes.\n", response.job().name());
  return 0;
}

}  // namespace candor::cli
