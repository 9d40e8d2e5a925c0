#include "worker/batch/batch_runner.h"

#include "common/base/logging.h"
#include "common/base/time_proto.h"
#include "common/dialect/batch.h"
#include "worker/batch/adopt.h"
#include "worker/batch/collect.h"
#include "worker/batch/line_report.h"
#include "worker/batch/provider_calls.h"
#include "worker/batch/turn.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace candor::batch {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using v1::Attempt;
using v1::BatchReport;
using v1::BatchTask;
using Phase = dialect::BatchObject::Phase;

constexpr const char* kStopped = "stopped before it was created";
// A file that was just uploaded may not be seen yet: so often, after a pause that doubles.
constexpr int kFileTries = 6;
constexpr milliseconds kFilePause(250);
constexpr milliseconds kPostTime(60'000);
// Whether the answer is one of whoever decides. A 408, 409 or 499 may come from between, and above
// 500 the provider itself may have failed half-way: their classes are none of the two below.
bool IsDecision(const Answer& answer) { return answer.status >= 300 && answer.status < 500; }

// What repeating cannot mend: the provider looked at it and said no.
bool IsRefusal(const Answer& answer) {
  if (IsNoSuchPath(answer)) return true;
  if (!IsDecision(answer)) return false;
  switch (answer.error->error_class) {
    case Attempt::INVALID_REQUEST:
    case Attempt::REFUSED_PARAMETER:
    case Attempt::AUTHENTICATION:
    case Attempt::PERMISSION:
    case Attempt::NOT_FOUND:
      return true;
    default:
      return false;
  }
}

dialect::ProviderError RefusalOf(const Answer& answer) {
  return IsNoSuchPath(answer) ? NoSuchPath(answer) : *answer.error;
}

// What it will take later, or when there is credit.
bool IsPutOff(const Answer& answer) {
  if (!IsDecision(answer)) return false;
  switch (answer.error->error_class) {
    case Attempt::RATE_LIMITED:
    case Attempt::DAILY_LIMIT:
    case Attempt::QUOTA_EXHAUSTED:
    case Attempt::OVERLOADED:
      return true;
    default:
      return false;
  }
}

// One step under way.
class StepRun {
 public:
  StepRun(const BatchStart& start, ProviderCalls& calls, const dialect::BatchForm& form,
          BatchSink& sink, const Clock& clock, Turn& turn, BatchReport& report)
      : start_(start),
        task_(start.task),
        calls_(calls),
        form_(form),
        sink_(sink),
        clock_(clock),
        turn_(turn),
        report_(report) {}

  asio::awaitable<void> Run() {
    switch (task_.step()) {
      case BatchTask::SUBMIT:
        co_await Submit();
        break;
      case BatchTask::POLL:
        co_await Poll();
        break;
      case BatchTask::COLLECT:
        co_await Collect();
        break;
      case BatchTask::CANCEL:
        co_await Cancel();
        break;
      default:
        Say(BatchReport::STATE_UNSPECIFIED, Attempt::INVALID_REQUEST,
            "the worker does not know this step");
    }
  }

 private:
  void Say(BatchReport::State state, Attempt::ErrorClass error_class, std::string_view text) {
    report_.set_state(state);
    report_.set_error_class(error_class);
    report_.set_error_text(dialect::CleanText(text, dialect::kMaxErrorTextBytes));
  }
  void Say(BatchReport::State state, const dialect::ProviderError& error) {
    Say(state, error.error_class, error.text);
    if (error.retry_after) *report_.mutable_retry_after() = ToProto(*error.retry_after);
  }
  void SayStanding(const dialect::BatchObject& batch) {
    report_.set_provider_batch(batch.id);
    report_.set_provider_state(batch.state);
    report_.set_lines_done(batch.lines_done);
    switch (batch.phase) {
      case Phase::kRunning:
        return report_.set_state(BatchReport::IN_PROGRESS);
      case Phase::kEnded:
        return report_.set_state(BatchReport::ENDED);
      case Phase::kFailed:
        return Say(BatchReport::REFUSED, batch.error);
    }
  }

  // The batch by its id. Without: the report says why.
  asio::awaitable<std::optional<dialect::BatchObject>> Fetch() {
    const Answer answer = co_await calls_.Get(form_.BatchPath(task_.provider_batch()));
    if (answer.error) {
      Say(answer.status == 404 ? BatchReport::ABSENT : BatchReport::STATE_UNSPECIFIED,
          *answer.error);
      co_return std::nullopt;
    }
    auto batch = form_.ReadBatch(answer.body);
    if (!batch.ok()) {
      Say(BatchReport::STATE_UNSPECIFIED, Unreadable(batch.status()));
      co_return std::nullopt;
    }
    co_return *std::move(batch);
  }

  asio::awaitable<void> Poll() {
    const std::optional<dialect::BatchObject> batch = co_await Fetch();
    if (batch) SayStanding(*batch);
  }

  // True when the step is over: found, or not to be decided now.
  asio::awaitable<bool> Adopt() {
    Search search = co_await LookForBatch(calls_, form_, task_, sink_);
    if (search.error) {
      Say(BatchReport::UNDECIDED, *search.error);
    } else if (search.found) {
      Log().With("batch", task_.batch()).Info("found at the provider as {}", search.found->id);
      SayStanding(*search.found);
    } else if (search.undecided) {
      Say(BatchReport::UNDECIDED, Attempt::ERROR_CLASS_UNSPECIFIED,
          "waits for another batch with as many lines to end, which may be this one");
    } else {
      co_return false;
    }
    co_return true;
  }

  asio::awaitable<void> Submit() {
    if (task_.may_exist()) {
      const bool over = co_await Adopt();
      if (over) co_return;
    }
    // An input may have hundreds of megabytes: one is in memory at a time.
    Turn::Hold turn = co_await turn_.Take(sink_);
    if (!turn) co_return Say(BatchReport::ABSENT, Attempt::ERROR_CLASS_UNSPECIFIED, kStopped);
    std::string input;
    const Status made = co_await RenderInput(&input);
    if (!made.ok()) {
      Say(made.code() == absl::StatusCode::kCancelled ? BatchReport::ABSENT : BatchReport::REFUSED,
          Attempt::INVALID_REQUEST, Message(made));
      co_return;
    }
    if (form_.uploads()) {
      const std::string file = co_await Upload(std::move(input));
      turn.Release();
      if (!file.empty()) co_await CreateOfFile(file);
      co_return;
    }
    const Answer answer = co_await Create(std::move(input));
    TakeCreation(answer);
  }

  asio::awaitable<Status> RenderInput(std::string* input) {
    if (task_.leases_size() > form_.bounds().lines) {
      co_return InvalidArgument("the batch has {} lines; the provider takes {}",
                                task_.leases_size(), form_.bounds().lines);
    }
    *input = form_.BeginInput();
    dialect::RenderedCell rendered;
    int lines = 0;
    for (const v1::Lease& lease : task_.leases()) {
      if (++lines % kLinesAtATime == 0) co_await LetOthersGo();
      if (sink_.stopped()) co_return Cancelled(kStopped);
      const Status made = RenderLine(calls_, *start_.job, lease, &rendered);
      if (!made.ok()) co_return Annotate(made, "the request of a line cannot be made");
      form_.AppendLine(lease.attempt_id(), rendered.body, input);
    }
    form_.EndInput(input);
    if (static_cast<std::int64_t>(input->size()) > form_.bounds().bytes) {
      co_return InvalidArgument(
          "the batch has {} bytes and the provider takes {}: configure a lower batch.max_lines or "
          "batch.max_bytes for the model",
          input->size(), form_.bounds().bytes);
    }
    co_return absl::OkStatus();
  }

  // The file's id; empty when there is none, and the report says why. A file whose batch is never
  // created stays at the provider, under the batch's token.
  asio::awaitable<std::string> Upload(std::string input) {
    std::string name = task_.batch();
    std::replace(name.begin(), name.end(), '/', '-');
    std::string body = dialect::MultipartBody("candor-" + name + ".jsonl", input);
    std::string().swap(input);
    const auto left = std::chrono::duration_cast<milliseconds>(start_.create_by - clock_.Now());
    if (left.count() <= 0) {
      Say(BatchReport::ABSENT, Attempt::TIMEOUT, "the step came too late to upload its file");
      co_return "";
    }
    const Answer answer =
        co_await calls_.Post(dialect::kFilesPath, std::move(body), dialect::MultipartType(), left);
    if (answer.error) {
      Say(IsRefusal(answer) ? BatchReport::REFUSED : BatchReport::ABSENT, RefusalOf(answer));
      co_return "";
    }
    const auto file = dialect::ReadFile(answer.body);
    if (!file.ok()) {
      Say(BatchReport::ABSENT, Unreadable(file.status()));
      co_return "";
    }
    co_return file->id;
  }

  asio::awaitable<void> CreateOfFile(const std::string& file) {
    milliseconds pause = kFilePause;
    for (int tries = 1;; ++tries, pause *= 2) {
      const Answer answer = co_await Create(form_.CreateBody(file, task_.batch()));
      // Refused for sure, so it can be tried again.
      const bool unseen = answer.error && (answer.status == 404 || answer.status == 400) &&
                          answer.error->text.find("ile") != std::string::npos;
      if (!unseen || tries == kFileTries || sink_.stopped()) {
        TakeCreation(answer);
        co_return;
      }
      co_await Pause(pause);
    }
  }

  // The one call that must not be made twice, nor late. Not `sent` when it was not made.
  asio::awaitable<Answer> Create(std::string body) {
    Answer unmade;
    if (sink_.stopped() || clock_.Now() > start_.create_by) {
      unmade.error = {.error_class = Attempt::TIMEOUT,
                      .text = "there was no time left to create it",
                      .retry_after = std::nullopt};
      co_return unmade;
    }
    // What has begun is waited for, whoever wants to stop: its answer is the only one.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    Answer answer =
        co_await calls_.Post(form_.BatchesPath(), std::move(body), "application/json",
                             std::chrono::duration_cast<milliseconds>(start_.create_within));
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    co_return answer;
  }

  void TakeCreation(const Answer& answer) {
    if (answer.error) {
      if (!answer.sent) return Say(BatchReport::ABSENT, *answer.error);
      if (IsRefusal(answer)) return Say(BatchReport::REFUSED, RefusalOf(answer));
      // Put off, it is not there. Of anything else nobody knows, and it is looked for first.
      return Say(IsPutOff(answer) ? BatchReport::ABSENT : BatchReport::UNDECIDED, *answer.error);
    }
    const auto batch = form_.ReadBatch(answer.body);
    if (!batch.ok()) return Say(BatchReport::UNDECIDED, Unreadable(batch.status()));
    Log()
        .With("batch", task_.batch())
        .Info("created as {}, {} lines", batch->id, task_.leases_size());
    SayStanding(*batch);
  }

  asio::awaitable<void> Cancel() {
    if (task_.provider_batch().empty()) {
      const bool over = co_await Adopt();
      if (!over) Say(BatchReport::ABSENT, Attempt::ERROR_CLASS_UNSPECIFIED, "");
      if (report_.state() != BatchReport::IN_PROGRESS) co_return;
    } else {
      report_.set_provider_batch(task_.provider_batch());
    }
    const Answer answer = co_await calls_.Post(form_.CancelPath(report_.provider_batch()), "{}",
                                               "application/json", kPostTime);
    if (!answer.error) {
      const auto batch = form_.ReadBatch(answer.body);
      if (batch.ok()) report_.set_provider_state(batch->state);
      report_.set_state(BatchReport::IN_PROGRESS);
      co_return;
    }
    if (task_.provider_batch().empty()) co_return;  // it is there; the next step cancels it
    // What has ended meanwhile cannot be cancelled, and need not be.
    const std::optional<dialect::BatchObject> batch = co_await Fetch();
    if (batch && batch->phase != Phase::kRunning) {
      SayStanding(*batch);
    } else if (batch) {
      Say(BatchReport::STATE_UNSPECIFIED, *answer.error);
    }
  }

  asio::awaitable<void> Collect() {
    const std::optional<dialect::BatchObject> batch = co_await Fetch();
    if (!batch) co_return;
    if (batch->phase == Phase::kRunning) {
      Say(BatchReport::STATE_UNSPECIFIED, Attempt::MALFORMED_RESPONSE,
          fmt::format("it had ended, and is {} now", batch->state));
      co_return;
    }
    report_.set_provider_batch(batch->id);
    report_.set_provider_state(batch->state);
    report_.set_lines_done(batch->lines_done);
    Collector collector(start_, calls_, form_, sink_);
    const std::optional<dialect::ProviderError> failed = co_await collector.Run(*batch);
    if (failed) co_return Say(BatchReport::STATE_UNSPECIFIED, *failed);
    if (collector.ended()) co_return;
    // Said only when no result can be lost any more.
    const bool all = co_await sink_.Flush();
    if (all) report_.set_state(BatchReport::COLLECTED);
  }

  static asio::awaitable<void> Pause(milliseconds time) {
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, time);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

  const BatchStart& start_;
  const BatchTask& task_;
  ProviderCalls& calls_;
  const dialect::BatchForm& form_;
  BatchSink& sink_;
  const Clock& clock_;
  Turn& turn_;
  BatchReport& report_;
};

class HttpBatchRunner final : public BatchRunner {
 public:
  HttpBatchRunner(const provider::Endpoints& endpoints, net::HttpClient& http, const Clock& clock)
      : endpoints_(endpoints), http_(http), clock_(clock) {}

  asio::awaitable<BatchReport> Run(BatchStart start, BatchSink& sink) override {
    BatchReport report;
    report.set_batch(start.task.batch());
    report.set_step(start.task.step());
    report.set_provider_batch(start.task.provider_batch());
    // What cannot be begun has certainly created nothing; of other steps it says nothing.
    const auto refuse = [&](std::string_view why) {
      const bool submit = start.task.step() == BatchTask::SUBMIT && !start.task.may_exist();
      report.set_state(submit ? BatchReport::ABSENT : BatchReport::STATE_UNSPECIFIED);
      report.set_error_text(std::string(why));
    };
    if (start.job == nullptr) {
      refuse(start.error);
      co_return report;
    }
    v1::Cell cell;
    cell.set_entry_index(static_cast<int>(start.task.entry_index()));
    const v1::ResolvedEntry* entry = start.job->Entry(cell);
    const provider::Endpoint* endpoint =
        entry == nullptr ? nullptr : endpoints_.Find(entry->endpoint());
    const std::shared_ptr<const Secret> key = endpoint == nullptr ? nullptr : endpoint->key();
    if (key == nullptr) {
      refuse(endpoint == nullptr ? "its endpoint is not in this worker's configuration"
                                 : endpoint->reason());
      co_return report;
    }
    const dialect::BatchForm* form = dialect::FindBatchForm(endpoint->dialect());
    if (form == nullptr) {
      refuse("the dialect of its endpoint has no batches");
      report.set_error_class(Attempt::NOT_FOUND);
      if (report.state() == BatchReport::ABSENT) report.set_state(BatchReport::REFUSED);
      co_return report;
    }
    ProviderCalls calls(*endpoint, entry->model(), key, http_, clock_);
    StepRun run(start, calls, *form, sink, clock_, turn_, report);
    try {
      co_await run.Run();
    } catch (const std::exception& error) {
      // Out of memory, or cancelled between two calls: a creation may have been made.
      report.set_state(start.task.step() == BatchTask::SUBMIT ? BatchReport::UNDECIDED
                                                              : BatchReport::STATE_UNSPECIFIED);
      report.set_error_text(fmt::format("the worker could not go on: {}", error.what()));
    }
    co_return report;
  }

 private:
  const provider::Endpoints& endpoints_;
  net::HttpClient& http_;
  const Clock& clock_;
  Turn turn_;
};

}  // namespace

std::unique_ptr<BatchRunner> MakeBatchRunner(const provider::Endpoints& endpoints,
                                             net::HttpClient& http, const Clock& clock) {
  return std::make_unique<HttpBatchRunner>(endpoints, http, clock);
}

}  // namespace candor::batch
