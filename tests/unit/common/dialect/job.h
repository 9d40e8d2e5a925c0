// A small resolved job for the tests of this room.
#pragma once

#include "candor/v1/specification.pb.h"

#include <google/protobuf/text_format.h>

namespace candor::dialect {

inline v1::JobSpecification SmallJob() {
  v1::JobSpecification job;
  const bool ok = google::protobuf::TextFormat::ParseFromString(
      R"pb(
        job: "jobs/j"
        seed: 7
        entries {
          name: "base"
          endpoint: "local"
          model: "m"
          scenario_indexes: [ 1, 0 ]
          choice_prompt {
            messages { role: "system" content: "You are {role}." }
            messages { role: "user" content: "{question}\nA:\n{option_a}\n\nB:\n{option_b}" }
          }
          self_report_prompt {
            messages { role: "system" content: "Answer in JSON." }
            messages { role: "user" content: "{option_a} or {option_b}? Weigh {attributes}." }
          }
          choices { trials_per_scenario: 4 orders: BOTH samples_per_trial: 1 }
          self_reports { reports_per_scenario: 2 }
        }
        scenarios {
          id: "plot"
          role: "a nurse"
          question: "Which \"plot\"?"
          attributes { name: "sunlight" unit: "hours" min: 1 max: 9 }
          attributes { name: "cost" unit: "" min: 10 max: 90 }
        }
        scenarios {
          id: "flat"
          role: "a student"
          question: "Which flat?"
          attributes { name: "rent" unit: "euros" min: 300 max: 900 }
          attributes { name: "noise" unit: "dB" min: 20 max: 70 }
          attributes { name: "size" unit: "m2" min: 20 max: 70 }
        }
      )pb",
      &job);
  if (!ok) std::abort();
  return job;
}

}  // namespace candor::dialect
