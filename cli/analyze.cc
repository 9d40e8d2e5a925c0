// candor analyze: files in, figures out. Needs no coordinator.
#include "common/analysis/analyze.h"

#include "cli/commands.h"
#include "common/analysis/export_study.h"
#include "common/analysis/paper_study.h"
#include "common/base/files.h"
#include "common/base/time_proto.h"
#include "common/report/report.h"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

namespace candor::cli {
namespace {

struct Options {
  std::string paper;
  std::vector<std::string> models;
  std::vector<std::string> exports;
  std::string json;
  std::string html;
  std::string csv;
  analysis::Options analysis;
};

StatusOr<analysis::Study> ReadStudy(const Options& options) {
  if (options.paper.empty() == options.exports.empty()) {
    return InvalidArgument(
        "give either --paper DIR with --model M, or --export DIR for each job to analyse");
  }
  if (!options.exports.empty()) {
    if (!options.models.empty()) {
      return InvalidArgument(
          "--model belongs to --paper; the entries of an export are all analysed");
    }
    return analysis::ReadExportStudy(options.exports);
  }
  return analysis::ReadPaperStudy(options.paper, options.models);
}

Status WriteCsv(const std::string& directory, const v1::Analysis& analysis) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return Unavailable("{}: cannot be made: {}", directory, error.message());
  for (const report::File& file : report::RenderCsv(analysis))
    CANDOR_RETURN_IF_ERROR(WriteFileAtomically(directory + "/" + file.name, file.content));
  return absl::OkStatus();
}

StatusOr<int> Analyze(const Options& options, Context& context) {
  CANDOR_ASSIGN_OR_RETURN(const analysis::Study study, ReadStudy(options));
  CANDOR_ASSIGN_OR_RETURN(v1::Analysis analysis, analysis::Analyze(study, options.analysis));
  analysis.set_candor_version(CANDOR_VERSION);
  *analysis.mutable_create_time() = ToProto(context.clock.WallNow());
  if (options.json == "-") context.out << report::RenderJson(analysis);
  if (!options.json.empty() && options.json != "-")
    CANDOR_RETURN_IF_ERROR(WriteFileAtomically(options.json, report::RenderJson(analysis)));
  if (!options.html.empty())
    CANDOR_RETURN_IF_ERROR(WriteFileAtomically(options.html, report::RenderHtml(analysis)));
  if (!options.csv.empty()) CANDOR_RETURN_IF_ERROR(WriteCsv(options.csv, analysis));
  // People read the figures here, or, when they went to files, on the error stream what was kept
  // out and why.
  std::ostream& lines = options.json == "-" ? context.err : context.out;
  for (const std::string& line : report::RenderTerminal(analysis)) lines << line << '\n';
  return 0;
}

}  // namespace

void AddAnalyzeCommand(CLI::App& app, Action* action) {
  CLI::App* command = app.add_subcommand(
      "analyze", "Analyse the paper's CSV files, or what `candor export` wrote; no cluster needed");
  auto options = std::make_shared<Options>();
  command->add_option("--paper", options->paper, "A folder of files named as the paper's")
      ->option_text("DIR");
  command->add_option("--model", options->models, "Whose files of --paper; may be repeated")
      ->option_text("MODEL");
  command->add_option("--export", options->exports, "What `candor export` wrote; may be repeated")
      ->option_text("DIR");
  command->add_option("--json", options->json, "Write the analysis as JSON; - to standard output")
      ->option_text("FILE|-");
  command->add_option("--html", options->html, "Write the report as a page")->option_text("FILE");
  command->add_option("--csv", options->csv, "Write the tables")->option_text("DIR");
  command
      ->add_option("--tau", options->analysis.tau,
                   "Prior standard deviation of the weights; a job's plan comes first")
      ->option_text("1");
  command
      ->add_option("--resamples", options->analysis.resamples,
                   "Bootstrap resamples of the scenarios; 0 for none")
      ->option_text("10000");
  command
      ->add_option("--permutations", options->analysis.permutations,
                   "Reassignments of reports among scenarios; 0 for none")
      ->option_text("10000");
  command->add_option("--seed", options->analysis.seed, "Of bootstrap, permutations and folds")
      ->option_text("0");
  command->callback(
      [=] { *action = [=](Context& context) { return Analyze(*options, context); }; });
}

}  // namespace candor::cli
