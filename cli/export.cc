// candor export
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/export_files.h"
#include "cli/export_read.h"
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
  std::string format = "candor";
  bool force = false;
};

// The files of this format, which an export replaces.
bool IsCandorExport(const std::string& name) {
  static constexpr std::string_view kNames[] = {"attempts.jsonl", "choices.csv", "job.json",
                                                "outcomes.jsonl", "reports.csv", "scenarios.json"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
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
  CANDOR_ASSIGN_OR_RETURN(const ExportedJob exported, ReadJob(context, name));
  const v1::JobSpecification& specification = exported.specification;

  std::map<std::string, const v1::Scenario*> scenarios;
  int most_attributes = 0;
  v1::ScenarioSet set;
  for (const v1::Scenario& scenario : specification.scenarios()) {
    scenarios.emplace(scenario.id(), &scenario);
    most_attributes = std::max(most_attributes, scenario.attributes_size());
    *set.add_scenarios() = scenario;
  }

  CANDOR_ASSIGN_OR_RETURN(ExportFiles files,
                          ExportFiles::Create(options.out, options.force, IsCandorExport));
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
  CANDOR_RETURN_IF_ERROR(files.Write(
      "job.json", JobJson(exported.job, counts, exported.coordinator_version, CANDOR_VERSION)));
  CANDOR_RETURN_IF_ERROR(files.Finish());
  context.err << fmt::format("{}: {} outcomes and {} attempts in {}\n", name, WithCommas(outcomes),
                             WithCommas(attempts), options.out);
  SayIfUnfinished(exported.job, context.err);
  return absl::OkStatus();
}

StatusOr<int> Export(const Options& options, Context& context) {
  CANDOR_ASSIGN_OR_RETURN(const std::string name, context.client.FindJob(options.job));
  if (options.format != "candor" && options.out == "-") {
    return InvalidArgument("--format {} writes files; give --out a directory", options.format);
  }
  if (options.format == "paper") {
    CANDOR_RETURN_IF_ERROR(ExportPaper(context, name, options.out, options.force));
    return 0;
  }
  if (options.format == "inspect") {
    CANDOR_RETURN_IF_ERROR(ExportInspect(context, name, options.out, options.force));
    return 0;
  }
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
  CLI::App* command = app.add_subcommand("export", "Write a job's outcomes and attempts as files");
  auto options = std::make_shared<Options>();
  command->add_option("JOB", options->job, "jobs/x, x, or its beginning")->required();
  command
      ->add_option("--out", options->out,
                   "A directory; - writes outcomes.jsonl to standard output; with --format inspect "
                   "also a file that ends in .json")
      ->option_text("DIR|-|FILE.json")
      ->required();
  command
      ->add_option("--format", options->format,
                   "candor: JSON lines and CSV with everything (the default); paper: the CSV files "
                   "of the paper's replication package; inspect: logs for Inspect's viewer")
      ->option_text("candor|paper|inspect")
      ->check(CLI::IsMember({"candor", "paper", "inspect"}));
  command->add_flag("--force", options->force, "Write into a directory that holds other files too");
  command->callback([=] { *action = [=](Context& context) { return Export(*options, context); }; });
}

}  // namespace candor::cli
