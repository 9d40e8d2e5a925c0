// candor submit
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/job_file.h"
#include "cli/text.h"
#include "cli/watch.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <ostream>

namespace candor::cli {
namespace {

struct Options {
  std::string file;
  std::string prompts;
  std::string request_id;
  bool watch = false;
  bool validate_only = false;
};

void PrintEstimate(const v1::JobEstimate& estimate, std::ostream& out) {
  out << fmt::format("{} cells, {} calls, about {} input tokens, at most {} output tokens",
                     WithCommas(estimate.cells()), WithCommas(estimate.calls()),
                     Short(estimate.input_tokens()), Short(estimate.output_tokens()));
  if (estimate.money() > 0) out << ", at most " << Money(estimate.money()) << " to pay";
  if (estimate.has_duration())
    out << ", " << Span(estimate.duration()) << " at the limits in force";
  out << '\n';
  for (const v1::DesignPrecision& precision : estimate.precision()) {
    out << fmt::format(
        "{}: expect a 95 % interval {:.2f} wide around a slope of 0.5 and weights of reliability "
        "{:.2f}; contrasts from {:.2f} on can be seen\n",
        Printable(precision.entry()), precision.interval_width(), precision.weights_reliability(),
        precision.smallest_contrast());
  }
  for (const std::string& warning : estimate.warnings())
    out << "warning: " << Printable(warning) << '\n';
}

StatusOr<int> Submit(const Options& options, Context& context) {
  CANDOR_ASSIGN_OR_RETURN(v1::CreateJobRequest request,
                          ReadJobFile(options.file, options.prompts, context.in));
  if (!options.request_id.empty()) request.set_request_id(options.request_id);
  // With an id the call can be repeated: it creates one job at most.
  if (request.request_id().empty()) request.set_request_id(context.ids.Next());
  if (options.validate_only) request.set_validate_only(true);
  v1::CreateJobResponse response;
  Status status;
  for (std::size_t attempt = 0;; ++attempt) {
    status = context.client.Call(context.client.evaluation(), &Evaluation::CreateJob, request,
                                 &response);
    if (status.code() != absl::StatusCode::kUnavailable || attempt == context.pauses.size()) break;
    if (context.client.interrupt().WaitFor(context.pauses[attempt])) break;
  }
  if (!status.ok()) return Annotate(status, options.file);
  if (request.validate_only()) {
    PrintEstimate(response.estimate(), context.out);
    return 0;
  }
  // The name alone on standard output: JOB=$(candor submit job.yaml).
  context.out << response.job().name() << '\n' << std::flush;
  PrintEstimate(response.estimate(), context.err);
  if (options.watch) return WatchJob(context, response.job().name());
  context.err << fmt::format("`candor watch {}` shows how it goes.\n", response.job().name());
  return 0;
}

}  // namespace

void AddSubmitCommand(CLI::App& app, Action* action) {
  CLI::App* command = app.add_subcommand("submit", "Create a job from a file");
  auto options = std::make_shared<Options>();
  command
      ->add_option(
          "FILE", options->file,
          "A job, or the CreateJob envelope: YAML, JSON or textproto; - reads standard input")
      ->required();
  command->add_option("--prompts", options->prompts, "A file whose prompts replace the job's")
      ->option_text("FILE");
  command
      ->add_option("--request-id", options->request_id,
                   "Two submissions with the same one create one job")
      ->option_text("ID");
  command->add_flag("--watch", options->watch, "Go on to watch the job");
  command->add_flag("--validate-only", options->validate_only,
                    "Check the job and say what it takes; create nothing");
  command->callback([=] { *action = [=](Context& context) { return Submit(*options, context); }; });
}

}  // namespace candor::cli
