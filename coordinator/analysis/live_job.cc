#include "coordinator/analysis/live_job.h"

#include <algorithm>
#include <utility>

namespace candor::analysis {

LiveJob::LiveJob(const store::Store& store, engine::JobKey job,
                 std::shared_ptr<const v1::JobSpecification> specification, v1::AnalysisPlan plan,
                 const Clock& clock, Options options)
    : store_(store),
      clock_(clock),
      options_(options),
      study_(std::move(specification), std::move(plan), options.study) {
  query_.job = job;
}

StatusOr<LiveJob::Progress> LiveJob::Advance(bool now) {
  const std::lock_guard lock(mutex_);
  std::size_t read = 0;
  bool end = false;
  while (!end && read < options_.rows_a_step) {
    CANDOR_ASSIGN_OR_RETURN(const store::ReadEnd at,
                            store_.VisitOutcomes(query_, [&](auto, const v1::Outcome& outcome) {
                              study_.Add(outcome);
                              ++read;
                            }));
    query_.after = at.next;
    end = at.end;
  }
  if (read > 0) dirty_ = true;
  // Half of what is there would be other estimates after a restart than before it.
  if (end && dirty_ && (now || clock_.Now() >= next_)) {
    const TimePoint begin = clock_.Now();
    if (study_.Refit() || version_ == 0) ++version_;
    dirty_ = false;
    const Duration took = clock_.Now() - begin;
    next_ = begin + took + std::max(options_.interval, took * options_.rest_factor);
  }
  return Progress{.caught_up = end, .fresh = end && !dirty_, .version = version_};
}

bool LiveJob::Fill(std::size_t max_bytes, LiveStudy::Seen* seen,
                   v1::LiveEstimates* estimates) const {
  const std::lock_guard lock(mutex_);
  study_.FillEntries(estimates);
  if (seen == nullptr) return true;
  const std::size_t taken = estimates->ByteSizeLong();
  return study_.FillScenarios(max_bytes > taken ? max_bytes - taken : 0, *seen, estimates);
}

}  // namespace candor::analysis
