// The engine alone, on one core: cells leased and recorded a second, what a cell costs in a small
// and in a large job, an adaptive job, and jobs of 10 million cells.
//
// Times are of this thread's processor time within Engine::Handle. Reports are built before,
// batches are dropped after; commits are acknowledged at once.
#include "coordinator/engine/engine.h"
#include "tests/unit/coordinator/engine/fixtures.h"

#include <fmt/format.h>

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <fstream>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace candor::engine {
namespace {

constexpr int kWorkers = 8;
constexpr int kSlots = 512;

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double ResidentMegabytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

class Bench {
 public:
  explicit Bench(std::int64_t cells, int scenarios = 100, bool adaptive = false)
      // Known to bear as many as there are slots: nothing has to be found out first.
      : engine_({.config = MakeConfig(0, 0, kWorkers * kSlots)}, {.term = 1}) {
    shape_.scenarios = scenarios;
    shape_.trials = static_cast<int>(cells / scenarios);
    shape_.adaptive = adaptive;
  }

  // Processor seconds within the engine.
  double Run() {
    for (int i = 0; i < kWorkers; ++i) {
      Tell(WorkerConnected{
          static_cast<SessionId>(i + 1), MakeHello(fmt::format("workers/{}", i), kSlots), {}});
    }
    JobShape shape;
    shape.entries = {shape_};
    Tell(MakeJob(shape));
    while (!work_.empty()) {
      SendLeases send = std::move(work_.front());
      work_.pop_front();
      ReportsArrived event{send.session, {}};
      event.reports.reserve(send.leases.size());
      for (const LeaseRecord& lease : send.leases) {
        event.reports.push_back(MakeReport(lease, v1::Attempt::COMPLETED));
      }
      leases_ += static_cast<std::int64_t>(send.leases.size());
      ++batches_;
      now_ += Duration(1000);
      Tell(std::move(event));
    }
    return seconds_;
  }

  void Tell(Event event) {
    const double before = CpuSeconds();
    std::vector<Command> commands = engine_.Handle({now_, WallTime{}}, std::move(event));
    seconds_ += CpuSeconds() - before;
    Ticket ticket = 0;
    TrialsProposed proposed;
    for (Command& command : commands) {
      if (auto* persist = std::get_if<Persist>(&command)) ticket = persist->ticket;
      if (auto* send = std::get_if<SendLeases>(&command)) work_.push_back(std::move(*send));
      if (auto* propose = std::get_if<ProposeTrials>(&command)) {
        for (const WantedPair& pair : propose->pairs) {
          proposed.proposals.push_back({pair, std::make_shared<v1::ExplicitTrial>()});
        }
      }
    }
    commands.clear();
    if (ticket != 0) Tell(CommitFinished{ticket});
    if (!proposed.proposals.empty()) Tell(std::move(proposed));
  }

  bool sent() const { return !work_.empty(); }
  std::int64_t batch_size() const { return leases_ / std::max<std::int64_t>(1, batches_); }
  std::int64_t done() {
    return engine_.GetJobStatus(1, {now_, WallTime{}}).progress(0).kinds(0).done();
  }

 private:
  Engine engine_;
  EntryShape shape_;
  TimePoint now_{std::chrono::seconds(1)};
  double seconds_ = 0;
  std::int64_t leases_ = 0;
  std::int64_t batches_ = 0;
  std::deque<SendLeases> work_;
};

// What nobody can do without: a map entry for each lease, and each report taken apart and freed.
double Reference(std::int64_t cells) {
  double seconds = 0;
  for (std::int64_t done = 0; done < cells; done += kSlots) {
    std::vector<Report> reports;
    for (int i = 0; i < kSlots; ++i) {
      const LeaseRecord lease{static_cast<AttemptId>(done + i + 1), 1, {}, 0, false};
      reports.push_back(MakeReport(lease, v1::Attempt::COMPLETED));
    }
    const double before = CpuSeconds();
    std::unordered_map<AttemptId, std::int64_t> leases;
    for (const Report& report : reports) leases[report.attempt] = done;
    std::vector<AttemptRecord> attempts;
    std::vector<OutcomeRecord> outcomes;
    for (Report& report : reports) {
      leases.erase(report.attempt);
      attempts.push_back(
          {report.attempt, 1, {}, std::unique_ptr<v1::Attempt>(report.report->release_attempt())});
      outcomes.push_back(
          {1, {}, report.attempt, std::unique_ptr<v1::Outcome>(report.report->release_outcome())});
      report.report.reset();
    }
    seconds += CpuSeconds() - before;
  }
  return seconds;
}

int Main() {
  double small = 0;
  constexpr int kRepeats = 100;
  for (int i = 0; i < kRepeats; ++i) {
    Bench bench(10'000);
    small += bench.Run();
  }
  Bench large(1'000'000);
  const double seconds = large.Run();
  if (large.done() != 1'000'000) {
    fmt::print(stderr, "only {} cells were recorded\n", large.done());
    return 1;
  }
  const double reference = Reference(1'000'000);
  fmt::print("leased and recorded        {:>10.0f} cells/s (at least 500,000 wanted), {} a batch\n",
             1e6 / seconds, large.batch_size());
  fmt::print(
      "  reference                {:>10.0f} cells/s for a map entry and taking reports apart\n",
      1e6 / reference);
  const double per_small = small / (kRepeats * 10'000) * 1e9;
  const double per_large = seconds / 1'000'000 * 1e9;
  fmt::print("a cell of 1,000,000        {:>10.0f} ns (within 10 % of the next line wanted)\n",
             per_large);
  fmt::print("  reference: of 10,000     {:>10.0f} ns, {:+.1f} %\n", per_small,
             (per_large / per_small - 1) * 100);

  // Each cell waits for the one before it, and each pair is asked for and answered.
  Bench adaptive(1'000'000, 10'000, true);
  const double adaptive_seconds = adaptive.Run();
  if (adaptive.done() != 1'000'000) {
    fmt::print(stderr, "only {} adaptive cells were recorded\n", adaptive.done());
    return 1;
  }
  fmt::print("adaptive                   {:>10.0f} cells/s, 10,000 scenarios of 100 trials\n",
             1e6 / adaptive_seconds);

  const double before = ResidentMegabytes();
  Bench huge(10'000'000);
  huge.Tell(WorkerConnected{1, MakeHello("workers/0", kSlots), {}});
  JobShape shape;
  shape.entries = {{.scenarios = 200, .trials = 50'000}};
  JobCreated created = MakeJob(shape);
  const double start = CpuSeconds();
  huge.Tell(std::move(created));
  const double first = CpuSeconds() - start;
  fmt::print("10 million cells: to the first lease {:.4f} s (at most 1 s wanted)\n", first);
  fmt::print("  resident {:.1f} MB (at most 300 MB wanted), of which before the job {:.1f} MB\n",
             ResidentMegabytes(), before);
  fmt::print("  reference: {:.1f} MB for one bit a cell, twice\n", 2 * 10e6 / 8 / 1e6);
  return huge.sent() && first <= 1 ? 0 : 1;
}

}  // namespace
}  // namespace candor::engine

int main() { return candor::engine::Main(); }
