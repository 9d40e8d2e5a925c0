// candor import
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/paper_import.h"
#include "cli/text.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <ostream>

namespace candor::cli {
namespace {

// Far below the 4 MB that a piece may have.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;
// Checking and writing a million outcomes takes less than this on a slow disk.
constexpr std::chrono::minutes kImportTime(10);
// Malformed rows that are shown; the others are counted.
constexpr std::size_t kShownRows = 20;

struct Options {
  PaperImportOptions paper;
  std::string request_id;
};

Status Send(Context& context, const PaperImport& import, const std::string& request_id,
            v1::Job* created) {
  Client& client = context.client;
  grpc::ClientContext call;
  call.set_deadline(std::chrono::system_clock::now() + kImportTime);
  const Interrupt::Scope scope(client.interrupt(), [&] { call.TryCancel(); });
  const auto writer = client.evaluation().ImportJob(&call, created);
  v1::ImportJobRequest piece;
  *piece.mutable_job() = import.job;
  piece.set_request_id(request_id);
  // The job alone first: with a few outcomes it might pass the limit of a piece.
  bool open = writer->Write(piece);
  piece.Clear();
  std::size_t bytes = 0;
  for (const v1::Outcome& outcome : import.outcomes) {
    if (!open) break;
    const std::size_t size = outcome.ByteSizeLong();
    if (bytes > 0 && bytes + size > kPieceBytes) {
      open = writer->Write(piece);
      piece.Clear();
      bytes = 0;
    }
    *piece.add_outcomes() = outcome;
    bytes += size;
  }
  if (open) writer->Write(piece);
  writer->WritesDone();
  return client.Translate(writer->Finish());
}

StatusOr<int> Import(Options options, Context& context) {
  CANDOR_ASSIGN_OR_RETURN(const PaperImport import, ReadPaperImport(options.paper));
  for (const std::string& note : import.notes) context.err << Printable(note) << '\n';
  for (std::size_t i = 0; i < import.excluded_lines.size() && i < kShownRows; ++i)
    context.err << "left out: " << Printable(import.excluded_lines[i]) << '\n';
  if (import.excluded > 0)
    context.err << fmt::format("{} rows were left out\n", WithCommas(import.excluded));

  // With an id the import can be repeated: it creates one job at most.
  if (options.request_id.empty()) options.request_id = context.ids.Next();
  v1::Job created;
  Status status;
  for (std::size_t attempt = 0;; ++attempt) {
    status = Send(context, import, options.request_id, &created);
    if (status.code() != absl::StatusCode::kUnavailable || attempt == context.pauses.size()) break;
    if (context.client.interrupt().WaitFor(context.pauses[attempt])) break;
  }
  CANDOR_RETURN_IF_ERROR(status);
  // The name alone on standard output: JOB=$(candor import ...).
  context.out << created.name() << '\n' << std::flush;
  context.err << fmt::format("{} outcomes of {} entries imported.\n",
                             WithCommas(static_cast<std::int64_t>(import.outcomes.size())),
                             import.job.models_size());
  return 0;
}

}  // namespace

void AddImportCommand(CLI::App& app, Action* action) {
  CLI::App* command = app.add_subcommand(
      "import", "Create a job from answers that others collected: the paper's CSV files");
  auto options = std::make_shared<Options>();
  PaperImportOptions& paper = options->paper;
  command
      ->add_option("--paper", paper.directory,
                   "A directory with MODEL_*selections.csv, MODEL_*weight_reports.csv and "
                   "scenarios.csv")
      ->option_text("DIR")
      ->required();
  command->add_option("--model", paper.model, "What the files' names begin with")
      ->option_text("MODEL")
      ->required();
  command
      ->add_option("--scenarios", paper.scenarios,
                   "Scenarios with attributes and ranges; left out: DIR/scenarios.csv")
      ->option_text("FILE");
  command
      ->add_option("--prompts", paper.prompts,
                   "The wording that was used; left out: DIR/prompts.json, if it is there")
      ->option_text("FILE");
  command->add_option("--name", paper.name, "The job's display name")->option_text("TEXT");
  command
      ->add_option("--reports-per-scenario", paper.reports_per_scenario,
                   "Self-reports that were asked for: what is missing of them counts as lost")
      ->capture_default_str()
      ->option_text("N")
      ->check(CLI::Range(1, 100'000));
  command
      ->add_option("--request-id", options->request_id,
                   "Two imports with the same one create one job")
      ->option_text("ID");
  command->callback([=] { *action = [=](Context& context) { return Import(*options, context); }; });
}

}  // namespace candor::cli
