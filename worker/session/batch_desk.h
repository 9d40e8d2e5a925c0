// The steps of providers' batches that a worker has, and what goes up from them: results, which
// wait for their acknowledgement, and how each step went.
//
//   desk.Begin(std::move(start));                        // a step that the coordinator gave
//   while (desk.Next(&message)) Send(message);           // after a Welcome
//   desk.Acknowledge(acknowledgement);
//   desk.Close();                                        // the stream broke: so do its steps
//
// A step lives no longer than the stream that it came on, because the coordinator gives it out
// again; only a creation that has begun is waited for. What became of a SUBMIT is told on the next
// stream, so that nobody waits for a creation that is not to come; but no later than the time of
// that SUBMIT, because the coordinator may have given it to another worker then. Results take
// no slots: a step that has too many unacknowledged ones waits, so that memory stays bounded
// whatever the size of a batch.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"
#include "worker/batch/batch_runner.h"

#include <absl/container/flat_hash_map.h>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>

namespace candor::session {

// All on `executor`, which must be that of one thread or a strand. Destroy it when no step is
// running any more.
class BatchDesk {
 public:
  // `runner` may be null: then no step is taken. `changed` is called when there is something
  // to send, or a step has ended. `clock` is that of the steps' times.
  BatchDesk(const boost::asio::any_io_executor& executor, batch::BatchRunner* runner,
            const Clock& clock, std::function<void()> changed);
  ~BatchDesk();

  void Begin(batch::BatchStart start);
  // The next message that goes up; false when there is none.
  bool Next(v1::ConnectRequest* message);
  bool has_next() { return !results_.empty() || HasReport(); }
  void Acknowledge(const v1::Acknowledgement& acknowledgement);
  // The stream ended: what came of it is forgotten, but for what became of a SUBMIT.
  void Close();
  // The worker is to end: steps end as soon as they can, also those that begin from now on.
  void Stop();
  std::size_t running() const { return steps_.size(); }

 private:
  class Step;
  struct Ended {
    v1::BatchReport report;
    // A SUBMIT is told of on another stream than its own only until then, unless it says that a
    // batch is there: that is news at any time.
    TimePoint over_by{};
    bool orphaned = false;
  };

  boost::asio::awaitable<void> Drive(Step& step);
  void StopSteps();
  // Drops what comes too late. True when something is left.
  bool HasReport();
  // Whether more results have to wait.
  bool IsFull() const;
  // A result is waited for no longer.
  void Forget(std::size_t bytes);
  // Waits until something changes.
  boost::asio::awaitable<void> WaitForChange();
  void Wake();

  const boost::asio::any_io_executor executor_;
  batch::BatchRunner* const runner_;
  const Clock& clock_;
  const std::function<void()> changed_;
  std::list<std::unique_ptr<Step>> steps_;
  // To be sent; of all steps together.
  std::deque<v1::AttemptReport> results_;
  std::deque<Ended> reports_;
  bool ending_ = false;
  // Results that were taken and not yet acknowledged, and their bytes.
  std::size_t waiting_ = 0;
  std::size_t waiting_bytes_ = 0;
  boost::asio::steady_timer wake_;
};

}  // namespace candor::session
