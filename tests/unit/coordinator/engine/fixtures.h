// Jobs, configurations and reports for tests of the engine.
#pragma once

#include "candor/v1/config.pb.h"
#include "candor/v1/job.pb.h"
#include "candor/v1/specification.pb.h"
#include "candor/v1/worker_service.pb.h"
#include "coordinator/engine/events.h"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace candor::engine {

struct EntryShape {
  std::string endpoint = "local";
  std::string model = "m";
  int scenarios = 2;
  int trials = 10;
  int reports = 0;
  // Adaptive choices: so many pairs are drawn, the others proposed.
  bool adaptive = false;
  int random_pairs = 2;
  bool both_orders = false;
  int samples = 1;
  // Characters that prompts have beside the scenario's; and tokens of a self-report at most.
  int prompt_chars = 0;
  int report_limit = 64;
};

struct JobShape {
  std::string name = "jobs/a";
  std::string request_id;
  std::vector<EntryShape> entries = {{}};
  int priority = 0;
  int max_attempts = 5;
  std::int64_t budget_calls = 0;
  std::int64_t budget_tokens = 0;
  std::int64_t budget_money = 0;
  v1::Job::Mode mode = v1::Job::MODE_UNSPECIFIED;
};

inline JobCreated MakeJob(const JobShape& shape) {
  auto job = std::make_shared<v1::Job>();
  job->set_name(shape.name);
  job->set_priority(shape.priority);
  job->mutable_retry()->set_max_attempts(shape.max_attempts);
  job->mutable_budget()->set_calls(shape.budget_calls);
  job->mutable_budget()->set_tokens(shape.budget_tokens);
  job->mutable_budget()->set_money(shape.budget_money);
  job->set_mode(shape.mode);
  job->set_specification_hash("hash of " + shape.name);
  auto specification = std::make_shared<v1::JobSpecification>();
  specification->set_job(shape.name);
  int most = 0;
  for (std::size_t i = 0; i < shape.entries.size(); ++i) {
    const EntryShape& entry = shape.entries[i];
    v1::Entry& model = *job->add_models();
    model.set_name(fmt::format("entry{}", i));
    model.set_endpoint(entry.endpoint);
    model.set_model(entry.model);
    v1::ResolvedEntry& resolved = *specification->add_entries();
    resolved.set_name(model.name());
    resolved.set_endpoint(entry.endpoint);
    resolved.set_model(entry.model);
    for (int s = 0; s < entry.scenarios; ++s) {
      resolved.add_scenario_indexes(static_cast<std::uint32_t>(s));
    }
    most = std::max(most, entry.scenarios);
    v1::PromptMessage& choice = *resolved.mutable_choice_prompt()->add_messages();
    choice.set_role("user");
    choice.set_content("{role} {question} {option_a} {option_b}" +
                       std::string(static_cast<std::size_t>(entry.prompt_chars), 'x'));
    *resolved.mutable_self_report_prompt() = resolved.choice_prompt();
    resolved.mutable_choices()->set_trials_per_scenario(entry.trials);
    v1::Choices& choices = *resolved.mutable_choices();
    choices.set_samples_per_trial(entry.samples);
    choices.set_orders(entry.both_orders ? v1::Choices::BOTH : v1::Choices::ONE);
    choices.set_design(entry.adaptive ? v1::Choices::ADAPTIVE : v1::Choices::RANDOM);
    if (entry.adaptive) choices.mutable_adaptive()->set_random_pairs(entry.random_pairs);
    resolved.mutable_choices()->mutable_sampling()->set_max_output_tokens(16);
    resolved.mutable_self_reports()->set_reports_per_scenario(entry.reports);
    resolved.mutable_self_reports()->mutable_sampling()->set_max_output_tokens(entry.report_limit);
  }
  for (int s = 0; s < most; ++s) {
    v1::Scenario& scenario = *specification->add_scenarios();
    scenario.set_id(fmt::format("scenario_{}", s));
    scenario.set_role("a gardener");
    scenario.set_question("Which plot?");
    for (const char* name : {"sun", "water"}) {
      v1::Attribute& attribute = *scenario.add_attributes();
      attribute.set_name(name);
      attribute.set_unit("hours");
      attribute.set_min(0);
      attribute.set_max(10);
    }
  }
  return {shape.request_id, std::move(job), std::move(specification)};
}

// Every second cell of each entry and kind has an outcome.
inline JobImported MakeImport(const JobShape& shape) {
  JobCreated created = MakeJob(shape);
  auto job = std::make_shared<v1::Job>(*created.job);
  job->set_import_hash("outcomes of " + shape.name);
  JobImported import{
      std::move(created.request_id), std::move(job), std::move(created.specification), {}};
  for (std::size_t e = 0; e < shape.entries.size(); ++e) {
    const EntryShape& entry = shape.entries[e];
    for (const v1::Cell::Kind kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
      const int trials = kind == v1::Cell::CHOICE ? entry.trials : entry.reports;
      for (int index = 0; index < entry.scenarios * trials; index += 2) {
        OutcomeRecord& record = import.outcomes.emplace_back();
        record.cell = {static_cast<std::uint16_t>(e), kind, static_cast<std::uint32_t>(index)};
        record.outcome = std::make_unique<v1::Outcome>();
        record.outcome->set_class_(index % 4 == 0 ? v1::Outcome::VALID : v1::Outcome::EMPTY);
      }
    }
  }
  return import;
}

inline v1::Config MakeConfig(std::int64_t requests = 0, std::int64_t tokens = 0,
                             std::int64_t in_flight = 0, const std::string& name = "local") {
  v1::Config config;
  v1::Endpoint& endpoint = *config.add_endpoints();
  endpoint.set_name(name);
  endpoint.set_base_url("http://127.0.0.1:1/v1");
  endpoint.set_dialect("openai");
  endpoint.mutable_limits()->set_requests_per_minute(requests);
  endpoint.mutable_limits()->set_tokens_per_minute(tokens);
  endpoint.mutable_limits()->set_in_flight(in_flight);
  v1::ModelRule& rule = *endpoint.add_models();
  rule.set_match("*");
  rule.mutable_price()->set_input(1);
  rule.mutable_price()->set_cached_input(0.1);
  rule.mutable_price()->set_output(10);
  return config;
}

inline std::shared_ptr<const v1::Hello> MakeHello(const std::string& worker, int slots,
                                                  const std::vector<std::string>& endpoints = {
                                                      "local"}) {
  auto hello = std::make_shared<v1::Hello>();
  hello->set_worker(worker);
  hello->set_slots(slots);
  for (const std::string& name : endpoints) {
    v1::Worker::EndpointService& endpoint = *hello->add_endpoints();
    endpoint.set_endpoint(name);
    endpoint.set_served(true);
  }
  return hello;
}

inline Report MakeReport(const LeaseRecord& lease, v1::Attempt::State state,
                         v1::Attempt::ErrorClass error_class = v1::Attempt::ERROR_CLASS_UNSPECIFIED,
                         int http_status = 0) {
  Report report{lease.attempt, lease.job, std::make_unique<v1::AttemptReport>()};
  v1::Cell& cell = *report.report->mutable_cell();
  cell.set_entry_index(lease.cell.entry);
  cell.set_kind(lease.cell.kind);
  cell.set_index(lease.cell.index);
  v1::Attempt& attempt = *report.report->mutable_attempt();
  attempt.set_state(state);
  attempt.set_error_class(error_class);
  attempt.set_http_status(http_status);
  if (error_class != v1::Attempt::ERROR_CLASS_UNSPECIFIED) attempt.set_error_text("so it said");
  if (state == v1::Attempt::COMPLETED) {
    attempt.mutable_usage()->set_input_tokens(20);
    attempt.mutable_usage()->set_output_tokens(4);
    v1::Outcome& outcome = *report.report->mutable_outcome();
    outcome.set_class_(v1::Outcome::VALID);
    outcome.set_choice(v1::Outcome::A);
    outcome.set_raw_text("A");
  }
  return report;
}

}  // namespace candor::engine
