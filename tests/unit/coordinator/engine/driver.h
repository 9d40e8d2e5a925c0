// The engine with a store in memory, a clock in the test's hand, and everything that it said.
#pragma once

#include "coordinator/engine/engine.h"
#include "tests/unit/coordinator/engine/fixtures.h"
#include "tests/unit/coordinator/engine/simulation/store_model.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace candor::engine {

class Driver {
 public:
  explicit Driver(v1::Config config = MakeConfig()) {
    options.config = std::move(config);
    Restart();
  }

  // Takes an event; with `commits`, what it writes is durable at once.
  void Tell(Event event) {
    Carry(engine->Handle(instant(), std::move(event)));
    if (commits) Commit();
  }
  void Commit() {
    while (store.last_written() > committed) {
      committed = store.last_written();
      store.CommitUpTo(committed);
      Carry(engine->Handle(instant(), CommitFinished{committed}));
    }
  }
  // Time passes; the engine is woken when it asked for it.
  void Advance(Duration step) {
    const TimePoint end = now + step;
    for (;;) {
      const auto wake = engine->NextWakeup();
      if (!wake || *wake > end) break;
      now = std::max(now + Duration(1), *wake);
      if (now > end) break;
      Tell(TimePassed{});
    }
    now = end;
    Tell(TimePassed{});
  }
  // The coordinator dies with what is not durable, and another one starts.
  void Restart() {
    store.Crash();
    committed = 0;
    Recovery recovery = store.Recover();
    now = std::max(now, recovery.engine_now);
    engine = std::make_unique<Engine>(options, std::move(recovery));
    leases.clear();
    tasks.clear();
    wanted.clear();
  }
  // Proposes everything that is wanted: the values are those of `ProposedFor`.
  void Propose() {
    TrialsProposed event;
    for (const WantedPair& pair : std::exchange(wanted, {})) {
      event.proposals.push_back({pair, ProposedFor(pair)});
    }
    Tell(std::move(event));
  }
  static std::shared_ptr<const v1::ExplicitTrial> ProposedFor(const WantedPair& pair) {
    auto trial = std::make_shared<v1::ExplicitTrial>();
    for (const double value : {1.0 + pair.pair, 2.0}) trial->add_a(value);
    for (const double value : {3.0, 4.0 + pair.scenario}) trial->add_b(value);
    return trial;
  }

  JobKey Create(const JobShape& shape = {}) {
    Tell(MakeJob(shape));
    return engine->FindJob(shape.name).value_or(0);
  }
  void Connect(SessionId session, const std::string& worker = "workers/a", int slots = 4,
               std::vector<AttemptId> held = {}) {
    Tell(WorkerConnected{session, MakeHello(worker, slots), std::move(held)});
  }
  void Say(SessionId session, Report report) {
    ReportsArrived event{session, {}};
    event.reports.push_back(std::move(report));
    Tell(std::move(event));
  }
  // Everything that the session has is answered so, until nothing more comes; at most `most`.
  int Answer(SessionId session, v1::Attempt::State state,
             v1::Attempt::ErrorClass error_class = v1::Attempt::ERROR_CLASS_UNSPECIFIED,
             int most = 1'000'000) {
    int answered = 0;
    while (!leases[session].empty() && answered < most) {
      const LeaseRecord lease = leases[session].front();
      leases[session].erase(leases[session].begin());
      Say(session, MakeReport(lease, state, error_class,
                              error_class == v1::Attempt::AUTHENTICATION ? 401 : 0));
      ++answered;
    }
    return answered;
  }
  // The session's next step of a batch, which it must have.
  SendBatchTask TakeTask(SessionId session) {
    const SendBatchTask task = tasks[session].at(0);
    tasks[session].erase(tasks[session].begin());
    return task;
  }
  // How it went: the answer to `task`.
  void SayBatch(SessionId session, const SendBatchTask& task, v1::BatchReport::State state,
                const std::string& provider_batch = "",
                v1::Attempt::ErrorClass error_class = v1::Attempt::ERROR_CLASS_UNSPECIFIED) {
    auto report = std::make_shared<v1::BatchReport>();
    report->set_batch(task.task.batch());
    report->set_step(task.task.step());
    report->set_state(state);
    report->set_provider_batch(provider_batch);
    report->set_error_class(error_class);
    if (error_class != v1::Attempt::ERROR_CLASS_UNSPECIFIED) report->set_error_text("so it said");
    Tell(BatchReported{session, std::move(report)});
  }
  LeaseRecord Take(SessionId session) {
    const LeaseRecord lease = leases[session].at(0);
    leases[session].erase(leases[session].begin());
    return lease;
  }

  v1::Job Status(JobKey job) const { return engine->GetJobStatus(job, instant()); }
  v1::KindProgress Choices(JobKey job, int entry = 0) const {
    return Status(job).progress(entry).kinds(0);
  }
  std::string Reason(JobKey job, int entry = 0) const {
    return Status(job).progress(entry).reason();
  }
  Instant instant() const { return {now, WallTime(now.time_since_epoch())}; }
  template <typename T>
  std::vector<T> Said() const {
    std::vector<T> out;
    for (const Command& command : said) {
      if constexpr (!std::is_same_v<T, Persist>) {
        if (const T* one = std::get_if<T>(&command)) out.push_back(*one);
      }
    }
    return out;
  }

  Options options;
  TimePoint now{std::chrono::seconds(1000)};
  bool commits = true;
  Ticket committed = 0;
  simulation::StoreModel store;
  std::unique_ptr<Engine> engine;
  // By session: sent and not yet answered.
  std::map<SessionId, std::vector<LeaseRecord>> leases;
  // By session: steps of batches, given and not yet taken.
  std::map<SessionId, std::vector<SendBatchTask>> tasks;
  std::vector<AttemptId> acknowledged;
  // All but Persist.
  std::vector<Command> said;
  // Lookups are answered from the store at once unless this is off.
  bool answers_lookups = true;
  // Pairs that were asked for and not yet proposed, since the last start.
  std::vector<WantedPair> wanted;

 private:
  void Carry(std::vector<Command> commands) {
    std::vector<AttemptsLookedUp> answers;
    for (Command& command : commands) {
      if (auto* persist = std::get_if<Persist>(&command)) {
        store.Write(std::move(*persist));
        continue;
      }
      if (auto* send = std::get_if<SendLeases>(&command)) {
        auto& mine = leases[send->session];
        mine.insert(mine.end(), send->leases.begin(), send->leases.end());
      }
      if (auto* task = std::get_if<SendBatchTask>(&command)) {
        tasks[task->session].push_back(*task);
      }
      if (auto* acknowledge = std::get_if<engine::Acknowledge>(&command)) {
        acknowledged.insert(acknowledged.end(), acknowledge->attempts.begin(),
                            acknowledge->attempts.end());
      }
      if (auto* propose = std::get_if<ProposeTrials>(&command)) {
        wanted.insert(wanted.end(), propose->pairs.begin(), propose->pairs.end());
      }
      if (auto* ask = std::get_if<LookUpAttempts>(&command)) {
        AttemptsLookedUp answer{ask->session, ask->attempts, {}};
        for (const AttemptId attempt : ask->attempts) {
          if (const auto* row = store.FindAttempt(attempt)) {
            answer.found.push_back({attempt, row->state});
          }
        }
        answers.push_back(std::move(answer));
      }
      said.push_back(std::move(command));
    }
    for (AttemptsLookedUp& answer : answers) {
      if (answers_lookups) Tell(std::move(answer));
    }
  }
};

}  // namespace candor::engine
