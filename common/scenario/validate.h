// What makes a scenario valid. Everything wrong is reported at once, field by field.
#pragma once

#include "candor/v1/scenario.pb.h"
#include "common/base/violations.h"

#include <google/protobuf/repeated_ptr_field.h>

#include <cstddef>
#include <string_view>

namespace candor::scenario {

// Limits of a scenario. Texts are in bytes.
inline constexpr std::size_t kMaxIdLength = 128;
inline constexpr std::size_t kMaxRoleLength = 2'000;
inline constexpr std::size_t kMaxQuestionLength = 10'000;
inline constexpr std::size_t kMaxAttributeNameLength = 128;
inline constexpr std::size_t kMaxUnitLength = 128;
inline constexpr int kMinAttributes = 2;
inline constexpr int kMaxAttributes = 64;
// Bounds of a range are at most this large, and at least so far apart: beyond, doubles cannot hold
// a value together with its decimals.
inline constexpr double kMaxBound = 1e12;
inline constexpr double kMinRange = 1e-6;
inline constexpr int kMaxScenarios = 50'000;
// A list of violations ends here: nobody reads further, and bad input costs bounded memory.
inline constexpr std::size_t kMaxViolations = 100;

// Adds what is wrong with one scenario: id (1 to 128 characters of A-Z a-z 0-9 _ . -), empty
// question, fewer than 2 or more than 64 attributes, empty or duplicate attribute names, line
// breaks and other control characters in names and units, bounds that are not finite or not min <
// max, instilled weights that are not one finite number in [-100, 100] an attribute, texts over
// their limits. An empty role is right: a prompt without {role} needs none. `path` is that of the
// scenario: "job.inline_scenarios.scenarios[3]".
void ValidateScenario(const v1::Scenario& scenario, std::string_view path,
                      FieldViolations& violations);

// The same for each of a list, and for the list: at least one scenario, at most 50,000, unique
// ids. `path` is that of the list: "job.inline_scenarios.scenarios".
void ValidateScenarios(const google::protobuf::RepeatedPtrField<v1::Scenario>& scenarios,
                       std::string_view path, FieldViolations& violations);

}  // namespace candor::scenario
