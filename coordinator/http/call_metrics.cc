#include "coordinator/http/call_metrics.h"

#include "common/base/time_proto.h"
#include "common/metrics/families.h"

#include <chrono>

namespace candor::http {
namespace {

using prometheus::BuildCounter;

prometheus::Family<prometheus::Counter>& NewCounter(prometheus::Registry& registry,
                                                    const std::string& name,
                                                    const std::string& help) {
  return BuildCounter().Name(name).Help(help).Register(registry);
}

void Add(prometheus::Counter* counter, double value) {
  if (value > 0) counter->Increment(value);
}

}  // namespace

CallMetrics::CallMetrics(prometheus::Registry& registry)
    : attempts_(
          NewCounter(registry, "candor_attempts_total",
                     "Provider calls that have ended, by what became of them and by the class "
                     "of their error.")),
      outcomes_(NewCounter(registry, "candor_outcomes_total",
                           "Answers of models that count for their cell, by kind and class.")),
      reused_(NewCounter(registry, "candor_reused_outcomes_total",
                         "Outcomes that were taken over from other jobs instead of asked again.")),
      tokens_(NewCounter(registry, "candor_tokens_total",
                         "Tokens of provider calls, by direction (input, output).")),
      cached_tokens_(NewCounter(registry, "candor_cached_input_tokens_total",
                                "Input tokens that the provider had in its cache.")),
      reasoning_tokens_(NewCounter(registry, "candor_reasoning_tokens_total",
                                   "Output tokens that models thought with.")),
      spend_(NewCounter(registry, "candor_spend_total",
                        "What provider calls cost at the configured prices, in the endpoint's "
                        "currency.")),
      duration_(
          prometheus::BuildHistogram()
              .Name("candor_attempt_duration_seconds")
              .Help("Time of provider calls that were answered or given up, from the worker's "
                    "request to its end.")
              .Register(registry)) {}

void CallMetrics::Count(const engine::WriteBatch& batch, const engine::Engine& engine) {
  for (const engine::AttemptRecord& record : batch.attempts) {
    if (Model* model = ModelOf(record.job, record.cell.entry, engine)) {
      CountAttempt(*record.attempt, *model);
    }
  }
  for (const engine::OutcomeRecord& record : batch.outcomes) {
    // An imported one was not asked for.
    if (record.attempt == 0) continue;
    if (Model* model = ModelOf(record.job, record.cell.entry, engine)) {
      CountOutcome(record, *model);
    }
  }
  for (const engine::ReusedOutcomesRecord& record : batch.reused_outcomes) {
    for (const auto& item : record.items) {
      if (Model* model = ModelOf(record.job, item.cell.entry, engine)) model->reused->Increment();
    }
  }
  for (const engine::JobKey job : batch.deleted_jobs) {
    jobs_.erase(job);
    latest_ = nullptr;
  }
}

void CallMetrics::CountAttempt(const v1::Attempt& attempt, Model& model) {
  const auto state = static_cast<std::size_t>(attempt.state());
  const auto error = static_cast<std::size_t>(attempt.error_class());
  if (state >= kStates || error >= kErrors) return;
  prometheus::Counter*& counter = model.attempts[state][error];
  if (counter == nullptr) {
    const bool none = attempt.error_class() == v1::Attempt::ERROR_CLASS_UNSPECIFIED;
    counter = &attempts_.Add(
        {{"endpoint", model.endpoint},
         {"model", model.model},
         {"state", metrics::LowerCase(v1::Attempt::State_Name(attempt.state()))},
         {"error_class",
          none ? "none"
               : metrics::LowerCase(v1::Attempt::ErrorClass_Name(attempt.error_class()))}});
  }
  counter->Increment();
  const v1::Usage& usage = attempt.usage();
  Add(model.input_tokens, static_cast<double>(usage.input_tokens()));
  Add(model.cached_input_tokens, static_cast<double>(usage.cached_input_tokens()));
  Add(model.output_tokens, static_cast<double>(usage.output_tokens()));
  Add(model.reasoning_tokens, static_cast<double>(usage.reasoning_tokens()));
  Add(model.spend, static_cast<double>(attempt.money()) / 1e9);
  if (attempt.has_latency()) {
    model.duration->Observe(std::chrono::duration<double>(ToDuration(attempt.latency())).count());
  }
}

void CallMetrics::CountOutcome(const engine::OutcomeRecord& record, Model& model) {
  const auto kind = static_cast<std::size_t>(record.cell.kind);
  const auto what = static_cast<std::size_t>(record.outcome->class_());
  if (kind >= kKinds || what >= kClasses) return;
  prometheus::Counter*& counter = model.outcomes[kind][what];
  if (counter == nullptr) {
    counter = &outcomes_.Add(
        {{"endpoint", model.endpoint},
         {"model", model.model},
         {"kind", metrics::LowerCase(v1::Cell::Kind_Name(record.cell.kind))},
         {"class", metrics::LowerCase(v1::Outcome::Class_Name(record.outcome->class_()))}});
  }
  counter->Increment();
}

CallMetrics::Model* CallMetrics::ModelOf(engine::JobKey job, std::uint16_t entry,
                                         const engine::Engine& engine) {
  if (latest_ == nullptr || job != latest_job_) {
    auto found = jobs_.find(job);
    if (found == jobs_.end()) {
      const auto specification = engine.GetSpecification(job);
      if (!specification) return nullptr;
      Entries entries;
      for (const v1::ResolvedEntry& resolved : specification->entries()) {
        entries.push_back(&FindModel(resolved.endpoint(), resolved.model()));
      }
      found = jobs_.emplace(job, std::move(entries)).first;
    }
    latest_job_ = job;
    latest_ = &found->second;
  }
  return entry < latest_->size() ? (*latest_)[entry] : nullptr;
}

CallMetrics::Model& CallMetrics::FindModel(const std::string& endpoint, const std::string& name) {
  auto key = std::make_pair(endpoint, name);
  if (models_.size() >= kMostModels && !models_.contains(key)) key.second = "other";
  std::unique_ptr<Model>& model = models_[key];
  if (model) return *model;
  model = std::make_unique<Model>();
  model->endpoint = key.first;
  model->model = key.second;
  const prometheus::Labels labels = {{"endpoint", model->endpoint}, {"model", model->model}};
  const auto with = [&labels](const char* label, const char* value) {
    prometheus::Labels more = labels;
    more.emplace(label, value);
    return more;
  };
  model->reused = &reused_.Add(labels);
  model->input_tokens = &tokens_.Add(with("direction", "input"));
  model->output_tokens = &tokens_.Add(with("direction", "output"));
  model->cached_input_tokens = &cached_tokens_.Add(labels);
  model->reasoning_tokens = &reasoning_tokens_.Add(labels);
  model->spend = &spend_.Add(labels);
  model->duration = &duration_.Add(labels, metrics::CallSeconds());
  // There from the start, so that a rate sees the first of them.
  model->attempts[v1::Attempt::COMPLETED][v1::Attempt::ERROR_CLASS_UNSPECIFIED] =
      &attempts_.Add({{"endpoint", model->endpoint},
                      {"model", model->model},
                      {"state", "completed"},
                      {"error_class", "none"}});
  return *model;
}

}  // namespace candor::http
