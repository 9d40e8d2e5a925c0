// One scenario of our own file format. Private to the room.
#pragma once

#include "candor/v1/scenario.pb.h"
#include "common/base/text_value.h"
#include "common/base/violations.h"

#include <string>
#include <vector>

namespace candor::scenario {

// Reads {"id", "domain", "role", "question", "attributes", "instilled_weights"}; what is wrong with
// its form is added to `violations`, its meaning is for ValidateScenario.
void ReadScenario(const TextValue& value, const std::string& path, v1::Scenario* scenario,
                  FieldViolations& violations);

// Reads a list of them.
void ReadScenarios(const std::vector<TextValue>& list, const std::string& path,
                   v1::ScenarioSet* set, FieldViolations& violations);

// Validates the scenarios of a set that was read without violations, and completes it: count and
// content hash.
void FinishSet(const std::string& path, v1::ScenarioSet* set, FieldViolations& violations);

}  // namespace candor::scenario
