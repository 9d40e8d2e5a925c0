#include "tests/unit/coordinator/store/crash_harness.h"

#include "coordinator/store/sqlite_store.h"
#include "tests/unit/coordinator/store/crash_records.h"
#include "tests/unit/coordinator/store/temp_dir.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

namespace candor::store {
namespace {

constexpr const char* kChild = CANDOR_CRASH_CHILD;
// Enough for some checkpoints.
constexpr const char* kSweepBatches = "14";

std::string ReadAll(int file) {
  std::string text;
  std::array<char, 4096> buffer{};
  ssize_t size = 0;
  while ((size = read(file, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return text;
}

// The last whole line, as a number: a killed process may have written part of one.
std::uint32_t LastTicket(const std::string& text) {
  const std::size_t end = text.rfind('\n');
  if (end == std::string::npos) return 0;
  const std::size_t begin = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  return static_cast<std::uint32_t>(
      std::stoul(text.substr(begin == std::string::npos ? 0 : begin + 1)));
}

}  // namespace

ChildResult RunChild(const std::vector<std::string>& command, std::uint32_t kill_after) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const TempDir directory;
  const std::string error_path = directory.path() + "/errors";
  std::array<int, 2> tickets{};
  EXPECT_EQ(pipe(tickets.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(tickets[1], STDOUT_FILENO);
    close(tickets[0]);
    close(tickets[1]);
    if (std::freopen(error_path.c_str(), "w", stderr) == nullptr) _exit(126);
    // Leaks cannot be looked for under strace; the other tests do.
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(tickets[1]);
  std::string text;
  std::uint32_t lines = 0;
  char letter = 0;
  while (kill_after > 0 && lines < kill_after && read(tickets[0], &letter, 1) == 1) {
    text.push_back(letter);
    lines += letter == '\n' ? 1 : 0;
  }
  if (kill_after > 0) kill(child, SIGKILL);
  text += ReadAll(tickets[0]);
  close(tickets[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  std::ifstream errors(error_path);
  return {.acknowledged = LastTicket(text),
          .killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
          .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .errors = {std::istreambuf_iterator<char>(errors), {}}};
}

std::uint32_t ExpectPrefix(const std::string& directory, std::uint32_t acknowledged) {
  auto store = OpenSqliteStore(directory, {.reserve_bytes = 0});
  EXPECT_TRUE(store.ok()) << store.status();
  if (!store.ok()) return 0;
  const StatusOr<engine::Recovery> recovery = (*store)->Recover();
  EXPECT_TRUE(recovery.ok()) << recovery.status();
  if (!recovery.ok()) return 0;
  const std::uint32_t batches = RecoveredBatches(*recovery);
  EXPECT_GE(batches, acknowledged);
  EXPECT_TRUE(CheckSqliteStore(directory).ok()) << CheckSqliteStore(directory);
  EXPECT_EQ(recovery->jobs.size(), batches > 0 ? 1U : 0U);
  if (recovery->jobs.empty()) return batches;

  const engine::JobRecovery& job = recovery->jobs[0];
  EXPECT_EQ(job.status->state_reason(), std::to_string(batches));
  EXPECT_EQ(job.done.size(), batches);
  EXPECT_TRUE(job.tried.empty());
  EXPECT_EQ(recovery->lease_batches.size(), 1U);
  for (const auto& open : recovery->lease_batches) {
    EXPECT_EQ(open.batch.id, batches);
    EXPECT_TRUE(open.open.empty());
  }
  OutcomeQuery query{.job = 1, .limit = {.rows = 1'000'000, .bytes = std::size_t{1} << 40U}};
  std::uint32_t next = 1;
  while (true) {
    const StatusOr<OutcomePage> page = (*store)->ReadOutcomes(query);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) break;
    for (const OutcomePage::Row& row : page->rows) {
      EXPECT_EQ(row.outcome.index(), next);
      EXPECT_EQ(row.outcome.raw_text(), CrashText(next));
      ++next;
    }
    query.after = page->next;
    if (page->end) break;
  }
  EXPECT_EQ(next, batches + 1);
  const StatusOr<AttemptPage> attempts = (*store)->ReadAttempts(1, 0, {.rows = 1'000'000});
  EXPECT_TRUE(attempts.ok() && attempts->rows.size() == batches) << attempts.status();
  return batches;
}

std::string WhyNoStrace() {
  const TempDir directory;
  const ChildResult result =
      RunChild({"strace", "-f", "-o", directory.path() + "/trace", "-e", "trace=fdatasync", "-e",
                "inject=fdatasync:error=EIO:when=1", "true"});
  if (result.exit_code == 0) return {};
  if (result.exit_code == 127) return "strace is not installed (apt-get install strace)";
  return "strace cannot trace here: " + result.errors;
}

int CountCalls(const std::string& call) {
  const TempDir directory;
  const std::string trace = directory.path() + "/trace";
  const ChildResult result = RunChild({"strace", "-f", "-qq", "-o", trace, "-e", "trace=" + call,
                                       kChild, directory.path() + "/data", kSweepBatches});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  std::ifstream lines(trace);
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    count += line.find(call + "(") != std::string::npos ? 1 : 0;
  }
  return count;
}

ChildResult SweepPoint(const Injection& injection) {
  SCOPED_TRACE(injection.call + " " + injection.fault + " " + std::to_string(injection.when));
  const TempDir parent;
  const std::string directory = parent.path() + "/data";
  const ChildResult result = RunChild({"strace", "-f", "-qq", "-o", parent.path() + "/trace", "-e",
                                       "trace=" + injection.call, "-e",
                                       "inject=" + injection.call + ":" + injection.fault +
                                           ":when=" + std::to_string(injection.when),
                                       kChild, directory, kSweepBatches});
  // Killed, or refused with a reason, or the fault hit something that need not work: the process
  // id in the lock file, or the copying of the log at the end.
  EXPECT_TRUE(result.killed || result.exit_code == 3 || result.exit_code == 0)
      << result.exit_code << " " << result.errors;
  if (result.exit_code == 3) {
    EXPECT_FALSE(result.errors.empty());
  }
  if (result.exit_code == 3 && result.errors.find("RESOURCE_EXHAUSTED") == 0) {
    EXPECT_FALSE(std::filesystem::exists(directory + "/reserve"));
  }
  const std::uint32_t batches = ExpectPrefix(directory, result.acknowledged);
  const ChildResult again = RunChild({kChild, directory, "3"});
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_EQ(again.acknowledged, batches + 3);
  EXPECT_EQ(ExpectPrefix(directory, again.acknowledged), batches + 3);
  return result;
}

}  // namespace candor::store
