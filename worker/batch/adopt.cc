#include "worker/batch/adopt.h"

#include "common/base/time_proto.h"

#include <absl/container/flat_hash_set.h>

#include <chrono>
#include <string>
#include <utility>

namespace candor::batch {
namespace {

namespace asio = boost::asio;

// Clocks differ, the coordinator's from the provider's, and may have jumped by a day when the batch
// was decided on. What is looked through needlessly costs some pages of a list.
constexpr Duration kClockMargin = std::chrono::hours(48);
// Of a hundred batches each: an account that makes more within a day is not believed.
constexpr int kMaxPages = 1'000;

class Looker {
 public:
  Looker(ProviderCalls& calls, const dialect::BatchForm& form, const v1::BatchTask& task)
      : calls_(calls), form_(form), task_(task) {
    for (const std::string& id : task.other_provider_batches()) others_.insert(id);
    for (const v1::Lease& lease : task.leases()) ids_.insert(lease.attempt_id());
  }

  asio::awaitable<Search> Run(const BatchSink& sink) {
    const WallTime oldest = ToWall(task_.create_time()) - kClockMargin;
    std::string after;
    for (int pages = 0; pages < kMaxPages; ++pages) {
      if (sink.stopped()) co_return Failed("stopped");
      const Answer answer = co_await calls_.Get(form_.ListPath(after));
      if (answer.error && IsNoSuchPath(answer)) {
        // Who shows a first page has the path, whatever stands in the way of the next one.
        if (pages > 0) co_return Failed(NoSuchPath(answer).text);
        search_.error = NoSuchPath(answer);
        co_return std::move(search_);
      }
      if (answer.error) {
        search_.error = answer.error;
        co_return std::move(search_);
      }
      const auto page = form_.ReadPage(answer.body);
      if (!page.ok()) co_return Failed(Message(page.status()));
      for (const dialect::BatchObject& batch : page->batches) {
        if (batch.create_time && *batch.create_time < oldest) co_return std::move(search_);
        co_await Look(batch);
        if (search_.found || search_.error) co_return std::move(search_);
      }
      if (!page->more) co_return std::move(search_);
      after = page->batches.back().id;
    }
    co_return Failed("the provider lists more batches than can be looked through");
  }

 private:
  void Fail(std::string text) {
    search_.error = {.error_class = v1::Attempt::MALFORMED_RESPONSE,
                     .text = std::move(text),
                     .retry_after = std::nullopt};
  }
  Search Failed(std::string text) {
    Fail(std::move(text));
    return std::move(search_);
  }

  asio::awaitable<void> Look(const dialect::BatchObject& batch) {
    if (others_.contains(batch.id)) co_return;
    if (form_.keeps_token()) {
      if (batch.token == task_.batch()) search_.found = batch;
      co_return;
    }
    if (batch.lines != task_.leases_size()) co_return;
    if (batch.phase == dialect::BatchObject::Phase::kRunning) {
      search_.undecided = true;
      co_return;
    }
    if (batch.result_paths.empty()) co_return;
    bool ours = false;
    Status read;
    const Answer answer = co_await calls_.GetLines(
        batch.result_paths.front(), [&](const Line& line) -> asio::awaitable<bool> {
          if (line.extent == Line::Extent::kBeginning) {
            const std::string id(dialect::CustomIdOf(line.text));
            ours = ids_.contains(id);
            co_return id.empty();
          }
          const auto result = form_.ReadResult(line.text);
          read = result.status();
          ours = result.ok() && ids_.contains(result->custom_id);
          co_return false;  // the first line says it
        });
    // Results that are kept no longer are not of today.
    if (answer.error && answer.status != 404) {
      search_.error = answer.error;
    } else if (!read.ok()) {
      // It may be ours: a page of a proxy stands where its results should.
      Fail(Message(read));
    } else if (ours) {
      search_.found = batch;
    }
  }

  ProviderCalls& calls_;
  const dialect::BatchForm& form_;
  const v1::BatchTask& task_;
  absl::flat_hash_set<std::string> others_;
  absl::flat_hash_set<std::string> ids_;
  Search search_;
};

}  // namespace

asio::awaitable<Search> LookForBatch(ProviderCalls& calls, const dialect::BatchForm& form,
                                     const v1::BatchTask& task, const BatchSink& sink) {
  Looker looker(calls, form, task);
  Search search = co_await looker.Run(sink);
  co_return search;
}

}  // namespace candor::batch
