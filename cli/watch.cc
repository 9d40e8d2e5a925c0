#include "cli/watch.h"

#include "cli/client.h"
#include "cli/screen.h"
#include "cli/text.h"

#include <algorithm>
#include <optional>
#include <ostream>

namespace candor::cli {
namespace {

constexpr auto kLineInterval = std::chrono::seconds(10);

// Where the picture appears.
class Display {
 public:
  explicit Display(Context& context) : context_(context), screen_(context.out, context.height) {}

  void Show(const v1::WatchJobResponse& picture, bool last) {
    const auto* left = picture.has_time_left() ? &picture.time_left() : nullptr;
    const auto* estimates = picture.has_estimates() ? &picture.estimates() : nullptr;
    if (context_.terminal) {
      screen_.Draw(RenderProgress(picture.job(), left, context_.style, estimates));
      return;
    }
    const TimePoint now = context_.clock.Now();
    if (!last && shown_at_ && now - *shown_at_ < kLineInterval) return;
    shown_at_ = now;
    context_.out << RenderProgressLine(picture.job(), left, estimates) << '\n' << std::flush;
  }

  // A remark that stays, above the picture.
  void Say(const std::string& text) {
    if (context_.terminal) screen_.Erase();
    context_.out << text << '\n' << std::flush;
  }

 private:
  Context& context_;
  Screen screen_;
  std::optional<TimePoint> shown_at_;
};

}  // namespace

StatusOr<int> WatchJob(Context& context, const std::string& job) {
  Client& client = context.client;
  Display display(context);
  v1::WatchJobRequest request;
  request.set_name(job);
  v1::WatchJobResponse picture;
  bool seen = false;
  bool away = false;
  std::size_t failures = 0;
  const auto interrupted = [&] {
    display.Say(
        fmt::format("Stopped watching; {} goes on. `candor watch {}` watches it again, `candor "
                    "cancel {}` ends it.",
                    job, job, job));
    return kExitInterrupted;
  };
  while (true) {
    grpc::ClientContext call;
    const Interrupt::Scope scope(client.interrupt(), [&] { call.TryCancel(); });
    const auto reader = client.evaluation().WatchJob(&call, request);
    v1::WatchJobResponse update;
    while (reader->Read(&update)) {
      if (away) display.Say(fmt::format("The coordinator at {} is back.", client.address()));
      away = false;
      failures = 0;
      seen = true;
      ApplyUpdate(update, &picture);
      display.Show(picture, IsTerminal(picture.job().state()));
    }
    const Status status = client.Translate(reader->Finish());
    if (IsTerminal(picture.job().state())) {
      return picture.job().state() == v1::Job::SUCCEEDED ? 0 : kExitJobFailed;
    }
    if (client.interrupt().triggered()) return interrupted();
    // Without an error: the coordinator shuts down in good order.
    if (!status.ok() && (status.code() != absl::StatusCode::kUnavailable || !seen)) return status;
    if (!away) {
      display.Say(
          fmt::format("The coordinator at {} went away; waiting for it. Ctrl-C stops watching.",
                      client.address()));
    }
    away = true;
    const auto pause = context.pauses[std::min(failures++, context.pauses.size() - 1)];
    if (client.interrupt().WaitFor(pause)) return interrupted();
  }
}

}  // namespace candor::cli
