// candor export
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/export_files.h"
#include "cli/export_rows.h"
#include "cli/text.h"
#include "common/base/json_proto.h"
#include "common/base/json_writer.h"
#include "common/scenario/catalogue.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <ostream>

namespace candor::cli {
namespace {

struct Options {
  std::string job;
  std::string out;
  bool force = false;
};

Status ReadOutcomes(Context& context, const std::string& job,
                    const std::function<Status(const v1::Outcome&)>& on_outcome) {
  v1::StreamOutcomesRequest request;
  request.set_name(job);
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

Status ReadAttempts(Context& context, const std::string& job,
                    const std::function<Status(const v1::Attempt&)>& on_attempt) {
  v1::StreamAttemptsRequest request;
  request.set_name(job);
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

using Counts = std::map<std::pair<std::string, v1::Cell::Kind>, std::int64_t>;

// The job with its counts, as they were when the outcomes were read.
std::string JobJson(const v1::Job& job, const Counts& exported,
                    const std::string& coordinator_version, const std::string& version) {
  std::string pretty = PrintJson(job);
  for (std::size_t at = pretty.find('\n'); at != std::string::npos;
       at = pretty.find('\n', at + 3)) {
    pretty.insert(at + 1, "  ");
  }
  JsonWriter json(2);
  json.BeginObject().Key("versions").BeginObject();
  json.Key("export").Number(std::int64_t{1});
  json.Key("candor").String(version);
  json.Key("coordinator").String(coordinator_version).EndObject();
  json.Key("cells").BeginArray();
  for (const v1::EntryProgress& entry : job.progress()) {
    for (const v1::KindProgress& kind : entry.kinds()) {
      const auto found = exported.find({entry.entry(), kind.kind()});
      const std::int64_t done = found == exported.end() ? 0 : found->second;
      json.BeginObject().Key("entry").String(entry.entry());
      json.Key("kind").String(v1::Cell::Kind_Name(kind.kind()));
      json.Key("total").Number(std::int64_t{kind.total()});
      json.Key("outcomes").Number(done);
      json.Key("failed").Number(std::int64_t{kind.failed()});
      json.Key("never_ran").Number(std::max<std::int64_t>(0, kind.total() - done - kind.failed()));
      json.EndObject();
    }
  }
  json.EndArray().Key("job").Json(pretty).EndObject();
  return json.Take() + "\n";
}

Status WriteExport(Context& context, const std::string& name, const Options& options) {
  v1::GetJobRequest get;
  get.set_name(name);
  v1::Job job;
  CANDOR_RETURN_IF_ERROR(
      context.client.Call(context.client.evaluation(), &Evaluation::GetJob, get, &job));
  v1::GetJobSpecificationRequest get_specification;
  get_specification.set_name(name);
  v1::JobSpecification specification;
  CANDOR_RETURN_IF_ERROR(context.client.Call(context.client.evaluation(),
                                             &Evaluation::GetJobSpecification, get_specification,
                                             &specification));
  v1::ClusterStatus cluster;
  CANDOR_RETURN_IF_ERROR(context.client.Call(context.client.cluster(), &Cluster::GetStatus,
                                             v1::GetStatusRequest(), &cluster));

  std::map<std::string, const v1::Scenario*> scenarios;
  int most_attributes = 0;
  v1::ScenarioSet set;
  for (const v1::Scenario& scenario : specification.scenarios()) {
    scenarios.emplace(scenario.id(), &scenario);
    most_attributes = std::max(most_attributes, scenario.attributes_size());
    *set.add_scenarios() = scenario;
  }

  CANDOR_ASSIGN_OR_RETURN(ExportFiles files, ExportFiles::Create(options.out, options.force));
  CANDOR_RETURN_IF_ERROR(files.Write("scenarios.json", scenario::PrintScenarioSet(set)));
  Counts counts;
  std::int64_t outcomes = 0;
  {
    CANDOR_ASSIGN_OR_RETURN(ExportFile lines, files.Open("outcomes.jsonl"));
    CANDOR_ASSIGN_OR_RETURN(ExportFile choices, files.Open("choices.csv"));
    CANDOR_ASSIGN_OR_RETURN(ExportFile reports, files.Open("reports.csv"));
    CANDOR_RETURN_IF_ERROR(choices.Append(ChoicesHeader(most_attributes)));
    CANDOR_RETURN_IF_ERROR(reports.Append(ReportsHeader()));
    const auto write = [&](const v1::Outcome& outcome) -> Status {
      const auto scenario = scenarios.find(outcome.scenario());
      if (scenario == scenarios.end()) {
        return DataLoss("an outcome of the scenario \"{}\", which the job does not have",
                        outcome.scenario());
      }
      ++outcomes;
      ++counts[{outcome.entry(), outcome.kind()}];
      CANDOR_RETURN_IF_ERROR(lines.Append(OutcomeJson(outcome) + "\n"));
      if (outcome.kind() == v1::Cell::SELF_REPORT)
        return reports.Append(ReportsRows(outcome, *scenario->second));
      CANDOR_ASSIGN_OR_RETURN(const std::string row,
                              ChoicesRow(outcome, *scenario->second, most_attributes));
      return choices.Append(row);
    };
    CANDOR_RETURN_IF_ERROR(ReadOutcomes(context, name, write));
    CANDOR_RETURN_IF_ERROR(lines.Close());
    CANDOR_RETURN_IF_ERROR(choices.Close());
    CANDOR_RETURN_IF_ERROR(reports.Close());
  }
  std::int64_t attempts = 0;
  CANDOR_ASSIGN_OR_RETURN(ExportFile lines, files.Open("attempts.jsonl"));
  CANDOR_RETURN_IF_ERROR(ReadAttempts(context, name, [&](const v1::Attempt& attempt) {
    ++attempts;
    return lines.Append(AttemptJson(attempt) + "\n");
  }));
  CANDOR_RETURN_IF_ERROR(lines.Close());
  CANDOR_RETURN_IF_ERROR(
      files.Write("job.json", JobJson(job, counts, cluster.version(), CANDOR_VERSION)));
  CANDOR_RETURN_IF_ERROR(files.Finish());
  context.err << fmt::format("{}: {} outcomes and {} attempts in {}\n", name, WithCommas(outcomes),
                             WithCommas(attempts), options.out);
  if (!IsTerminal(job.state())) {
    context.err << fmt::format("The job is {}: this is what it has so far.\n",
                               v1::Job::State_Name(job.state()));
  }
  return absl::OkStatus();
}

StatusOr<int> Export(const Options& options, Context& context) {
  CANDOR_ASSIGN_OR_RETURN(const std::string name, context.client.FindJob(options.job));
  if (options.out != "-") {
    CANDOR_RETURN_IF_ERROR(WriteExport(context, name, options));
    return 0;
  }
  CANDOR_RETURN_IF_ERROR(ReadOutcomes(context, name, [&](const v1::Outcome& outcome) -> Status {
    context.out << OutcomeJson(outcome) << '\n';
    // A reader such as `head` that has gone.
    if (!context.out) return Cancelled("standard output takes no more");
    return absl::OkStatus();
  }));
  return 0;
}

}  // namespace

void AddExportCommand(CLI::App& app, Action* action) {
  CLI::App* command =
      app.add_subcommand("export", "Write a job's outcomes and attempts as JSON lines and CSV");
  auto options = std::make_shared<Options>();
  command->add_option("JOB", options->job, "jobs/x, x, or its beginning")->required();
  command
      ->add_option("--out", options->out, "A directory; - writes outcomes.jsonl to standard output")
      ->option_text("DIR|-")
      ->required();
  command->add_flag("--force", options->force, "Write into a directory that holds other files too");
  command->callback([=] { *action = [=](Context& context) { return Export(*options, context); }; });
}

}  // namespace candor::cli
