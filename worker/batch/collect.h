// Reading the results of a batch that has ended. Inside this room only.
#pragma once

#include "common/dialect/batch.h"
#include "common/dialect/error.h"
#include "common/dialect/render.h"
#include "worker/batch/batch_runner.h"
#include "worker/batch/provider_calls.h"

#include <absl/container/flat_hash_map.h>
#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace candor::batch {

// Reports the lines of one COLLECT, once. All references must outlive it.
class Collector {
 public:
  Collector(const BatchStart& start, ProviderCalls& calls, const dialect::BatchForm& form,
            BatchSink& sink);

  // Gives the sink a report for every line of the task that has a result, and for those that were
  // never run. What went wrong, when the results were not all read: its lines would be asked, and
  // paid, once more.
  boost::asio::awaitable<std::optional<dialect::ProviderError>> Run(
      const dialect::BatchObject& batch);
  // True when the sink wants no more.
  bool ended() const { return ended_; }

 private:
  boost::asio::awaitable<std::optional<dialect::ProviderError>> ReadResults(
      const std::string& path);
  boost::asio::awaitable<bool> TakeLine(const Line& line);
  boost::asio::awaitable<bool> TakeBeginning(std::string_view text);
  boost::asio::awaitable<void> ReportUnrun(const dialect::BatchObject& batch);

  const BatchStart& start_;
  ProviderCalls& calls_;
  const dialect::BatchForm& form_;
  BatchSink& sink_;
  // Lines without a result so far, by custom id.
  absl::flat_hash_map<std::string, const v1::Lease*> open_;
  dialect::RenderedCell rendered_;
  int lines_ = 0;
  bool ended_ = false;
  // Of the file that is read: its results, its lines that are none, and the first of them.
  int results_ = 0;
  int no_results_ = 0;
  std::optional<dialect::ProviderError> no_result_;
  bool left_out_ = false;
};

}  // namespace candor::batch
