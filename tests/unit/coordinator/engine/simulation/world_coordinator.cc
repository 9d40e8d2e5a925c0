#include "tests/unit/coordinator/engine/fixtures.h"
#include "tests/unit/coordinator/engine/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace candor::engine::simulation {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

// Of one call here: a prompt of fixtures.h, and a self-report's output limit.
constexpr std::int64_t kMostTokens = 40 + 64;
constexpr std::int64_t kMostMoney = 40 * 1'000 + 64 * 10'000;

}  // namespace

void World::StartCoordinator() {
  store_.Recount();
  Recovery recovery = store_.Recover();
  engine_offset_ = recovery.engine_now.time_since_epoch().count() - now_;
  ++life_;
  Options options;
  options.config = config_;
  options.lease_ttl = HasBatches() ? Duration(kLeaseTtl) : Duration(std::chrono::seconds(10));
  options.seed = scenario_.seed;
  engine_ = std::make_unique<Engine>(options, std::move(recovery));
  committing_ = false;
  if (moods_.coordinator_life > 0) {
    After(Exponential(moods_.coordinator_life), [this, life = life_] {
      if (life == life_ && !healed_) KillCoordinator();
    });
  }
  if (moods_.sleep_every > 0) Freeze();
  Tell(TimePassed{});
}

void World::Freeze() {
  After(Exponential(moods_.sleep_every), [this, life = life_] {
    if (life != life_ || healed_) return;
    ++outcome_.sleeps;
    // Longer than the life of a lease.
    frozen_until_ = now_ + Between(12 * kSecond, 40 * kSecond);
    AsCoordinator([this] {
      thaws_ = true;
      Tell(TimePassed{});
      thaws_ = false;
      Freeze();
    });
  });
}

void World::AsCoordinator(std::function<void()> action) {
  if (engine_ == nullptr) return;
  if (!Frozen()) {
    action();
    return;
  }
  At(frozen_until_, [this, life = life_, action = std::move(action)] {
    if (life == life_) AsCoordinator(action);
  });
}

void World::KillCoordinator() {
  ++outcome_.coordinator_deaths;
  frozen_until_ = 0;
  // What the disk made of it: any prefix.
  const Ticket last = store_.last_written();
  if (last > 0) store_.CommitUpTo(last - random_.Below(4));
  store_.Crash();
  engine_.reset();
  ++life_;
  for (auto& [name, provider] : providers_) {
    for (Refusal& refusal : provider.refusals) {
      if (store_.FindAttempt(refusal.attempt) == nullptr) refusal.known.reset();
    }
  }
  for (auto& [session, state] : sessions_) {
    if (state.open) BreakStream(session, false);
  }
  const Micros downtime =
      Chance(0.5) ? Between(kMillisecond, 300 * kMillisecond) : Between(kMillisecond, 15 * kSecond);
  After(downtime, [this] { StartCoordinator(); });
}

void World::ArmTimer() {
  const auto next = engine_->NextWakeup();
  if (!next) return;
  const std::uint64_t version = ++timer_version_;
  const Micros time = next->time_since_epoch().count() - engine_offset_;
  At(std::max(time, now_), [this, version] {
    AsCoordinator([this, version] {
      if (version == timer_version_) Tell(TimePassed{});
    });
  });
}

void World::Tell(Event event) {
  Trace(event.index());
  Trace(static_cast<std::uint64_t>(now_));
  const Instant instant{TimePoint(Duration(now_ + engine_offset_)),
                        // The wall clock jumps about; nothing may rest on it.
                        WallTime(Duration(now_ + (now_ % 7) * 86'400 * kSecond))};
  std::vector<Command> commands = engine_->Handle(instant, std::move(event));
  for (Command& command : commands) CarryOut(command);
  ArmTimer();
}

void World::BeginCommit() {
  if (committing_) return;
  committing_ = true;
  Micros latency = Between(moods_.commit / 4, moods_.commit);
  if (Chance(moods_.slow_commit)) latency = Between(kSecond, 9 * kSecond);
  After(latency, [this, life = life_, ticket = store_.last_written()] {
    if (life != life_) return;
    store_.CommitUpTo(ticket);
    AsCoordinator([this, ticket] {
      committing_ = false;
      Tell(CommitFinished{ticket});
      if (store_.last_written() > ticket) BeginCommit();
    });
  });
}

void World::CarryOut(Command& command) {
  Trace(command.index() + 100);
  std::visit(
      Overloaded{
          [&](Persist& persist) {
            Trace(persist.ticket);
            for (const LeaseBatchRecord& batch : persist.batch.lease_batches) {
              for (const LeaseRecord& lease : batch.leases) Trace(lease.attempt);
            }
            for (const AttemptRecord& record : persist.batch.attempts) {
              Trace(record.id);
              Trace(static_cast<std::uint64_t>(record.attempt->state()));
              if (record.attempt->state() != v1::Attempt::UNKNOWN) continue;
              written_off_.insert(record.id);
              ++deaths_of_[{record.job, record.cell}];
              if (thaws_) Fail("a worker was given up because the coordinator slept");
            }
            Trace(persist.batch.outcomes.size());
            store_.Write(std::move(persist));
            BeginCommit();
          },
          [&](WelcomeWorker& welcome) {
            SendToWorker(welcome.session, [unknown = std::move(welcome.unknown)](Worker& worker) {
              for (const AttemptId attempt : unknown) {
                const auto held = worker.held.find(attempt);
                if (held != worker.held.end() && held->second.stage == Held::Stage::kWaits) {
                  worker.held.erase(held);
                }
              }
              worker.welcome = true;
            });
          },
          [&](SendLeases& send) {
            for (const LeaseRecord& lease : send.leases) {
              if (!store_.HasLease(lease.attempt)) {
                Fail(fmt::format("lease {:x} was sent before it was durable", lease.attempt));
              }
              CheckTrial(lease);
            }
            const auto session = sessions_.find(send.session);
            const std::uint32_t number = session->second.worker;
            SendToWorker(send.session, [this, number, sent = now_,
                                        leases = std::move(send.leases)](Worker& worker) {
              const Micros arrived = now_;
              AsWorker(number, [this, number, sent, arrived, leases,
                                session_of = worker.session](Worker& awake) {
                if (awake.session != session_of) return;
                for (const LeaseRecord& lease : leases) Receive(number, lease, sent, arrived);
              });
            });
          },
          [&](engine::Acknowledge& acknowledge) {
            for (const AttemptId attempt : acknowledge.attempts) {
              Trace(attempt);
              const StoreModel::AttemptRow* row = store_.FindAttempt(attempt);
              const bool lost = row == nullptr || row->state == v1::Attempt::UNKNOWN;
              if (lost && deleted_.empty()) {
                Fail(fmt::format("attempt {:x} was acknowledged and is not durable", attempt));
              }
            }
            SendToWorker(acknowledge.session,
                         [this, attempts = std::move(acknowledge.attempts)](Worker& worker) {
                           const auto number =
                               static_cast<std::uint32_t>(&worker - workers_.data());
                           for (const AttemptId attempt : attempts) {
                             if (worker.held.erase(attempt) == 0) {
                               LineAcknowledged(number, attempt);
                             }
                           }
                         });
          },
          [&](LookUpAttempts& ask) {
            ++outcome_.late_reports;
            AttemptsLookedUp answer{ask.session, ask.attempts, {}};
            for (const AttemptId attempt : ask.attempts) {
              if (const auto* row = store_.FindAttempt(attempt)) {
                answer.found.push_back({attempt, row->state});
              }
            }
            After(Between(0, 5 * kMillisecond), [this, life = life_, answer] {
              if (life == life_) AsCoordinator([this, answer] { Tell(answer); });
            });
          },
          [&](DrainWorker& drain) {
            SendToWorker(drain.session, [](Worker& worker) { worker.draining = true; });
          },
          [&](CloseSession& close) {
            if (sessions_.contains(close.session)) BreakStream(close.session, false);
          },
          [&](PublishJob& publish) { Look(publish.job); },
          [&](ForgetJob&) {},
          [&](ProposeTrials& propose) { Propose(propose.pairs); },
          [&](SendBatchTask& step) {
            SendToWorker(step.session, [this, step, sent = now_](Worker& worker) {
              TakeStep(static_cast<std::uint32_t>(&worker - workers_.data()), step, sent);
            });
          },
      },
      command);
}

// Calls are never more than allowed; tokens and money are passed by less than one call takes at
// most.
void World::CheckBudget(const v1::Budget& budget, const v1::Job& job) {
  std::int64_t calls = 0;
  std::int64_t tokens = 0;
  std::int64_t money = 0;
  for (const v1::EntryProgress& entry : job.progress()) {
    for (const v1::KindProgress& kind : entry.kinds()) {
      calls += kind.calls() + kind.unknown_attempts();
      tokens += kind.usage().input_tokens() + kind.usage().output_tokens();
      money += kind.money() + kind.unknown_money();
    }
  }
  const auto check = [&](const char* what, std::int64_t used, std::int64_t allowed,
                         std::int64_t call) {
    if (allowed > 0 && used >= allowed + call) {
      Fail(fmt::format("{}: {} {} of a budget of {}", job.name(), used, what, allowed));
    }
  };
  check("calls", calls, budget.calls(), 1);
  check("tokens", tokens, budget.tokens(), kMostTokens);
  check("nano-units", money, budget.money(), kMostMoney);
}

// What is visible never goes back, and is never more than what is durable.
void World::Look(JobKey key) {
  const v1::Job job = engine_->GetJobStatus(
      key, {TimePoint(Duration(now_ + engine_offset_)), WallTime(Duration(now_))});
  Trace(static_cast<std::uint64_t>(job.state()));
  if (job.name().empty()) return;
  v1::Job& seen = seen_[job.name()];
  const auto rows = store_.jobs().find(key);
  std::int64_t done_in_all = 0;
  for (int i = 0; i < job.progress_size(); ++i) {
    for (int k = 0; k < job.progress(i).kinds_size(); ++k) {
      const v1::KindProgress& kind = job.progress(i).kinds(k);
      done_in_all += kind.done();
      if (seen.progress_size() <= i || seen.progress(i).kinds_size() <= k) continue;
      const v1::KindProgress& before = seen.progress(i).kinds(k);
      if (kind.done() < before.done() || kind.calls() < before.calls() ||
          kind.money() < before.money() ||
          kind.done() + kind.failed() < before.done() + before.failed()) {
        Fail(fmt::format("{}: a visible count went back", job.name()));
      }
    }
  }
  if (rows != store_.jobs().end() &&
      done_in_all > static_cast<std::int64_t>(rows->second.outcomes.size())) {
    Fail(fmt::format("{}: more is visible than durable", job.name()));
  }
  for (const JobCreated& wanted : jobs_) {
    if (wanted.job->name() == job.name()) CheckBudget(wanted.job->budget(), job);
  }
  seen = job;
}

void World::CreateJobs() {
  const int jobs = static_cast<int>(Between(1, 3));
  for (int j = 0; j < jobs; ++j) {
    JobShape shape;
    shape.name = fmt::format("jobs/{}", j);
    shape.request_id = fmt::format("request {}", j);
    shape.priority = static_cast<int>(Between(0, 1));
    shape.max_attempts = static_cast<int>(Between(1, 5));
    shape.entries.clear();
    const int entries = static_cast<int>(Between(1, 2));
    for (int e = 0; e < entries; ++e) {
      EntryShape entry;
      entry.endpoint = Chance(0.5) ? "local" : "other";
      entry.model = moods_.wrong_key && e == 1 ? "locked" : "open";
      entry.scenarios = static_cast<int>(Between(1, 6));
      entry.trials = static_cast<int>(Between(0, 60));
      entry.adaptive = Chance(0.4);
      entry.random_pairs = static_cast<int>(Between(1, 5));
      entry.both_orders = Chance(0.3);
      if (entry.both_orders) entry.trials &= ~1;
      entry.samples = Chance(0.2) ? 2 : 1;
      entry.reports = static_cast<int>(Between(entry.trials == 0 ? 1 : 0, 10));
      shape.entries.push_back(entry);
    }
    if (Chance(0.2)) shape.budget_calls = Between(1, 200);
    if (Chance(0.1)) shape.budget_tokens = Between(100, 2000);
    // Not drawn: the worlds of the other seeds stay as they are.
    if (scenario_.seed % 7 == 3) {
      shape.budget_money = 100'000 + static_cast<std::int64_t>(scenario_.seed) * 9'973 % 2'000'000;
    }
    if (HasBatches()) DrawBatches(shape);
    jobs_.push_back(MakeJob(shape));
    shapes_.push_back(shape);
    After(Between(0, 10 * kSecond), [this, j] { AskForJob(jobs_[static_cast<std::size_t>(j)]); });
  }
}

// A client that asks again until it has an answer.
void World::AskForJob(const JobCreated& job) {
  if (created_.contains(job.job->name())) return;
  if (engine_ != nullptr && !Frozen()) {
    if (engine_->FindJob(job.job->name())) {
      created_.insert(job.job->name());
      if (moods_.users) {
        After(Between(kSecond, 30 * kSecond), [this, name = job.job->name()] { UserActs(name); });
      }
      After(20 * kSecond, [this, name = job.job->name()] { Mend(name); });
      return;
    }
    if (!engine_->FindRequest(job.request_id)) Tell(job);
  }
  After(Between(10 * kMillisecond, 2 * kSecond), [this, &job] { AskForJob(job); });
}

// The same with a job whose outcomes come along: it is there with all of them, or it is not.
void World::AskForImport() {
  const JobShape shape{.name = "jobs/imported",
                       .request_id = "import",
                       .entries = {{.scenarios = 3, .trials = 5, .reports = 3}}};
  if (engine_ != nullptr && !Frozen()) {
    if (const auto key = engine_->FindJob(shape.name)) {
      imported_ = true;
      const auto rows = store_.jobs().find(*key);
      if (rows == store_.jobs().end() || rows->second.outcomes.size() != 13 ||
          !engine_->Settled(*key)) {
        Fail("an imported job is visible without its outcomes");
      }
      return;
    }
    if (!engine_->FindRequest(shape.request_id)) Tell(MakeImport(shape));
  }
  After(300 * kMillisecond, [this] { AskForImport(); });
}

// The first job once more, with more trials and reports, which takes over what is there by now.
void World::AskForLonger() {
  JobShape shape = shapes_[0];
  shape.name = "jobs/longer";
  shape.request_id = "longer";
  for (EntryShape& entry : shape.entries) {
    if (entry.trials > 0) entry.trials += 4;
    if (entry.reports > 0) entry.reports += 2;
  }
  if (engine_ != nullptr && !Frozen()) {
    if (engine_->FindJob(shape.name)) {
      jobs_.push_back(MakeJob(shape));
      created_.insert(shape.name);
      Mend(shape.name);
      return;
    }
    const auto source = engine_->FindJob(shapes_[0].name);
    if (source && engine_->CheckReuse(*source).ok() && !engine_->FindRequest(shape.request_id)) {
      JobCreated event = MakeJob(shape);
      event.reused.push_back(Reusable(*source));
      Tell(std::move(event));
    }
  }
  After(300 * kMillisecond, [this] { AskForLonger(); });
}

// All outcomes of the first job; of each chain of an adaptive design those before its first gap.
ReusedOutcomesRecord World::Reusable(JobKey source) {
  const StoreModel::JobRows& rows = store_.jobs().at(source);
  ReusedOutcomesRecord reused{.source = source, .source_name = shapes_[0].name, .items = {}};
  std::set<std::pair<std::uint16_t, std::uint32_t>> broken;
  for (std::size_t e = 0; e < shapes_[0].entries.size(); ++e) {
    const EntryShape& entry = shapes_[0].entries[e];
    for (const v1::Cell::Kind kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
      const bool choice = kind == v1::Cell::CHOICE;
      const int cells = entry.scenarios * (choice ? entry.trials * entry.samples : entry.reports);
      for (int index = 0; index < cells; ++index) {
        const CellKey cell{static_cast<std::uint16_t>(e), kind, static_cast<std::uint32_t>(index)};
        const auto row = rows.outcomes.find(cell);
        // A reply that came after its cell was given up had no part in what was proposed.
        const bool there = row != rows.outcomes.end() && !rows.failed.contains(cell);
        const auto chain =
            std::pair(cell.entry, cell.index % static_cast<std::uint32_t>(entry.scenarios));
        if (choice && entry.adaptive && !there) broken.insert(chain);
        if (!there || (choice && broken.contains(chain))) continue;
        reused.items.push_back({cell, cell, row->second.outcome_class});
      }
    }
  }
  return reused;
}

void World::UserActs(const std::string& name) {
  if (healed_) return;
  const auto key = engine_ == nullptr || Frozen() ? std::nullopt : engine_->FindJob(name);
  if (key) {
    const double what = Uniform();
    if (what < 0.4) {
      if (engine_->CheckPause(*key).ok()) Tell(JobPaused{*key});
    } else if (what < 0.8) {
      if (engine_->CheckResume(*key).ok()) {
        Tell(JobResumed{*key});
      }
    } else if (what < 0.9) {
      if (engine_->CheckCancel(*key).ok()) Tell(JobCancelled{*key});
    } else if (engine_->CheckDelete(*key).ok()) {
      deleted_.insert(name);
      Tell(JobDeleted{*key});
      return;
    }
  }
  After(Between(kSecond, 30 * kSecond), [this, name] { UserActs(name); });
}

// Somebody mended what was wrong and resumes what was stopped.
void World::Mend(const std::string& name) {
  if (deleted_.contains(name)) return;
  const auto key = engine_ == nullptr || Frozen() ? std::nullopt : engine_->FindJob(name);
  if (key && now_ >= mended_ && engine_->CheckResume(*key).ok() && (healed_ || !moods_.users)) {
    Tell(JobResumed{*key});
  }
  After(Between(5 * kSecond, 20 * kSecond), [this, name] { Mend(name); });
}

void World::SendToWorker(SessionId session, std::function<void(Worker&)> message) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end() || !found->second.open) return;
  Session& stream = found->second;
  Micros delay = Between(moods_.network / 4, moods_.network);
  if (Chance(moods_.slow_message)) delay = Between(0, 3 * kSecond);
  stream.to_worker = std::max(stream.to_worker, now_ + delay);
  At(stream.to_worker, [this, session, message = std::move(message)] {
    const Session& at = sessions_[session];
    if (!at.open) return;  // lost with its stream
    Worker& worker = workers_[at.worker];
    if (worker.alive && worker.session == session) message(worker);
  });
}

void World::SendToCoordinator(SessionId session, std::function<Event()> message) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end() || !found->second.open) return;
  Session& stream = found->second;
  Micros delay = Between(moods_.network / 4, moods_.network);
  if (Chance(moods_.slow_message)) delay = Between(0, 3 * kSecond);
  stream.to_coordinator = std::max(stream.to_coordinator, now_ + delay);
  At(stream.to_coordinator, [this, session, message = std::move(message), life = life_] {
    if (life != life_) return;
    AsCoordinator([this, session, message] {
      if (sessions_[session].open) Tell(message());
    });
  });
}

void World::BreakStream(SessionId session, bool coordinator_sees) {
  Session& stream = sessions_[session];
  if (!stream.open) return;
  stream.open = false;
  const std::uint32_t number = stream.worker;
  if (coordinator_sees) {
    After(Between(0, 2 * kSecond), [this, session, life = life_] {
      if (life == life_) AsCoordinator([this, session] { Tell(WorkerDisconnected{session}); });
    });
  }
  After(Between(0, 2 * kSecond), [this, number, session] {
    AsWorker(number, [this, number, session](Worker& worker) {
      if (worker.session == session) Connect(number);
    });
  });
}

}  // namespace candor::engine::simulation
