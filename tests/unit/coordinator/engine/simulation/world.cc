#include "tests/unit/coordinator/engine/simulation/world.h"

#include "tests/unit/coordinator/engine/fixtures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace candor::engine::simulation {
namespace {

constexpr Micros kHealTime = 90 * kSecond;
// Long enough for the slowest limits drawn here, many times over.
constexpr Micros kPatience = 3600 * kSecond;
constexpr std::size_t kMaxViolations = 20;

}  // namespace

World::World(const Scenario& scenario)
    : scenario_(scenario), random_(scenario.seed, 77), more_(scenario.seed, 78) {
  outcome_.trace_hash = 14695981039346656037U;
}

void World::At(Micros time, std::function<void()> action) {
  timers_.push({std::max(time, now_), next_timer_++, std::move(action)});
}

Micros World::Between(Micros least, Micros most) {
  return least + static_cast<Micros>(random_.Below(static_cast<std::uint64_t>(most - least + 1)));
}

Micros World::Exponential(Micros mean) {
  return static_cast<Micros>(-std::log(1.0 - Uniform()) * static_cast<double>(mean));
}

void World::Fail(const std::string& text) {
  if (outcome_.violations.size() >= kMaxViolations) return;
  outcome_.violations.push_back(fmt::format("seed {} at {:.6f} s: {}", scenario_.seed,
                                            static_cast<double>(now_) / 1e6, text));
}

void World::Trace(std::uint64_t value) {
  // FNV-1a over words.
  outcome_.trace_hash = (outcome_.trace_hash ^ value) * 1099511628211U;
}

void World::DrawMoods() {
  const auto some = [this](double most) { return Chance(0.5) ? most * Uniform() : 0.0; };
  moods_.rate_limited = some(0.1);
  moods_.server_error = some(0.3);
  moods_.overloaded = some(0.1);
  moods_.hangs = some(0.05);
  moods_.malformed = some(0.1);
  moods_.hands_back = some(0.2);
  moods_.slow_message = some(0.02);
  moods_.poison = some(0.03);
  moods_.network = Between(100, 20 * kMillisecond);
  moods_.commit = Between(1 * kMillisecond, 40 * kMillisecond);
  moods_.slow_commit = some(0.02);
  moods_.latency = Between(10 * kMillisecond, 4 * kSecond);
  moods_.coordinator_life = Chance(0.7) ? Between(5 * kSecond, 60 * kSecond) : 0;
  moods_.worker_life = Chance(0.6) ? Between(10 * kSecond, 120 * kSecond) : 0;
  moods_.stall_every = Chance(0.5) ? Between(20 * kSecond, 120 * kSecond) : 0;
  moods_.stream_life = Chance(0.6) ? Between(3 * kSecond, 60 * kSecond) : 0;
  moods_.wrong_key = Chance(0.3);
  moods_.no_quota = Chance(0.2);
  moods_.users = Chance(0.4);
  moods_.sleep_every = Chance(0.3) ? Between(15 * kSecond, 90 * kSecond) : 0;

  moods_.headers = more_.Uniform() < 0.5 ? 0.9 : 0;
  moods_.lies = more_.Uniform() < 0.4 ? 0.3 : 0;
  moods_.fails_every =
      more_.Uniform() < 0.4 ? static_cast<Micros>(10 + more_.Below(50)) * kSecond : 0;
  const std::int64_t requests[] = {0, 60, 120, 600, 3000};
  const std::int64_t in_flight[] = {0, 2, 6, 20};
  for (const char* name : {"local", "other"}) {
    v1::Config one = MakeConfig(requests[random_.Below(5)], Chance(0.3) ? 6000 : 0,
                                in_flight[random_.Below(4)], name);
    if (!scenario_.heals && more_.Uniform() < 0.3) {
      one.mutable_endpoints(0)->mutable_limits()->set_requests_per_day(
          static_cast<std::int64_t>(30 + more_.Below(300)));
    }
    providers_[name].limits = one.endpoints(0).limits();
    config_.add_endpoints()->Swap(one.mutable_endpoints(0));
  }
}

void World::Heal() {
  healed_ = true;
  fails_until_ = 0;
  const Micros network = moods_.network;
  const Micros commit = moods_.commit;
  const double poison = moods_.poison;
  moods_ = {};
  moods_.network = network;
  moods_.commit = commit;
  moods_.poison = poison;  // it is in the cells
  moods_.latency = 200 * kMillisecond;
  moods_.batch_time = 5 * kSecond;
  mended_ = now_;
  for (std::uint32_t i = 0; i < workers_.size(); ++i) workers_[i].stalled_until = 0;
  while (std::count_if(workers_.begin(), workers_.end(),
                       [](const Worker& worker) { return worker.alive && !worker.draining; }) < 2) {
    AddWorker();
  }
  for (const JobCreated& job : jobs_) Mend(job.job->name());
}

bool World::AllOver() const {
  if (engine_ == nullptr || created_.size() < jobs_.size()) return false;
  for (const JobCreated& job : jobs_) {
    if (deleted_.contains(job.job->name())) continue;
    const auto key = engine_->FindJob(job.job->name());
    if (!key || !engine_->Settled(*key)) return false;
  }
  return store_.last_written() == 0 || !committing_;
}

Outcome World::Run() {
  DrawMoods();
  if (HasBatches()) ConfigureBatches();
  StartCoordinator();
  const int workers = static_cast<int>(Between(1, 5));
  for (int i = 0; i < workers; ++i) AddWorker();
  CreateJobs();
  if (moods_.fails_every > 0) FailNowAndThen();
  // Not drawn: the worlds of the other seeds stay as they are.
  if (scenario_.seed % 3 == 0) At(5 * kSecond, [this] { AskForImport(); });
  if (scenario_.seed % 3 == 1) At(25 * kSecond, [this] { AskForLonger(); });
  if (moods_.wrong_key || moods_.no_quota) mended_ = Between(5 * kSecond, 60 * kSecond);
  if (scenario_.heals) At(kHealTime, [this] { Heal(); });
  const Micros end = scenario_.heals ? kHealTime + kPatience : 2 * kHealTime;
  while (!timers_.empty() && outcome_.violations.size() < kMaxViolations) {
    // Moving out of a priority queue: the top is popped at once.
    Timer timer = std::move(const_cast<Timer&>(timers_.top()));  // NOLINT
    timers_.pop();
    if (timer.time > end) break;
    now_ = timer.time;
    timer.action();
    if (AllOver() && (healed_ || !scenario_.heals)) break;
  }
  CheckEnd();
  for (const std::string& text : store_.violations()) Fail(text);
  outcome_.calls = static_cast<std::int64_t>(called_.size());
  return outcome_;
}

void World::CheckEnd() {
  if (engine_ != nullptr) store_.CommitUpTo(store_.last_written());
  store_.Recount();
  for (const auto& [key, rows] : store_.jobs()) {
    outcome_.outcomes += static_cast<std::int64_t>(rows.outcomes.size());
    for (const auto& [cell, row] : rows.outcomes) {
      if (rows.record.job->imported()) continue;
      if (row.attempt == 0) {
        if (calls_of_.contains({key, cell})) Fail("a cell was called that had been taken over");
        ++outcome_.reused;
      } else if (!called_.contains(row.attempt)) {
        Fail("an outcome without a call");
      }
    }
    if (rows.status->state() != v1::Job::SUCCEEDED) continue;
    for (const v1::EntryProgress& entry : rows.status->progress()) {
      for (const v1::KindProgress& kind : entry.kinds()) {
        if (kind.done() + kind.failed() == kind.total()) continue;
        Fail(fmt::format("{} succeeded with {} of {} cells", rows.record.job->name(),
                         kind.done() + kind.failed(), kind.total()));
      }
    }
  }
  CheckGivenUp();
  if (!scenario_.heals) return;
  CheckBatches();
  if (scenario_.seed % 3 == 0 && healed_ && !imported_) Fail("the import never became durable");
  if (AllOver() && deleted_.empty()) {
    for (const AttemptId attempt : called_) {
      if (store_.FindAttempt(attempt) == nullptr) {
        Fail(fmt::format("call {:x} has no attempt", attempt));
      }
    }
  }
  if (!AllOver()) {
    std::string why;
    for (const JobCreated& job : jobs_) {
      if (engine_ == nullptr) break;
      const auto key = engine_->FindJob(job.job->name());
      if (!key) continue;
      v1::Job status = engine_->GetJobStatus(
          *key, {TimePoint(Duration(now_ + engine_offset_)), WallTime(Duration(now_))});
      if (!engine_->Settled(*key)) why += status.ShortDebugString();
    }
    Fail("not all jobs have ended: " + why);
  }
}

// A cell is given up only after its attempts, or by an error that repeating cannot mend.
void World::CheckGivenUp() {
  for (const auto& [key, rows] : store_.jobs()) {
    for (const CellKey& cell : rows.failed) {
      std::int64_t failures = 0;
      std::int64_t deaths = 0;
      for (const auto& [attempt, row] : rows.attempts) {
        if (row.cell != cell) continue;
        failures += !row.refused_for_a_day &&
                    (row.state == v1::Attempt::FAILED || row.state == v1::Attempt::UNANSWERED);
        deaths += row.alone;
      }
      const std::int64_t most = rows.record.job->retry().max_attempts();
      if (failures < most && deaths < most && unmendable_of_[{key, cell}] == 0) {
        Fail(fmt::format("cell {} was given up after {} of {} tries", cell.index, failures, most));
      }
    }
  }
}

Outcome Simulate(const Scenario& scenario) { return World(scenario).Run(); }

}  // namespace candor::engine::simulation
