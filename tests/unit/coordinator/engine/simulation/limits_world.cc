#include "tests/unit/coordinator/engine/simulation/limits_world.h"

#include "common/base/random.h"
#include "common/base/time_proto.h"
#include "coordinator/engine/engine.h"
#include "coordinator/engine/group_limits.h"
#include "coordinator/engine/prompt_size.h"
#include "tests/unit/coordinator/engine/simulation/limits_provider.h"
#include "tests/unit/coordinator/engine/simulation/store_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace candor::engine::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kTenth = milliseconds(100);
// Everything begins here, so that no time is before the clock's epoch.
constexpr TimePoint kStart = TimePoint(seconds(1000));
constexpr Duration kDowntime = milliseconds(500);

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

class LimitsWorld {
 public:
  explicit LimitsWorld(const LimitsScenario& scenario)
      : scenario_(scenario), random_(scenario.seed, 9), provider_(scenario.provider) {
    outcome_.answers.resize(scenario.jobs.size());
    outcome_.ended.resize(scenario.jobs.size());
    // The dimension that binds is told by what is limited; requests first.
    for (const auto dimension :
         {v1::LimitUse::REQUESTS_PER_MINUTE, v1::LimitUse::TOKENS_PER_MINUTE,
          v1::LimitUse::INPUT_TOKENS_PER_MINUTE, v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE}) {
      if (LimitOf(scenario.provider.limits, dimension) > 0) measured_ = dimension;
    }
  }

  LimitsOutcome Run() {
    options_.config = MakeConfig();
    v1::Endpoint& local = *options_.config.mutable_endpoints(0);
    // The first rule that fits holds.
    if (scenario_.endpoint.models_size() > 0) local.clear_models();
    local.MergeFrom(scenario_.endpoint);
    local.set_name("local");
    if (scenario_.other_latency) {
      v1::Config other = MakeConfig(0, 0, 0, "other");
      options_.config.add_endpoints()->Swap(other.mutable_endpoints(0));
    }
    options_.seed = scenario_.seed;
    Start();
    for (const auto& [time, count] : scenario_.workers) {
      At(kStart + time, [this, wanted = count] { SetWorkers(wanted); });
    }
    for (const auto& [time, shape] : scenario_.jobs) {
      At(kStart + time, [this, &job = shape] { Tell(MakeJob(job)); });
    }
    if (scenario_.restart) {
      At(kStart + *scenario_.restart, [this] { Kill(); });
    }
    if (scenario_.provider.others > 0) {
      At(kStart + scenario_.provider.others_from, [this] { OthersCall(); });
    }
    EverySecond();
    const TimePoint end = kStart + scenario_.time;
    while (!timers_.empty()) {
      Timer timer = std::move(const_cast<Timer&>(timers_.top()));  // NOLINT
      timers_.pop();
      if (timer.time > end || AllOver()) break;
      now_ = timer.time;
      timer.action();
    }
    for (const std::string& text : store_.violations()) Fail(text);
    return std::move(outcome_);
  }

 private:
  struct Timer {
    TimePoint time;
    std::uint64_t number = 0;
    std::function<void()> action;
    bool operator>(const Timer& other) const {
      return time != other.time ? time > other.time : number > other.number;
    }
  };
  struct Worker {
    SessionId session = 0;
    bool draining = false;
    std::map<AttemptId, std::shared_ptr<v1::AttemptReport>> held;  // null: under way
  };

  void At(TimePoint time, std::function<void()> action) {
    timers_.push({std::max(time, now_), next_timer_++, std::move(action)});
  }
  void After(Duration delay, std::function<void()> action) { At(now_ + delay, std::move(action)); }
  Duration Between(Duration least, Duration most) {
    return least + Duration(static_cast<std::int64_t>(random_.Uniform() *
                                                      static_cast<double>((most - least).count())));
  }
  void Fail(std::string text) {
    if (outcome_.violations.size() < 10) {
      outcome_.violations.push_back(
          fmt::format("{:.3f} s: {}", static_cast<double>((now_ - kStart).count()) / 1e6, text));
    }
  }
  std::size_t Tenth() const { return static_cast<std::size_t>((now_ - kStart) / kTenth); }
  static void AddAt(std::vector<std::int64_t>& series, std::size_t place, std::int64_t amount) {
    if (series.size() <= place) series.resize(place + 1);
    series[place] += amount;
  }

  void Start() {
    Recovery recovery = store_.Recover();
    offset_ = recovery.term == 1 ? Duration(0) : recovery.engine_now - now_;
    engine_ = std::make_unique<Engine>(options_, std::move(recovery));
    ++life_;
    committing_ = false;
    Tell(TimePassed{});
  }
  void Kill() {
    store_.Crash();
    engine_.reset();
    ++life_;
    for (auto& [name, worker] : workers_) worker.session = 0;
    // What nobody had written down is told again, and known again only then.
    blocked_until_ = {};
    After(kDowntime, [this] {
      Start();
      for (auto& [name, worker] : workers_) {
        After(Between(milliseconds(1), milliseconds(50)), [this, who = name] { Connect(who); });
      }
    });
  }
  Instant Now() const { return {now_ + offset_, WallTime(now_.time_since_epoch())}; }

  void Tell(Event event) {
    if (engine_ == nullptr) return;
    for (Command& command : engine_->Handle(Now(), std::move(event))) CarryOut(command);
    const auto next = engine_->NextWakeup();
    if (!next) return;
    const std::uint64_t version = ++timer_version_;
    // A timer is late by a little.
    At(*next - offset_ + Duration(200), [this, version] {
      if (version == timer_version_) Tell(TimePassed{});
    });
  }

  void CarryOut(Command& command) {
    std::visit(Overloaded{[&](Persist& persist) {
                            store_.Write(std::move(persist));
                            Commit();
                          },
                          [&](SendLeases& send) { Send(send); },
                          [&](engine::Acknowledge& ack) {
                            Worker* worker = Of(ack.session);
                            if (worker == nullptr) return;
                            for (const AttemptId attempt : ack.attempts) {
                              worker->held.erase(attempt);
                            }
                          },
                          [&](auto&) {}},
               command);
  }
  void Commit() {
    if (committing_) return;
    committing_ = true;
    After(Between(scenario_.commit / 2, scenario_.commit * 3 / 2),
          [this, life = life_, ticket = store_.last_written()] {
            if (life != life_) return;
            store_.CommitUpTo(ticket);
            committing_ = false;
            Tell(CommitFinished{ticket});
            if (store_.last_written() > ticket) Commit();
          });
  }

  Worker* Of(SessionId session) {
    for (auto& [name, worker] : workers_) {
      if (worker.session == session) return &worker;
    }
    return nullptr;
  }
  void SetWorkers(int wanted) {
    int there = 0;
    for (auto& [name, worker] : workers_) {
      if (worker.draining) continue;
      if (++there <= wanted) continue;
      worker.draining = true;
      if (worker.session != 0) Tell(WorkerHeartbeat{worker.session, scenario_.slots, true});
    }
    for (; there < wanted; ++there) {
      const std::string name = fmt::format("workers/{:03}", next_worker_++);
      workers_[name];
      Connect(name);
    }
  }
  void Connect(const std::string& name) {
    if (engine_ == nullptr) return;
    Worker& worker = workers_[name];
    worker.session = next_session_++;
    auto hello = std::make_shared<v1::Hello>(*MakeHello(name, scenario_.slots, {"local", "other"}));
    hello->set_draining(worker.draining);
    std::vector<AttemptId> held;
    for (const auto& [attempt, report] : worker.held) held.push_back(attempt);
    Tell(WorkerConnected{worker.session, hello, held});
    for (const auto& [attempt, report] : worker.held) {
      if (report != nullptr) SendReport(name, attempt);
    }
  }

  void Send(SendLeases& send) {
    const auto found = std::find_if(workers_.begin(), workers_.end(), [&](const auto& worker) {
      return worker.second.session == send.session;
    });
    if (found == workers_.end()) return;
    for (const LeaseRecord& lease : send.leases) {
      found->second.held[lease.attempt] = nullptr;
      job_of_attempt_[lease.attempt] = lease.job;
      After(Between(milliseconds(1), milliseconds(6)),
            [this, name = found->first, lease] { StartCall(name, lease); });
    }
  }
  const JobShape& ShapeOf(const LeaseRecord& lease) const {
    return scenario_.jobs.at(job_of_.at(lease.job)).second;
  }

  // How this call counts at the provider, which reckons prompts as the engine does.
  CallSize Size(const LeaseRecord& lease) {
    const auto key = std::make_tuple(lease.job, lease.cell.entry, lease.cell.kind);
    auto [found, added] = sizes_.try_emplace(key);
    const v1::JobSpecification& specification = *store_.jobs().at(lease.job).record.specification;
    if (added) {
      found->second = SizeOfPrompts(specification, lease.cell.entry, lease.cell.kind).tokens;
    }
    return {found->second[lease.cell.index % found->second.size()],
            OutputLimit(specification.entries(lease.cell.entry), lease.cell.kind),
            scenario_.provider.count};
  }

  void StartCall(const std::string& name, const LeaseRecord& lease) {
    LearnJobs();
    const EntryShape& entry = ShapeOf(lease).entries[lease.cell.entry];
    ++outcome_.calls;
    const bool warm = now_ - kStart >= scenario_.warm;
    if (warm) ++outcome_.warm_calls;
    if (entry.endpoint == "other") {
      End(name, lease, Between(*scenario_.other_latency / 2, *scenario_.other_latency * 3 / 2),
          v1::Attempt::COMPLETED, {}, std::nullopt, false);
      return;
    }
    if (now_ < blocked_until_) {
      Fail(fmt::format("a call starts {:.3f} s before a Retry-After ends",
                       static_cast<double>((blocked_until_ - now_).count()) / 1e6));
    }
    const Duration since = now_ - kStart;
    if (since >= scenario_.provider.fails_from && since < scenario_.provider.fails_to) {
      ++outcome_.failed;
      End(name, lease, milliseconds(20), v1::Attempt::FAILED, v1::Attempt::OVERLOADED, std::nullopt,
          false);
      return;
    }
    const CallSize size = Size(lease);
    const std::optional<Duration> wait = provider_.Admit(now_, size);
    if (wait) {
      ++outcome_.refused;
      if (warm) ++outcome_.warm_refused;
      std::optional<Duration> said;
      if (scenario_.provider.retry_after) said = std::chrono::ceil<seconds>(*wait);
      End(name, lease, milliseconds(20), v1::Attempt::FAILED, v1::Attempt::RATE_LIMITED, said,
          true);
      return;
    }
    std::int64_t amount = 0;
    switch (measured_) {
      case v1::LimitUse::REQUESTS_PER_MINUTE:
        amount = 1;
        break;
      case v1::LimitUse::TOKENS_PER_MINUTE:
        amount = size.produced() ? size.input : size.total();
        break;
      case v1::LimitUse::INPUT_TOKENS_PER_MINUTE:
        amount = size.input;
        break;
      default:
        break;
    }
    if (scenario_.watch) AddAt(outcome_.used, Tenth(), amount);
    ++in_flight_;
    const Duration mean = scenario_.provider.latency;
    End(name, lease, Between(mean / 2, mean * 3 / 2), v1::Attempt::COMPLETED, {}, std::nullopt,
        true);
  }

  void End(const std::string& name, const LeaseRecord& lease, Duration latency,
           v1::Attempt::State state, v1::Attempt::ErrorClass error_class,
           std::optional<Duration> retry_after, bool counted) {
    After(latency, [=, this] {
      auto report =
          MakeReport(lease, state, error_class, error_class == v1::Attempt::OVERLOADED ? 529 : 0)
              .report;
      v1::Attempt& attempt = *report->mutable_attempt();
      *attempt.mutable_latency() = ToProto(latency);
      if (state == v1::Attempt::COMPLETED) {
        const double factor = 0.5 + random_.Uniform();
        const auto produced = static_cast<std::int64_t>(
            factor * static_cast<double>(scenario_.provider.reply_tokens));
        attempt.mutable_usage()->set_input_tokens(Size(lease).input);
        attempt.mutable_usage()->set_output_tokens(produced);
        if (counted) {
          --in_flight_;
          provider_.Finish(now_, Size(lease), produced);
          if (measured_ == v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE) {
            AddAt(outcome_.used, Tenth(), produced);
          }
        }
        ++outcome_.answers[job_of_.at(lease.job)];
      }
      if (counted) provider_.Headers(now_, report->mutable_limits());
      if (retry_after) {
        *report->mutable_retry_after() = ToProto(*retry_after);
        // Who is under way need not know yet.
        const TimePoint until = now_ + *retry_after;
        After(milliseconds(250),
              [this, until] { blocked_until_ = std::max(blocked_until_, until); });
      }
      workers_[name].held[lease.attempt] = std::move(report);
      SendReport(name, lease.attempt);
    });
  }

  void SendReport(const std::string& name, AttemptId attempt) {
    After(Between(milliseconds(1), milliseconds(4)),
          [this, name, attempt, session = workers_[name].session] {
            Worker& worker = workers_[name];
            const auto held = worker.held.find(attempt);
            if (worker.session != session || session == 0 || held == worker.held.end()) return;
            if (held->second == nullptr) return;
            ReportsArrived event{session, {}};
            Report& report = event.reports.emplace_back();
            report.attempt = attempt;
            report.job = job_of_attempt_[attempt];
            report.report = std::make_unique<v1::AttemptReport>(*held->second);
            Tell(std::move(event));
            LookForEnds();
          });
  }

  // Job keys by their names.
  void LearnJobs() {
    for (const auto& [key, rows] : store_.jobs()) {
      if (job_of_.contains(key)) continue;
      for (std::size_t i = 0; i < scenario_.jobs.size(); ++i) {
        if (scenario_.jobs[i].second.name == rows.record.job->name()) job_of_[key] = i;
      }
    }
  }
  void LookForEnds() {
    if (engine_ == nullptr) return;
    for (const auto& [key, place] : job_of_) {
      if (outcome_.ended[place] || !engine_->Settled(key)) continue;
      outcome_.ended[place] = now_ - kStart;
    }
  }
  bool AllOver() {
    return std::all_of(outcome_.ended.begin(), outcome_.ended.end(),
                       [](const auto& end) { return end.has_value(); });
  }
  void OthersCall() {
    if (now_ - kStart >= scenario_.provider.others_to) return;
    const CallSize size{100, 16, scenario_.provider.count};
    if (!provider_.Admit(now_, size)) {
      After(scenario_.provider.latency,
            [this, size] { provider_.Finish(now_, size, scenario_.provider.reply_tokens); });
    }
    const double mean = 60e6 / static_cast<double>(scenario_.provider.others);
    After(Duration(static_cast<std::int64_t>(mean * (0.5 + random_.Uniform()))),
          [this] { OthersCall(); });
  }
  void EverySecond() {
    if (scenario_.watch) Watch();
    if (engine_ != nullptr) {
      for (auto& [name, worker] : workers_) {
        if (worker.session == 0) continue;
        Tell(WorkerHeartbeat{worker.session, scenario_.slots, worker.draining});
      }
    }
    LookForEnds();
    After(scenario_.watch ? seconds(1) : seconds(10), [this] { EverySecond(); });
  }
  void Watch() {
    outcome_.in_flight.push_back(in_flight_);
    if (engine_ == nullptr) return;
    for (v1::LimitGroup& group : engine_->LimitGroups(Now())) {
      if (group.name() == "limitGroups/local") outcome_.group.push_back(std::move(group));
    }
  }

  const LimitsScenario& scenario_;
  RandomStream random_;
  ProviderLimits provider_;
  LimitsOutcome outcome_;
  v1::LimitUse::Dimension measured_ = v1::LimitUse::REQUESTS_PER_MINUTE;
  Options options_;
  TimePoint now_ = kStart;
  Duration offset_{0};
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::uint64_t next_timer_ = 0;
  std::uint64_t timer_version_ = 0;
  StoreModel store_;
  std::unique_ptr<Engine> engine_;
  std::uint64_t life_ = 0;
  bool committing_ = false;
  std::map<std::string, Worker> workers_;
  int next_worker_ = 0;
  SessionId next_session_ = 1;
  std::map<JobKey, std::size_t> job_of_;
  std::map<std::tuple<JobKey, std::uint16_t, v1::Cell::Kind>, std::vector<std::int64_t>> sizes_;
  std::map<AttemptId, JobKey> job_of_attempt_;
  std::int64_t in_flight_ = 0;
  TimePoint blocked_until_{};
};

}  // namespace

double LimitsOutcome::LeastShare(std::int64_t limit, int seconds_of, Duration from,
                                 Duration to) const {
  const auto first = static_cast<std::size_t>(from / kTenth);
  const auto last = std::min(used.size(), static_cast<std::size_t>(to / kTenth));
  const auto width = static_cast<std::size_t>(seconds_of) * 10;
  double least = 1e9;
  std::int64_t sum = 0;
  for (std::size_t i = first; i < last; ++i) {
    sum += used[i];
    if (i >= first + width) sum -= used[i - width];
    if (i + 1 >= first + width) {
      least = std::min(least, static_cast<double>(sum) * 60 /
                                  (static_cast<double>(limit) * static_cast<double>(seconds_of)));
    }
  }
  return least;
}

double LimitsOutcome::MeanShare(std::int64_t limit, Duration from, Duration to) const {
  const auto first = static_cast<std::size_t>(from / kTenth);
  const auto last = std::min(used.size(), static_cast<std::size_t>(to / kTenth));
  std::int64_t sum = 0;
  for (std::size_t i = first; i < last; ++i) sum += used[i];
  const double seconds_of = std::chrono::duration<double>(to - from).count();
  return static_cast<double>(sum) * 60 / (static_cast<double>(limit) * seconds_of);
}

LimitsOutcome RunLimits(const LimitsScenario& scenario) { return LimitsWorld(scenario).Run(); }

}  // namespace candor::engine::simulation
