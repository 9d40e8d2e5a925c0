// candor export --format inspect
#include "cli/client.h"
#include "cli/export_files.h"
#include "cli/export_read.h"
#include "cli/inspect_rows.h"
#include "cli/text.h"

#include <filesystem>
#include <optional>
#include <ostream>
#include <set>

namespace candor::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kChoices = "_choice.json";
constexpr std::string_view kSelfReports = "_self-report.json";

// The log of one entry and kind, or of everything.
class LogWriter {
 public:
  LogWriter(const ExportedJob& exported, ExportFiles& files) : exported_(exported), files_(files) {}

  Status Open(const std::string& name, const InspectScope& scope) {
    CANDOR_RETURN_IF_ERROR(Close());
    CANDOR_ASSIGN_OR_RETURN(InspectLog log, InspectLog::Create(exported_, scope, CANDOR_VERSION));
    log_.emplace(std::move(log));
    CANDOR_ASSIGN_OR_RETURN(ExportFile file, files_.Open(name));
    file_.emplace(std::move(file));
    ++logs_;
    return file_->Append(log_->Head());
  }

  Status Add(const v1::Outcome& outcome) {
    CANDOR_ASSIGN_OR_RETURN(const std::string sample, log_->Sample(outcome));
    ++samples_;
    return file_->Append(sample);
  }

  Status Close() {
    if (!file_) return absl::OkStatus();
    CANDOR_RETURN_IF_ERROR(file_->Append(log_->Tail()));
    Status status = file_->Close();
    file_.reset();
    log_.reset();
    return status;
  }

  int logs() const { return logs_; }
  std::int64_t samples() const { return samples_; }

 private:
  const ExportedJob& exported_;
  ExportFiles& files_;
  std::optional<InspectLog> log_;
  std::optional<ExportFile> file_;
  int logs_ = 0;
  std::int64_t samples_ = 0;
};

std::string LogName(const std::string& entry, v1::Cell::Kind kind, std::set<std::string>* taken) {
  std::string base = entry;
  for (char& c : base) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || (c == '.' && &c != base.data());
    if (!plain) c = '_';
  }
  const std::string_view end = kind == v1::Cell::CHOICE ? kChoices : kSelfReports;
  std::string name = base + std::string(end);
  for (int n = 2; !taken->insert(name).second; ++n) name = fmt::format("{}_{}{}", base, n, end);
  return name;
}

}  // namespace

Status ExportInspect(Context& context, const std::string& name, const std::string& out,
                     bool force) {
  CANDOR_ASSIGN_OR_RETURN(const ExportedJob exported, ReadJob(context, name));
  const fs::path path(out);
  const bool one = path.extension() == ".json";
  // A single file lies among those of others: only a name that is taken is asked about.
  std::error_code ignored;
  if (one && !force && fs::exists(path, ignored)) {
    return FailedPrecondition("{} is there already; replace it with --force", out);
  }
  const std::string directory = !one                     ? out
                                : path.has_parent_path() ? path.parent_path().string()
                                                         : std::string(".");
  CANDOR_ASSIGN_OR_RETURN(ExportFiles files,
                          ExportFiles::Create(directory, force || one, [](const std::string& file) {
                            return file.ends_with(kChoices) || file.ends_with(kSelfReports);
                          }));
  LogWriter writer(exported, files);
  if (one) CANDOR_RETURN_IF_ERROR(writer.Open(path.filename().string(), {}));
  std::string entry;
  v1::Cell::Kind kind = v1::Cell::KIND_UNSPECIFIED;
  std::set<std::string> taken;
  const auto write = [&](const v1::Outcome& outcome) -> Status {
    if (!one && (outcome.entry() != entry || outcome.kind() != kind)) {
      entry = outcome.entry();
      kind = outcome.kind();
      int position = 0;
      while (position < exported.specification.entries_size() &&
             exported.specification.entries(position).name() != entry) {
        ++position;
      }
      if (position == exported.specification.entries_size()) {
        return DataLoss("an outcome of the entry \"{}\", which the job does not have", entry);
      }
      CANDOR_RETURN_IF_ERROR(
          writer.Open(LogName(entry, kind, &taken), {.entry = position, .kind = kind}));
    }
    return writer.Add(outcome);
  };
  CANDOR_RETURN_IF_ERROR(ReadOutcomes(context, name, write));
  CANDOR_RETURN_IF_ERROR(writer.Close());
  CANDOR_RETURN_IF_ERROR(files.Finish());
  context.err << fmt::format(
      "{}: {} samples in {} logs in {}; `inspect view --log-dir {}` shows "
      "them\n",
      name, WithCommas(writer.samples()), writer.logs(), out, directory);
  SayIfUnfinished(exported.job, context.err);
  return absl::OkStatus();
}

}  // namespace candor::cli
