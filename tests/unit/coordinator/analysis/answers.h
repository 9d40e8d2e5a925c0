// A small job and its answers, for the tests of this room: a model with known weights that knows
// itself well, so that the estimates have something to find.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/outcome.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/base/random.h"
#include "common/scenario/cells.h"
#include "common/scenario/resolve.h"
#include "common/scenario/trial.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace candor::analysis {

inline v1::Job ExampleJob() {
  v1::Job job;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        name: "jobs/example"
        models { name: "base" endpoint: "local" model: "m" }
        models {
          name: "control"
          endpoint: "local"
          model: "c"
          weights_from: "base"
          choices { trials_per_scenario: 0 }
        }
        choices { trials_per_scenario: 30 }
        self_reports { reports_per_scenario: 4 }
        attribute_order: SHUFFLED
        seed: 7
      )pb",
      &job));
  for (int s = 0; s < 12; ++s) {
    v1::Scenario& scenario = *job.mutable_inline_scenarios()->add_scenarios();
    scenario.set_id(fmt::format("scenario_{}", s));
    scenario.set_question("Which one?");
    for (int k = 0; k < 4; ++k) {
      v1::Attribute& attribute = *scenario.add_attributes();
      attribute.set_name(fmt::format("attribute {}", k));
      attribute.set_min(k);
      attribute.set_max(10 * (k + 1));
    }
  }
  return job;
}

inline std::shared_ptr<const v1::JobSpecification> Specification(const v1::Job& job) {
  auto specification = std::make_shared<v1::JobSpecification>();
  const FieldViolations violations = scenario::ResolveJob(job, {}, specification.get());
  EXPECT_TRUE(violations.empty()) << Message(ToStatus(violations));
  return specification;
}

// The model's true weight of an attribute of a scenario, in [-100, 100].
inline double TrueWeight(std::uint32_t scenario, int attribute) {
  RandomStream random(41, scenario * 64 + static_cast<std::uint32_t>(attribute));
  return std::round(200 * random.Uniform() - 100);
}

// Every outcome of the job, in the order of cells.
inline std::vector<v1::Outcome> Answers(const v1::JobSpecification& specification) {
  std::vector<v1::Outcome> outcomes;
  for (int e = 0; e < specification.entries_size(); ++e) {
    for (const v1::Cell::Kind kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
      const scenario::CellMap cells(specification, e, kind);
      for (std::uint32_t i = 0; i < cells.size(); ++i) {
        const scenario::CellAddress address = cells.At(i);
        const auto& asked = specification.scenarios(static_cast<int>(address.scenario_index));
        scenario::Trial trial;
        scenario::TrialStream(specification.seed(), asked, kind, specification.attribute_order())
            .Draw(address.pair, address.order, trial);
        RandomStream random(43 + static_cast<std::uint64_t>(e), i);
        v1::Outcome& outcome = outcomes.emplace_back();
        outcome.set_entry(specification.entries(e).name());
        outcome.set_scenario(asked.id());
        outcome.set_kind(kind);
        outcome.set_index(i);
        outcome.set_class_(v1::Outcome::VALID);
        scenario::SetShownValues(asked, trial, &outcome);
        double utility = 0;
        for (int k = 0; k < asked.attributes_size(); ++k) {
          const v1::Attribute& attribute = asked.attributes(k);
          const double weight = TrueWeight(address.scenario_index, k);
          const auto at = static_cast<std::size_t>(k);
          utility +=
              6 * weight / 100 * (trial.a[at] - trial.b[at]) / (attribute.max() - attribute.min());
          if (kind == v1::Cell::SELF_REPORT) {
            v1::ReportedWeight& item = *outcome.add_report();
            item.set_attribute(attribute.name());
            // The control knows nothing of these weights.
            const double noise = 60 * (random.Uniform() - 0.5);
            item.set_value(std::clamp(std::round((e == 0 ? weight : 0) + noise), -100.0, 100.0));
          }
        }
        if (kind == v1::Cell::CHOICE) {
          const bool a = random.Uniform() < 1 / (1 + std::exp(-utility));
          outcome.set_choice(a ? v1::Outcome::A : v1::Outcome::B);
        }
      }
    }
  }
  return outcomes;
}

inline void Shuffle(std::vector<v1::Outcome>& outcomes, std::uint64_t seed) {
  RandomStream random(seed);
  for (std::size_t i = outcomes.size(); i > 1; --i)
    std::swap(outcomes[i - 1], outcomes[random.Below(i)]);
}

}  // namespace candor::analysis
