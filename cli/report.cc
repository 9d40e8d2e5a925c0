// candor report
#include "common/report/report.h"

#include "candor/v1/analysis.pb.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string_view>

namespace candor::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAnalysis = "analysis.json";
constexpr const char* kPage = "report.html";

struct Options {
  std::vector<std::string> jobs;
  std::string out;
  bool force = false;
  std::optional<double> tau;
  std::optional<int> resamples;
  std::optional<std::uint64_t> seed;
};

// What a report may write: its page, its JSON, its tables.
bool IsReportFile(const std::string& name) {
  return name == kPage || name == kAnalysis ||
         (name.size() > 4 && name.compare(name.size() - 4, 4, ".csv") == 0);
}

// A plain name, and not one that a folder of the user's could be behind.
bool IsPlain(const std::string& name) {
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

// A directory that holds somebody else's files is left alone, unless `force`.
Status CheckDirectory(const std::string& directory, bool force) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return Unavailable("{}: cannot make the directory: {}", directory, error.message());
  if (force) return absl::OkStatus();
  for (auto it = fs::directory_iterator(directory, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (IsReportFile(name)) continue;
    return FailedPrecondition(
        "{} holds \"{}\", which no report wrote; name another directory, or write beside it with "
        "--force",
        directory, name);
  }
  if (error) return Unavailable("{}: cannot list the directory: {}", directory, error.message());
  return absl::OkStatus();
}

// Puts the pieces together. A report is some megabytes.
class Pieces {
 public:
  Status Take(const v1::GetReportResponse& piece) {
    if (!open_) {
      if (!IsPlain(piece.file()) || !files_.try_emplace(piece.file()).second)
        return DataLoss("the coordinator sent a file named \"{}\"", Printable(piece.file()));
      name_ = piece.file();
    } else if (piece.file() != name_) {
      return DataLoss("the coordinator sent \"{}\" before \"{}\" was whole",
                      Printable(piece.file()), name_);
    }
    files_[name_] += piece.data();
    open_ = !piece.last();
    return absl::OkStatus();
  }

  // Name and content, when the stream has ended well.
  StatusOr<std::map<std::string, std::string>> Finish() {
    if (open_) return DataLoss("the coordinator ended in the middle of \"{}\"", name_);
    return std::move(files_);
  }

 private:
  std::map<std::string, std::string> files_;
  std::string name_;
  bool open_ = false;
};

StatusOr<int> Report(const Options& options, Context& context) {
  v1::GetReportRequest request;
  for (const std::string& job : options.jobs) {
    CANDOR_ASSIGN_OR_RETURN(*request.add_names(), context.client.FindJob(job));
  }
  if (options.tau) request.mutable_settings()->set_tau(*options.tau);
  if (options.resamples) request.mutable_settings()->set_resamples(*options.resamples);
  if (options.seed) request.mutable_settings()->set_seed(*options.seed);

  CANDOR_RETURN_IF_ERROR(CheckDirectory(options.out, options.force));
  Pieces pieces;
  grpc::ClientContext call;
  const Interrupt::Scope scope(context.client.interrupt(), [&] { call.TryCancel(); });
  const auto reader = context.client.analysis().GetReport(&call, request);
  v1::GetReportResponse piece;
  while (reader->Read(&piece)) {
    const Status taken = pieces.Take(piece);
    if (taken.ok()) continue;
    call.TryCancel();
    reader->Finish();
    return taken;
  }
  CANDOR_RETURN_IF_ERROR(context.client.Translate(reader->Finish()));
  CANDOR_ASSIGN_OR_RETURN(const auto files, pieces.Finish());
  for (const auto& [name, content] : files)
    CANDOR_RETURN_IF_ERROR(WriteFileAtomically((fs::path(options.out) / name).string(), content));

  v1::Analysis analysis;
  const auto json = files.find(kAnalysis);
  if (json == files.end()) return DataLoss("the coordinator sent no {}", kAnalysis);
  CANDOR_RETURN_IF_ERROR(ParseJson(json->second, &analysis));
  for (const std::string& line : report::RenderTerminal(analysis)) context.out << line << '\n';
  context.out << fmt::format("\nThe report: {}  ({} files; open it in a browser)\n",
                             (fs::path(options.out) / kPage).string(), files.size());
  return 0;
}

}  // namespace

void AddReportCommand(CLI::App& app, Action* action) {
  CLI::App* command = app.add_subcommand(
      "report", "Analyse jobs, running or finished, and write a page, JSON and tables");
  auto options = std::make_shared<Options>();
  command->add_option("JOB", options->jobs, "jobs/x, x, or its beginning; several are compared")
      ->required();
  command->add_option("--out", options->out, "A directory")->option_text("DIR")->required();
  command->add_flag("--force", options->force, "Write into a directory that holds other files too");
  command->add_option("--tau", options->tau, "Prior standard deviation of the weights [1]")
      ->option_text("NUMBER");
  command->add_option("--resamples", options->resamples, "Bootstrap resamples [10000]")
      ->option_text("N");
  command->add_option("--seed", options->seed, "Seed of the bootstrap [0]")->option_text("N");
  command->callback([=] { *action = [=](Context& context) { return Report(*options, context); }; });
}

}  // namespace candor::cli
