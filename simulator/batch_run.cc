#include "simulator/batch_run.h"

#include "common/base/digest.h"
#include "common/base/random.h"
#include "common/base/time_proto.h"
#include "common/net/http_types.h"

#include <algorithm>
#include <utility>

namespace candor::simulator {
namespace {

// What a line of a batch cannot bring: the version is the batch's.
const net::HttpHeaders& LineHeaders() {
  static const net::HttpHeaders kHeaders{{"anthropic-version", "2023-06-01"}};
  return kHeaders;
}

}  // namespace

StatusOr<BatchSettings> MakeBatchSettings(const v1::SimulatedBatches& batches) {
  BatchSettings settings;
  if (batches.has_delay()) settings.delay = ToDuration(batches.delay());
  settings.visibility_lag = ToDuration(batches.visibility_lag());
  settings.line_error_rate = batches.line_error_rate();
  settings.line_expiry_rate = batches.line_expiry_rate();
  if (batches.has_completion_window()) {
    settings.completion_window = ToDuration(batches.completion_window());
  }
  settings.queue_tokens = batches.queue_tokens();
  settings.fail_first = batches.fail_first();
  settings.expire_first = batches.expire_first();
  settings.cancel_delay =
      batches.has_cancel_delay() ? ToDuration(batches.cancel_delay()) : settings.delay / 10;
  const double sum = settings.line_error_rate + settings.line_expiry_rate;
  if (!(settings.line_error_rate >= 0 && settings.line_expiry_rate >= 0 && sum <= 1)) {
    return InvalidArgument(
        "batches: line_error_rate {} and line_expiry_rate {} must be shares, together at most 1",
        settings.line_error_rate, settings.line_expiry_rate);
  }
  if (settings.queue_tokens < 0 || settings.fail_first < 0 || settings.expire_first < 0) {
    return InvalidArgument(
        "batches: queue_tokens {}, fail_first {} and expire_first {} must not be negative",
        settings.queue_tokens, settings.fail_first, settings.expire_first);
  }
  return settings;
}

BatchRun::BatchRun(const BatchSettings& settings, DialectKind dialect, int number,
                   std::shared_ptr<const std::string> text, std::vector<BatchLine> lines,
                   TimePoint created, WallTime created_wall)
    : settings_(settings),
      dialect_(dialect),
      number_(number),
      fails_(number <= settings.fail_first),
      expires_(!fails_ && number <= settings.fail_first + settings.expire_first),
      text_(std::move(text)),
      created_(created),
      created_wall_(created_wall),
      lines_(std::move(lines)) {}

void BatchRun::AnswerLine(BatchLine* line, ProviderService& service) const {
  const Digest digest = Sha256(line->body);
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key |= std::uint64_t{digest[i]} << (8 * i);
  RandomStream random(
      key, static_cast<std::uint64_t>(Draw::kBatchLine) + static_cast<std::uint64_t>(number_));
  const double u = random.Uniform();
  if (u >= settings_.line_error_rate &&
      u < settings_.line_error_rate + settings_.line_expiry_rate) {
    line->state = BatchLine::State::kExpired;
    return;
  }
  ApiCall call;
  call.dialect = dialect_;
  call.body = line->body;
  call.headers = &LineHeaders();
  const bool fail = fails_ || u < settings_.line_error_rate;
  ProviderService::LineAnswer answer = service.HandleLine(call, line->custom_id, fail);
  line->state = answer.status == 200 ? BatchLine::State::kSucceeded : BatchLine::State::kErrored;
  line->status = answer.status;
  line->response = std::move(answer.body);
  line->request_id = std::move(answer.request_id);
}

void BatchRun::AnswerUpTo(std::size_t count, ProviderService& service) {
  for (; answered_ < count; ++answered_) AnswerLine(&lines_[answered_], service);
}

void BatchRun::End(TimePoint at, BatchLine::State rest) {
  for (; answered_ < lines_.size(); ++answered_) lines_[answered_].state = rest;
  phase_ = Phase::kEnded;
  ended_at_ = at;
}

void BatchRun::Advance(TimePoint now, ProviderService& service) {
  if (phase_ == Phase::kEnded) return;
  const TimePoint end = created_ + settings_.delay;
  const TimePoint window_end = std::min(expires_at(), TimePoint::max());
  TimePoint stop = std::min(now, window_end);
  if (cancel_at_) stop = std::min(stop, *cancel_at_);

  if (stop >= validated_at() && !expires_) {
    const Duration whole = std::max(Duration{1}, finalizing_at() - validated_at());
    const double share = std::min(1.0, static_cast<double>((stop - validated_at()).count() + 1) /
                                           static_cast<double>(whole.count()));
    AnswerUpTo(stop >= finalizing_at()
                   ? lines_.size()
                   : static_cast<std::size_t>(share * static_cast<double>(lines_.size())),
               service);
  }
  if (cancel_at_) {
    phase_ = Phase::kCancelling;
    if (now >= *cancel_at_ + settings_.cancel_delay) {
      End(*cancel_at_ + settings_.cancel_delay, BatchLine::State::kCancelled);
    }
  } else if (window_end < end && now >= window_end) {
    End(window_end, BatchLine::State::kExpired);
  } else if (now >= end) {
    End(end, BatchLine::State::kExpired);
  } else if (now >= finalizing_at()) {
    phase_ = Phase::kFinalizing;
  } else if (now >= validated_at()) {
    phase_ = Phase::kRunning;
  }
}

void BatchRun::AdvanceValidation(TimePoint now) {
  if (now >= validated_at()) phase_ = Phase::kRunning;
}

void BatchRun::Cancel(TimePoint now) {
  if (phase_ == Phase::kEnded || cancel_at_) return;
  cancel_at_ = now;
  phase_ = Phase::kCancelling;
}

BatchCounts BatchRun::counts() const {
  BatchCounts counts;
  for (const BatchLine& line : lines_) {
    switch (line.state) {
      case BatchLine::State::kPending:
        ++counts.pending;
        break;
      case BatchLine::State::kSucceeded:
        ++counts.succeeded;
        break;
      case BatchLine::State::kErrored:
        ++counts.errored;
        break;
      case BatchLine::State::kExpired:
        ++counts.expired;
        break;
      case BatchLine::State::kCancelled:
        ++counts.cancelled;
        break;
    }
  }
  return counts;
}

}  // namespace candor::simulator
