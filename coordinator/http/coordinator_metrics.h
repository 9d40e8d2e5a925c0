// The coordinator's metrics: what the host lets pass is counted as it passes; how things stand is
// looked at when somebody asks.
//
//   CoordinatorMetrics metrics({.version = CANDOR_VERSION, .data = "./candor-data"});
//   options.observer = &metrics;
//   auto host = EngineHost::Create(...);
//   auto server = metrics::ServeOperations(strand, listen,
//                                          {.ready = ..., .collect = metrics.CollectFrom(**host)});
//
// A scrape takes a snapshot on the strand (counts, no text) and makes the page on a reader's
// thread. docs/guides/operations.md lists every name.
#pragma once

#include "common/metrics/operations_server.h"
#include "coordinator/http/call_metrics.h"
#include "coordinator/service/engine_host.h"

#include <prometheus/registry.h>

#include <functional>
#include <memory>
#include <string>

namespace candor::http {

class CoordinatorMetrics final : public service::HostObserver {
 public:
  struct Options {
    std::string version;
    // The data directory, whose files are measured.
    std::string data;
  };
  explicit CoordinatorMetrics(Options options);

  void Persisting(const engine::WriteBatch& batch, const engine::Engine& engine) override;
  void Committed(const store::CommitReport& report) override;

  // To be called on the host's strand; both outlive what it returns.
  std::function<void(metrics::SendFamilies)> CollectFrom(service::EngineHost& host);

  // Everything that is counted as it passes. From any thread.
  metrics::Families Counted() const { return registry_.Collect(); }

 private:
  const Options options_;
  prometheus::Registry registry_;
  CallMetrics calls_;
  prometheus::Histogram& commit_seconds_;
  prometheus::Histogram& commit_rows_;
  prometheus::Counter& committed_batches_;
  prometheus::Counter& committed_bytes_;
};

// How an engine stands. On its strand.
void AddEngine(const engine::Engine& engine, const engine::Instant& instant,
               metrics::Families& families);
// The limit groups, as the engine shows them.
void AddLimitGroups(const std::vector<v1::LimitGroup>& groups, WallTime now,
                    metrics::Families& families);

}  // namespace candor::http
