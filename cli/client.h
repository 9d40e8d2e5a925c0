// The coordinator, as the commands call it: synchronous, with deadlines and with errors that say
// what to do.
//
//   Client client("127.0.0.1:7070", interrupt);
//   v1::Job job;
//   CANDOR_RETURN_IF_ERROR(client.Call(client.evaluation(), &Evaluation::GetJob, request, &job));
#pragma once

#include "candor/v1/analysis_service.grpc.pb.h"
#include "candor/v1/cluster_service.grpc.pb.h"
#include "candor/v1/evaluation_service.grpc.pb.h"
#include "candor/v1/scenario_service.grpc.pb.h"
#include "cli/interrupt.h"
#include "common/base/status.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace candor::cli {

using Evaluation = v1::EvaluationService::StubInterface;
using Scenarios = v1::ScenarioService::StubInterface;
using Cluster = v1::ClusterService::StubInterface;
using Analyses = v1::AnalysisService::StubInterface;

// Pauses before a call is tried again; after the last one the error stands.
using Pauses = std::vector<std::chrono::milliseconds>;

class Client {
 public:
  // Connects when a stub is first asked for. `interrupt` outlives the client.
  Client(std::string address, Interrupt& interrupt);

  const std::string& address() const { return address_; }
  Interrupt& interrupt() { return interrupt_; }
  // The first of these waits for the connection, for at most half a second.
  Evaluation& evaluation() { return Connected(*evaluation_); }
  Scenarios& scenarios() { return Connected(*scenarios_); }
  Cluster& cluster() { return Connected(*cluster_); }
  Analyses& analysis() { return Connected(*analysis_); }

  // One unary call, which may take 30 s. Fails within half a second when nobody listens.
  template <typename Stub, typename Request, typename Response>
  Status Call(Stub& stub,
              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
              const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    const Interrupt::Scope scope(interrupt_, [&] { context.TryCancel(); });
    return Translate((stub.*method)(&context, request, response));
  }

  // Reads a stream that resumes from a cursor, across restarts of the coordinator: `open` begins it
  // with the request, `on_message` returns false to end it. The pauses begin anew after every
  // message.
  template <typename Request, typename Response>
  Status Read(Request request,
              const std::function<std::unique_ptr<grpc::ClientReaderInterface<Response>>(
                  grpc::ClientContext*, const Request&)>& open,
              const Pauses& pauses,
              const std::function<StatusOr<bool>(const Response&)>& on_message) {
    std::size_t failures = 0;
    while (true) {
      grpc::ClientContext context;
      const Interrupt::Scope scope(interrupt_, [&] { context.TryCancel(); });
      const auto reader = open(&context, request);
      Response response;
      while (reader->Read(&response)) {
        failures = 0;
        const StatusOr<bool> go_on = on_message(response);
        if (!go_on.ok() || !*go_on) {
          context.TryCancel();
          reader->Finish();
          return go_on.status();
        }
        if (!response.cursor().empty()) request.set_cursor(response.cursor());
      }
      Status status = Translate(reader->Finish());
      if (status.code() != absl::StatusCode::kUnavailable || failures == pauses.size())
        return status;
      if (interrupt_.WaitFor(pauses[failures++])) return Cancelled("interrupted");
    }
  }

  // An error of gRPC as ours.
  Status Translate(const grpc::Status& status) const;

  // "jobs/x", "x", or the beginning of one job's id -> "jobs/x". NOT_FOUND; INVALID_ARGUMENT when
  // several jobs begin so.
  StatusOr<std::string> FindJob(const std::string& text);

 private:
  template <typename Stub>
  Stub& Connected(Stub& stub) {
    AwaitFirstConnection();
    return stub;
  }
  void AwaitFirstConnection();

  std::string address_;
  Interrupt& interrupt_;
  std::shared_ptr<grpc::Channel> channel_;
  bool awaited_ = false;
  std::unique_ptr<Evaluation> evaluation_;
  std::unique_ptr<Scenarios> scenarios_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Analyses> analysis_;
};

}  // namespace candor::cli
