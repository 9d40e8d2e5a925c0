#include "cli/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <utility>

namespace candor::cli {
namespace {

// A job with inline scenarios, or its specification, may be larger than gRPC's 4 MB.
constexpr int kMaxMessageBytes = 64 << 20;
constexpr std::string_view kPrefix = "jobs/";
// Time for a few attempts to connect. A call fails with the first one, which may be a mishap: a
// coordinator that begins to listen in this moment, or gRPC reading errno long after connect(2).
constexpr std::chrono::milliseconds kFirstConnection(500);

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  // The default backs off to 2 minutes, which is long after a coordinator's restart.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // How long one attempt may take: on a machine that is busy even loopback takes its time.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  // Our own address is never behind the proxy that the web is.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

Client::Client(std::string address, Interrupt& interrupt)
    : address_(std::move(address)),
      interrupt_(interrupt),
      channel_(Connect(address_)),
      evaluation_(v1::EvaluationService::NewStub(channel_)),
      scenarios_(v1::ScenarioService::NewStub(channel_)),
      cluster_(v1::ClusterService::NewStub(channel_)),
      analysis_(v1::AnalysisService::NewStub(channel_)) {}

void Client::AwaitFirstConnection() {
  if (std::exchange(awaited_, true)) return;
  channel_->WaitForConnected(std::chrono::system_clock::now() + kFirstConnection);
}

Status Client::Translate(const grpc::Status& status) const {
  if (status.ok()) return absl::OkStatus();
  if (interrupt_.triggered()) return Cancelled("interrupted");
  const std::string& message = status.error_message();
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return Unavailable(
        "no coordinator answers at {} ({}). Start one with candor-coordinator, or name another "
        "address with "
        "--coordinator or CANDOR_COORDINATOR",
        address_, message);
  }
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return DeadlineExceeded(
        "the coordinator at {} did not answer in time. Look at its log, and try again", address_);
  }
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    return MakeStatus(absl::StatusCode::kUnimplemented,
                      fmt::format("what listens at {} is no coordinator of this version ({})",
                                  address_, message));
  }
  return MakeStatus(static_cast<absl::StatusCode>(status.error_code()),
                    message.empty() ? "the coordinator gave no reason" : message);
}

StatusOr<std::string> Client::FindJob(const std::string& text) {
  const std::string id =
      text.substr(0, kPrefix.size()) == kPrefix ? text.substr(kPrefix.size()) : text;
  if (id.empty()) return InvalidArgument("an empty job name; `candor jobs` lists them");
  const std::string name = std::string(kPrefix) + id;
  v1::GetJobRequest get;
  get.set_name(name);
  v1::Job job;
  const Status status = Call(evaluation(), &Evaluation::GetJob, get, &job);
  if (status.ok()) return name;
  // A beginning may be no well-formed id.
  if (status.code() != absl::StatusCode::kNotFound &&
      status.code() != absl::StatusCode::kInvalidArgument) {
    return status;
  }
  std::vector<std::string> found;
  v1::ListJobsRequest list;
  list.set_page_size(1000);
  do {
    v1::ListJobsResponse page;
    CANDOR_RETURN_IF_ERROR(Call(evaluation(), &Evaluation::ListJobs, list, &page));
    for (const v1::Job& one : page.jobs()) {
      if (one.name().substr(0, name.size()) == name) found.push_back(one.name());
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  if (found.empty()) return NotFound("no job begins with {}; `candor jobs` lists them", name);
  if (found.size() > 1) {
    return InvalidArgument("{} jobs begin with {}: {}, {}{}; give more of the name", found.size(),
                           name, found[0], found[1], found.size() > 2 ? ", ..." : "");
  }
  return found.front();
}

}  // namespace candor::cli
