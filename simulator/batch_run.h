// A batch of calls on its way, whatever the API: lines are answered evenly over the batch's time,
// some fail, some expire, and what is left when it is cancelled or its window closes stays undone.
//
// It has no timer: Advance brings it to the present whenever somebody looks. Not for concurrent
// use.
#pragma once

#include "candor/v1/simulator.pb.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "simulator/provider_service.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {

// v1::SimulatedBatches with its defaults filled in.
struct BatchSettings {
  Duration delay = std::chrono::seconds{1};
  Duration visibility_lag{0};
  double line_error_rate = 0;
  double line_expiry_rate = 0;
  Duration completion_window = std::chrono::hours{24};
  std::int64_t queue_tokens = 0;
  int fail_first = 0;
  int expire_first = 0;
  Duration cancel_delay = std::chrono::milliseconds{100};
};
// INVALID_ARGUMENT, naming the field, for what makes no sense.
StatusOr<BatchSettings> MakeBatchSettings(const v1::SimulatedBatches& batches);

struct BatchLine {
  enum class State : std::uint8_t { kPending, kSucceeded, kErrored, kExpired, kCancelled };

  std::string_view custom_id;
  std::string_view body;
  State state = State::kPending;
  // Of what was answered.
  int status = 0;
  std::string response;
  std::string request_id;
};

struct BatchCounts {
  std::int64_t pending = 0;
  std::int64_t succeeded = 0;
  std::int64_t errored = 0;
  std::int64_t expired = 0;
  std::int64_t cancelled = 0;
};

class BatchRun {
 public:
  // The views of `lines` point into `text`. `number` counts the batches from 1: it decides upon the
  // batch's fate, and with each line's body upon the line's.
  BatchRun(const BatchSettings& settings, DialectKind dialect, int number,
           std::shared_ptr<const std::string> text, std::vector<BatchLine> lines, TimePoint created,
           WallTime created_wall);

  void Advance(TimePoint now, ProviderService& service);
  // The same for a batch that will not pass validation: nothing is answered.
  void AdvanceValidation(TimePoint now);
  // What has not been answered by then stays so. Once; without effect on one that has ended.
  void Cancel(TimePoint now);

  enum class Phase : std::uint8_t { kValidating, kRunning, kFinalizing, kCancelling, kEnded };
  Phase phase() const { return phase_; }
  bool cancelled() const { return cancel_at_.has_value(); }
  // It fails as a whole (the settings' fail_first).
  bool fails() const { return fails_; }
  BatchCounts counts() const;
  const std::vector<BatchLine>& lines() const { return lines_; }
  TimePoint created_at() const { return created_; }
  // As a date.
  WallTime At(TimePoint time) const { return created_wall_ + (time - created_); }
  TimePoint validated_at() const { return created_ + settings_.delay / 10; }
  TimePoint finalizing_at() const { return created_ + settings_.delay / 20 * 19; }
  TimePoint ended_at() const { return ended_at_; }
  std::optional<TimePoint> cancel_at() const { return cancel_at_; }
  TimePoint expires_at() const { return created_ + settings_.completion_window; }
  bool visible(TimePoint now) const { return now >= created_ + settings_.visibility_lag; }

 private:
  void AnswerUpTo(std::size_t count, ProviderService& service);
  void AnswerLine(BatchLine* line, ProviderService& service) const;
  void End(TimePoint at, BatchLine::State rest);

  const BatchSettings settings_;
  const DialectKind dialect_;
  const int number_;
  const bool fails_;
  const bool expires_;
  const std::shared_ptr<const std::string> text_;
  const TimePoint created_;
  const WallTime created_wall_;
  std::vector<BatchLine> lines_;
  std::size_t answered_ = 0;
  Phase phase_ = Phase::kValidating;
  TimePoint ended_at_{};
  std::optional<TimePoint> cancel_at_;
};

}  // namespace candor::simulator
