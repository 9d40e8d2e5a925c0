// The commands of `candor`. Each file adds its subcommands to the app; the one on the command line
// becomes the action.
#pragma once

#include "cli/progress.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/base/status.h"

#include <chrono>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace candor::v1 {
class Config;
}  // namespace candor::v1

namespace candor::cli {

class Client;

// A job that was watched to an end other than SUCCEEDED.
inline constexpr int kExitJobFailed = 3;
// Stopped by Ctrl-C, as shells have it.
inline constexpr int kExitInterrupted = 130;

// What the commands touch of the world.
struct Context {
  Client& client;
  const v1::Config& config;
  const Clock& clock;
  IdGenerator& ids;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  // Whether `out` is a terminal that can be drawn on, and how.
  bool terminal = false;
  // Lines of the terminal.
  std::size_t height = 24;
  ProgressStyle style;
  // Pauses before a call that found no coordinator is tried again.
  std::vector<std::chrono::milliseconds> pauses;
};

// What a command does; the exit code, or an error, which is exit code 1.
using Action = std::function<StatusOr<int>(Context&)>;

void AddAnalyzeCommand(CLI::App& app, Action* action);
void AddBatchesCommand(CLI::App& app, Action* action);
void AddSubmitCommand(CLI::App& app, Action* action);
void AddContinueCommands(CLI::App& app, Action* action);
void AddPreviewCommand(CLI::App& app, Action* action);
void AddJobCommands(CLI::App& app, Action* action);
void AddSamplesCommand(CLI::App& app, Action* action);
void AddExportCommand(CLI::App& app, Action* action);
void AddReportCommand(CLI::App& app, Action* action);
void AddImportCommand(CLI::App& app, Action* action);
void AddScenarioCommands(CLI::App& app, Action* action);
void AddGenerateCommand(CLI::App& app, Action* action);
void AddClusterCommands(CLI::App& app, Action* action);
void AddLimitsCommand(CLI::App& app, Action* action);
void AddExplainCommand(CLI::App& app, Action* action);

}  // namespace candor::cli
