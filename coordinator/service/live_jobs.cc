#include "coordinator/service/live_jobs.h"

namespace candor::service {
namespace {

// Running jobs without a watcher whose numbers are kept.
constexpr std::size_t kMaxIdle = 4;

}  // namespace

LiveJobs::Watch::Watch(LiveJobs& jobs, engine::JobKey key, const v1::Job& job)
    : jobs_(jobs), key_(key), live_(jobs.Take(key, job)) {}

LiveJobs::Watch::~Watch() { jobs_.Leave(key_); }

std::shared_ptr<analysis::LiveJob> LiveJobs::Take(engine::JobKey key, const v1::Job& job) {
  Kept& kept = jobs_[key];
  if (kept.live == nullptr) {
    kept.live = std::make_shared<analysis::LiveJob>(
        host_.store(), key, host_.engine().GetSpecification(key), job.analysis(), host_.clock(),
        analysis::LiveJob::Options{});
  }
  ++kept.watches;
  return kept.live;
}

void LiveJobs::Leave(engine::JobKey key) {
  Kept& kept = jobs_.at(key);
  --kept.watches;
  kept.left = ++leaves_;
  Sweep();
}

void LiveJobs::Sweep() {
  std::size_t idle = 0;
  auto oldest = jobs_.end();
  for (auto kept = jobs_.begin(); kept != jobs_.end();) {
    if (kept->second.watches > 0) {
      ++kept;
      continue;
    }
    const bool over =
        !host_.engine().GetSpecification(kept->first) || host_.engine().Settled(kept->first);
    if (over) {
      kept = jobs_.erase(kept);
      continue;
    }
    ++idle;
    if (oldest == jobs_.end() || kept->second.left < oldest->second.left) oldest = kept;
    ++kept;
  }
  if (idle > kMaxIdle) jobs_.erase(oldest);
}

}  // namespace candor::service
