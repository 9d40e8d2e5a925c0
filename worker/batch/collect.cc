#include "worker/batch/collect.h"

#include "common/base/logging.h"
#include "worker/batch/line_report.h"

#include <chrono>
#include <utility>

namespace candor::batch {
namespace {

namespace asio = boost::asio;
using v1::Attempt;

// Results that cannot be had or read are asked for again until their batch is so old: a new file
// may not be seen yet, and a proxy may have answered. Then they are given up.
constexpr Duration kResultsAwaited = std::chrono::hours(48);

bool IsGivenUp(const dialect::ProviderError& error) {
  return error.error_class == Attempt::NOT_FOUND ||
         error.error_class == Attempt::MALFORMED_RESPONSE;
}

}  // namespace

Collector::Collector(const BatchStart& start, ProviderCalls& calls, const dialect::BatchForm& form,
                     BatchSink& sink)
    : start_(start), calls_(calls), form_(form), sink_(sink) {
  for (const v1::Lease& lease : start.task.leases()) open_[lease.attempt_id()] = &lease;
}

asio::awaitable<std::optional<dialect::ProviderError>> Collector::Run(
    const dialect::BatchObject& batch) {
  const bool old = batch.create_time && calls_.WallNow() - *batch.create_time > kResultsAwaited;
  bool all_read = true;
  for (const std::string& path : batch.result_paths) {
    std::optional<dialect::ProviderError> failed = co_await ReadResults(path);
    if (ended_) co_return std::nullopt;
    all_read = all_read && !failed && !left_out_;
    if (failed && !(old && IsGivenUp(*failed))) co_return failed;
  }
  // A line that was left out may have been paid: of those it is not known which were run.
  if (batch.cut_short && all_read) co_await ReportUnrun(batch);
  co_return std::nullopt;
}

asio::awaitable<void> Collector::ReportUnrun(const dialect::BatchObject& batch) {
  const std::string why = fmt::format("the batch was {} before the line's turn came", batch.state);
  for (const v1::Lease& lease : start_.task.leases()) {
    if (!open_.contains(lease.attempt_id())) continue;
    const bool goes_on = co_await sink_.Take(ReportNotRun(lease, start_.task.batch(), why));
    ended_ = !goes_on;
    if (ended_) co_return;
  }
}

// Reports the lines of one file. What went wrong, if it was not read to its end or is no file of
// results.
asio::awaitable<std::optional<dialect::ProviderError>> Collector::ReadResults(
    const std::string& path) {
  results_ = 0;
  no_results_ = 0;
  no_result_.reset();
  const Answer answer =
      co_await calls_.GetLines(path, [this](const Line& line) { return TakeLine(line); });
  left_out_ = no_results_ > 0;
  if (left_out_) {
    // Once, however many there are, and not their text, which may be answers.
    Log()
        .With("batch", start_.task.batch())
        .Warn("{} lines of {} are no results, and are left out", no_results_, path);
  }
  if (answer.error) co_return answer.error;
  if (results_ == 0 && no_result_) co_return no_result_;
  co_return std::nullopt;
}

asio::awaitable<bool> Collector::TakeLine(const Line& line) {
  if (++lines_ % kLinesAtATime == 0) co_await LetOthersGo();
  if (line.extent == Line::Extent::kBeginning) {
    const bool goes_on = co_await TakeBeginning(line.text);
    co_return goes_on;
  }
  const auto result = form_.ReadResult(calls_.key().Redact(std::string(line.text)));
  if (!result.ok()) {
    if (!no_result_) no_result_ = Unreadable(result.status());
    ++no_results_;
    co_return true;
  }
  ++results_;
  const auto at = open_.find(result->custom_id);
  // Its result is durable already, or came twice.
  if (at == open_.end()) co_return true;
  const v1::Lease& lease = *at->second;
  open_.erase(at);
  const Status made = RenderLine(calls_, *start_.job, lease, &rendered_);
  if (!made.ok()) {
    Log().With("batch", start_.task.batch()).Warn("a result is left out: {}", Message(made));
    co_return true;
  }
  const bool goes_on =
      co_await sink_.Take(ReportLine(calls_, lease, start_.task.batch(), rendered_, *result));
  ended_ = !goes_on;
  co_return goes_on;
}

// A result that is too long to be read is one all the same, and paid: it ends its cell's try as it
// would end that of a live call, and says why.
asio::awaitable<bool> Collector::TakeBeginning(std::string_view text) {
  const auto at = open_.find(std::string(dialect::CustomIdOf(text)));
  if (at == open_.end()) {
    ++no_results_;
    co_return true;
  }
  ++results_;
  const v1::Lease& lease = *at->second;
  open_.erase(at);
  const bool goes_on = co_await sink_.Take(ReportTooLong(lease, start_.task.batch()));
  ended_ = !goes_on;
  co_return goes_on;
}

}  // namespace candor::batch
