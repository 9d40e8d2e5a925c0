#include "common/scenario/read_scenario.h"

#include "common/scenario/catalogue.h"
#include "common/scenario/describe.h"
#include "common/scenario/json.h"
#include "common/scenario/validate.h"

#include <cstddef>

namespace candor::scenario {

void ReadScenario(const TextValue& value, const std::string& path, v1::Scenario* scenario,
                  FieldViolations& violations) {
  ObjectReader reader(value, path,
                      {"id", "domain", "role", "question", "attributes", "instilled_weights"},
                      violations);
  reader.Text("id", true, scenario->mutable_id());
  reader.Text("domain", false, scenario->mutable_domain());
  reader.Text("role", false, scenario->mutable_role());
  reader.Text("question", true, scenario->mutable_question());
  if (const std::vector<TextValue>* attributes = reader.List("attributes", true)) {
    for (std::size_t k = 0; k < attributes->size() && !Full(violations); ++k) {
      v1::Attribute* attribute = scenario->add_attributes();
      ObjectReader item((*attributes)[k], At(reader.Path("attributes"), k),
                        {"name", "unit", "min", "max"}, violations);
      double min = 0;
      double max = 0;
      item.Text("name", true, attribute->mutable_name());
      item.Text("unit", false, attribute->mutable_unit());
      item.Number("min", true, &min);
      item.Number("max", true, &max);
      attribute->set_min(min);
      attribute->set_max(max);
    }
  }
  if (const std::vector<TextValue>* weights = reader.List("instilled_weights", false)) {
    for (std::size_t k = 0; k < weights->size() && !Full(violations); ++k) {
      double weight = 0;
      ReadNumber((*weights)[k], At(reader.Path("instilled_weights"), k), &weight, violations);
      scenario->add_instilled_weights(weight);
    }
  }
}

void ReadScenarios(const std::vector<TextValue>& list, const std::string& path,
                   v1::ScenarioSet* set, FieldViolations& violations) {
  for (std::size_t i = 0; i < list.size() && !Full(violations); ++i) {
    ReadScenario(list[i], At(path, i), set->add_scenarios(), violations);
  }
}

void FinishSet(const std::string& path, v1::ScenarioSet* set, FieldViolations& violations) {
  if (!violations.empty()) return;
  ValidateScenarios(set->scenarios(), path, violations);
  set->set_scenario_count(set->scenarios_size());
  set->set_content_hash(ContentHash(set->scenarios()));
}

}  // namespace candor::scenario
