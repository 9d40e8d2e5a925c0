#include "common/analysis/export_study.h"

#include "candor/v1/job.pb.h"
#include "common/analysis/job_study.h"
#include "common/analysis/outcome_line.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"
#include "common/base/violations.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/resolve.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

namespace candor::analysis {
namespace {

constexpr std::size_t kPieceBytes = 1U << 20U;

// The value of one field at the top of a JSON object, as it stands; empty if there is none. The
// text is read properly afterwards: here only quotes and brackets count.
std::string_view TopLevelValue(std::string_view text, std::string_view name) {
  int depth = 0;
  std::size_t begin = std::string_view::npos;
  std::string_view last_string;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      const std::size_t from = i + 1;
      for (++i; i < text.size() && text[i] != '"'; ++i)
        if (text[i] == '\\') ++i;
      if (depth == 1) last_string = text.substr(from, std::min(i, text.size()) - from);
    } else if (c == ':' && depth == 1 && begin == std::string_view::npos && last_string == name) {
      begin = i + 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
      if (begin == std::string_view::npos) continue;
      if (depth == 1) return text.substr(begin, i + 1 - begin);
      if (depth == 0) return text.substr(begin, i - begin);
    } else if (c == ',' && depth == 1 && begin != std::string_view::npos) {
      return text.substr(begin, i - begin);
    }
  }
  return {};
}

Status ReadJob(const std::string& directory, v1::JobSpecification* specification, v1::Job* job) {
  const std::string job_path = directory + "/job.json";
  CANDOR_ASSIGN_OR_RETURN(const std::string text, ReadFile(job_path));
  const std::string_view job_text = TopLevelValue(text, "job");
  if (job_text.empty()) {
    return InvalidArgument("{}: has no \"job\"; it must be what `candor export` wrote", job_path);
  }
  CANDOR_RETURN_IF_ERROR(Annotate(ParseJson(job_text, job), job_path + ": job"));

  const std::string scenarios_path = directory + "/scenarios.json";
  CANDOR_ASSIGN_OR_RETURN(const std::string scenarios_text, ReadFile(scenarios_path));
  auto set = scenario::ParseScenarioSet(scenarios_text);
  if (!set.ok()) return Annotate(set.status(), scenarios_path);

  // The export has the scenarios that were selected, in their order.
  v1::Job selected = *job;
  selected.clear_inline_scenarios();
  selected.clear_scenario_set();
  selected.clear_scenario_ids();
  selected.clear_scenario_limit();
  const FieldViolations violations =
      scenario::ResolveJob(selected, set->scenarios(), specification);
  if (!violations.empty()) {
    return InvalidArgument(
        "{}: {}: {}{}", job_path, violations.front().field, violations.front().description,
        violations.size() > 1 ? fmt::format(" (and {} more)", violations.size() - 1) : "");
  }
  return absl::OkStatus();
}

// What was kept out of one file.
struct Excluded {
  std::string file;
  std::int64_t line = 0;
  std::string column;
  std::string reason;
};

class Lines {
 public:
  Lines(std::string path, int job, JobStudyBuilder* builder)
      : path_(std::move(path)), job_(job), builder_(builder) {}

  // Reads the whole file; what is kept out goes to `excluded`, the first kMaxExcludedRows of
  // `count`.
  Status Read(std::vector<Excluded>* excluded, std::int64_t* count) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path_.c_str(), "rb"),
                                                               &std::fclose);
    if (file == nullptr) {
      return errno == ENOENT ? NotFound("{}: {}", path_, std::strerror(errno))
                             : PermissionDenied("{}: {}", path_, std::strerror(errno));
    }
    std::vector<char> buffer(kPieceBytes);
    std::size_t size = 0;
    while ((size = std::fread(buffer.data(), 1, buffer.size(), file.get())) > 0)
      Take({buffer.data(), size}, excluded, count);
    if (std::ferror(file.get()) != 0) return Unavailable("{}: {}", path_, std::strerror(errno));
    if (!blank_) EndLine(excluded, count);
    return absl::OkStatus();
  }

 private:
  void Take(std::string_view text, std::vector<Excluded>* excluded, std::int64_t* count) {
    if (first_) {
      first_ = false;
      constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
      if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark)
        text.remove_prefix(kByteOrderMark.size());
    }
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      const std::string_view piece = text.substr(0, end);
      if (blank_ && piece.find_first_not_of(" \t\r") != std::string_view::npos) blank_ = false;
      if (!blank_) parser_.Write(piece);
      if (end == std::string_view::npos) return;
      if (!blank_) EndLine(excluded, count);
      blank_ = true;
      ++line_;
      text.remove_prefix(end + 1);
    }
  }

  void EndLine(std::vector<Excluded>* excluded, std::int64_t* count) {
    Status status = parser_.Finish(&outcome_);
    std::string column(parser_.Column());
    if (status.ok()) {
      column.clear();
      status = builder_->Add(job_, outcome_);
    }
    if (status.ok()) return;
    ++*count;
    if (excluded->size() < kMaxExcludedRows)
      excluded->push_back({path_, line_, std::move(column), Message(status)});
  }

  std::string path_;
  int job_;
  JobStudyBuilder* builder_;
  OutcomeLineParser parser_;
  v1::Outcome outcome_;
  std::int64_t line_ = 1;
  bool blank_ = true;
  bool first_ = true;
};

}  // namespace

StatusOr<Study> ReadExportStudy(const std::vector<std::string>& directories) {
  if (directories.empty()) return InvalidArgument("no folder of an export is given");
  JobStudyBuilder builder;
  std::vector<Excluded> excluded;
  std::int64_t excluded_count = 0;
  for (const std::string& directory : directories) {
    v1::JobSpecification specification;
    v1::Job job;
    CANDOR_RETURN_IF_ERROR(ReadJob(directory, &specification, &job));
    const StatusOr<int> added = builder.AddJob(specification, job);
    if (!added.ok()) return Annotate(added.status(), directory);
    Lines lines(directory + "/outcomes.jsonl", *added, &builder);
    CANDOR_RETURN_IF_ERROR(lines.Read(&excluded, &excluded_count));
  }
  Study study = builder.Build();
  for (Excluded& row : excluded)
    ExcludeRow(&study, row.file, row.line, std::move(row.column), std::move(row.reason));
  study.excluded_row_count = excluded_count;
  study.sources = directories;
  return study;
}

}  // namespace candor::analysis
