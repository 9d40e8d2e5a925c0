// candor extend, retry
#include "cli/creation.h"
#include "common/base/nearest.h"
#include "common/base/quoted.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace candor::cli {
namespace {

struct ExtendOptions {
  std::string job;
  std::string display_name;
  int trials = 0;
  int reports = 0;
  CreationOptions creation;
};

StatusOr<int> Extend(const ExtendOptions& options, Context& context) {
  v1::ExtendJobRequest request;
  CANDOR_ASSIGN_OR_RETURN(*request.mutable_name(), context.client.FindJob(options.job));
  request.set_trials_per_scenario(options.trials);
  request.set_reports_per_scenario(options.reports);
  request.set_display_name(options.display_name);
  const std::string name = request.name();
  return CreateAndShow(options.creation, name, std::move(request), &Evaluation::ExtendJob, context);
}

struct RetryOptions {
  std::string job;
  std::string display_name;
  std::vector<std::string> classes;
  std::vector<std::string> entries;
  std::optional<int> max_output_tokens;
  std::optional<double> temperature;
  CreationOptions creation;
};

StatusOr<int> Retry(const RetryOptions& options, Context& context) {
  v1::RetryJobRequest request;
  CANDOR_ASSIGN_OR_RETURN(*request.mutable_name(), context.client.FindJob(options.job));
  for (const std::string& word : options.classes) {
    v1::Outcome::Class parsed{};
    if (!v1::Outcome::Class_Parse(word, &parsed)) {
      std::vector<std::string> classes;
      for (int i = 1; i <= v1::Outcome::Class_MAX; ++i) {
        classes.push_back(v1::Outcome::Class_Name(static_cast<v1::Outcome::Class>(i)));
      }
      return InvalidArgument("--class: {} is no class of outcomes{}; there are {}", Quoted(word),
                             DidYouMean(word, classes), fmt::join(classes, ", "));
    }
    request.add_classes(parsed);
  }
  for (const std::string& entry : options.entries) request.add_entries(entry);
  if (options.max_output_tokens) request.set_max_output_tokens(*options.max_output_tokens);
  if (options.temperature) request.set_temperature(*options.temperature);
  request.set_display_name(options.display_name);
  const std::string name = request.name();
  return CreateAndShow(options.creation, name, std::move(request), &Evaluation::RetryJob, context);
}

}  // namespace

void AddContinueCommands(CLI::App& app, Action* action) {
  CLI::App* extend = app.add_subcommand(
      "extend", "Create a longer job from one that has ended; its outcomes are taken over");
  auto longer = std::make_shared<ExtendOptions>();
  extend->add_option("JOB", longer->job, "jobs/x, x, or its beginning")->required();
  extend->add_option("--trials", longer->trials, "Trials a scenario [as before]")->option_text("N");
  extend->add_option("--reports", longer->reports, "Self-reports a scenario [as before]")
      ->option_text("N");
  extend->add_option("--name", longer->display_name, "What to call the new job [as before]")
      ->option_text("TEXT");
  AddCreationOptions(extend, &longer->creation);
  extend->callback([=] { *action = [=](Context& context) { return Extend(*longer, context); }; });

  CLI::App* retry = app.add_subcommand(
      "retry",
      "Create a job that asks an ended one's outcomes of some classes again, and the cells without "
      "one; the others are taken over");
  auto again = std::make_shared<RetryOptions>();
  retry->add_option("JOB", again->job, "jobs/x, x, or its beginning")->required();
  retry
      ->add_option("--class", again->classes, "A class to ask again, such as TRUNCATED; repeatable")
      ->option_text("CLASS");
  retry->add_option("--entry", again->entries, "Ask only cells of this entry again; repeatable")
      ->option_text("NAME");
  retry
      ->add_option("--max-output-tokens", again->max_output_tokens,
                   "Output limit of what is asked again [as before]")
      ->option_text("N");
  retry
      ->add_option("--temperature", again->temperature,
                   "Temperature of what is asked again [as before]")
      ->option_text("T");
  retry->add_option("--name", again->display_name, "What to call the new job [as before]")
      ->option_text("TEXT");
  AddCreationOptions(retry, &again->creation);
  retry->callback([=] { *action = [=](Context& context) { return Retry(*again, context); }; });
}

}  // namespace candor::cli
