// Which jobs have live estimates: those that somebody watches, and those that run and were watched.
//
// Live estimates are made when they are asked for. The first watcher of a job has its outcomes read
// from the beginning; the numbers stay for as long as the job runs, so that the next one has only
// what is new to wait for; a job that nobody watches costs no time. They are dropped with the last
// watcher of a job that is over, and of jobs without watchers the most recent few are kept.
#pragma once

#include "candor/v1/job.pb.h"
#include "coordinator/analysis/live_job.h"
#include "coordinator/service/engine_host.h"

#include <cstdint>
#include <map>
#include <memory>

namespace candor::service {

// All of it on the strand. Outlives its watches.
class LiveJobs {
 public:
  explicit LiveJobs(EngineHost& host) : host_(host) {}

  // A watcher's hold on a job's estimates. To be destroyed on the strand.
  class Watch {
   public:
    Watch(LiveJobs& jobs, engine::JobKey key, const v1::Job& job);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // To be used on the threads for analyses.
    analysis::LiveJob& live() const { return *live_; }

   private:
    LiveJobs& jobs_;
    const engine::JobKey key_;
    const std::shared_ptr<analysis::LiveJob> live_;
  };

 private:
  struct Kept {
    std::shared_ptr<analysis::LiveJob> live;
    int watches = 0;
    // When its last watcher went, as a count.
    std::uint64_t left = 0;
  };

  std::shared_ptr<analysis::LiveJob> Take(engine::JobKey key, const v1::Job& job);
  void Leave(engine::JobKey key);
  void Sweep();

  EngineHost& host_;
  std::map<engine::JobKey, Kept> jobs_;
  std::uint64_t leaves_ = 0;
};

}  // namespace candor::service
