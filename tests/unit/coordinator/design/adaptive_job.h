// A resolved adaptive job, and answers to it.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/scenario/cells.h"
#include "common/scenario/trial.h"

#include <string>

namespace candor::design {

// One entry that asks two scenarios of three attributes.
inline v1::JobSpecification AdaptiveJob(int trials = 12, int random_pairs = 3) {
  v1::JobSpecification specification;
  specification.set_job("jobs/adaptive");
  specification.set_seed(7);
  specification.set_attribute_order(v1::Job::FIXED);
  for (const char* id : {"plot", "flat"}) {
    v1::Scenario& scenario = *specification.add_scenarios();
    scenario.set_id(id);
    for (const char* name : {"sun", "cost", "size"}) {
      v1::Attribute& attribute = *scenario.add_attributes();
      attribute.set_name(name);
      attribute.set_min(10);
      attribute.set_max(60);
    }
  }
  v1::ResolvedEntry& entry = *specification.add_entries();
  entry.set_name("base");
  entry.add_scenario_indexes(1);
  entry.add_scenario_indexes(0);
  v1::Choices& choices = *entry.mutable_choices();
  choices.set_trials_per_scenario(trials);
  choices.set_samples_per_trial(1);
  choices.set_orders(v1::Choices::ONE);
  choices.set_design(v1::Choices::ADAPTIVE);
  choices.mutable_adaptive()->set_random_pairs(random_pairs);
  choices.mutable_adaptive()->set_candidates(16);
  return specification;
}

// As a worker sends it: the address of a cell, the options shown, the letter.
inline v1::Outcome Answer(const v1::Scenario& scenario, const scenario::CellAddress& address,
                          const scenario::Trial& trial, v1::Outcome::Choice choice) {
  v1::Outcome outcome;
  outcome.set_kind(v1::Cell::CHOICE);
  outcome.set_pair(address.pair);
  outcome.set_order(address.order);
  outcome.set_sample(address.sample);
  outcome.set_class_(v1::Outcome::VALID);
  outcome.set_choice(choice);
  scenario::SetShownValues(scenario, trial, &outcome);
  return outcome;
}

}  // namespace candor::design
