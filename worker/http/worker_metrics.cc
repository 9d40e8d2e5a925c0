#include "worker/http/worker_metrics.h"

#include "common/base/time_proto.h"

#include <chrono>
#include <utility>

namespace candor::http {
namespace {

using metrics::Families;
using metrics::Gauge;

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void AddSession(const session::Session& session, Families& families) {
  const auto gauge = [&families](const char* name, const char* help, double value) {
    Gauge(families, name, help).Set(value);
  };
  const session::SessionState& state = session.state();
  const session::StreamHealth health = session.health();
  const auto calling = static_cast<double>(state.calling());
  const auto held = static_cast<double>(state.held());
  gauge("candor_worker_slots", "Calls that the worker makes at once at most.", state.slots());
  gauge("candor_worker_leases",
        "Leases that the worker holds: being called, or reported and not yet "
        "acknowledged.",
        held);
  gauge("candor_worker_calls", "Leases of which the call is under way.", calling);
  gauge("candor_worker_draining", "1 while the worker takes no more leases.",
        state.draining() ? 1 : 0);
  gauge("candor_reports_unacknowledged",
        "Reports of calls that the coordinator has not acknowledged yet.", held - calling);
  gauge("candor_reports_unsent", "Those of them that were not sent on the present stream yet.",
        static_cast<double>(state.unsent()));
  gauge("candor_stream_connected", "1 while the coordinator has welcomed the worker.",
        state.welcomed() ? 1 : 0);
  gauge("candor_stream_silence_seconds",
        "Time since the coordinator was heard from; 0 before the first time.",
        Seconds(health.silence));
  gauge("candor_stream_heartbeat_age_seconds",
        "Time since the worker last told the coordinator that it lives; 0 before the first time.",
        Seconds(health.heartbeat_age));
  metrics::Counter(families, "candor_stream_welcomes_total",
                   "Streams on which the coordinator has welcomed the worker.")
      .Set(static_cast<double>(health.welcomes));
  metrics::Counter(families, "candor_stream_losses_total",
                   "Streams that broke, or that could not be opened.")
      .Set(static_cast<double>(health.losses));
}

}  // namespace

WorkerMetrics::WorkerMetrics(std::string version, const provider::Endpoints& endpoints)
    : version_(std::move(version)) {
  auto& in_flight = prometheus::BuildGauge()
                        .Name("candor_calls_in_flight")
                        .Help("Calls to the endpoint that are under way.")
                        .Register(registry_);
  auto& calls = prometheus::BuildCounter()
                    .Name("candor_calls_total")
                    .Help(
                        "Calls that have ended, by result: completed, not_sent (handed back), or "
                        "the class of the error.")
                    .Register(registry_);
  auto& duration = prometheus::BuildHistogram()
                       .Name("candor_call_duration_seconds")
                       .Help("Time of calls from the request to the end of the answer.")
                       .Register(registry_);
  auto& first_byte = prometheus::BuildHistogram()
                         .Name("candor_call_first_byte_seconds")
                         .Help("Time of calls from the request to the first byte of the answer.")
                         .Register(registry_);
  // Whole before any call: later nothing is added, so calls on several threads need no lock.
  for (const auto& endpoint : endpoints.all()) {
    const prometheus::Labels labels = {{"endpoint", endpoint->config().name()}};
    EndpointMetrics& own = endpoints_.emplace_back();
    own.endpoint = endpoint.get();
    own.in_flight = &in_flight.Add(labels);
    own.duration = &duration.Add(labels, metrics::CallSeconds());
    own.first_byte = &first_byte.Add(labels, metrics::CallSeconds());
    const auto add = [&](std::size_t place, const std::string& result) {
      own.calls[place] = &calls.Add({{"endpoint", endpoint->config().name()}, {"result", result}});
    };
    for (std::size_t i = 0; i < kErrors; ++i) {
      const auto error = static_cast<v1::Attempt::ErrorClass>(i);
      if (!v1::Attempt::ErrorClass_IsValid(static_cast<int>(i))) continue;
      add(i, i == 0 ? "unknown" : metrics::LowerCase(v1::Attempt::ErrorClass_Name(error)));
    }
    add(kCompleted, "completed");
    add(kNotSent, "not_sent");
  }
}

WorkerMetrics::EndpointMetrics* WorkerMetrics::Find(const provider::Endpoint& endpoint) {
  for (EndpointMetrics& own : endpoints_) {
    if (own.endpoint == &endpoint) return &own;
  }
  return nullptr;
}

void WorkerMetrics::Began(const provider::Endpoint& endpoint) {
  if (EndpointMetrics* own = Find(endpoint)) own->in_flight->Increment();
}

void WorkerMetrics::Ended(const provider::Endpoint& endpoint, const v1::AttemptReport& report,
                          std::optional<Duration> first_byte) {
  EndpointMetrics* own = Find(endpoint);
  if (own == nullptr) return;
  own->in_flight->Decrement();
  const v1::Attempt& attempt = report.attempt();
  std::size_t result = static_cast<std::size_t>(attempt.error_class());
  if (attempt.state() == v1::Attempt::COMPLETED) result = kCompleted;
  if (attempt.state() == v1::Attempt::NOT_SENT) result = kNotSent;
  if (result < own->calls.size() && own->calls[result] != nullptr) own->calls[result]->Increment();
  if (attempt.has_latency()) own->duration->Observe(Seconds(ToDuration(attempt.latency())));
  if (first_byte) own->first_byte->Observe(Seconds(*first_byte));
}

std::function<void(metrics::SendFamilies)> WorkerMetrics::CollectFrom(
    const session::Session& session) {
  return [this, &session](metrics::SendFamilies send) {
    Families families;
    Gauge(families, "candor_build_info", "1; the version is a label.")
        .Add({{"version", version_}, {"program", "candor-worker"}}, 1);
    AddSession(session, families);
    for (prometheus::MetricFamily& family : registry_.Collect()) {
      families.push_back(std::move(family));
    }
    send(std::move(families));
  };
}

}  // namespace candor::http
