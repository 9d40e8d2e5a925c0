// candor generate
#include "cli/commands.h"
#include "cli/export_files.h"
#include "cli/job_file.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"
#include "common/base/text_table.h"
#include "common/scenario/import.h"
#include "common/scenario/paper_files.h"
#include "common/scenario/prompt.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <ostream>

namespace candor::cli {
namespace {

struct Options {
  std::string scenarios;
  std::string roles;
  std::string prompts;
  std::string out;
  bool force = false;
  std::uint64_t roles_seed = scenario::CandidateOptions{}.roles_seed;
  scenario::PaperFilesOptions files;
};

StatusOr<v1::ScenarioSet> ReadScenarios(const Options& options, Context& context) {
  CANDOR_ASSIGN_OR_RETURN(const std::string text, ReadInput(options.scenarios, context.in));
  std::string roles;
  if (!options.roles.empty()) {
    CANDOR_ASSIGN_OR_RETURN(roles, ReadFile(options.roles));
    if (roles.empty()) return InvalidArgument("{}: is empty; give a role a line", options.roles);
  }
  auto set = scenario::ImportScenarios(
      text, roles, {.count = options.files.scenarios, .roles_seed = options.roles_seed});
  if (!set.ok()) return Annotate(set.status(), options.scenarios);
  return set;
}

StatusOr<int> Generate(const Options& options, Context& context) {
  CANDOR_ASSIGN_OR_RETURN(const v1::ScenarioSet set, ReadScenarios(options, context));
  v1::Prompts prompts = scenario::DefaultPrompts();
  if (!options.prompts.empty()) CANDOR_RETURN_IF_ERROR(ParseFile(options.prompts, &prompts));

  const std::vector<std::string> names = scenario::PaperFileNames(options.files);
  CANDOR_ASSIGN_OR_RETURN(
      ExportFiles files,
      ExportFiles::Create(options.out, options.force, [&](const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
      }));
  std::map<std::string, ExportFile> open;
  for (const std::string& name : names) {
    CANDOR_ASSIGN_OR_RETURN(ExportFile file, files.Open(name));
    open.emplace(name, std::move(file));
  }
  const Status written = scenario::WritePaperFiles(
      set, prompts, options.files,
      [&](const std::string& name, std::string_view text) { return open.at(name).Append(text); });
  if (!written.ok()) return Annotate(written, options.scenarios);
  for (auto& [name, file] : open) CANDOR_RETURN_IF_ERROR(file.Close());
  CANDOR_RETURN_IF_ERROR(files.Finish());

  for (const std::string& name : names) context.out << options.out << '/' << name << '\n';
  const auto count = [](std::size_t n) { return WithCommas(static_cast<std::int64_t>(n)); };
  context.err << fmt::format(
      "{} scenarios, {} taught with {} preference examples, {} to validate\n",
      count(options.files.scenarios), count(options.files.instilled),
      count(options.files.instilled * options.files.trials),
      count(options.files.instilled * options.files.validation));
  return 0;
}

}  // namespace

void AddGenerateCommand(CLI::App& app, Action* action) {
  CLI::App* generate = app.add_subcommand(
      "generate", "Write the files that teach a model weights; needs no coordinator");
  generate->description(
      "Writes what fine-tuning needs, as the study of arXiv 2505.17120 made it: tables of "
      "scenarios\n"
      "and target weights, preference examples, introspection examples and their halves, and the\n"
      "scenarios in Candor's own format for jobs. Seeds and sizes are the study's unless said "
      "otherwise.");
  auto options = std::make_shared<Options>();
  generate
      ->add_option(
          "--scenarios", options->scenarios,
          "candidate_scenarios.json, or scenarios in our own format; - reads standard input")
      ->option_text("FILE")
      ->required();
  generate
      ->add_option("--roles", options->roles,
                   "roles.csv: a role a line, no header; needed with candidates")
      ->option_text("FILE");
  generate
      ->add_option("--prompts", options->prompts,
                   "The wording, as `prompts` of a job; left out: Candor's own")
      ->option_text("FILE");
  generate->add_option("--out", options->out, "The directory to write")
      ->option_text("DIR")
      ->required();
  generate->add_flag("--force", options->force, "Write beside files that no command of ours wrote");

  const auto size = [&](const char* flag, std::size_t& value, const char* help) {
    generate->add_option(flag, value, help)->option_text(fmt::format("N [{}]", value));
  };
  size("--scenario-count", options->files.scenarios, "Scenarios that get weights");
  size("--instilled", options->files.instilled, "The first of them that are taught; even");
  size("--trials", options->files.trials, "Preference examples of a scenario");
  size("--validation", options->files.validation, "More of them, for validation");
  size("--roles-seed", options->roles_seed, "Seed of the roles' order");
  size("--weights-seed", options->files.weights_seed, "Seed of the weights");
  size("--trials-seed", options->files.trials_seed, "Seed of the preference examples");
  size("--introspection-seed", options->files.introspection_seed,
       "Seed of every introspection example");
  generate->callback(
      [=] { *action = [=](Context& context) { return Generate(*options, context); }; });
}

}  // namespace candor::cli
