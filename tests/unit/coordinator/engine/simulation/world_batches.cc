// Providers' batches: workers that take steps, and providers that keep batches of their own.
// "local" shows our token, as OpenAI does; "other" only the ids of lines, once a batch has ended,
// as Anthropic does.
#include "tests/unit/coordinator/engine/fixtures.h"
#include "tests/unit/coordinator/engine/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace candor::engine::simulation {
namespace {

using Said = v1::BatchReport;
using v1::BatchTask;

// As worker_service.proto says, in lease TTLs.
constexpr int kCreateWithin = 10;
constexpr int kCreateTakes = 2;
constexpr std::size_t kLinesAMessage = 16;

}  // namespace

void World::DrawBatches(JobShape& shape) {
  // Drawn by themselves: the worlds of the other seeds stay as they are.
  RandomStream random(scenario_.seed, 79);
  shape.mode = random.Uniform() < 0.5 ? v1::Job::BATCH : v1::Job::AUTO;
  for (EntryShape& entry : shape.entries) {
    if (shape.mode == v1::Job::BATCH) entry.adaptive = false;
  }
}

void World::ConfigureBatches() {
  RandomStream random(scenario_.seed, 78);
  moods_.batch_lines = 1 + static_cast<int>(random.Below(60));
  moods_.batch_time = static_cast<Micros>(1 + random.Below(30)) * kSecond;
  moods_.batch_refused = random.Uniform() < 0.5 ? 0.1 * random.Uniform() : 0;
  moods_.batch_full = random.Uniform() < 0.5 ? 0.1 * random.Uniform() : 0;
  moods_.batch_expires = random.Uniform() < 0.5 ? 0.3 * random.Uniform() : 0;
  moods_.step_fails = random.Uniform() < 0.5 ? 0.3 * random.Uniform() : 0;
  for (v1::Endpoint& endpoint : *config_.mutable_endpoints()) {
    v1::BatchConfig& batch = *endpoint.mutable_models(0)->mutable_batch();
    batch.set_max_lines(moods_.batch_lines);
    batch.mutable_poll_interval()->set_seconds(2);
    if (random.Uniform() < 0.3) batch.set_queue_tokens(2'000);
  }
}

void World::TakeStep(std::uint32_t number, const SendBatchTask& step, Micros sent) {
  Trace(static_cast<std::uint64_t>(step.task.step()));
  const SessionId session = workers_[number].session;
  After(Exponential(100 * kMillisecond), [this, number, step, sent, session] {
    AsWorker(number, [this, number, step, sent, session](Worker& worker) {
      // With the stream goes the step.
      if (worker.session != session) {
        SayOfAnotherStream(number, step, sent, Said::ABSENT);
        return;
      }
      if (step.task.step() != BatchTask::SUBMIT && Chance(moods_.step_fails)) {
        SayBatch(number, step.task, Said::STATE_UNSPECIFIED, "", v1::Attempt::SERVER_ERROR);
        return;
      }
      switch (step.task.step()) {
        case BatchTask::SUBMIT:
          StepSubmit(number, step, sent);
          break;
        case BatchTask::POLL:
          StepPoll(number, step.task);
          break;
        case BatchTask::COLLECT:
          StepCollect(number, step);
          break;
        default:
          StepCancel(number, step);
      }
    });
  });
}

// What a worker finds that looks for the batch: true when there is nothing more to do.
bool World::LookForBatch(std::uint32_t number, const SendBatchTask& step) {
  const std::string endpoint = EndpointOf(step);
  const std::set<std::string> others(step.task.other_provider_batches().begin(),
                                     step.task.other_provider_batches().end());
  for (auto& [id, batch] : provider_batches_) {
    if (batch.endpoint != endpoint || others.contains(id)) continue;
    const bool ended = now_ >= batch.ends;
    if (endpoint == "local") {
      if (batch.token != step.task.batch()) continue;
    } else if (batch.lines.size() != step.leases.size()) {
      continue;
    } else if (!ended) {
      SayBatch(number, step.task, Said::UNDECIDED);
      return true;
    } else if (batch.lines.front().attempt != step.leases.front().attempt) {
      continue;
    }
    ++outcome_.adopted;
    SayBatch(number, step.task, ended ? Said::ENDED : Said::IN_PROGRESS, id);
    return true;
  }
  return false;
}

// A SUBMIT whose stream has ended is told of on the present one, within its time.
void World::SayOfAnotherStream(std::uint32_t number, const SendBatchTask& step, Micros sent,
                               v1::BatchReport::State state) {
  const Micros time = (kCreateWithin + kCreateTakes) * kLeaseTtl;
  if (step.task.step() != BatchTask::SUBMIT || now_ > sent + time) return;
  SayBatch(number, step.task, state);
}

void World::StepSubmit(std::uint32_t number, const SendBatchTask& step, Micros sent) {
  if (step.task.may_exist() && LookForBatch(number, step)) return;
  const SessionId session = workers_[number].session;
  // The upload.
  After(Between(0, 3 * kSecond), [this, number, step, sent, session] {
    AsWorker(number, [this, number, step, sent, session](Worker& worker) {
      if (worker.session != session) {
        SayOfAnotherStream(number, step, sent, Said::ABSENT);
        return;
      }
      const Micros ttl = kLeaseTtl;
      if (now_ > sent + kCreateWithin * ttl) {
        SayBatch(number, step.task, Said::ABSENT, "", v1::Attempt::TIMEOUT);
        return;
      }
      if (Chance(moods_.batch_refused)) {
        SayBatch(number, step.task, Said::REFUSED, "", v1::Attempt::INVALID_REQUEST);
        return;
      }
      if (Chance(moods_.batch_full)) {
        SayBatch(number, step.task, Said::REFUSED, "", v1::Attempt::RATE_LIMITED);
        return;
      }
      // On its way nobody can stop it, and it arrives whatever becomes of the worker.
      const Micros way = Chance(0.2) ? Between(0, kCreateTakes * ttl) : Between(0, kSecond);
      const bool answered = !Chance(moods_.step_fails);
      After(way, [this, number, step, sent, session, answered] {
        const std::string id = CreateBatch(step);
        After(kMillisecond, [this, number, step, sent, session, id, answered] {
          AsWorker(number, [this, number, step, sent, session, id, answered](Worker& creator) {
            if (answered) {
              SayBatch(number, step.task, Said::IN_PROGRESS, id);
            } else if (creator.session != session) {
              SayOfAnotherStream(number, step, sent, Said::UNDECIDED);
            } else {
              SayBatch(number, step.task, Said::UNDECIDED, "", v1::Attempt::TIMEOUT);
            }
          });
        });
      });
    });
  });
}

std::string World::EndpointOf(const SendBatchTask& step) {
  const auto rows = store_.jobs().find(step.job);
  if (rows == store_.jobs().end()) return "gone";
  return rows->second.record.job->models(static_cast<int>(step.task.entry_index())).endpoint();
}

std::string World::CreateBatch(const SendBatchTask& step) {
  std::string id = fmt::format("b{}", provider_batches_.size());
  bool durable = false;
  for (const auto& [key, record] : store_.provider_batches()) {
    durable = durable || step.task.batch().ends_with(fmt::format("{:016x}", key));
  }
  if (!durable && deleted_.empty()) Fail("a batch was created that is not durable");
  for (const auto& [other, batch] : provider_batches_) {
    if (batch.token == step.task.batch()) {
      Fail(fmt::format("{} was created twice, as {} and {}", batch.token, other, id));
    }
  }
  SimulatedBatch& batch = provider_batches_[id];
  batch.token = step.task.batch();
  batch.endpoint = EndpointOf(step);
  batch.job = step.job;
  batch.lines = step.leases;
  batch.created = now_;
  batch.ends = now_ + Between(kSecond, moods_.batch_time + kSecond);
  const bool expires = Chance(moods_.batch_expires);
  for (const LeaseRecord& line : step.leases) {
    if (!store_.HasLease(line.attempt)) Fail("a line without a durable lease");
    v1::Attempt::State state = v1::Attempt::COMPLETED;
    if (expires && Chance(0.5)) {
      state = v1::Attempt::NOT_SENT;
    } else if (Chance(moods_.server_error)) {
      state = v1::Attempt::FAILED;
    }
    batch.results[line.attempt] = state;
    if (state == v1::Attempt::NOT_SENT) continue;
    if (!called_.insert(line.attempt).second) Fail("one attempt made two calls");
    ++outcome_.lines;
  }
  ++outcome_.batches;
  return id;
}

void World::StepPoll(std::uint32_t number, const v1::BatchTask& task) {
  const auto found = provider_batches_.find(task.provider_batch());
  if (found == provider_batches_.end()) {
    Fail("a batch is asked for that was never created");
    return;
  }
  SayBatch(number, task, now_ >= found->second.ends ? Said::ENDED : Said::IN_PROGRESS,
           found->first);
}

void World::StepCancel(std::uint32_t number, const SendBatchTask& step) {
  if (step.task.provider_batch().empty()) {
    if (!LookForBatch(number, step)) SayBatch(number, step.task, Said::ABSENT);
    return;
  }
  SimulatedBatch& batch = provider_batches_[step.task.provider_batch()];
  if (now_ < batch.ends) {
    batch.ends = std::min(batch.ends, now_ + Between(0, 2 * kSecond));
    for (auto& [attempt, state] : batch.results) {
      if (!Chance(0.5)) continue;
      state = v1::Attempt::NOT_SENT;
      called_.erase(attempt);
    }
  }
  SayBatch(number, step.task, Said::IN_PROGRESS, step.task.provider_batch());
}

// Results go up a few at a time, each lot when the one before is acknowledged.
void World::StepCollect(std::uint32_t number, const SendBatchTask& step) {
  const auto found = provider_batches_.find(step.task.provider_batch());
  if (found == provider_batches_.end() || now_ < found->second.ends) {
    Fail("results are read of a batch that has not ended");
    return;
  }
  Worker& worker = workers_[number];
  Collection& collection = worker.collections[step.task.batch()];
  collection = {};
  collection.task = step.task;
  collection.session = worker.session;
  for (const LeaseRecord& line : step.leases) {
    const auto result = found->second.results.find(line.attempt);
    if (result == found->second.results.end()) {
      Fail("a line is asked for that the batch does not have");
      continue;
    }
    collection.left.emplace_back(line, result->second);
  }
  GoOnCollecting(number, step.task.batch());
}

void World::GoOnCollecting(std::uint32_t number, const std::string& batch) {
  Worker& worker = workers_[number];
  const auto found = worker.collections.find(batch);
  if (found == worker.collections.end()) return;
  Collection& collection = found->second;
  if (collection.session != worker.session) {
    worker.collections.erase(found);
    return;
  }
  if (!collection.unacknowledged.empty()) return;
  if (collection.left.empty()) {
    const v1::BatchTask task = collection.task;
    worker.collections.erase(found);
    SayBatch(number, task, Said::COLLECTED, task.provider_batch());
    return;
  }
  while (!collection.left.empty() && collection.unacknowledged.size() < kLinesAMessage) {
    const auto [line, state] = collection.left.back();
    collection.left.pop_back();
    collection.unacknowledged.insert(line.attempt);
    SendLine(worker.session, line, state);
    if (Chance(healed_ ? 0 : 0.02)) SendLine(worker.session, line, state);
  }
}

void World::SendLine(SessionId session, const LeaseRecord& line, v1::Attempt::State state) {
  SendToCoordinator(session, [this, session, line, state] {
    const bool failed = state == v1::Attempt::FAILED;
    Report report = MakeReport(
        line, state, failed ? v1::Attempt::SERVER_ERROR : v1::Attempt::ERROR_CLASS_UNSPECIFIED,
        failed ? 500 : 200);
    if (report.report->has_outcome()) {
      report.report->mutable_outcome()->set_choice(
          RandomStream(scenario_.seed, line.attempt).Uniform() < 0.5 ? v1::Outcome::A
                                                                     : v1::Outcome::B);
    }
    report.report->mutable_attempt()->set_batch("batches/of a line");
    if (!store_.jobs().contains(line.job)) report.job = 0;
    ReportsArrived event{session, {}};
    event.reports.push_back(std::move(report));
    return Event(std::move(event));
  });
}

void World::LineAcknowledged(std::uint32_t number, AttemptId attempt) {
  for (auto& [name, collection] : workers_[number].collections) {
    if (collection.unacknowledged.erase(attempt) == 0) continue;
    After(kMillisecond, [this, number, batch = name] {
      AsWorker(number, [this, number, batch](Worker&) { GoOnCollecting(number, batch); });
    });
    return;
  }
}

void World::SayBatch(std::uint32_t number, const v1::BatchTask& task, v1::BatchReport::State state,
                     const std::string& provider_batch, v1::Attempt::ErrorClass error_class) {
  auto report = std::make_shared<v1::BatchReport>();
  report->set_batch(task.batch());
  report->set_step(task.step());
  report->set_state(state);
  report->set_provider_batch(provider_batch);
  report->set_error_class(error_class);
  if (error_class != v1::Attempt::ERROR_CLASS_UNSPECIFIED) report->set_error_text("so it said");
  const SessionId session = workers_[number].session;
  if (session == 0) return;
  SendToCoordinator(session, [session, report] { return BatchReported{session, report}; });
}

// No batch is left behind at a provider that nobody knows of.
void World::CheckBatches() {
  if (!AllOver()) return;
  for (const auto& [id, batch] : provider_batches_) {
    if (!store_.jobs().contains(batch.job)) continue;
    bool known = false;
    for (const auto& [key, record] : store_.provider_batches()) {
      known = known || record.batch->provider_batch() == id;
    }
    if (!known) Fail(fmt::format("batch {} was created and forgotten", id));
  }
}

}  // namespace candor::engine::simulation
