// The simulated cluster. See simulation.h for what it is for.
#pragma once

#include "common/base/random.h"
#include "coordinator/engine/engine.h"
#include "tests/unit/coordinator/engine/fixtures.h"
#include "tests/unit/coordinator/engine/simulation/simulation.h"
#include "tests/unit/coordinator/engine/simulation/store_model.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace candor::engine::simulation {

using Micros = std::int64_t;
inline constexpr Micros kMillisecond = 1'000;
inline constexpr Micros kSecond = 1'000'000;
// Of worlds with batches, where a lost step is taken again only after twelve of them.
inline constexpr Micros kLeaseTtl = 4 * kSecond;

// How bad this seed's world is; drawn once.
struct Moods {
  double rate_limited = 0;
  double server_error = 0;
  double overloaded = 0;
  double hangs = 0;
  double malformed = 0;
  double hands_back = 0;
  double slow_message = 0;
  double poison = 0;
  Micros network = 0;
  Micros commit = 0;
  double slow_commit = 0;
  Micros latency = 0;
  Micros coordinator_life = 0;
  Micros worker_life = 0;
  Micros stall_every = 0;
  Micros stream_life = 0;
  bool wrong_key = false;
  bool no_quota = false;
  bool users = false;
  Micros sleep_every = 0;
  // Answers say what the limits are, or lie about them.
  double headers = 0;
  double lies = 0;
  // Nothing works for a while.
  Micros fails_every = 0;
  int batch_lines = 0;
  Micros batch_time = 0;
  double batch_refused = 0;
  double batch_full = 0;
  double batch_expires = 0;
  double step_fails = 0;
};

class World {
 public:
  explicit World(const Scenario& scenario);
  Outcome Run();

 private:
  struct Call {
    LeaseRecord lease;
    Micros start = 0;
    std::uint32_t worker = 0;
  };
  struct Refusal {
    AttemptId attempt = 0;
    Micros until = 0;
    // When the present coordinator learnt of it.
    std::optional<Micros> known;
  };
  struct Provider {
    v1::Limits limits;
    std::deque<std::pair<Micros, std::int64_t>> calls;
    std::int64_t tokens = 0;
    // No simulation takes a day.
    std::int64_t calls_in_all = 0;
    std::map<AttemptId, Call> in_flight;
    std::deque<Refusal> refusals;
  };
  struct Held {
    LeaseRecord lease;
    enum class Stage { kWaits, kCalls, kEnded } stage = Stage::kWaits;
    Micros sent = 0;
    Micros received = 0;
    v1::Attempt::State state = v1::Attempt::STATE_UNSPECIFIED;
    v1::Attempt::ErrorClass error_class = v1::Attempt::ERROR_CLASS_UNSPECIFIED;
    int http_status = 0;
    std::optional<Micros> retry_after;
    std::vector<v1::LimitObservation> limits;
  };
  struct SimulatedBatch {
    std::string token;
    std::string endpoint;
    JobKey job = 0;
    std::vector<LeaseRecord> lines;
    Micros created = 0;
    Micros ends = 0;
    std::map<AttemptId, v1::Attempt::State> results;
  };
  // Results that a worker sends up.
  struct Collection {
    v1::BatchTask task;
    SessionId session = 0;
    std::vector<std::pair<LeaseRecord, v1::Attempt::State>> left;
    std::set<AttemptId> unacknowledged;
  };
  struct Worker {
    std::string name;
    bool alive = true;
    int slots = 0;
    bool draining = false;
    Micros stalled_until = 0;
    SessionId session = 0;
    bool welcome = false;
    std::map<AttemptId, Held> held;
    std::map<std::string, Collection> collections;
  };
  struct Session {
    std::uint32_t worker = 0;
    bool open = true;
    // Neither direction is ever out of order.
    Micros to_worker = 0;
    Micros to_coordinator = 0;
  };
  struct Timer {
    Micros time = 0;
    std::uint64_t number = 0;
    std::function<void()> action;
    bool operator>(const Timer& other) const {
      return time != other.time ? time > other.time : number > other.number;
    }
  };

  // --- world.cc ---
  void At(Micros time, std::function<void()> action);
  void After(Micros delay, std::function<void()> action) { At(now_ + delay, std::move(action)); }
  double Uniform() { return random_.Uniform(); }
  bool Chance(double share) { return random_.Uniform() < share; }
  Micros Between(Micros least, Micros most);
  Micros Exponential(Micros mean);
  void Fail(const std::string& text);
  void Trace(std::uint64_t value);
  void DrawMoods();
  void Heal();
  bool AllOver() const;
  void CheckEnd();
  void CheckGivenUp();

  // --- world_coordinator.cc ---
  void StartCoordinator();
  void KillCoordinator();
  // It is stopped for a while, as by SIGSTOP: what comes waits, and its timer is the first to fire.
  void Freeze();
  bool Frozen() const { return now_ < frozen_until_; }
  // Runs `action` when this life of the coordinator is over its sleep, or never.
  void AsCoordinator(std::function<void()> action);
  void Tell(Event event);
  void CarryOut(Command& command);
  void Look(JobKey job);
  void CheckBudget(const v1::Budget& budget, const v1::Job& job);
  // world_proposals.cc
  void Propose(const std::vector<WantedPair>& pairs);
  std::optional<std::string> ProposalFor(const WantedPair& pair);
  void CheckEarlierIsDurable(const WantedPair& pair);
  void CheckTrial(const LeaseRecord& lease);
  void ArmTimer();
  void BeginCommit();
  void CreateJobs();
  void AskForJob(const JobCreated& job);
  void AskForImport();
  void AskForLonger();
  ReusedOutcomesRecord Reusable(JobKey source);
  void UserActs(const std::string& name);
  void Mend(const std::string& name);
  void SendToWorker(SessionId session, std::function<void(Worker&)> message);
  void SendToCoordinator(SessionId session, std::function<Event()> message);
  void BreakStream(SessionId session, bool coordinator_sees);

  // --- world_workers.cc ---
  void AddWorker();
  void KillWorker(std::uint32_t number);
  void Connect(std::uint32_t number);
  void Beat(std::uint32_t number);
  void Stall(std::uint32_t number);
  // Runs `action` when the worker is not stalled, unless it is dead by then.
  void AsWorker(std::uint32_t number, std::function<void(Worker&)> action);
  void Receive(std::uint32_t number, const LeaseRecord& lease, Micros sent, Micros arrived);
  void StartCall(std::uint32_t number, AttemptId attempt);
  void EndCall(std::uint32_t number, AttemptId attempt, v1::Attempt::State state,
               v1::Attempt::ErrorClass error_class, int http_status,
               std::optional<Micros> retry_after);
  void SendReport(std::uint32_t number, AttemptId attempt);
  void CheckCall(Provider& provider, const LeaseRecord& lease, Micros sent);
  // What an answer's headers say.
  std::vector<v1::LimitObservation> Headers(const Provider& provider);
  void FailNowAndThen();

  // --- world_batches.cc ---
  // Every fourth world has them.
  bool HasBatches() const { return scenario_.seed % 4 == 1 || scenario_.seed % 8 == 2; }
  void ConfigureBatches();
  void DrawBatches(JobShape& shape);
  void TakeStep(std::uint32_t number, const SendBatchTask& step, Micros sent);
  bool LookForBatch(std::uint32_t number, const SendBatchTask& step);
  void SayOfAnotherStream(std::uint32_t number, const SendBatchTask& step, Micros sent,
                          v1::BatchReport::State state);
  void StepSubmit(std::uint32_t number, const SendBatchTask& step, Micros sent);
  void StepPoll(std::uint32_t number, const v1::BatchTask& task);
  void StepCollect(std::uint32_t number, const SendBatchTask& step);
  void StepCancel(std::uint32_t number, const SendBatchTask& step);
  std::string EndpointOf(const SendBatchTask& step);
  std::string CreateBatch(const SendBatchTask& step);
  void GoOnCollecting(std::uint32_t number, const std::string& batch);
  void SendLine(SessionId session, const LeaseRecord& line, v1::Attempt::State state);
  void LineAcknowledged(std::uint32_t number, AttemptId attempt);
  void SayBatch(std::uint32_t number, const v1::BatchTask& task, v1::BatchReport::State state,
                const std::string& provider_batch = "",
                v1::Attempt::ErrorClass error_class = v1::Attempt::ERROR_CLASS_UNSPECIFIED);
  void CheckBatches();

  const Scenario scenario_;
  RandomStream random_;
  // Of what was added later: the other worlds stay as they are.
  RandomStream more_;
  Moods moods_;
  Outcome outcome_;
  Micros now_ = 0;
  std::uint64_t next_timer_ = 0;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  bool healed_ = false;
  Micros mended_ = 0;
  Micros fails_until_ = 0;

  v1::Config config_;
  StoreModel store_;
  std::unique_ptr<Engine> engine_;
  // Counts the coordinator's lives, so that timers of an earlier one do nothing.
  std::uint64_t life_ = 0;
  Micros engine_offset_ = 0;
  std::uint64_t timer_version_ = 0;
  Micros frozen_until_ = 0;
  bool thaws_ = false;
  bool committing_ = false;
  SessionId next_session_ = 1;
  std::map<SessionId, Session> sessions_;
  std::vector<Worker> workers_;
  std::map<std::string, Provider> providers_;
  // By the provider's id.
  std::map<std::string, SimulatedBatch> provider_batches_;
  // Those of CreateJobs, and then at most one that takes over outcomes; they keep their places.
  std::deque<JobCreated> jobs_;
  std::vector<JobShape> shapes_;
  std::set<std::string> created_;
  bool imported_ = false;
  std::set<std::string> deleted_;
  std::map<std::string, v1::Job> seen_;
  // By job and cell.
  std::map<std::pair<JobKey, CellKey>, std::int64_t> calls_of_;
  // Of these, those that were refused because a day's quota is used up.
  std::map<std::pair<JobKey, CellKey>, std::int64_t> day_refusals_of_;
  std::set<AttemptId> called_;
  std::set<AttemptId> written_off_;
  std::map<std::pair<JobKey, CellKey>, std::int64_t> deaths_of_;
  // Errors that repeating cannot mend: who mends them, or restarts, has these cells asked again.
  std::map<std::pair<JobKey, CellKey>, std::int64_t> unmendable_of_;
  // Of adaptive designs: what was proposed, by job, entry, scenario and pair. Never anything else.
  std::map<std::tuple<JobKey, std::uint16_t, std::uint32_t, std::uint32_t>, std::string> proposed_;
};

}  // namespace candor::engine::simulation
