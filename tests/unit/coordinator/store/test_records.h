// Small jobs, attempts and outcomes to put into a store.
#pragma once

#include "coordinator/engine/records.h"

#include <cstdint>
#include <string>

namespace candor::store {

// Entries "base" and "tuned", which ask scenarios s0, s1, s2 and s2, s0; two samples a trial.
inline engine::JobRecord MakeJob(engine::JobKey key, const std::string& request_id = "") {
  auto job = std::make_shared<v1::Job>();
  job->set_name("jobs/job" + std::to_string(key));
  job->set_display_name("job " + std::to_string(key));
  auto specification = std::make_shared<v1::JobSpecification>();
  specification->set_job(job->name());
  for (const char* id : {"s0", "s1", "s2"}) specification->add_scenarios()->set_id(id);
  v1::ResolvedEntry* base = specification->add_entries();
  base->set_name("base");
  for (const std::uint32_t i : {0U, 1U, 2U}) base->add_scenario_indexes(i);
  v1::ResolvedEntry* tuned = specification->add_entries();
  tuned->set_name("tuned");
  for (const std::uint32_t i : {2U, 0U}) tuned->add_scenario_indexes(i);
  return {key, request_id, std::move(job), std::move(specification)};
}

inline engine::JobStatusRecord MakeStatus(engine::JobKey key, v1::Job::State state,
                                          std::string reason = "") {
  auto status = std::make_shared<v1::Job>();
  status->set_state(state);
  status->set_state_reason(std::move(reason));
  return {key, std::move(status)};
}

inline engine::AttemptRecord MakeAttempt(engine::JobKey job, engine::AttemptId id,
                                         engine::CellKey cell, v1::Attempt::State state,
                                         const std::string& worker = "workers/w") {
  auto attempt = std::make_unique<v1::Attempt>();
  attempt->set_state(state);
  attempt->set_worker(worker);
  attempt->set_money(static_cast<std::int64_t>(id) * 10);
  attempt->mutable_usage()->set_input_tokens(7);
  if (state == v1::Attempt::FAILED) {
    attempt->set_error_class(v1::Attempt::SERVER_ERROR);
    attempt->set_error_text("provider said no");
    attempt->set_http_status(500);
  }
  return {id, job, cell, std::move(attempt)};
}

inline engine::OutcomeRecord MakeOutcome(engine::JobKey job, engine::AttemptId attempt,
                                         engine::CellKey cell,
                                         v1::Outcome::Class outcome_class = v1::Outcome::VALID,
                                         const std::string& text = "A") {
  auto outcome = std::make_unique<v1::Outcome>();
  outcome->set_pair(cell.index / 3);
  outcome->set_class_(outcome_class);
  outcome->set_choice(v1::Outcome::A);
  outcome->set_raw_text(text);
  outcome->set_finish_reason("stop");
  // A double with zero bytes: what is stored is no text.
  v1::ShownValue& shown = *outcome->add_option_a();
  shown.set_attribute("size");
  shown.set_value(8);
  outcome->mutable_usage()->set_output_tokens(1);
  return {job, cell, attempt, std::move(outcome)};
}

inline engine::LeaseBatchRecord MakeLeases(std::uint64_t id,
                                           std::vector<engine::LeaseRecord> leases) {
  return {.id = id,
          .worker = "workers/w" + std::to_string(id),
          .grant_time = TimePoint(Duration(1'000 * static_cast<std::int64_t>(id))),
          .grant_wall = WallTime(Duration(2'000 * static_cast<std::int64_t>(id))),
          .sent_up_to = id - 1,
          .leases = std::move(leases)};
}

}  // namespace candor::store
