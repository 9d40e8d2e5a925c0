// candor explain
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/explanation_page.h"
#include "common/base/json_proto.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <ostream>
#include <string>

namespace candor::cli {
namespace {

StatusOr<int> Explain(const std::string& job, bool json, Context& context) {
  v1::ExplainJobRequest request;
  CANDOR_ASSIGN_OR_RETURN(*request.mutable_name(), context.client.FindJob(job));
  v1::JobExplanation explanation;
  CANDOR_RETURN_IF_ERROR(context.client.Call(context.client.evaluation(), &Evaluation::ExplainJob,
                                             request, &explanation));
  if (json) {
    context.out << PrintJson(explanation) << '\n';
    return 0;
  }
  for (const std::string& line : RenderExplanation(explanation, context.style)) {
    context.out << line << '\n';
  }
  return 0;
}

}  // namespace

void AddExplainCommand(CLI::App& app, Action* action) {
  CLI::App* command = app.add_subcommand("explain", "Say why a job is not faster");
  auto job = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("JOB", *job, "jobs/x, x, or its beginning")->required();
  command->add_flag("--json", *json, "Print JSON");
  command->callback(
      [=] { *action = [=](Context& context) { return Explain(*job, *json, context); }; });
}

}  // namespace candor::cli
