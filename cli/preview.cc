// candor preview
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/job_file.h"
#include "common/base/config.h"
#include "common/dialect/check.h"
#include "common/dialect/dialect.h"
#include "common/dialect/render.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/cells.h"
#include "common/scenario/resolve.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <ostream>

namespace candor::cli {
namespace {

struct Options {
  std::string file;
  std::string prompts;
  int count = 3;
};

// The scenarios of the job's set; nothing when the job brings its own.
StatusOr<v1::ScenarioSet> SetOf(const v1::Job& job, Context& context) {
  if (job.has_inline_scenarios()) return v1::ScenarioSet();
  const v1::ScenarioSet& builtin = scenario::BuiltinScenarioSet();
  if (job.scenario_set().empty() || job.scenario_set() == builtin.name()) return builtin;
  v1::GetScenarioSetRequest request;
  request.set_name(job.scenario_set());
  v1::ScenarioSet set;
  const Status status =
      context.client.Call(context.client.scenarios(), &Scenarios::GetScenarioSet, request, &set);
  if (!status.ok())
    return Annotate(status, "the scenario set of the job stands at the coordinator");
  return set;
}

// One (entry, kind).
Status PreviewPart(const dialect::JobRenderer& renderer, int entry_index, v1::Cell::Kind kind,
                   int count, Context& context) {
  const v1::ResolvedEntry& entry = renderer.specification().entries(entry_index);
  const scenario::CellMap cells(renderer.specification(), entry_index, kind);
  if (cells.size() == 0) return absl::OkStatus();
  const v1::Endpoint* endpoint = FindEndpoint(context.config, entry.endpoint());
  std::string url = "(base URL)";
  std::string dialect_name;
  const v1::ModelRule* rule = &v1::ModelRule::default_instance();
  if (endpoint != nullptr) {
    url = endpoint->base_url();
    dialect_name = endpoint->dialect();
    rule = &dialect::FindModelRule(*endpoint, entry.model());
  } else {
    context.err << fmt::format(
        "# The endpoint \"{}\" is in no configuration: --config FILE names one. Shown as plain "
        "openai.\n",
        entry.endpoint());
  }
  CANDOR_ASSIGN_OR_RETURN(const dialect::Dialect* dialect, dialect::FindDialect(dialect_name));
  dialect::RenderedCell rendered;
  auto shown = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(cells.size(), static_cast<std::uint64_t>(count)));
  if (kind == v1::Cell::CHOICE && entry.choices().design() == v1::Choices::ADAPTIVE) {
    const auto drawn = static_cast<std::uint64_t>(entry.choices().adaptive().random_pairs());
    if (drawn < cells.pairs()) {
      context.err << fmt::format(
          "# {}: the first {} pairs of a scenario are drawn; each of the other {} follows from the "
          "answers before it (the one of {} candidates that tells most) and is not known yet.\n",
          entry.name(), drawn, cells.pairs() - drawn, entry.choices().adaptive().candidates());
    }
    // Pairs come in order.
    while (shown > 0 && !scenario::IsDrawn(entry, cells.At(shown - 1).pair)) --shown;
  }
  context.err << fmt::format("# {} {}: {} of {} requests: POST {}{}\n", entry.name(),
                             v1::Cell::Kind_Name(kind), shown, cells.size(), url,
                             dialect->Path(entry.model(), dialect::Streams(*rule)))
              << std::flush;
  for (std::uint32_t index = 0; index < shown; ++index) {
    v1::Cell cell;
    cell.set_entry_index(entry_index);
    cell.set_kind(kind);
    cell.set_index(index);
    CANDOR_RETURN_IF_ERROR(renderer.Render(cell, nullptr, *dialect, *rule, &rendered));
    context.out << rendered.body << '\n' << std::flush;
  }
  return absl::OkStatus();
}

StatusOr<int> Preview(const Options& options, Context& context) {
  CANDOR_ASSIGN_OR_RETURN(const v1::CreateJobRequest request,
                          ReadJobFile(options.file, options.prompts, context.in));
  CANDOR_ASSIGN_OR_RETURN(const v1::ScenarioSet set, SetOf(request.job(), context));
  v1::JobSpecification specification;
  FieldViolations violations = scenario::ResolveJob(request.job(), set.scenarios(), &specification);
  // Where the endpoint is configured here, what it cannot do is known before anybody is asked.
  if (violations.empty()) {
    dialect::CheckJob(request.job(), specification, context.config, &violations);
  }
  CANDOR_RETURN_IF_ERROR(Annotate(ToStatus(violations), options.file));
  CANDOR_ASSIGN_OR_RETURN(const auto renderer,
                          dialect::JobRenderer::Create(std::move(specification)));
  for (int i = 0; i < renderer->specification().entries_size(); ++i) {
    for (const v1::Cell::Kind kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
      CANDOR_RETURN_IF_ERROR(PreviewPart(*renderer, i, kind, options.count, context));
    }
  }
  return 0;
}

}  // namespace

void AddPreviewCommand(CLI::App& app, Action* action) {
  CLI::App* command = app.add_subcommand("preview",
                                         "Print the exact request bodies that a job would send; "
                                         "calls nobody, and needs no coordinator for "
                                         "inline and built-in scenarios");
  auto options = std::make_shared<Options>();
  command
      ->add_option("FILE", options->file,
                   "A job, or the CreateJob envelope; - reads standard input")
      ->required();
  command->add_option("--prompts", options->prompts, "A file whose prompts replace the job's")
      ->option_text("FILE");
  command->add_option("-n", options->count, "Requests of each entry and kind [3]")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  command->callback(
      [=] { *action = [=](Context& context) { return Preview(*options, context); }; });
}

}  // namespace candor::cli
