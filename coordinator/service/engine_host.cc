#include "coordinator/service/engine_host.h"

#include "common/base/logging.h"
#include "common/base/time_proto.h"
#include "coordinator/design/propose.h"

#include <boost/asio/post.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <variant>
#include <vector>

namespace candor::service {
namespace {

// Below gRPC's receive limit of 4 MB, with room for the message around it.
constexpr std::size_t kSpecificationChunkBytes = std::size_t{1} << 20U;
// Lines of a provider's batch in one message: some 100 bytes each.
constexpr std::size_t kBatchLinesAtATime = 5'000;
// A small part of what any call takes, so that no slot waits noticeably longer; only above some
// 5,000 outcomes a second, where each group's cost tells, it becomes more.
constexpr std::chrono::milliseconds kCommitInterval(5);
constexpr std::chrono::milliseconds kMaxCommitInterval(20);
constexpr std::chrono::microseconds kCommitIntervalOfRow(100);
constexpr std::size_t kReaderThreads = 2;
// Pairs that one reader works out at a time: some milliseconds, so that other reads get their turn.
constexpr std::size_t kPairsAtATime = 16;
constexpr std::size_t kAnalystThreads = 2;
constexpr int kAnalystNice = 5;

store::CommitterOptions Committing(const EngineHost::Options& options) {
  store::CommitterOptions committing;
  committing.row_interval = kCommitIntervalOfRow;
  committing.min_interval = kCommitInterval;
  committing.max_interval = kMaxCommitInterval;
  if (HostObserver* observer = options.observer) {
    committing.on_report = [observer](const store::CommitReport& report) {
      observer->Committed(report);
    };
  }
  return committing;
}

}  // namespace

StatusOr<std::unique_ptr<EngineHost>> EngineHost::Create(
    boost::asio::io_context& strand, store::Store& store, const Clock& clock, Options options,
    absl::AnyInvocable<void(const Status&)> on_fatal) {
  CANDOR_ASSIGN_OR_RETURN(engine::Recovery recovery, store.Recover());
  return std::unique_ptr<EngineHost>(new EngineHost(strand, store, clock, std::move(options),
                                                    std::move(on_fatal), std::move(recovery)));
}

EngineHost::EngineHost(boost::asio::io_context& strand, store::Store& store, const Clock& clock,
                       Options options, absl::AnyInvocable<void(const Status&)> on_fatal,
                       engine::Recovery recovery)
    : strand_(strand),
      readers_(kReaderThreads),
      analysts_(kAnalystThreads),
      timer_(strand),
      store_(store),
      clock_(clock),
      options_(std::move(options)),
      start_(clock.Now()),
      engine_start_(recovery.engine_now),
      on_fatal_(std::move(on_fatal)),
      engine_(std::make_unique<engine::Engine>(options_.engine, std::move(recovery))),
      committer_(std::make_unique<store::GroupCommitter>(
          store_, Committing(options_),
          [this](engine::Ticket ticket) { Post([this, ticket] { Committed(ticket); }); },
          [this](const Status& status) { on_fatal_(status); })) {
  Post([this] { Handle(engine::TimePassed{}); });
}

EngineHost::~EngineHost() { Stop(); }

void EngineHost::Stop() {
  if (committer_) committer_->Stop();
  readers_.join();
  analysts_.join();
}

void EngineHost::Post(absl::AnyInvocable<void()> task) {
  boost::asio::post(strand_, [task = std::move(task)]() mutable { task(); });
}

void EngineHost::PostToReaders(absl::AnyInvocable<void()> task) {
  boost::asio::post(readers_, [task = std::move(task)]() mutable { task(); });
}

void EngineHost::PostToAnalysts(absl::AnyInvocable<void()> task) {
  boost::asio::post(analysts_, [task = std::move(task)]() mutable {
    // The engine comes first. On Linux a thread has a priority of its own, which those that it
    // starts inherit; where that cannot be set, nothing is lost but precedence.
    static thread_local const int kLowered = setpriority(PRIO_PROCESS, 0, kAnalystNice);
    static_cast<void>(kLowered);
    task();
  });
}

engine::Instant EngineHost::Now() const {
  return {.now = engine_start_ + (clock_.Now() - start_), .wall = clock_.WallNow()};
}

void EngineHost::Handle(engine::Event event) {
  // Commands are carried out in order, so no event may come in between: whoever answers to a
  // command posts. Otherwise a later batch could become durable first.
  if (std::exchange(handling_, true)) {
    Log().Error("an event came while another one was handled: this is a bug of the coordinator");
    std::abort();
  }
  std::vector<engine::Command> commands = engine_->Handle(Now(), std::move(event));
  for (engine::Command& command : commands) {
    std::visit([this](auto& c) { CarryOut(c); }, command);
  }
  handling_ = false;
  ArmTimer();
}

void EngineHost::ArmTimer() {
  const std::optional<TimePoint> wakeup = engine_->NextWakeup();
  if (!wakeup) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(std::max(*wakeup - Now().now, Duration(0)));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Handle(engine::TimePassed{});
  });
}

void EngineHost::AfterCommit(absl::AnyInvocable<void()> done) {
  if (durable_ >= asked_) return Post(std::move(done));
  after_commit_.emplace_back(asked_, std::move(done));
}

bool EngineHost::Overloaded() const { return committer_->full(); }

EngineHost::Unwritten EngineHost::unwritten() const {
  return {.batches = handed_over_.size(),
          .bytes = committer_->pending_bytes(),
          .age = handed_over_.empty() ? Duration(0) : clock_.Now() - handed_over_.front()};
}

engine::StoreTimes EngineHost::store_times() const {
  return {.median = store_times_.Quantile(0.5), .p95 = store_times_.Quantile(0.95)};
}

void EngineHost::Committed(engine::Ticket ticket) {
  const TimePoint now = clock_.Now();
  for (; durable_ < ticket && !handed_over_.empty(); ++durable_) {
    store_times_.Add(now - handed_over_.front());
    handed_over_.pop_front();
  }
  durable_ = ticket;
  Handle(engine::CommitFinished{ticket});
  while (!after_commit_.empty() && after_commit_.front().first <= durable_) {
    auto done = std::move(after_commit_.front().second);
    after_commit_.pop_front();
    done();
  }
}

void EngineHost::BeginClosing() {
  closing_ = true;
  for (const auto& [job, subscribers] : subscriptions_) {
    for (const auto& [id, changed] : subscribers) changed();
  }
}

engine::SessionId EngineHost::AddSession(std::shared_ptr<SessionSink> sink) {
  const engine::SessionId id = next_session_++;
  sessions_[id].sink = std::move(sink);
  return id;
}

void EngineHost::RemoveSession(engine::SessionId session) {
  // Closed by the engine itself: it knows, and is in the middle of an event.
  if (sessions_.erase(session) == 0) return;
  Handle(engine::WorkerDisconnected{session});
}

void EngineHost::CarryOut(engine::Persist& command) {
  asked_ = command.ticket;
  handed_over_.push_back(clock_.Now());
  if (options_.observer != nullptr) options_.observer->Persisting(command.batch, *engine_);
  committer_->Submit(command.ticket, std::move(command.batch));
}

void EngineHost::CarryOut(engine::WelcomeWorker& command) {
  const auto session = sessions_.find(command.session);
  if (session == sessions_.end()) return;
  v1::ConnectResponse message;
  v1::Welcome& welcome = *message.mutable_welcome();
  welcome.set_term(engine_->term());
  *welcome.mutable_heartbeat_interval() = ToProto(options_.heartbeat_interval());
  *welcome.mutable_lease_ttl() = ToProto(options_.engine.lease_ttl);
  *welcome.mutable_start_within() = ToProto(options_.engine.start_within);
  *welcome.mutable_send_clock() = ToProto(uptime());
  for (const engine::AttemptId id : command.unknown)
    welcome.add_unknown_attempt_ids(store_.AttemptName(id));
  session->second.sink->Send(std::move(message));
}

void EngineHost::CarryOut(engine::SendLeases& command) {
  const auto session = sessions_.find(command.session);
  if (session == sessions_.end()) return;
  v1::ConnectResponse message;
  v1::LeaseBatch& batch = *message.mutable_leases();
  batch.set_term(engine_->term());
  *batch.mutable_grant_time() = ToProto(command.grant_wall);
  *batch.mutable_send_clock() = ToProto(uptime());
  for (const engine::LeaseRecord& record : command.leases) {
    const auto specification = engine_->GetSpecification(record.job);
    if (!specification) continue;
    SendSpecification(session->second, record.job);
    FillLease(record, specification->job(), *batch.add_leases());
  }
  session->second.sink->Send(std::move(message));
}

void EngineHost::FillLease(const engine::LeaseRecord& record, const std::string& job,
                           v1::Lease& lease) const {
  lease.set_attempt_id(store_.AttemptName(record.attempt));
  lease.set_job(job);
  lease.mutable_cell()->set_entry_index(record.cell.entry);
  lease.mutable_cell()->set_kind(record.cell.kind);
  lease.mutable_cell()->set_index(record.cell.index);
  if (record.trial) *lease.mutable_trial() = *record.trial;
}

void EngineHost::CarryOut(engine::SendBatchTask& command) {
  const auto session = sessions_.find(command.session);
  const auto specification = engine_->GetSpecification(command.job);
  if (session == sessions_.end() || !specification) return;
  SendSpecification(session->second, command.job);
  std::size_t sent = 0;
  do {
    v1::ConnectResponse message;
    v1::BatchTask& task = *message.mutable_batch_task();
    task = command.task;
    task.set_job(specification->job());
    task.set_term(engine_->term());
    *task.mutable_send_clock() = ToProto(uptime());
    const std::size_t end = std::min(command.leases.size(), sent + kBatchLinesAtATime);
    for (; sent < end; ++sent) {
      FillLease(command.leases[sent], specification->job(), *task.add_leases());
    }
    task.set_more(sent < command.leases.size());
    session->second.sink->Send(std::move(message));
  } while (sent < command.leases.size());
}

void EngineHost::SendSpecification(Session& session, engine::JobKey job) {
  if (!session.specifications.insert(job).second) return;
  auto& serialised = serialised_[job];
  const auto specification = engine_->GetSpecification(job);
  if (!serialised)
    serialised = std::make_shared<const std::string>(specification->SerializeAsString());
  for (std::size_t offset = 0; offset < serialised->size(); offset += kSpecificationChunkBytes) {
    v1::ConnectResponse message;
    v1::SpecificationChunk& chunk = *message.mutable_specification();
    chunk.set_job(specification->job());
    chunk.set_offset(static_cast<std::int64_t>(offset));
    chunk.set_total_size(static_cast<std::int64_t>(serialised->size()));
    chunk.set_data(serialised->substr(offset, kSpecificationChunkBytes));
    session.sink->Send(std::move(message));
  }
}

void EngineHost::CarryOut(engine::Acknowledge& command) {
  const auto session = sessions_.find(command.session);
  if (session == sessions_.end()) return;
  v1::ConnectResponse message;
  for (const engine::AttemptId id : command.attempts) {
    message.mutable_acknowledgement()->add_attempt_ids(store_.AttemptName(id));
  }
  session->second.sink->Send(std::move(message));
}

void EngineHost::CarryOut(engine::LookUpAttempts& command) {
  PostToReaders([this, session = command.session, asked = std::move(command.attempts)]() mutable {
    auto found = store_.FindAttempts(asked);
    if (!found.ok()) return on_fatal_(found.status());
    Post([this, session, asked = std::move(asked), found = *std::move(found)]() mutable {
      engine::AttemptsLookedUp event{.session = session, .asked = std::move(asked), .found = {}};
      for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i]) event.found.push_back({event.asked[i], *found[i]});
      }
      Handle(std::move(event));
    });
  });
}

void EngineHost::CarryOut(engine::DrainWorker& command) {
  const auto session = sessions_.find(command.session);
  if (session == sessions_.end()) return;
  v1::ConnectResponse message;
  message.mutable_drain()->set_reason(command.reason);
  session->second.sink->Send(std::move(message));
}

void EngineHost::CarryOut(engine::CloseSession& command) {
  const auto session = sessions_.find(command.session);
  if (session == sessions_.end()) return;
  // Out of the table first: closing comes back as RemoveSession, which is to find nothing.
  const std::shared_ptr<SessionSink> sink = std::move(session->second.sink);
  sessions_.erase(session);
  sink->Close(command.reason);
}

void EngineHost::CarryOut(engine::PublishJob& command) {
  const auto subscribers = subscriptions_.find(command.job);
  if (subscribers == subscriptions_.end()) return;
  for (const auto& [id, changed] : subscribers->second) changed();
}

void EngineHost::CarryOut(engine::ForgetJob& command) {
  serialised_.erase(command.job);
  const auto specification = engine_->GetSpecification(command.job);
  if (!specification) return;
  for (auto& [id, session] : sessions_) {
    if (session.specifications.erase(command.job) == 0) continue;
    v1::ConnectResponse message;
    message.mutable_forget_jobs()->add_jobs(specification->job());
    session.sink->Send(std::move(message));
  }
}

void EngineHost::CarryOut(engine::ProposeTrials& command) {
  const std::vector<engine::WantedPair>& wanted = command.pairs;
  for (std::size_t begin = 0; begin < wanted.size();) {
    // Of one job each.
    std::size_t end = begin + 1;
    while (end < wanted.size() && end - begin < kPairsAtATime &&
           wanted[end].job == wanted[begin].job) {
      ++end;
    }
    const auto specification = engine_->GetSpecification(wanted[begin].job);
    if (specification) {
      PostToReaders([this, specification,
                     pairs = std::vector<engine::WantedPair>(
                         wanted.begin() + static_cast<std::ptrdiff_t>(begin),
                         wanted.begin() + static_cast<std::ptrdiff_t>(end))] {
        auto proposed = design::ProposeTrials(store_, *specification, pairs);
        if (proposed.status().code() == absl::StatusCode::kNotFound) return;  // deleted meanwhile
        if (!proposed.ok()) return on_fatal_(proposed.status());
        Post([this, proposed = *std::move(proposed)]() mutable { Handle(std::move(proposed)); });
      });
    }
    begin = end;
  }
}

EngineHost::Subscription::Subscription(EngineHost& host, engine::JobKey job,
                                       std::function<void()> changed)
    : host_(host), job_(job), id_(host.next_subscription_++) {
  host_.subscriptions_[job_][id_] = std::move(changed);
}

EngineHost::Subscription::~Subscription() {
  const auto subscribers = host_.subscriptions_.find(job_);
  subscribers->second.erase(id_);
  if (subscribers->second.empty()) host_.subscriptions_.erase(subscribers);
}

}  // namespace candor::service
