// candor submit
#include "cli/creation.h"
#include "cli/job_file.h"

#include <CLI/CLI.hpp>

#include <memory>

namespace candor::cli {
namespace {

struct Options {
  std::string file;
  std::string prompts;
  std::string budget;
  CreationOptions creation;
};

StatusOr<int> Submit(const Options& options, Context& context) {
  CANDOR_ASSIGN_OR_RETURN(v1::CreateJobRequest request,
                          ReadJobFile(options.file, options.prompts, context.in));
  if (!options.budget.empty()) {
    const auto money = ParseMoney(options.budget);
    if (!money.ok()) return Annotate(money.status(), "--budget");
    request.mutable_job()->mutable_budget()->set_money(*money);
  }
  return CreateAndShow(options.creation, options.file, std::move(request), &Evaluation::CreateJob,
                       context);
}

}  // namespace

void AddCreationOptions(CLI::App* command, CreationOptions* options) {
  command
      ->add_option("--request-id", options->request_id,
                   "Two submissions with the same one create one job")
      ->option_text("ID");
  command->add_flag("--watch", options->watch, "Go on to watch the job");
  command->add_flag("--validate-only", options->validate_only,
                    "Check the job and say what it takes; create nothing");
}

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
      ->add_option("--budget", options->budget,
                   "Money that the job may spend, such as 2.50; replaces the file's")
      ->option_text("MONEY");
  AddCreationOptions(command, &options->creation);
  command->callback([=] { *action = [=](Context& context) { return Submit(*options, context); }; });
}

}  // namespace candor::cli
