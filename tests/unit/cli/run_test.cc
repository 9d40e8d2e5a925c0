// Whole command lines against services of the contract in this process.
#include "cli/run.h"

#include "candor/v1/analysis_service.grpc.pb.h"
#include "candor/v1/cluster_service.grpc.pb.h"
#include "candor/v1/evaluation_service.grpc.pb.h"
#include "candor/v1/scenario_service.grpc.pb.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"

#include <gmock/gmock.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <sstream>

namespace candor::cli {
namespace {

using grpc::ServerContext;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kJob = "jobs/4k9wq0z7m3t8x2ab";

v1::Job JobIn(v1::Job::State state) {
  v1::Job job;
  job.set_name(kJob);
  job.set_state(state);
  v1::EntryProgress* entry = job.add_progress();
  entry->set_entry("base");
  v1::KindProgress* kind = entry->add_kinds();
  kind->set_kind(v1::Cell::CHOICE);
  kind->set_total(4);
  kind->set_done(2);
  kind->set_failed(1);
  return job;
}

v1::Outcome OutcomeOf(std::uint32_t index) {
  v1::Outcome outcome;
  outcome.set_entry("base");
  outcome.set_scenario("plot");
  outcome.set_kind(v1::Cell::CHOICE);
  outcome.set_index(index);
  outcome.set_pair(index);
  outcome.set_class_(v1::Outcome::VALID);
  outcome.set_choice(v1::Outcome::B);
  outcome.set_raw_text("B");
  for (const char* name : {"sun", "cost"}) {
    auto* a = outcome.add_option_a();
    a->set_attribute(name);
    a->set_value(3);
    auto* b = outcome.add_option_b();
    b->set_attribute(name);
    b->set_value(1);
  }
  return outcome;
}

class FakeEvaluation final : public v1::EvaluationService::Service {
 public:
  grpc::Status CreateJob(ServerContext*, const v1::CreateJobRequest* request,
                         v1::CreateJobResponse* response) override {
    const std::lock_guard lock(mutex);
    created.push_back(*request);
    if (refusals-- > 0) return {grpc::StatusCode::UNAVAILABLE, "starting"};
    if (!refusal.empty()) return {grpc::StatusCode::INVALID_ARGUMENT, refusal};
    response->mutable_estimate()->set_cells(1'200);
    response->mutable_estimate()->set_calls(1'200);
    response->mutable_estimate()->add_warnings("no price");
    v1::DesignPrecision* precision = response->mutable_estimate()->add_precision();
    precision->set_entry("base");
    precision->set_interval_width(0.3);
    precision->set_smallest_contrast(0.217);
    precision->set_weights_reliability(0.9);
    if (!request->validate_only()) *response->mutable_job() = JobIn(v1::Job::QUEUED);
    return grpc::Status::OK;
  }
  grpc::Status ExtendJob(ServerContext*, const v1::ExtendJobRequest* request,
                         v1::CreateJobResponse* response) override {
    const std::lock_guard lock(mutex);
    extended.push_back(*request);
    response->mutable_estimate()->set_reused(600);
    if (!request->validate_only()) *response->mutable_job() = JobIn(v1::Job::QUEUED);
    return grpc::Status::OK;
  }
  grpc::Status RetryJob(ServerContext*, const v1::RetryJobRequest* request,
                        v1::CreateJobResponse* response) override {
    const std::lock_guard lock(mutex);
    retried.push_back(*request);
    *response->mutable_job() = JobIn(v1::Job::QUEUED);
    return grpc::Status::OK;
  }
  grpc::Status GetJob(ServerContext*, const v1::GetJobRequest* request, v1::Job* job) override {
    if (request->name() != kJob) return {grpc::StatusCode::NOT_FOUND, "no such job"};
    *job = JobIn(v1::Job::SUCCEEDED);
    return grpc::Status::OK;
  }
  grpc::Status ExplainJob(ServerContext*, const v1::ExplainJobRequest* request,
                          v1::JobExplanation* explanation) override {
    explanation->set_summary(request->name() + " waits for slots.");
    auto* entry = explanation->add_entries();
    entry->set_entry("base");
    auto* finding = entry->add_findings();
    finding->set_reason(v1::SLOTS);
    finding->set_share(0.5);
    finding->set_text("all 64 slots were taken");
    return grpc::Status::OK;
  }
  grpc::Status GetJobSpecification(ServerContext*, const v1::GetJobSpecificationRequest*,
                                   v1::JobSpecification* specification) override {
    v1::Scenario* scenario = specification->add_scenarios();
    scenario->set_id("plot");
    scenario->set_question("Which?");
    for (const char* name : {"sun", "cost"}) {
      v1::Attribute* attribute = scenario->add_attributes();
      attribute->set_name(name);
      attribute->set_max(4);
    }
    return grpc::Status::OK;
  }
  grpc::Status ListJobs(ServerContext*, const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override {
    // Two pages.
    if (request->page_token().empty()) {
      *response->add_jobs() = JobIn(v1::Job::RUNNING);
      response->set_next_page_token("2");
    } else {
      response->add_jobs()->set_name("jobs/4zzz");
    }
    return grpc::Status::OK;
  }
  grpc::Status PauseJob(ServerContext*, const v1::PauseJobRequest* request, v1::Job* job) override {
    job->set_name(request->name());
    job->set_state(v1::Job::PAUSED);
    return grpc::Status::OK;
  }
  grpc::Status WatchJob(ServerContext* context, const v1::WatchJobRequest*,
                        grpc::ServerWriter<v1::WatchJobResponse>* writer) override {
    const int call = watches++;
    v1::WatchJobResponse update;
    update.set_type(v1::WatchJobResponse::SNAPSHOT);
    *update.mutable_job() = JobIn(v1::Job::RUNNING);
    writer->Write(update);
    if (call < broken_watches) return {grpc::StatusCode::UNAVAILABLE, "going away"};
    if (watch_for_ever) {
      if (on_watch) on_watch();
      while (!context->IsCancelled()) std::this_thread::yield();
      return grpc::Status::CANCELLED;
    }
    update.set_type(v1::WatchJobResponse::CHANGE);
    *update.mutable_job() = JobIn(end);
    writer->Write(update);
    return grpc::Status::OK;
  }
  grpc::Status StreamOutcomes(ServerContext*, const v1::StreamOutcomesRequest* request,
                              grpc::ServerWriter<v1::StreamOutcomesResponse>* writer) override {
    const std::lock_guard lock(mutex);
    streams.push_back(*request);
    v1::StreamOutcomesResponse response;
    if (request->cursor().empty()) {
      *response.add_outcomes() = OutcomeOf(0);
      response.set_cursor("1");
      writer->Write(response);
      // As when the coordinator is killed in between.
      if (broken_stream) return {grpc::StatusCode::UNAVAILABLE, "killed"};
    }
    response.Clear();
    *response.add_outcomes() = OutcomeOf(1);
    response.set_cursor("2");
    writer->Write(response);
    return grpc::Status::OK;
  }
  grpc::Status StreamAttempts(ServerContext*, const v1::StreamAttemptsRequest*,
                              grpc::ServerWriter<v1::StreamAttemptsResponse>* writer) override {
    v1::StreamAttemptsResponse response;
    response.add_attempts()->set_id("a1");
    writer->Write(response);
    return grpc::Status::OK;
  }

  std::mutex mutex;
  std::vector<v1::CreateJobRequest> created;
  std::vector<v1::ExtendJobRequest> extended;
  std::vector<v1::RetryJobRequest> retried;
  std::vector<v1::StreamOutcomesRequest> streams;
  std::string refusal;
  int refusals = 0;
  std::atomic<int> watches = 0;
  int broken_watches = 0;
  bool watch_for_ever = false;
  std::function<void()> on_watch;
  v1::Job::State end = v1::Job::SUCCEEDED;
  bool broken_stream = false;
};

class FakeScenarios final : public v1::ScenarioService::Service {
 public:
  grpc::Status CreateScenarioSet(ServerContext*, const v1::CreateScenarioSetRequest* request,
                                 v1::ScenarioSet* set) override {
    ++creations;
    set->set_name("scenarioSets/" + request->scenario_set_id());
    return grpc::Status::OK;
  }
  grpc::Status UploadScenarioSet(ServerContext*,
                                 grpc::ServerReader<v1::UploadScenarioSetRequest>* reader,
                                 v1::ScenarioSet* set) override {
    v1::UploadScenarioSetRequest piece;
    while (reader->Read(&piece)) {
      ++pieces;
      EXPECT_LE(piece.ByteSizeLong(), 1'100'000U);
      if (!piece.scenario_set_id().empty())
        set->set_name("scenarioSets/" + piece.scenario_set_id());
      uploaded += piece.scenarios_size();
    }
    return grpc::Status::OK;
  }

  int creations = 0;
  int pieces = 0;
  int uploaded = 0;
};

class FakeCluster final : public v1::ClusterService::Service {
 public:
  grpc::Status GetStatus(ServerContext*, const v1::GetStatusRequest*,
                         v1::ClusterStatus* status) override {
    status->set_version("9.9.9");
    status->add_endpoints("local");
    return grpc::Status::OK;
  }
  grpc::Status ListWorkers(ServerContext*, const v1::ListWorkersRequest*,
                           v1::ListWorkersResponse* response) override {
    v1::Worker* worker = response->add_workers();
    worker->set_name("workers/w1");
    worker->set_slots(64);
    worker->set_connected(true);
    v1::Worker::EndpointService* endpoint = worker->add_endpoints();
    endpoint->set_endpoint("local");
    endpoint->set_reason("environment variable LOCAL_API_KEY is not set");
    return grpc::Status::OK;
  }
  grpc::Status ListLimitGroups(ServerContext*, const v1::ListLimitGroupsRequest*,
                               v1::ListLimitGroupsResponse* response) override {
    v1::LimitGroup* group = response->add_limit_groups();
    group->set_name("limitGroups/g5");
    group->set_waiting(++lists);
    if (lists == 2 && interrupt != nullptr) interrupt->Trigger();
    return grpc::Status::OK;
  }
  grpc::Status UpdateLimitGroup(ServerContext*, const v1::UpdateLimitGroupRequest* request,
                                v1::LimitGroup* group) override {
    update = *request;
    *group = request->limit_group();
    return grpc::Status::OK;
  }
  v1::UpdateLimitGroupRequest update;
  std::atomic<int> lists = 0;
  // What the second ListLimitGroups triggers.
  Interrupt* interrupt = nullptr;
};

// Two files, in small pieces.
class FakeAnalyses final : public v1::AnalysisService::Service {
 public:
  grpc::Status GetReport(ServerContext*, const v1::GetReportRequest* asked,
                         grpc::ServerWriter<v1::GetReportResponse>* writer) override {
    request = *asked;
    const auto send = [&](const std::string& file, const std::string& data, bool last) {
      v1::GetReportResponse piece;
      piece.set_file(file);
      piece.set_data(data);
      piece.set_last(last);
      writer->Write(piece);
    };
    send("report.html", "<html>", false);
    if (cut) return grpc::Status::OK;
    send("report.html", "</html>", true);
    send(name, R"({"schema_version": 1, "headline": )", false);
    send(name, R"("The model knows its weights."})", true);
    return grpc::Status::OK;
  }

  v1::GetReportRequest request;
  std::string name = "analysis.json";
  bool cut = false;
};

class RunTest : public testing::Test {
 protected:
  RunTest() {
    directory_ = testing::TempDir() + "/candor_cli_" +
                 testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&evaluation_);
    builder.RegisterService(&scenarios_);
    builder.RegisterService(&cluster_);
    builder.RegisterService(&analyses_);
    server_ = builder.BuildAndStart();
    address_ = fmt::format("127.0.0.1:{}", port);
  }
  ~RunTest() override {
    server_->Shutdown();
    std::filesystem::remove_all(directory_);
  }

  int Run(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), "candor");
    arguments.insert(arguments.end(), {"--coordinator", address_});
    std::vector<const char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    World world{clock_, ids_, interrupt_, in, out, err};
    world.pauses = std::vector(5, std::chrono::milliseconds(1));
    world.terminal = terminal_;
    testing::internal::CaptureStderr();
    const int exit_code = RunCandor(static_cast<int>(pointers.size()), pointers.data(), world);
    out_ = out.str();
    err_ = err.str() + testing::internal::GetCapturedStderr();
    return exit_code;
  }
  std::string File(const std::string& name) const {
    const auto content = ReadFile(directory_ + "/" + name);
    return content.ok() ? *content : Message(content.status());
  }

  ManualClock clock_;
  SequentialIds ids_;
  Interrupt interrupt_;
  FakeEvaluation evaluation_;
  FakeScenarios scenarios_;
  FakeCluster cluster_;
  FakeAnalyses analyses_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::string directory_;
  bool terminal_ = false;
  std::string out_;
  std::string err_;
};

TEST_F(RunTest, SubmitTakesABareJobAndTheEnvelope) {
  EXPECT_EQ(Run({"submit", "-"}, "display_name: first\nseed: 7\n"), 0) << err_;
  EXPECT_EQ(out_, std::string(kJob) + "\n");
  EXPECT_THAT(err_, HasSubstr("1,200 cells, 1,200 calls"));
  EXPECT_THAT(err_, HasSubstr("warning: no price"));
  EXPECT_EQ(evaluation_.created.back().job().seed(), 7U);
  EXPECT_EQ(evaluation_.created.back().request_id(), "0000000000000001");
  EXPECT_EQ(
      Run({"submit", "-", "--request-id", "mine"}, R"({"job": {"seed": 8}, "request_id": "x"})"), 0)
      << err_;
  EXPECT_EQ(evaluation_.created.back().job().seed(), 8U);
  EXPECT_EQ(evaluation_.created.back().request_id(), "mine");
}

TEST_F(RunTest, SubmitTakesABudget) {
  EXPECT_EQ(Run({"submit", "-", "--budget", "2.50"}, "budget: {calls: 7, money: 1}"), 0) << err_;
  EXPECT_EQ(evaluation_.created.back().job().budget().money(), 2'500'000'000);
  EXPECT_EQ(evaluation_.created.back().job().budget().calls(), 7);
  EXPECT_NE(Run({"submit", "-", "--budget", "two"}, "seed: 7"), 0);
  EXPECT_THAT(err_, HasSubstr("--budget: 'two' is no amount of money"));
}

TEST_F(RunTest, ExtendAndRetryContinueAJob) {
  EXPECT_EQ(Run({"extend", "4k9", "--trials", "100", "--name", "longer"}), 0) << err_;
  EXPECT_EQ(out_, std::string(kJob) + "\n");
  EXPECT_THAT(err_, HasSubstr("600 reused"));
  ASSERT_EQ(evaluation_.extended.size(), 1U);
  const v1::ExtendJobRequest& longer = evaluation_.extended[0];
  EXPECT_EQ(longer.name(), kJob);
  EXPECT_EQ(longer.trials_per_scenario(), 100);
  EXPECT_EQ(longer.reports_per_scenario(), 0);
  EXPECT_EQ(longer.display_name(), "longer");
  EXPECT_NE(longer.request_id(), "");
  EXPECT_EQ(Run({"extend", kJob, "--reports", "020", "--validate-only"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("600 reused"));

  EXPECT_EQ(Run({"retry", kJob, "--class", "TRUNCATED", "--class", "EMPTY", "--entry", "base",
                 "--max-output-tokens", "8192", "--temperature", "0.5", "--request-id", "mine"}),
            0)
      << err_;
  ASSERT_EQ(evaluation_.retried.size(), 1U);
  const v1::RetryJobRequest& again = evaluation_.retried[0];
  EXPECT_THAT(again.classes(), ElementsAre(v1::Outcome::TRUNCATED, v1::Outcome::EMPTY));
  EXPECT_THAT(again.entries(), ElementsAre("base"));
  EXPECT_EQ(again.max_output_tokens(), 8192);
  EXPECT_EQ(again.temperature(), 0.5);
  EXPECT_EQ(again.request_id(), "mine");
  EXPECT_NE(Run({"retry", kJob, "--class", "TRUNCATE"}), 0);
  EXPECT_THAT(err_,
              HasSubstr("--class: 'TRUNCATE' is no class of outcomes; did you mean 'TRUNCATED'?"));
}

TEST_F(RunTest, SubmitTriesAgainWithTheSameRequestId) {
  evaluation_.refusals = 2;
  EXPECT_EQ(Run({"submit", "-"}, "seed: 7"), 0) << err_;
  ASSERT_EQ(evaluation_.created.size(), 3U);
  EXPECT_EQ(evaluation_.created[0].request_id(), evaluation_.created[2].request_id());
}

TEST_F(RunTest, SubmitReplacesPromptsAndOnlyValidates) {
  ASSERT_TRUE(
      WriteFileAtomically(directory_ + "/prompts.json",
                          R"({"choice": {"messages": [{"role": "user", "content": "new"}]}})")
          .ok());
  EXPECT_EQ(Run({"submit", "-", "--validate-only", "--prompts", directory_ + "/prompts.json"},
                "prompts: {choice: {messages: [{role: user, content: old}]}}"),
            0)
      << err_;
  EXPECT_THAT(out_, HasSubstr("1,200 cells"));
  EXPECT_THAT(out_, HasSubstr("base: expect a 95 % interval 0.30 wide around a slope of 0.5 and "
                              "weights of reliability 0.90; contrasts from 0.22 on can be seen\n"));
  EXPECT_TRUE(evaluation_.created[0].validate_only());
  EXPECT_EQ(evaluation_.created[0].job().prompts().choice().messages(0).content(), "new");
}

TEST_F(RunTest, ReportWritesWhatTheCoordinatorSendsAndSaysTheHeadline) {
  const std::string out = directory_ + "/report";
  EXPECT_EQ(Run({"report", kJob, "--out", out, "--tau", "5"}), 0) << err_;
  EXPECT_EQ(File("report/report.html"), "<html></html>");
  EXPECT_THAT(File("report/analysis.json"), HasSubstr("headline"));
  EXPECT_THAT(out_, HasSubstr("The model knows its weights."));
  EXPECT_THAT(out_, HasSubstr("The report: " + out + "/report.html  (2 files"));
  EXPECT_EQ(analyses_.request.names(0), kJob);
  EXPECT_EQ(analyses_.request.settings().tau(), 5);
  EXPECT_FALSE(analyses_.request.settings().has_seed());

  // Over an earlier report, and not beside what is not ours.
  EXPECT_EQ(Run({"report", kJob, "--out", out}), 0) << err_;
  ASSERT_TRUE(WriteFileAtomically(out + "/thesis.tex", "mine").ok());
  EXPECT_EQ(Run({"report", kJob, "--out", out}), 1);
  EXPECT_THAT(err_, HasSubstr("thesis.tex"));
  EXPECT_EQ(Run({"report", kJob, "--out", out, "--force"}), 0) << err_;
}

TEST_F(RunTest, AReportThatIsNotWholeIsAnError) {
  const std::string out = directory_ + "/report";
  analyses_.cut = true;
  EXPECT_EQ(Run({"report", kJob, "--out", out}), 1);
  EXPECT_THAT(err_, HasSubstr("ended in the middle of \"report.html\""));
  EXPECT_FALSE(std::filesystem::exists(out + "/report.html"));
  analyses_.cut = false;
  analyses_.name = "../escaped.json";
  EXPECT_EQ(Run({"report", kJob, "--out", out}), 1);
  EXPECT_THAT(err_, HasSubstr("../escaped.json"));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/escaped.json"));
}

TEST_F(RunTest, WrongFilesAndRefusalsAreErrors) {
  EXPECT_EQ(Run({"submit", "-"}, "sed: 7"), 1);
  EXPECT_EQ(err_, "candor: -: sed (line 1): no such field; did you mean 'seed'?\n");
  evaluation_.refusal = "job.models: is empty; give at least one";
  EXPECT_EQ(Run({"submit", "-"}, "seed: 7"), 1);
  EXPECT_EQ(err_, "candor: -: job.models: is empty; give at least one\n");
  EXPECT_EQ(Run({"submit", directory_ + "/none.yaml"}), 1);
  EXPECT_THAT(err_, HasSubstr("none.yaml: cannot open"));
}

TEST_F(RunTest, NobodyListeningNamesTheAddressAndWhatToDo) {
  server_->Shutdown();
  EXPECT_EQ(Run({"jobs"}), 1);
  EXPECT_THAT(err_, HasSubstr("candor: no coordinator answers at " + address_));
  EXPECT_THAT(err_, HasSubstr("candor-coordinator"));
  EXPECT_THAT(err_, HasSubstr("CANDOR_COORDINATOR"));
}

TEST_F(RunTest, WrongUsageIsExitCodeTwo) {
  EXPECT_EQ(Run({"shwo", "x"}), 2);
  EXPECT_THAT(err_, HasSubstr("did you mean 'show'?"));
  EXPECT_EQ(Run({}), 2);
  EXPECT_EQ(Run({"samples", "x", "--clas", "VALID"}), 2);
  EXPECT_THAT(err_, HasSubstr("did you mean '--class'?"));
}

TEST_F(RunTest, JobsAreFoundByTheirBeginning) {
  EXPECT_EQ(Run({"pause", "4k9"}), 0) << err_;
  EXPECT_EQ(out_, std::string(kJob) + " PAUSED\n");
  EXPECT_EQ(Run({"pause", kJob}), 0) << err_;
  EXPECT_EQ(Run({"pause", "4"}), 1);
  EXPECT_THAT(err_, HasSubstr("2 jobs begin with jobs/4"));
  EXPECT_EQ(Run({"pause", "nope"}), 1);
  EXPECT_THAT(err_, HasSubstr("no job begins with jobs/nope"));
}

TEST_F(RunTest, WatchPrintsLinesAndTheStateDecidesTheExitCode) {
  EXPECT_EQ(Run({"watch", kJob}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr(std::string(kJob) + " RUNNING 2/4 50% 1 failed\n"));
  EXPECT_THAT(out_, HasSubstr(std::string(kJob) + " SUCCEEDED 2/4 50% 1 failed\n"));
  for (const auto end : {v1::Job::FAILED, v1::Job::CANCELLED, v1::Job::BUDGET_EXHAUSTED}) {
    evaluation_.end = end;
    EXPECT_EQ(Run({"watch", kJob}), 3);
  }
}

TEST_F(RunTest, WatchDrawsInPlaceInATerminal) {
  terminal_ = true;
  EXPECT_EQ(Run({"watch", kJob}), 0);
  // Three lines are drawn, and drawn over.
  EXPECT_THAT(out_, HasSubstr("\x1b[3A\x1b[J" + std::string(kJob) + "  SUCCEEDED"));
}

TEST_F(RunTest, WatchComesBackWithTheCoordinatorAndSaysSoOnce) {
  evaluation_.broken_watches = 1;
  EXPECT_EQ(Run({"submit", "-", "--watch"}, "seed: 7"), 0) << err_;
  EXPECT_EQ(evaluation_.watches, 2);
  const std::size_t first = out_.find("went away; waiting for it");
  ASSERT_NE(first, std::string::npos) << out_;
  EXPECT_EQ(out_.find("went away", first + 1), std::string::npos);
  EXPECT_THAT(out_, HasSubstr("is back."));
}

TEST_F(RunTest, InterruptStopsWatchingAndSaysHowToGoOn) {
  evaluation_.watch_for_ever = true;
  evaluation_.on_watch = [&] { interrupt_.Trigger(); };
  EXPECT_EQ(Run({"watch", kJob}), 130);
  EXPECT_THAT(out_, HasSubstr("Stopped watching; " + std::string(kJob) + " goes on."));
}

TEST_F(RunTest, ExportWritesSixFilesAndResumesABrokenStream) {
  evaluation_.broken_stream = true;
  const std::string out = directory_ + "/out";
  EXPECT_EQ(Run({"export", kJob, "--out", out}), 0) << err_;
  EXPECT_EQ(evaluation_.streams.size(), 2U);
  EXPECT_EQ(evaluation_.streams[1].cursor(), "1");
  EXPECT_EQ(evaluation_.streams[0].order(), v1::StreamOutcomesRequest::CANONICAL);
  const std::string lines = File("out/outcomes.jsonl");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_THAT(lines, HasSubstr("\"index\":1,"));
  EXPECT_EQ(File("out/choices.csv"),
            "entry,scenario,pair,order,sample,class,y,a_1,a_2,b_1,b_2,x_1,x_2\n"
            "base,plot,0,0,0,VALID,0,3,3,1,1,0.5,0.5\n"
            "base,plot,1,0,0,VALID,0,3,3,1,1,0.5,0.5\n");
  EXPECT_EQ(File("out/reports.csv"), "entry,scenario,pair,sample,class,attribute,value\n");
  EXPECT_THAT(File("out/attempts.jsonl"), HasSubstr("{\"id\":\"a1\""));
  EXPECT_THAT(File("out/scenarios.json"), HasSubstr("\"plot\""));
  const std::string job = File("out/job.json");
  EXPECT_THAT(job, HasSubstr("\"never_ran\": 1"));
  EXPECT_THAT(job, HasSubstr("\"coordinator\": \"9.9.9\""));
  EXPECT_THAT(job, HasSubstr("\"state\": \"SUCCEEDED\""));
  EXPECT_FALSE(std::filesystem::exists(out + "/.partial"));
  // An earlier export is replaced.
  EXPECT_EQ(Run({"export", kJob, "--out", out}), 0) << err_;
}

TEST_F(RunTest, ExportLeavesStrangersAlone) {
  ASSERT_TRUE(WriteFileAtomically(directory_ + "/thesis.tex", "x").ok());
  EXPECT_EQ(Run({"export", kJob, "--out", directory_}), 1);
  EXPECT_THAT(err_, HasSubstr("holds \"thesis.tex\""));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/outcomes.jsonl"));
  EXPECT_EQ(Run({"export", kJob, "--out", directory_, "--force"}), 0) << err_;
  EXPECT_EQ(File("thesis.tex"), "x");
}

TEST_F(RunTest, ExportStreamsOutcomesToStandardOutput) {
  EXPECT_EQ(Run({"export", kJob, "--out", "-"}), 0) << err_;
  EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 2);
  EXPECT_EQ(out_.substr(0, 16), "{\"entry\":\"base\",");
}

TEST_F(RunTest, SamplesFilterAndStop) {
  EXPECT_EQ(Run({"samples", kJob, "--class", "not-json", "--kind", "choice", "-n", "1"}), 0)
      << err_;
  EXPECT_THAT(evaluation_.streams[0].classes(), ElementsAre(v1::Outcome::NOT_JSON));
  EXPECT_THAT(evaluation_.streams[0].kinds(), ElementsAre(v1::Cell::CHOICE));
  EXPECT_EQ(
      out_,
      "base  plot  CHOICE 0  VALID  chose B\n  A: sun 3, cost 3\n  B: sun 1, cost 1\n  | B\n\n");
  EXPECT_EQ(Run({"samples", kJob, "--class", "NOT_JSN"}), 1);
  EXPECT_THAT(err_, HasSubstr("did you mean 'NOT_JSON'?"));
}

TEST_F(RunTest, PreviewNeedsNoCoordinator) {
  server_->Shutdown();
  ASSERT_TRUE(
      WriteFileAtomically(directory_ + "/candor.yaml",
                          "endpoints: [{name: local, base_url: 'http://h/v1', dialect: openai, "
                          "models: [{match: 'm*', max_tokens_field: max_completion_tokens}]}]")
          .ok());
  EXPECT_EQ(Run({"preview", "-", "-n", "2", "--config", directory_ + "/candor.yaml"},
                "models: [{endpoint: local, model: m1, name: base}]\n"
                "scenario_limit: 1\nchoices: {trials_per_scenario: 3, sampling: "
                "{max_output_tokens: 16}}\n"),
            0)
      << err_;
  EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 2);
  EXPECT_EQ(out_.substr(0, 14), "{\"model\":\"m1\",");
  EXPECT_THAT(out_, HasSubstr("\"max_completion_tokens\":16"));
  EXPECT_THAT(err_, HasSubstr("# base CHOICE: 2 of 3 requests: POST http://h/v1/chat/completions"));
}

TEST_F(RunTest, ScenariosAreValidatedAndCreatedSmallOrLarge) {
  const auto set = [](int count) {
    std::string text = R"({"scenarios": [)";
    for (int i = 0; i < count; ++i) {
      text += fmt::format(
          R"({}{{"id": "s{}", "question": "{}", "attributes": [{{"name": "a", "min": 0, "max": 1}},)"
          R"({{"name": "b", "min": 0, "max": 1}}]}})",
          i > 0 ? "," : "", i, std::string(5'000, 'q'));
    }
    return text + "]}";
  };
  EXPECT_EQ(Run({"scenarios", "validate", "-"}, set(2)), 0) << err_;
  EXPECT_EQ(out_, "-: 2 scenarios of 2 to 2 attributes\n");
  EXPECT_EQ(Run({"scenarios", "create", "-", "--id", "mine"}, set(2)), 0) << err_;
  EXPECT_EQ(out_, "scenarioSets/mine\n");
  EXPECT_EQ(scenarios_.creations, 1);
  EXPECT_EQ(Run({"scenarios", "create", "-", "--id", "big"}, set(1'000)), 0) << err_;
  EXPECT_EQ(out_, "scenarioSets/big\n");
  EXPECT_EQ(scenarios_.creations, 1);
  EXPECT_EQ(scenarios_.uploaded, 1'000);
  EXPECT_GT(scenarios_.pieces, 4);
  EXPECT_EQ(Run({"scenarios", "validate", "-"}, R"({"scenarios": [{"id": ""}]})"), 1);
}

TEST_F(RunTest, WorkersAndStatusAreShown) {
  EXPECT_EQ(Run({"workers"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("local (not served: environment variable LOCAL_API_KEY is not set)"));
  EXPECT_EQ(Run({"status"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("9.9.9 at " + address_));
  EXPECT_EQ(Run({"jobs"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("jobs/4zzz"));
}

TEST_F(RunTest, ExplainIsAPageOrJson) {
  EXPECT_EQ(Run({"explain", kJob}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr(std::string(kJob) + " waits for slots.\n"));
  EXPECT_THAT(out_, HasSubstr("50 %  [#####-----]  all 64 slots were taken\n"));
  EXPECT_EQ(Run({"explain", kJob, "--json"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("\"reason\": \"SLOTS\""));
}

TEST_F(RunTest, LimitsAreShownOnceOrUntilTheInterrupt) {
  EXPECT_EQ(Run({"limits"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("g5  1 cell waits\n"));
  cluster_.lists = 0;
  cluster_.interrupt = &interrupt_;
  EXPECT_EQ(Run({"limits", "--watch", "--interval", "0.1"}), kExitInterrupted) << err_;
  EXPECT_THAT(out_, HasSubstr("g5  1 cell waits\n"));
  EXPECT_EQ(cluster_.lists, 2);
}

TEST_F(RunTest, EveryLimitHasAFlag) {
  EXPECT_EQ(Run({"limits", "set", "g5", "--requests-per-day", "10", "--output-tokens-per-minute",
                 "20", "--in-flight", "0"}),
            0)
      << err_;
  EXPECT_THAT(cluster_.update.update_mask().paths(),
              testing::UnorderedElementsAre("limits.requests_per_day",
                                            "limits.output_tokens_per_minute", "limits.in_flight"));
  EXPECT_EQ(cluster_.update.limit_group().limits().output_tokens_per_minute(), 20);
  for (const char* wrong : {"-3", "x", "1.5", "0x10", "99999999999999999999"}) {
    EXPECT_EQ(Run({"limits", "set", "g5", "--in-flight", wrong}), 2);
    EXPECT_THAT(err_, AllOf(HasSubstr(wrong), HasSubstr("give a whole number")));
  }
  EXPECT_EQ(Run({"limits", "set", "g5", "--in-flight", "010"}), 0) << err_;
  EXPECT_EQ(cluster_.update.limit_group().limits().in_flight(), 10);
}

TEST_F(RunTest, LimitsChangeOnlyWhatIsGiven) {
  EXPECT_EQ(Run({"limits", "set", "g5", "--requests-per-minute", "60"}), 0) << err_;
  EXPECT_EQ(cluster_.update.limit_group().name(), "limitGroups/g5");
  EXPECT_THAT(cluster_.update.update_mask().paths(), ElementsAre("limits.requests_per_minute"));
  EXPECT_EQ(Run({"limits", "set", "g5"}), 1);
  EXPECT_THAT(err_, HasSubstr("give at least one of"));
}

}  // namespace
}  // namespace candor::cli
