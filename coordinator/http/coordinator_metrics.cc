#include "coordinator/http/coordinator_metrics.h"

#include "common/base/time_proto.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

namespace candor::http {
namespace {

using metrics::Families;
using metrics::Gauge;
using metrics::LowerCase;

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

double SecondsFrom(WallTime now, const google::protobuf::Timestamp& time) {
  const double then = static_cast<double>(time.seconds()) + static_cast<double>(time.nanos()) / 1e9;
  return then - Seconds(now.time_since_epoch());
}

std::string ReasonLabel(v1::WaitReason reason) { return LowerCase(v1::WaitReason_Name(reason)); }

// The name without "limitGroups/".
std::string_view GroupLabel(const v1::LimitGroup& group) {
  constexpr std::string_view kPrefix = "limitGroups/";
  std::string_view name = group.name();
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  return name;
}

prometheus::Histogram& NewHistogram(prometheus::Registry& registry, const std::string& name,
                                    const std::string& help, const std::vector<double>& bounds) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, bounds);
}

prometheus::Counter& NewCounter(prometheus::Registry& registry, const std::string& name,
                                const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

// Bytes of the files in a directory, and what is free on its disk.
void AddDisk(const std::string& directory, Families& families) {
  std::error_code error;
  double bytes = 0;
  std::filesystem::directory_iterator at(directory, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    // A file may go meanwhile.
    std::error_code gone;
    const auto size = at->file_size(gone);
    if (!gone) bytes += static_cast<double>(size);
  }
  if (!error) Gauge(families, "candor_store_bytes", "Size of the data directory.").Set(bytes);
  const auto space = std::filesystem::space(directory, error);
  if (!error) {
    Gauge(families, "candor_store_free_bytes", "What is free on the data directory's disk.")
        .Set(static_cast<double>(space.available));
  }
}

void AddUnwritten(const service::EngineHost::Unwritten& unwritten, Families& families) {
  Gauge(families, "candor_store_queue_batches", "Write batches that are not durable yet.")
      .Set(static_cast<double>(unwritten.batches));
  Gauge(families, "candor_store_queue_bytes", "Their approximate size.")
      .Set(static_cast<double>(unwritten.bytes));
  Gauge(families, "candor_store_oldest_unwritten_seconds",
        "Time since the oldest batch that is not durable yet was handed over; 0 when all are.")
      .Set(Seconds(unwritten.age));
}

void AddOverview(const engine::Overview& overview, Families& families) {
  metrics::Family jobs = Gauge(families, "candor_jobs", "Jobs by state.");
  for (int i = 1; i < v1::Job::State_ARRAYSIZE; ++i) {
    jobs.Add({{"state", LowerCase(v1::Job::State_Name(static_cast<v1::Job::State>(i)))}},
             static_cast<double>(overview.jobs[static_cast<std::size_t>(i)]));
  }
  metrics::Family entries =
      Gauge(families, "candor_entries", "Entries of jobs that have not ended, by state.");
  for (const auto state :
       {v1::EntryProgress::RUNNING, v1::EntryProgress::STOPPED, v1::EntryProgress::FINISHED}) {
    entries.Add({{"state", LowerCase(v1::EntryProgress::State_Name(state))}},
                static_cast<double>(overview.entries[static_cast<std::size_t>(state)]));
  }
  const auto gauge = [&families](const char* name, const char* help, double value) {
    Gauge(families, name, help).Set(value);
  };
  gauge("candor_cells_pending", "Cells of running jobs that are to be asked.",
        static_cast<double>(overview.cells_pending));
  gauge("candor_cells_in_flight", "Cells of running jobs that are leased.",
        static_cast<double>(overview.cells_in_flight));
  gauge("candor_leases", "Leases whose report is not durable yet.",
        static_cast<double>(overview.leases));
  gauge("candor_budget_used_ratio",
        "Part of its budget that the running job has used which has used most of it; 0 without "
        "budgets.",
        overview.budget_used);

  metrics::Family workers =
      Gauge(families, "candor_workers",
            "Workers by state; one that is away is not connected, and its leases are kept for it.");
  workers.Add({{"state", "ready"}}, static_cast<double>(overview.workers_ready));
  workers.Add({{"state", "draining"}}, static_cast<double>(overview.workers_draining));
  workers.Add({{"state", "away"}}, static_cast<double>(overview.workers_away));
  metrics::Family slots = Gauge(families, "candor_slots", "Slots of connected workers.");
  slots.Add({{"state", "free"}}, static_cast<double>(overview.slots_free));
  slots.Add({{"state", "taken"}}, static_cast<double>(overview.slots_taken));
  gauge("candor_worker_heartbeat_age_seconds",
        "Time since the connected worker was heard from that has been silent longest.",
        Seconds(overview.heartbeat_age));

  metrics::Family waits = metrics::Counter(
      families, "candor_entry_wait_seconds_total",
      "Time that entries with pending cells have waited, by reason; \"nothing\" is time "
      "without a wait. Two entries that wait for a second count two.");
  for (int i = 1; i < v1::WaitReason_ARRAYSIZE; ++i) {
    const auto reason = static_cast<v1::WaitReason>(i);
    waits.Add({{"reason", ReasonLabel(reason)}}, Seconds(overview.waits.Of(reason)));
  }
}

}  // namespace

void AddLimitGroups(const std::vector<v1::LimitGroup>& groups, WallTime now, Families& families) {
  // One family at a time, as the text format wants them.
  const auto uses = [&](metrics::Family family, auto value) {
    for (const v1::LimitGroup& group : groups) {
      for (const v1::LimitUse& use : group.uses()) {
        const std::optional<double> shown = value(use);
        if (!shown) continue;
        family.Add({{"limit_group", GroupLabel(group)},
                    {"dimension", LowerCase(v1::LimitUse::Dimension_Name(use.dimension()))},
                    {"source", LowerCase(v1::LimitUse::Source_Name(use.source()))}},
                   *shown);
      }
    }
  };
  const auto each = [&](metrics::Family family, auto value) {
    for (const v1::LimitGroup& group : groups) {
      family.Add({{"limit_group", GroupLabel(group)}}, static_cast<double>(value(group)));
    }
  };
  uses(Gauge(families, "candor_limit_limit",
             "Limits in force, by what is limited and by who says so."),
       [](const v1::LimitUse& use) { return std::optional(static_cast<double>(use.limit())); });
  uses(Gauge(families, "candor_limit_used",
             "What is used of a limit: in the window that ends now, or now for calls in flight."),
       [](const v1::LimitUse& use) { return std::optional(static_cast<double>(use.used())); });
  uses(Gauge(families, "candor_limit_remaining",
             "What the provider's latest header left of a limit."),
       [](const v1::LimitUse& use) {
         return use.has_remaining() ? std::optional(static_cast<double>(use.remaining()))
                                    : std::nullopt;
       });
  each(Gauge(families, "candor_limit_group_requests_last_minute",
             "Requests that the group was granted in the last 60 s."),
       [](const v1::LimitGroup& group) { return group.requests_last_minute(); });
  each(Gauge(families, "candor_limit_group_tokens_last_minute",
             "Tokens reserved or used in the last 60 s."),
       [](const v1::LimitGroup& group) { return group.tokens_last_minute(); });
  each(Gauge(families, "candor_limit_group_calls_in_flight", "Calls of the group in flight."),
       [](const v1::LimitGroup& group) { return group.in_flight(); });
  each(Gauge(families, "candor_limit_group_cells_waiting", "Cells that wait for the group."),
       [](const v1::LimitGroup& group) { return group.waiting(); });
  each(Gauge(families, "candor_limit_group_ramp_ratio",
             "Part of the limit that may be used now; below 1 after idling or learning."),
       [](const v1::LimitGroup& group) { return group.ramp(); });
  each(
      Gauge(families, "candor_limit_group_blocked_seconds",
            "Time for which the group makes no call, because its provider said so; 0 when it may."),
      [now](const v1::LimitGroup& group) {
        return group.has_blocked_until() ? std::max(0.0, SecondsFrom(now, group.blocked_until()))
                                         : 0.0;
      });
  metrics::Family circuit =
      Gauge(families, "candor_limit_group_circuit",
            "1 for the state that the group's circuit is in: closed, open (the provider fails), "
            "half_open (one call looks whether it is back).");
  for (const v1::LimitGroup& group : groups) {
    const auto state = group.circuit() == v1::LimitGroup::CIRCUIT_UNSPECIFIED
                           ? v1::LimitGroup::CLOSED
                           : group.circuit();
    for (const auto candidate :
         {v1::LimitGroup::CLOSED, v1::LimitGroup::OPEN, v1::LimitGroup::HALF_OPEN}) {
      circuit.Add({{"limit_group", GroupLabel(group)},
                   {"state", LowerCase(v1::LimitGroup::Circuit_Name(candidate))}},
                  state == candidate ? 1 : 0);
    }
  }
  each(metrics::Counter(families, "candor_limit_group_calls_total",
                        "Calls of the group that ended."),
       [](const v1::LimitGroup& group) { return group.calls(); });
  each(metrics::Counter(families, "candor_limit_group_refusals_total",
                        "Calls that the provider refused because of its limits (429)."),
       [](const v1::LimitGroup& group) { return group.refusals(); });
  metrics::Family waits = metrics::Counter(
      families, "candor_limit_wait_seconds_total",
      "Time that the group had cells to ask, by what it waited for; \"nothing\" is time without a "
      "wait.");
  for (const v1::LimitGroup& group : groups) {
    for (const v1::WaitTime& wait : group.waits()) {
      waits.Add({{"limit_group", GroupLabel(group)}, {"reason", ReasonLabel(wait.reason())}},
                Seconds(ToDuration(wait.time())));
    }
  }
}

void AddEngine(const engine::Engine& engine, const engine::Instant& instant, Families& families) {
  AddOverview(engine.GetOverview(instant), families);
  AddLimitGroups(engine.LimitGroups(instant), instant.wall, families);
}

CoordinatorMetrics::CoordinatorMetrics(Options options)
    : options_(std::move(options)),
      calls_(registry_),
      commit_seconds_(NewHistogram(registry_, "candor_store_commit_duration_seconds",
                                   "Time of one commit, with its sync to the disk.",
                                   metrics::DiskSeconds())),
      commit_rows_(NewHistogram(registry_, "candor_store_commit_rows", "Rows of one commit.",
                                {1, 3, 10, 30, 100, 300, 1'000, 3'000})),
      committed_batches_(NewCounter(registry_, "candor_store_committed_batches_total",
                                    "Write batches that became durable.")),
      committed_bytes_(NewCounter(registry_, "candor_store_committed_bytes_total",
                                  "Approximate size of what became durable.")) {}

void CoordinatorMetrics::Persisting(const engine::WriteBatch& batch, const engine::Engine& engine) {
  calls_.Count(batch, engine);
}

void CoordinatorMetrics::Committed(const store::CommitReport& report) {
  commit_seconds_.Observe(Seconds(report.time));
  commit_rows_.Observe(static_cast<double>(report.rows));
  committed_batches_.Increment(static_cast<double>(report.batches));
  committed_bytes_.Increment(static_cast<double>(report.bytes));
}

std::function<void(metrics::SendFamilies)> CoordinatorMetrics::CollectFrom(
    service::EngineHost& host) {
  return [this, &host](metrics::SendFamilies send) {
    Families families;
    Gauge(families, "candor_build_info", "1; the version is a label.")
        .Add({{"version", options_.version}, {"program", "candor-coordinator"}}, 1);
    Gauge(families, "candor_coordinator_term",
          "How often a coordinator has started on this data directory.")
        .Set(static_cast<double>(host.engine().term()));
    AddEngine(host.engine(), host.Now(), families);
    AddUnwritten(host.unwritten(), families);
    host.PostToReaders([this, families = std::move(families), send = std::move(send)]() mutable {
      AddDisk(options_.data, families);
      for (prometheus::MetricFamily& family : registry_.Collect()) {
        families.push_back(std::move(family));
      }
      send(std::move(families));
    });
  };
}

}  // namespace candor::http
