#include "worker/session/session.h"

#include "common/base/logging.h"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace candor::session {

namespace asio = boost::asio;

Session::Session(const asio::any_io_executor& executor, SessionOptions options,
                 WorkerChannelFactory& channels, CallRunner& calls, Services services,
                 const Clock& clock, batch::BatchRunner* batches)
    : executor_(executor),
      options_(std::move(options)),
      channels_(channels),
      calls_(calls),
      services_(std::move(services)),
      clock_(clock),
      state_(options_.state),
      batches_(executor, batches, clock, [this] { OnBatch(); }),
      random_(options_.seed),
      writer_wake_(executor),
      backoff_wake_(executor),
      drain_wake_(executor) {}

asio::awaitable<void> Session::Wait(asio::steady_timer& timer, Duration duration) {
  boost::system::error_code ignored;
  timer.expires_after(std::max(duration, Duration::zero()));
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<void> Session::Run() {
  while (!finished_) {
    const Status status = co_await RunStream();
    if (finished_) break;
    ++losses_;
    LogLoss(status);
    const auto ceiling = std::min<Duration>(
        options_.max_backoff, options_.first_backoff * (1 << std::min(failures_, 10)));
    ++failures_;
    // From half of it to all of it, so that workers that were lost together do not come together.
    const auto delay = Duration(static_cast<std::int64_t>(static_cast<double>(ceiling.count()) *
                                                          (0.5 + random_.Uniform() / 2)));
    co_await Wait(backoff_wake_, delay);
  }
}

asio::awaitable<Status> Session::RunStream() {
  const std::unique_ptr<WorkerChannel> channel = channels_.Open();
  channel_ = channel.get();
  stream_open_ = true;
  heartbeat_due_ = clock_.Now() + state_.heartbeat_interval();
  using namespace asio::experimental::awaitable_operators;  // for &&
  // Both end when the stream does: the reader hears of it, and wakes the writer.
  Status why = co_await (ReadAll(*channel) && WriteAll(*channel));
  channel_ = nullptr;
  state_.Close();
  batches_.Close();
  unsent_since_ = clock_.Now();
  const Status status = co_await channel->Finish();
  co_return why.ok() ? status : why;
}

asio::awaitable<Status> Session::ReadAll(WorkerChannel& channel) {
  Status why;
  std::vector<Start> starts;
  v1::ConnectResponse message;
  while (true) {
    // Not in the condition: g++ 12 miscompiles co_await there.
    const bool read = co_await channel.Read(&message);
    if (!read) break;
    heard_at_ = clock_.Now();
    const bool was_welcomed = state_.welcomed();
    const bool was_draining = state_.draining();
    if (message.has_acknowledgement()) batches_.Acknowledge(message.acknowledgement());
    why = state_.Receive(std::move(message), clock_.Now(), &starts);
    message.Clear();
    BeginCalls(std::exchange(starts, {}));
    for (batch::BatchStart& step : state_.TakeBatchSteps()) batches_.Begin(std::move(step));
    if (!why.ok()) {
      channel.Cancel();
      break;
    }
    if (!was_welcomed && state_.welcomed()) {
      failures_ = 0;
      ++welcomes_;
      LogWelcome();
      if (on_welcome) on_welcome();
    }
    if (!was_draining && state_.draining()) {
      Drain(fmt::format("the coordinator asks for it: {}", state_.drain_reason()));
    }
    // There may be leases handed back, reports to send again, or nothing left to wait for.
    if (state_.unsent() > 0) unsent_since_ = clock_.Now();
    writer_wake_.cancel();
    if (drain_started_) drain_wake_.cancel();
  }
  stream_open_ = false;
  writer_wake_.cancel();
  co_return why;
}

asio::awaitable<void> Session::WriteAll(WorkerChannel& channel) {
  const TimePoint welcome_by = clock_.Now() + options_.welcome_within;
  v1::ConnectRequest message = state_.Open(services_());
  bool written = co_await channel.Write(&message);
  while (written && stream_open_ && !finished_) {
    TimePoint wait_until;
    message.Clear();
    if (NextMessage(&message, &wait_until)) {
      written = co_await channel.Write(&message);
      // Reports wait in the state, where they are counted, until they are acknowledged.
      state_.KeepReports(&message);
      continue;
    }
    if (!state_.welcomed()) {
      if (clock_.Now() >= welcome_by) break;
      wait_until = welcome_by;
    }
    co_await Wait(writer_wake_, wait_until - clock_.Now());
  }
  if (written && stream_open_ && finished_) {
    // The coordinator hears that this is the end, and ends the stream.
    co_await channel.WritesDone();
    const TimePoint end_by = clock_.Now() + std::chrono::seconds(2);
    while (stream_open_ && clock_.Now() < end_by) {
      co_await Wait(writer_wake_, end_by - clock_.Now());
    }
  }
  // Without a Welcome, or after a failed write, the reader is still waiting.
  if (stream_open_) channel.Cancel();
}

bool Session::NextMessage(v1::ConnectRequest* message, TimePoint* wait_until) {
  const TimePoint now = clock_.Now();
  *wait_until = heartbeat_due_;
  if (!state_.welcomed()) return false;
  if (now >= heartbeat_due_) {
    heartbeat_due_ = now + state_.heartbeat_interval();
    heartbeat_at_ = now;
    *message = state_.Heartbeat();
    return true;
  }
  if (batches_.Next(message)) return true;
  if (state_.unsent() == 0) return false;
  const TimePoint flush_at = unsent_since_ + options_.batch_time;
  if (state_.unsent() < options_.batch_size && now < flush_at) {
    *wait_until = std::min(*wait_until, flush_at);
    return false;
  }
  *message = state_.TakeReports();
  unsent_since_ = now;
  return true;
}

StreamHealth Session::health() const {
  const TimePoint now = clock_.Now();
  return {.welcomes = welcomes_,
          .losses = losses_,
          .silence = heard_at_ ? now - *heard_at_ : Duration(0),
          .heartbeat_age = heartbeat_at_ ? now - *heartbeat_at_ : Duration(0)};
}

void Session::BeginCalls(std::vector<Start> starts) {
  for (Start& start : starts) {
    calls_.Begin(std::move(start), [this](v1::AttemptReport report) {
      asio::dispatch(executor_,
                     [this, report = std::move(report)]() mutable { OnReport(std::move(report)); });
    });
  }
}

void Session::OnReport(v1::AttemptReport report) {
  state_.Finish(std::move(report));
  // The first one sets the time of the next message, and a full batch brings it forward.
  const std::size_t unsent = state_.unsent();
  if (unsent == 1) unsent_since_ = clock_.Now();
  if (unsent == 1 || unsent == options_.batch_size) writer_wake_.cancel();
  if (drain_started_) drain_wake_.cancel();
}

void Session::OnBatch() {
  if (batches_.has_next()) writer_wake_.cancel();
  if (drain_started_) drain_wake_.cancel();
}

void Session::Drain(std::string_view reason) {
  if (drain_started_) return;
  drain_started_ = true;
  // Others can take these steps; a creation that has begun is waited for.
  batches_.Stop();
  state_.Drain();
  Log().Info("draining ({}): takes no more leases; {} calls in flight have {} s to finish", reason,
             state_.calling(), std::chrono::duration<double>(options_.grace).count());
  heartbeat_due_ = clock_.Now();
  writer_wake_.cancel();
  asio::co_spawn(executor_, DrainInTime(), asio::detached);
}

asio::awaitable<void> Session::DrainInTime() {
  const TimePoint calls_end = clock_.Now() + options_.grace;
  const auto busy = [this] {
    return state_.calling() > 0 || batches_.running() > 0 || batches_.has_next();
  };
  while (busy() && clock_.Now() < calls_end) {
    co_await Wait(drain_wake_, calls_end - clock_.Now());
  }
  if (state_.calling() > 0) {
    Log().Warn("{} calls did not finish in time: they are cancelled and reported as unanswered",
               state_.calling());
    calls_.CancelAll();
  }
  // Replies are paid for, so they wait for a coordinator that is away as long as the grace allows.
  const TimePoint end = std::max(calls_end, clock_.Now() + options_.acknowledge_within);
  // The coordinator answers with Drain, behind the last lease that it had sent: until then one may
  // still come, to be handed back. One that does not answer is waited for this long.
  const TimePoint answered_by = clock_.Now() + options_.acknowledge_within;
  while (clock_.Now() < end) {
    const bool answered = !state_.welcomed() || !state_.drain_reason().empty();
    if (state_.held() == 0 && (answered || clock_.Now() >= answered_by)) break;
    co_await Wait(drain_wake_, (state_.held() == 0 ? answered_by : end) - clock_.Now());
  }
  if (state_.held() > 0) {
    Log().Warn(
        "ends with {} reports that no coordinator acknowledged: their calls may be paid for again. "
        "A larger --grace waits longer",
        state_.held());
  } else {
    Log().Info("drained: everything is acknowledged");
  }
  finished_ = true;
  writer_wake_.cancel();
  backoff_wake_.cancel();
  // With the coordinator away there is nobody to say goodbye to.
  if (channel_ != nullptr && !state_.welcomed()) channel_->Cancel();
}

void Session::LogWelcome() const {
  std::string served;
  std::string missing;
  for (const v1::Worker::EndpointService& service : services_()) {
    if (service.served()) {
      served += (served.empty() ? "" : ", ") + service.endpoint();
    } else {
      missing += fmt::format("; does not serve {}: {}", service.endpoint(), service.reason());
    }
  }
  Log().Info("connected to {}, {} slots; serves {}{}", options_.coordinator, state_.slots(),
             served.empty() ? "nothing" : served, missing);
}

void Session::LogLoss(const Status& status) {
  const TimePoint now = clock_.Now();
  // The first loss at once, then now and then: a coordinator may be away for hours.
  if (failures_ > 0 && now - last_loss_log_ < std::chrono::seconds(30)) return;
  last_loss_log_ = now;
  Log().Warn(
      "no connection to the coordinator at {}: {}; {} calls go on, {} reports wait; tries "
      "again",
      options_.coordinator, status.ok() ? "it ended the stream" : Message(status), state_.calling(),
      state_.held() - state_.calling());
}

}  // namespace candor::session
