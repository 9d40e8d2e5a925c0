#include "cli/run.h"

#include "candor/v1/config.pb.h"
#include "cli/client.h"
#include "cli/numbers.h"
#include "common/base/program.h"

#include <CLI/CLI.hpp>

#include <ostream>

namespace candor::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 success; 1 error; 2 wrong usage; 3 the job that was watched ended FAILED, "
    "CANCELLED or\n"
    "BUDGET_EXHAUSTED; 130 stopped by Ctrl-C.\n"
    "`candor COMMAND --help` says more about a command.";

}  // namespace

int RunCandor(int argc, const char* const* argv, World& world) {
  v1::Config config;
  Program program({.name = "candor",
                   .version = CANDOR_VERSION,
                   .summary = "Measures how well language models can describe their own decisions: "
                              "jobs, progress, exports.",
                   .config = &config,
                   .section = "client",
                   .ready_file = false});
  program.Bind({"--coordinator", "client.coordinator", "ADDRESS", "The coordinator's gRPC address",
                "127.0.0.1:7070"});
  Action action;
  CLI::App& app = program.app();
  app.require_subcommand(0, 1);
  app.footer(kFooter);
  AddAnalyzeCommand(app, &action);
  AddSubmitCommand(app, &action);
  AddContinueCommands(app, &action);
  AddBatchesCommand(app, &action);
  AddPreviewCommand(app, &action);
  AddJobCommands(app, &action);
  AddSamplesCommand(app, &action);
  AddExportCommand(app, &action);
  AddReportCommand(app, &action);
  AddImportCommand(app, &action);
  AddScenarioCommands(app, &action);
  AddGenerateCommand(app, &action);
  AddClusterCommands(app, &action);
  AddLimitsCommand(app, &action);
  AddExplainCommand(app, &action);
  ReadNumbersInDecimal(app);
  if (const auto exit_code = program.Parse(argc, argv)) return *exit_code;
  if (!action) {
    world.err << "candor: no command given. `candor --help` lists them.\n";
    return kExitUsage;
  }
  Client client(config.client().coordinator(), world.interrupt);
  Context context{client,    config,         world.clock,  world.ids,   world.in,    world.out,
                  world.err, world.terminal, world.height, world.style, world.pauses};
  const StatusOr<int> exit_code = action(context);
  world.out << std::flush;
  if (exit_code.ok()) return *exit_code;
  if (world.interrupt.triggered()) return kExitInterrupted;
  world.err << "candor: " << Message(exit_code.status()) << '\n';
  return kExitError;
}

}  // namespace candor::cli
