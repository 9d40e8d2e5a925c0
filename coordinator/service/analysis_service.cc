#include "coordinator/service/analysis_service.h"

#include "common/analysis/analyze.h"
#include "common/analysis/job_study.h"
#include "common/base/nearest.h"
#include "common/base/time_proto.h"
#include "common/base/violations.h"
#include "common/report/report.h"
#include "coordinator/service/grpc_status.h"
#include "coordinator/service/job_streams.h"
#include "coordinator/service/off_strand.h"
#include "coordinator/service/response_stream.h"
#include "coordinator/service/unary_call.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

namespace candor::service {
namespace {

// Analyses that wait for their turn at most.
constexpr std::size_t kMaxWaiting = 16;
constexpr int kMaxJobs = 100;
// Of bootstrap and permutations: some seconds for a hundred scenarios.
constexpr int kMaxResamples = 100'000;
constexpr std::size_t kMaxPieceBytes = (std::size_t{1} << 20U) - 1'024;
// What gRPC's clients take by default.
constexpr std::size_t kMaxAnalysisBytes = (std::size_t{4} << 20U) - 1'024;

// A job to be analysed.
struct Subject {
  engine::JobKey key = 0;
  v1::Job job;
  std::shared_ptr<const v1::JobSpecification> specification;
};

std::int64_t Done(const v1::Job& job) {
  std::int64_t done = 0;
  for (const v1::EntryProgress& entry : job.progress()) {
    for (const v1::KindProgress& kind : entry.kinds()) done += kind.done();
  }
  return done;
}

// What a request asks for, as it is accepted or refused at once.
struct Order {
  std::vector<Subject> subjects;
  analysis::Options options;
};

// "tau is 0; give ..." as a violation of that setting.
FieldViolation AsViolation(const Status& status) {
  const std::string message = Message(status);
  const std::size_t space = message.find(' ');
  if (space == std::string::npos) return {"settings", message};
  return {"settings." + message.substr(0, space), message.substr(space + 1)};
}

template <typename Request>
FieldViolations Check(const Request& request, Order* order) {
  FieldViolations violations;
  if (request.names().empty() || request.names_size() > kMaxJobs) {
    violations.push_back({"names", fmt::format("has {} items; name from 1 to {} jobs, such as "
                                               "\"jobs/abc\"",
                                               request.names_size(), kMaxJobs)});
  }
  for (int i = 0; i < request.names_size(); ++i) {
    const auto before = request.names().begin() + i;
    if (std::find(request.names().begin(), before, request.names(i)) == before) continue;
    violations.push_back(
        {fmt::format("names[{}]", i),
         fmt::format("\"{}\" is named twice; name each job once", request.names(i))});
  }
  const auto options = analysis::OptionsFrom(request.settings());
  if (!options.ok()) {
    violations.push_back(AsViolation(options.status()));
    return violations;
  }
  order->options = *options;
  const auto check = [&](int count, const char* field) {
    if (count <= kMaxResamples) return;
    violations.push_back(
        {field, fmt::format("is {}; the coordinator makes at most {}. `candor export` and `candor "
                            "analyze` make more on your own machine",
                            count, kMaxResamples)});
  };
  check(order->options.resamples, "settings.resamples");
  check(order->options.permutations, "settings.permutations");
  return violations;
}

// Finds the jobs, and something in them to analyse. On the strand.
template <typename Request>
grpc::Status Accept(const EngineHost& host, const Request& request, Order* order) {
  const FieldViolations violations = Check(request, order);
  if (!violations.empty()) return ToGrpc(violations);
  std::int64_t done = 0;
  for (const std::string& name : request.names()) {
    const auto key = host.engine().FindJob(name);
    if (!key) return ToGrpc(NoSuchJob(name));
    Subject& subject = order->subjects.emplace_back();
    subject.key = *key;
    subject.job = host.engine().GetJob(*key, host.Now());
    if (subject.job.has_inline_scenarios())
      subject.job.mutable_inline_scenarios()->clear_scenarios();
    subject.specification = host.engine().GetSpecification(*key);
    done += Done(subject.job);
  }
  if (done > 0) return grpc::Status::OK;
  const v1::Job& first = order->subjects.front().job;
  return ToGrpc(FailedPrecondition(
      "{} has no outcomes, so that there is nothing to analyse: it is {}{}{}. Wait for the first "
      "ones; WatchJob and `candor watch {}` show when they come",
      first.name(), v1::Job::State_Name(first.state()), first.state_reason().empty() ? "" : ", ",
      first.state_reason(), first.name()));
}

// Reads the outcomes and analyses them. Takes seconds; ends early, with CANCELLED, when nobody
// waits for it.
StatusOr<v1::Analysis> Run(const store::Store& store, const Order& order,
                           const std::atomic<bool>& gone) {
  analysis::JobStudyBuilder builder;
  for (const Subject& subject : order.subjects) {
    CANDOR_ASSIGN_OR_RETURN(const int job, builder.AddJob(*subject.specification, subject.job));
    // In commit order, so that what is read of a running job is what there was at one moment.
    store::OutcomeQuery query{.job = subject.key};
    for (bool end = false; !end;) {
      if (gone) return Cancelled("the client has gone");
      Status added;
      CANDOR_ASSIGN_OR_RETURN(const store::ReadEnd at,
                              store.VisitOutcomes(query, [&](auto, const v1::Outcome& outcome) {
                                added.Update(builder.Add(job, outcome));
                              }));
      CANDOR_RETURN_IF_ERROR(added);
      query.after = at.next;
      end = at.end;
    }
  }
  if (gone) return Cancelled("the client has gone");
  return analysis::Analyze(builder.Build(), order.options);
}

// Waits for a turn and runs the analysis on a thread of its own.
boost::asio::awaitable<StatusOr<v1::Analysis>> RunInTurn(EngineHost& host, Turnstile& turnstile,
                                                         const Order& order,
                                                         const std::string& version,
                                                         const std::atomic<bool>& gone) {
  const Status entered = co_await turnstile.Enter();
  if (!entered.ok()) co_return entered;
  const Turnstile::Pass pass(turnstile);
  if (host.closing()) co_return ShuttingDown();
  auto result = co_await OnAnalysts(host, [&] { return Run(host.store(), order, gone); });
  if (result.ok()) {
    result->set_candor_version(version);
    *result->mutable_create_time() = ToProto(host.clock().WallNow());
  }
  co_return result;
}

void LeaveOutScenarios(v1::Agreement* agreement) { agreement->clear_scenarios(); }

// Aggregates only.
void LeaveOutScenarios(v1::Analysis* analysis) {
  for (auto& [name, model] : *analysis->mutable_models()) {
    model.clear_scenarios();
    const google::protobuf::Reflection* reflection = v1::ModelAnalysis::GetReflection();
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    reflection->ListFields(model, &fields);
    for (const google::protobuf::FieldDescriptor* field : fields) {
      if (field->message_type() != v1::Agreement::descriptor()) continue;
      LeaveOutScenarios(
          static_cast<v1::Agreement*>(reflection->MutableMessage(&model, field)));  // NOLINT
    }
  }
}

// The files that are wanted: all of them, or those named.
FieldViolations Choose(const v1::GetReportRequest& request, std::vector<report::File>* files) {
  FieldViolations violations;
  if (request.files().empty()) return violations;
  std::vector<std::string> names;
  for (const report::File& file : *files) names.push_back(file.name);
  for (int i = 0; i < request.files_size(); ++i) {
    if (std::find(names.begin(), names.end(), request.files(i)) != names.end()) continue;
    violations.push_back(
        {fmt::format("files[{}]", i),
         fmt::format("this report has no \"{}\"{}; it has {}", request.files(i),
                     DidYouMean(request.files(i), names), fmt::join(names, ", "))});
  }
  std::erase_if(*files, [&](const report::File& file) {
    return std::find(request.files().begin(), request.files().end(), file.name) ==
           request.files().end();
  });
  return violations;
}

boost::asio::awaitable<grpc::Status> SendReport(
    EngineHost& host, Turnstile& turnstile, const std::string& version,
    std::shared_ptr<ResponseStream<v1::GetReportResponse>> stream, v1::GetReportRequest request) {
  Order order;
  const grpc::Status accepted = Accept(host, request, &order);
  if (!accepted.ok()) co_return accepted;
  const auto analysis = co_await RunInTurn(host, turnstile, order, version, stream->gone());
  if (!analysis.ok()) co_return ToGrpc(analysis.status());
  auto files = co_await OnAnalysts(host, [&] { return report::ReportFiles(*analysis); });
  const FieldViolations violations = Choose(request, &files);
  if (!violations.empty()) co_return ToGrpc(violations);
  for (const report::File& file : files) {
    std::size_t sent = 0;
    bool last = false;
    while (!last) {
      v1::GetReportResponse piece;
      piece.set_file(file.name);
      piece.set_data(file.content.substr(sent, kMaxPieceBytes));
      sent += piece.data().size();
      last = sent == file.content.size();
      piece.set_last(last);
      const bool written = co_await stream->Write(piece);
      if (!written) co_return grpc::Status::CANCELLED;
    }
  }
  co_return grpc::Status::OK;
}

boost::asio::awaitable<grpc::Status> Answer(EngineHost& host, Turnstile& turnstile,
                                            const std::string& version,
                                            std::shared_ptr<UnaryCall> call,
                                            const v1::AnalyzeJobsRequest* request,
                                            v1::Analysis* response) {
  Order order;
  const grpc::Status accepted = Accept(host, *request, &order);
  if (!accepted.ok()) co_return accepted;
  auto analysis = co_await RunInTurn(host, turnstile, order, version, call->gone());
  if (!analysis.ok()) co_return ToGrpc(analysis.status());
  if (!request->include_scenarios()) LeaveOutScenarios(&*analysis);
  const std::size_t bytes = analysis->ByteSizeLong();
  if (bytes > kMaxAnalysisBytes) {
    co_return ToGrpc(ResourceExhausted(
        "the analysis has {} bytes, and a response may have {}; GetReport with files "
        "[\"analysis.json\"] sends it in pieces{}",
        bytes, kMaxAnalysisBytes,
        request->include_scenarios() ? ", and without include_scenarios it is shorter" : ""));
  }
  *response = *std::move(analysis);
  co_return grpc::Status::OK;
}

}  // namespace

AnalysisService::AnalysisService(EngineHost& host, std::string version)
    : host_(host), version_(std::move(version)), turnstile_(host.strand(), kMaxWaiting) {}

grpc::ServerUnaryReactor* AnalysisService::AnalyzeJobs(grpc::CallbackServerContext* /*context*/,
                                                       const v1::AnalyzeJobsRequest* request,
                                                       v1::Analysis* response) {
  return UnaryCall::Run(host_, [this, request, response](std::shared_ptr<UnaryCall> call) {
    return Answer(host_, turnstile_, version_, std::move(call), request, response);
  });
}

grpc::ServerWriteReactor<v1::GetReportResponse>* AnalysisService::GetReport(
    grpc::CallbackServerContext* /*context*/, const v1::GetReportRequest* request) {
  return ResponseStream<v1::GetReportResponse>::Run(host_, [this, request = *request](auto stream) {
    return SendReport(host_, turnstile_, version_, std::move(stream), request);
  });
}

}  // namespace candor::service
