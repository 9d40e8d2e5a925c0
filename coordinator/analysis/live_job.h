// The live estimates of one job, read from the store: what LiveStudy is for any outcomes, with a
// cursor and a pace.
//
//   LiveJob live(store, key, specification, plan, clock);
//   CANDOR_ASSIGN_OR_RETURN(LiveJob::Progress progress, live.Advance(ended));   // and again
//   live.Fill(options, seen, &message);
//
// Any number of watchers share one: it reads an outcome once and fits a scenario once, whoever
// asked. From any thread; calls wait for each other, so not on the engine's strand.
#pragma once

#include "candor/v1/evaluation_service.pb.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "coordinator/analysis/live_study.h"
#include "coordinator/store/store.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace candor::analysis {

class LiveJob {
 public:
  struct Options {
    LiveStudy::Options study;
    // Outcomes that one call reads at most: some tens of milliseconds, so that a job of millions
    // holds up no other.
    std::size_t rows_a_step = 20'000;
    // Estimates are made at most so often ...
    Duration interval = std::chrono::milliseconds(250);
    // ... and not before so many times what they took has passed.
    int rest_factor = 19;
  };

  // `store` and `clock` outlive it.
  LiveJob(const store::Store& store, engine::JobKey job,
          std::shared_ptr<const v1::JobSpecification> specification, v1::AnalysisPlan plan,
          const Clock& clock, Options options);

  // How far it is.
  struct Progress {
    // Nothing that was committed before the call is left to read.
    bool caught_up = false;
    // The estimates rest on all that was read.
    bool fresh = false;
    // Counts the estimates that were made: equal ones are equal.
    std::uint64_t version = 0;
  };
  // Reads on, and makes estimates when all is read and it is time; with `now` without regard to the
  // time. NOT_FOUND when the job was deleted.
  StatusOr<Progress> Advance(bool now);

  // Adds the last estimates: entries, and with `seen` the scenarios that changed since, in at most
  // about `max_bytes`. False when scenarios are left for a further message.
  bool Fill(std::size_t max_bytes, LiveStudy::Seen* seen, v1::LiveEstimates* estimates) const;

 private:
  const store::Store& store_;
  const Clock& clock_;
  const Options options_;
  mutable std::mutex mutex_;
  LiveStudy study_;
  store::OutcomeQuery query_;
  bool dirty_ = true;
  TimePoint next_{};
  std::uint64_t version_ = 0;
};

}  // namespace candor::analysis
