#include "tests/unit/coordinator/engine/fixtures.h"
#include "tests/unit/coordinator/engine/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace candor::engine::simulation {
namespace {

constexpr Micros kStartWithin = 250 * kMillisecond;
// What the guard of the limit windows leaves for the way of a lease: a worker that gets one later
// hands it back, which it knows from the grant's time and the quickest message so far.
constexpr Micros kLongestWay = 45 * kMillisecond;
constexpr Micros kCallTimeout = 40 * kSecond;

}  // namespace

void World::AddWorker() {
  const auto number = static_cast<std::uint32_t>(workers_.size());
  Worker& worker = workers_.emplace_back();
  worker.name = fmt::format("workers/{}", number);
  worker.slots = static_cast<int>(Between(1, 12));
  Connect(number);
  Beat(number);
  if (moods_.worker_life > 0) {
    After(Exponential(moods_.worker_life), [this, number] {
      if (!healed_) KillWorker(number);
    });
  }
  if (moods_.stall_every > 0) Stall(number);
  if (moods_.stream_life > 0) {
    // Streams break now and then; sometimes the coordinator does not notice.
    After(Exponential(moods_.stream_life), [this, number] {
      if (healed_ || !workers_[number].alive) return;
      const SessionId session = workers_[number].session;
      if (session != 0) BreakStream(session, Chance(0.7));
    });
  }
}

void World::KillWorker(std::uint32_t number) {
  Worker& worker = workers_[number];
  if (!worker.alive) return;
  ++outcome_.worker_deaths;
  worker.alive = false;
  if (worker.session != 0) BreakStream(worker.session, Chance(0.8));
  for (auto& [name, provider] : providers_) {
    std::erase_if(provider.in_flight,
                  [number](const auto& call) { return call.second.worker == number; });
  }
  After(Between(0, 10 * kSecond), [this] { AddWorker(); });
}

void World::AsWorker(std::uint32_t number, std::function<void(Worker&)> action) {
  Worker& worker = workers_[number];
  if (!worker.alive) return;
  if (worker.stalled_until <= now_) {
    action(worker);
    return;
  }
  At(worker.stalled_until,
     [this, number, action = std::move(action)] { AsWorker(number, action); });
}

void World::Stall(std::uint32_t number) {
  After(Exponential(moods_.stall_every + 1), [this, number] {
    if (healed_ || !workers_[number].alive) return;
    workers_[number].stalled_until =
        now_ + (Chance(0.5) ? Between(0, 2 * kSecond) : Between(5 * kSecond, 25 * kSecond));
    Stall(number);
  });
}

void World::Connect(std::uint32_t number) {
  Worker& worker = workers_[number];
  worker.session = 0;
  worker.welcome = false;
  if (engine_ == nullptr || Chance(healed_ ? 0 : 0.2)) {
    After(Between(10 * kMillisecond, kSecond), [this, number] {
      AsWorker(number, [this, number](Worker& awake) {
        if (awake.session == 0) Connect(number);
      });
    });
    return;
  }
  const SessionId session = next_session_++;
  sessions_[session].worker = number;
  worker.session = session;
  auto hello = std::make_shared<v1::Hello>(*MakeHello(worker.name, worker.slots));
  *hello->add_endpoints() = hello->endpoints(0);
  hello->mutable_endpoints(1)->set_endpoint("other");
  hello->set_draining(worker.draining);
  std::vector<AttemptId> held;
  for (const auto& [attempt, lease] : worker.held) held.push_back(attempt);
  SendToCoordinator(session, [session, hello, held] {
    return WorkerConnected{session, hello, held};
  });
  for (const auto& [attempt, lease] : worker.held) {
    if (lease.stage == Held::Stage::kEnded) SendReport(number, attempt);
  }
  if (moods_.stream_life > 0) {
    After(Exponential(moods_.stream_life), [this, session] {
      if (!healed_ && sessions_[session].open) BreakStream(session, Chance(0.7));
    });
  }
}

void World::Beat(std::uint32_t number) {
  After(2 * kSecond, [this, number] {
    AsWorker(number, [this, number](Worker& worker) {
      if (worker.session != 0) {
        const WorkerHeartbeat beat{worker.session, worker.slots, worker.draining};
        SendToCoordinator(worker.session, [beat] { return beat; });
      }
      Beat(number);
    });
  });
}

void World::Receive(std::uint32_t number, const LeaseRecord& lease, Micros sent, Micros arrived) {
  Worker& worker = workers_[number];
  Held held;
  held.lease = lease;
  held.sent = sent;
  held.received = arrived;
  if (!worker.held.emplace(lease.attempt, held).second) {
    Fail(fmt::format("lease {:x} came twice", lease.attempt));
    return;
  }
  if (static_cast<int>(worker.held.size()) > worker.slots + 16)
    Fail("a worker got too many leases");
  if (Chance(moods_.hands_back) || worker.draining) {
    EndCall(number, lease.attempt, v1::Attempt::NOT_SENT, {}, 0, {});
    return;
  }
  After(Exponential(20 * kMillisecond), [this, number, attempt = lease.attempt] {
    AsWorker(number, [this, number, attempt](Worker&) { StartCall(number, attempt); });
  });
}

void World::CheckCall(Provider& provider, const LeaseRecord& lease, Micros sent) {
  if (!called_.insert(lease.attempt).second) Fail("one attempt made two calls");
  if (!store_.HasLease(lease.attempt)) Fail("a call without a durable lease");
  while (!provider.calls.empty() && provider.calls.front().first <= now_ - 60 * kSecond) {
    provider.tokens -= provider.calls.front().second;
    provider.calls.pop_front();
  }
  ++provider.calls_in_all;
  provider.calls.emplace_back(now_, lease.reserved_tokens);
  provider.tokens += lease.reserved_tokens;
  const v1::Limits& limits = provider.limits;
  if (limits.requests_per_minute() > 0 &&
      static_cast<std::int64_t>(provider.calls.size()) > limits.requests_per_minute()) {
    Fail(fmt::format("{} requests in 60 s, where {} are allowed", provider.calls.size(),
                     limits.requests_per_minute()));
  }
  if (limits.requests_per_day() > 0 && provider.calls_in_all > limits.requests_per_day()) {
    Fail(fmt::format("{} requests in a day, where {} are allowed", provider.calls_in_all,
                     limits.requests_per_day()));
  }
  if (limits.tokens_per_minute() > 0 && provider.tokens > limits.tokens_per_minute()) {
    Fail(fmt::format("{} tokens in 60 s, where {} are allowed", provider.tokens,
                     limits.tokens_per_minute()));
  }
  // Calls of workers that were lost and live on count no more: nobody knows of them.
  std::int64_t in_flight = 0;
  for (const auto& [attempt, call] : provider.in_flight) {
    if (!written_off_.contains(attempt)) ++in_flight;
  }
  if (limits.in_flight() > 0 && in_flight > limits.in_flight()) {
    Fail(fmt::format("{} calls in flight, where {} are allowed", in_flight, limits.in_flight()));
  }
  std::erase_if(provider.refusals, [this](const Refusal& one) { return one.until <= now_; });
  for (const Refusal& refusal : provider.refusals) {
    if (refusal.known && sent > *refusal.known) {
      Fail(fmt::format("call {:x} starts {:.3f} s before a Retry-After ends", lease.attempt,
                       static_cast<double>(refusal.until - now_) / 1e6));
    }
  }
  const std::pair<JobKey, CellKey> cell{lease.job, lease.cell};
  const std::int64_t calls = ++calls_of_[cell];
  for (const JobCreated& job : jobs_) {
    const auto rows = store_.jobs().find(lease.job);
    if (rows == store_.jobs().end() || rows->second.record.job->name() != job.job->name()) continue;
    const std::int64_t most = job.job->retry().max_attempts() + deaths_of_[cell] +
                              unmendable_of_[cell] + day_refusals_of_[cell];
    if (calls > most) {
      Fail(fmt::format("cell {} was called {} times, at most {} are allowed", lease.cell.index,
                       calls, most));
    }
  }
}

void World::StartCall(std::uint32_t number, AttemptId attempt) {
  Worker& worker = workers_[number];
  const auto found = worker.held.find(attempt);
  if (found == worker.held.end() || found->second.stage != Held::Stage::kWaits) return;
  Held& held = found->second;
  if (now_ - held.received > kStartWithin || now_ - held.sent > kStartWithin + kLongestWay) {
    EndCall(number, attempt, v1::Attempt::NOT_SENT, {}, 0, {});
    return;
  }
  held.stage = Held::Stage::kCalls;
  held.limits.clear();
  const auto rows = store_.jobs().find(held.lease.job);
  if (rows == store_.jobs().end()) {
    Fail("a call for a job that is gone");
    return;
  }
  const v1::Entry& entry = rows->second.record.job->models(held.lease.cell.entry);
  Provider& provider = providers_[entry.endpoint()];
  provider.in_flight[attempt] = {held.lease, now_, number};
  CheckCall(provider, held.lease, held.sent);

  // Whether a cell kills its worker is in the cell.
  RandomStream of_cell(scenario_.seed, 1000 + held.lease.cell.index * 8 + held.lease.cell.entry);
  if (of_cell.Uniform() < moods_.poison) {
    KillWorker(number);
    return;
  }
  v1::Attempt::State state = v1::Attempt::COMPLETED;
  v1::Attempt::ErrorClass error_class = v1::Attempt::ERROR_CLASS_UNSPECIFIED;
  int status = 200;
  std::optional<Micros> retry_after;
  Micros latency = Exponential(moods_.latency) + kMillisecond;
  const auto failed = [&](v1::Attempt::ErrorClass why, int http) {
    state = v1::Attempt::FAILED;
    error_class = why;
    status = http;
  };
  if (entry.model() == "locked" && now_ < mended_) {
    failed(v1::Attempt::AUTHENTICATION, 401);
    ++unmendable_of_[{held.lease.job, held.lease.cell}];
  } else if (moods_.no_quota && entry.endpoint() == "other" && now_ < mended_ &&
             now_ > mended_ / 2) {
    failed(v1::Attempt::QUOTA_EXHAUSTED, 429);
    ++unmendable_of_[{held.lease.job, held.lease.cell}];
  } else if (now_ < fails_until_) {
    failed(v1::Attempt::OVERLOADED, 529);
    latency = 10 * kMillisecond;
  } else if (Chance(moods_.rate_limited)) {
    failed(v1::Attempt::RATE_LIMITED, 429);
    latency = kMillisecond;
    if (Chance(0.8)) retry_after = Between(0, 15 * kSecond);
    // A quota of a day that is there again soon; without a time it would be a quarter of an hour.
    if (retry_after && scenario_.seed % 4 == 1) {
      error_class = v1::Attempt::DAILY_LIMIT;
      ++day_refusals_of_[{held.lease.job, held.lease.cell}];
    }
  } else if (Chance(moods_.overloaded)) {
    failed(v1::Attempt::OVERLOADED, 529);
  } else if (Chance(moods_.server_error)) {
    failed(v1::Attempt::SERVER_ERROR, 500);
  } else if (Chance(moods_.malformed)) {
    failed(v1::Attempt::MALFORMED_RESPONSE, 200);
  } else if (Chance(moods_.hangs)) {
    state = v1::Attempt::UNANSWERED;
    error_class = v1::Attempt::TIMEOUT;
    status = 0;
    latency = kCallTimeout;
  }
  After(latency, [this, number, attempt, state, error_class, status, retry_after,
                  endpoint = entry.endpoint()] {
    Provider& at = providers_[endpoint];
    at.in_flight.erase(attempt);
    if (retry_after && workers_[number].alive) {
      ++outcome_.refusals;
      at.refusals.push_back({attempt, now_ + *retry_after, std::nullopt});
    }
    AsWorker(number, [=, this](Worker&) {
      EndCall(number, attempt, state, error_class, status, retry_after);
    });
  });
}

std::vector<v1::LimitObservation> World::Headers(const Provider& provider) {
  std::vector<v1::LimitObservation> out;
  if (more_.Uniform() >= moods_.headers) return out;
  const std::int64_t wrong[] = {-7, 0, 1, std::int64_t{1} << 60U};
  const auto say = [&](v1::LimitUse::Dimension dimension, std::int64_t limit, std::int64_t used) {
    if (limit == 0) return;
    v1::LimitObservation& one = out.emplace_back();
    one.set_dimension(dimension);
    one.set_limit(limit);
    one.set_remaining(std::max<std::int64_t>(0, limit - used));
    one.mutable_reset_after()->set_seconds(60);
    if (more_.Uniform() >= moods_.lies) return;
    one.set_limit(wrong[more_.Below(4)]);
    one.set_remaining(wrong[more_.Below(4)]);
    one.mutable_reset_after()->set_seconds(wrong[more_.Below(4)]);
    one.set_rounded_to(wrong[more_.Below(4)]);
  };
  say(v1::LimitUse::REQUESTS_PER_MINUTE, provider.limits.requests_per_minute(),
      static_cast<std::int64_t>(provider.calls.size()));
  say(v1::LimitUse::TOKENS_PER_MINUTE, provider.limits.tokens_per_minute(), provider.tokens);
  return out;
}

void World::FailNowAndThen() {
  After(static_cast<Micros>(static_cast<double>(moods_.fails_every) * (0.5 + more_.Uniform())),
        [this] {
          if (healed_) return;
          fails_until_ = now_ + static_cast<Micros>(1 + more_.Below(20)) * kSecond;
          FailNowAndThen();
        });
}

void World::EndCall(std::uint32_t number, AttemptId attempt, v1::Attempt::State state,
                    v1::Attempt::ErrorClass error_class, int http_status,
                    std::optional<Micros> retry_after) {
  const auto found = workers_[number].held.find(attempt);
  if (found == workers_[number].held.end()) return;
  Held& held = found->second;
  held.stage = Held::Stage::kEnded;
  held.state = state;
  held.error_class = error_class;
  held.http_status = http_status;
  held.retry_after = retry_after;
  if (http_status != 0) {
    const auto rows = store_.jobs().find(held.lease.job);
    if (rows != store_.jobs().end()) {
      const int entry = held.lease.cell.entry;
      held.limits = Headers(providers_[rows->second.record.job->models(entry).endpoint()]);
    }
  }
  if (workers_[number].session != 0) SendReport(number, attempt);
}

void World::SendReport(std::uint32_t number, AttemptId attempt) {
  const Held held = workers_[number].held[attempt];
  const SessionId session = workers_[number].session;
  const int copies = Chance(healed_ ? 0 : 0.02) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    SendToCoordinator(session, [this, held, session] {
      ReportsArrived event{session, {}};
      Report report = MakeReport(held.lease, held.state, held.error_class, held.http_status);
      if (report.report->has_outcome()) {
        report.report->mutable_outcome()->set_choice(
            RandomStream(scenario_.seed, held.lease.attempt).Uniform() < 0.5 ? v1::Outcome::A
                                                                             : v1::Outcome::B);
      }
      if (!store_.jobs().contains(held.lease.job)) report.job = 0;
      for (const v1::LimitObservation& limit : held.limits) *report.report->add_limits() = limit;
      if (held.retry_after) {
        report.report->mutable_retry_after()->set_seconds(*held.retry_after / kSecond);
        report.report->mutable_retry_after()->set_nanos(
            static_cast<std::int32_t>(*held.retry_after % kSecond * 1000));
      }
      for (auto& [name, provider] : providers_) {
        for (Refusal& refusal : provider.refusals) {
          // A report that was for nobody any more is known only when it was looked up.
          if (refusal.attempt == held.lease.attempt && !written_off_.contains(refusal.attempt) &&
              sessions_[session].open && !refusal.known) {
            refusal.known = now_;
          }
        }
      }
      event.reports.push_back(std::move(report));
      return Event(std::move(event));
    });
  }
}

}  // namespace candor::engine::simulation
