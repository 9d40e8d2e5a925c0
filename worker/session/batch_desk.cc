#include "worker/session/batch_desk.h"

#include "common/base/logging.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

namespace candor::session {
namespace {

namespace asio = boost::asio;

// Results on their way, of all steps together: enough for the coordinator to gather commits, and
// few megabytes whatever a provider sends.
constexpr std::size_t kMaxWaiting = 1'024;
constexpr std::size_t kMaxWaitingBytes = std::size_t{16} << 20U;
constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 20U;

}  // namespace

// One step under way.
class BatchDesk::Step final : public batch::BatchSink {
 public:
  Step(BatchDesk& desk, batch::BatchStart the_start) : start(std::move(the_start)), desk_(desk) {}

  asio::awaitable<bool> Take(v1::AttemptReport report) override {
    while (!stopped_ && desk_.IsFull()) co_await desk_.WaitForChange();
    if (stopped_) co_return false;
    const std::size_t bytes = report.ByteSizeLong();
    if (unacknowledged.try_emplace(report.attempt().id(), bytes).second) {
      ++desk_.waiting_;
      desk_.waiting_bytes_ += bytes;
    }
    desk_.results_.push_back(std::move(report));
    desk_.changed_();
    co_return true;
  }
  asio::awaitable<bool> Flush() override {
    while (!stopped_ && !unacknowledged.empty()) co_await desk_.WaitForChange();
    co_return !stopped_;
  }
  bool stopped() const override { return stopped_; }

  void Stop() {
    stopped_ = true;
    signal.emit(asio::cancellation_type::terminal);
  }

  batch::BatchStart start;
  // By then a creation has ended that was begun at the last moment.
  const TimePoint over_by = start.create_by + start.create_within;
  // The stream that it came on has ended.
  bool orphaned = false;
  asio::cancellation_signal signal;
  // By attempt id: the bytes of the report.
  absl::flat_hash_map<std::string, std::size_t> unacknowledged;

 private:
  BatchDesk& desk_;
  bool stopped_ = false;
};

BatchDesk::BatchDesk(const asio::any_io_executor& executor, batch::BatchRunner* runner,
                     const Clock& clock, std::function<void()> changed)
    : executor_(executor),
      runner_(runner),
      clock_(clock),
      changed_(std::move(changed)),
      wake_(executor, asio::steady_timer::time_point::max()) {}

BatchDesk::~BatchDesk() = default;

asio::awaitable<void> BatchDesk::WaitForChange() {
  boost::system::error_code ignored;
  co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

bool BatchDesk::IsFull() const {
  return waiting_ >= kMaxWaiting || waiting_bytes_ >= kMaxWaitingBytes;
}

void BatchDesk::Forget(std::size_t bytes) {
  --waiting_;
  waiting_bytes_ -= bytes;
}

// Who waits looks again, and waits anew where it must.
void BatchDesk::Wake() { wake_.cancel(); }

void BatchDesk::Begin(batch::BatchStart start) {
  if (runner_ == nullptr) return;
  Step& step = *steps_.emplace_back(std::make_unique<Step>(*this, std::move(start)));
  // It crossed with the news that the worker is to end, and is handed back as soon as it can be.
  if (ending_) step.Stop();
  asio::co_spawn(executor_, Drive(step),
                 asio::bind_cancellation_slot(
                     step.signal.slot(), [this, &step](const std::exception_ptr& error) {
                       if (error) Log().Error("a step of a batch broke");
                       for (const auto& [id, bytes] : step.unacknowledged) Forget(bytes);
                       steps_.remove_if([&](const auto& one) { return one.get() == &step; });
                       Wake();
                       changed_();
                     }));
}

asio::awaitable<void> BatchDesk::Drive(Step& step) {
  // A stopped step ends by its own checks, not by an exception out of the next co_await.
  co_await asio::this_coro::throw_if_cancelled(false);
  v1::BatchReport report = co_await runner_->Run(std::move(step.start), step);
  // Nobody waits for anything else on another stream.
  if (step.orphaned && report.step() != v1::BatchTask::SUBMIT) co_return;
  reports_.push_back({std::move(report), step.over_by, step.orphaned});
}

bool BatchDesk::HasReport() {
  std::erase_if(reports_, [this](const Ended& step) {
    return step.orphaned && step.report.provider_batch().empty() && step.over_by < clock_.Now();
  });
  return !reports_.empty();
}

bool BatchDesk::Next(v1::ConnectRequest* message) {
  if (!results_.empty()) {
    v1::AttemptReports* reports = message->mutable_reports();
    std::size_t bytes = 0;
    while (!results_.empty()) {
      // With the bytes of tag and length.
      const std::size_t size = results_.front().ByteSizeLong() + 8;
      if (bytes > 0 && bytes + size > kMaxMessageBytes - 64) break;
      bytes += size;
      *reports->add_reports() = std::move(results_.front());
      results_.pop_front();
    }
    return true;
  }
  if (!HasReport()) return false;
  *message->mutable_batch_report() = std::move(reports_.front().report);
  reports_.pop_front();
  return true;
}

void BatchDesk::Acknowledge(const v1::Acknowledgement& acknowledgement) {
  if (waiting_ == 0) return;
  bool any = false;
  for (const std::string& id : acknowledgement.attempt_ids()) {
    for (const auto& step : steps_) {
      const auto at = step->unacknowledged.find(id);
      if (at == step->unacknowledged.end()) continue;
      Forget(at->second);
      step->unacknowledged.erase(at);
      any = true;
      break;
    }
  }
  if (any) Wake();
}

void BatchDesk::Close() {
  for (const auto& step : steps_) step->orphaned = true;
  StopSteps();
  results_.clear();
  std::erase_if(reports_,
                [](const Ended& step) { return step.report.step() != v1::BatchTask::SUBMIT; });
  for (Ended& step : reports_) step.orphaned = true;
}

void BatchDesk::Stop() {
  ending_ = true;
  StopSteps();
}

void BatchDesk::StopSteps() {
  // A stopped step may end, and leave the list, at once.
  for (auto at = steps_.begin(); at != steps_.end();) {
    Step& step = **at++;
    step.Stop();
  }
  Wake();
}

}  // namespace candor::session
