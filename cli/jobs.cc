// candor watch, jobs, show, pause, resume, cancel, delete
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "cli/watch.h"
#include "common/base/json_proto.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <ostream>

namespace candor::cli {
namespace {

StatusOr<int> ListJobs(int limit, bool json, Context& context) {
  Table table({"NAME", "STATE", ">DONE", ">TOTAL", ">SPEND", "CREATED (UTC)", "DISPLAY NAME"});
  v1::ListJobsRequest request;
  v1::ListJobsResponse all;
  while (all.jobs_size() < limit) {
    request.set_page_size(std::min(limit - all.jobs_size(), 1000));
    v1::ListJobsResponse page;
    CANDOR_RETURN_IF_ERROR(
        context.client.Call(context.client.evaluation(), &Evaluation::ListJobs, request, &page));
    all.mutable_jobs()->MergeFrom(page.jobs());
    request.set_page_token(page.next_page_token());
    if (page.next_page_token().empty()) break;
  }
  if (json) {
    context.out << PrintJson(all) << '\n';
    return 0;
  }
  for (const v1::Job& job : all.jobs()) {
    const JobTotals totals = Totals(job);
    table.Add(
        {job.name(), v1::Job::State_Name(job.state()), WithCommas(totals.done),
         WithCommas(totals.total),
         // Of unknown calls the most that they can have cost: what a budget counts.
         totals.money + totals.unknown_money > 0 ? Money(totals.money + totals.unknown_money) : "-",
         Moment(job.create_time()), Printable(job.display_name())});
  }
  context.out << (table.empty() ? "No jobs. `candor submit FILE` creates one.\n" : table.Text());
  return 0;
}

// What the job's outcomes say so far: of the first message of a watch that has any. Empty when the
// coordinator does not answer in time, since the counts are worth showing all the same.
v1::LiveEstimates Estimates(const std::string& name, Context& context) {
  grpc::ClientContext call;
  call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  const Interrupt::Scope scope(context.client.interrupt(), [&] { call.TryCancel(); });
  v1::WatchJobRequest request;
  request.set_name(name);
  const auto reader = context.client.evaluation().WatchJob(&call, request);
  v1::WatchJobResponse message;
  while (reader->Read(&message) && !message.has_estimates()) continue;
  call.TryCancel();
  reader->Finish();
  return std::move(*message.mutable_estimates());
}

StatusOr<int> ShowJob(const std::string& name, bool json, Context& context) {
  v1::GetJobRequest request;
  request.set_name(name);
  v1::Job job;
  CANDOR_RETURN_IF_ERROR(
      context.client.Call(context.client.evaluation(), &Evaluation::GetJob, request, &job));
  if (json) {
    context.out << PrintJson(job) << '\n';
    return 0;
  }
  const v1::LiveEstimates estimates = Estimates(name, context);
  for (const std::string& line : RenderProgress(job, nullptr, context.style, &estimates))
    context.out << line << '\n';
  context.out << fmt::format("created {}, started {}, ended {} (UTC); seed {}; specification {}\n",
                             Moment(job.create_time()), Moment(job.start_time()),
                             Moment(job.end_time()), job.seed(),
                             job.specification_hash().substr(0, 12));
  for (const std::string& line : RenderPlan(job, context.style.width)) context.out << line << '\n';
  return 0;
}

// Pause, resume and cancel: a request with a name, and the job that comes of it.
template <typename Request>
void AddChange(CLI::App& app, Action* action, const char* word, const char* help,
               grpc::Status (Evaluation::*method)(grpc::ClientContext*, const Request&, v1::Job*)) {
  CLI::App* command = app.add_subcommand(word, help);
  auto job = std::make_shared<std::string>();
  command->add_option("JOB", *job, "jobs/x, x, or its beginning")->required();
  command->callback([=] {
    *action = [=](Context& context) -> StatusOr<int> {
      Request request;
      CANDOR_ASSIGN_OR_RETURN(*request.mutable_name(), context.client.FindJob(*job));
      v1::Job changed;
      CANDOR_RETURN_IF_ERROR(
          context.client.Call(context.client.evaluation(), method, request, &changed));
      context.out << fmt::format("{} {}\n", changed.name(), v1::Job::State_Name(changed.state()));
      return 0;
    };
  });
}

}  // namespace

void AddJobCommands(CLI::App& app, Action* action) {
  auto job = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);

  CLI::App* watch = app.add_subcommand(
      "watch", "Show a job's progress until it ends; Ctrl-C stops watching, not the job");
  watch->add_option("JOB", *job, "jobs/x, x, or its beginning")->required();
  watch->callback([=] {
    *action = [=](Context& context) -> StatusOr<int> {
      CANDOR_ASSIGN_OR_RETURN(const std::string name, context.client.FindJob(*job));
      return WatchJob(context, name);
    };
  });

  CLI::App* jobs = app.add_subcommand("jobs", "List jobs, the newest first");
  auto limit = std::make_shared<int>(50);
  jobs->add_option("-n", *limit, "Jobs at most [50]")->option_text("N")->check(CLI::PositiveNumber);
  jobs->add_flag("--json", *json, "Print JSON");
  jobs->callback(
      [=] { *action = [=](Context& context) { return ListJobs(*limit, *json, context); }; });

  CLI::App* show = app.add_subcommand("show", "Show one job");
  show->add_option("JOB", *job, "jobs/x, x, or its beginning")->required();
  show->add_flag("--json", *json, "Print the whole job as JSON");
  show->callback([=] {
    *action = [=](Context& context) -> StatusOr<int> {
      CANDOR_ASSIGN_OR_RETURN(const std::string name, context.client.FindJob(*job));
      return ShowJob(name, *json, context);
    };
  });

  AddChange(app, action, "pause", "Let calls in flight finish and start no others",
            &Evaluation::PauseJob);
  AddChange(app, action, "resume", "Continue a paused job, or one that a provider stopped",
            &Evaluation::ResumeJob);
  AddChange(app, action, "cancel", "End a job with what it has", &Evaluation::CancelJob);

  CLI::App* remove =
      app.add_subcommand("delete", "Delete a job that has ended, with its outcomes and attempts");
  remove->add_option("JOB", *job, "jobs/x, x, or its beginning")->required();
  remove->callback([=] {
    *action = [=](Context& context) -> StatusOr<int> {
      v1::DeleteJobRequest request;
      CANDOR_ASSIGN_OR_RETURN(*request.mutable_name(), context.client.FindJob(*job));
      google::protobuf::Empty nothing;
      CANDOR_RETURN_IF_ERROR(context.client.Call(context.client.evaluation(),
                                                 &Evaluation::DeleteJob, request, &nothing));
      context.out << fmt::format("{} deleted\n", request.name());
      return 0;
    };
  });
}

}  // namespace candor::cli
