#include "common/scenario/validate.h"

#include "common/scenario/describe.h"
#include "common/scenario/trial.h"

#include <cmath>
#include <string>
#include <unordered_map>

namespace candor::scenario {
namespace {

bool IsIdCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

void CheckId(const std::string& id, const std::string& field, FieldViolations& violations) {
  if (id.empty()) {
    Add(violations, field, "is empty; give an id such as 'community_garden_plot'");
  } else if (id.size() > kMaxIdLength) {
    Add(violations, field, "{} has {} characters; give at most {}", Quoted(id), id.size(),
        kMaxIdLength);
  } else {
    for (const char c : id) {
      if (IsIdCharacter(c)) continue;
      Add(violations, field, "{} holds a character other than A-Z a-z 0-9 _ . -; use only these",
          Quoted(id));
      return;
    }
  }
}

void CheckRange(const v1::Attribute& attribute, const std::string& path,
                FieldViolations& violations) {
  bool usable = true;
  const auto check_bound = [&](double bound, std::string_view name) {
    if (std::isfinite(bound) && std::abs(bound) <= kMaxBound) return;
    usable = false;
    Add(violations, Join(path, name), "is {}; give a finite number from -1e12 to 1e12",
        FormatValue(bound));
  };
  check_bound(attribute.min(), "min");
  check_bound(attribute.max(), "max");
  if (!usable) return;
  if (!(attribute.min() < attribute.max())) {
    Add(violations, Join(path, "min"), "is {}, not below max, which is {}; give min < max",
        FormatValue(attribute.min()), FormatValue(attribute.max()));
  } else if (attribute.max() - attribute.min() < kMinRange) {
    Add(violations, Join(path, "max"),
        "is only {} above min; give a range of at least 1e-06, or use a smaller unit",
        FormatValue(attribute.max() - attribute.min()));
  }
}

void CheckAttributes(const v1::Scenario& scenario, std::string_view path,
                     FieldViolations& violations) {
  const std::string list = Join(path, "attributes");
  const int count = scenario.attributes_size();
  if (count < kMinAttributes || count > kMaxAttributes) {
    Add(violations, list, "has {} {}; give from {} to {}", count, count == 1 ? "item" : "items",
        kMinAttributes, kMaxAttributes);
    // What is wrong within a list of absurd length does not matter.
    if (count > kMaxAttributes) return;
  }
  std::unordered_map<std::string_view, int> seen;
  for (int k = 0; k < count; ++k) {
    const v1::Attribute& attribute = scenario.attributes(k);
    const std::string item = At(list, k);
    const std::string name_field = Join(item, "name");
    if (attribute.name().empty()) {
      Add(violations, name_field, "is empty; name the attribute");
    } else if (const auto [first, added] = seen.try_emplace(attribute.name(), k); !added) {
      Add(violations, name_field, "{} is the name of attributes[{}] as well; give each its own",
          Quoted(attribute.name()), first->second);
    }
    CheckText(attribute.name(), kMaxAttributeNameLength, true, name_field, violations);
    CheckText(attribute.unit(), kMaxUnitLength, true, Join(item, "unit"), violations);
    CheckRange(attribute, item, violations);
  }
}

void CheckInstilledWeights(const v1::Scenario& scenario, std::string_view path,
                           FieldViolations& violations) {
  const int count = scenario.instilled_weights_size();
  if (count == 0) return;
  const std::string list = Join(path, "instilled_weights");
  if (count != scenario.attributes_size()) {
    Add(violations, list, "has {} items; give one an attribute, {}, or none", count,
        scenario.attributes_size());
    return;
  }
  for (int k = 0; k < count; ++k) {
    const double weight = scenario.instilled_weights(k);
    if (!(weight >= -100 && weight <= 100)) {
      Add(violations, At(list, k), "is {}; give a number from -100 to 100", FormatValue(weight));
    }
  }
}

}  // namespace

void ValidateScenario(const v1::Scenario& scenario, std::string_view path,
                      FieldViolations& violations) {
  CheckId(scenario.id(), Join(path, "id"), violations);
  CheckText(scenario.role(), kMaxRoleLength, false, Join(path, "role"), violations);
  CheckText(scenario.domain(), kMaxIdLength, true, Join(path, "domain"), violations);
  if (scenario.question().empty()) {
    Add(violations, Join(path, "question"), "is empty; give the question that the options answer");
  }
  CheckText(scenario.question(), kMaxQuestionLength, false, Join(path, "question"), violations);
  CheckAttributes(scenario, path, violations);
  CheckInstilledWeights(scenario, path, violations);
}

void ValidateScenarios(const google::protobuf::RepeatedPtrField<v1::Scenario>& scenarios,
                       std::string_view path, FieldViolations& violations) {
  const std::string list(path.empty() ? "the list" : path);
  if (scenarios.empty()) {
    Add(violations, list, "is empty; give at least one scenario");
  }
  if (scenarios.size() > kMaxScenarios) {
    Add(violations, list, "has {} scenarios; give at most {}", scenarios.size(), kMaxScenarios);
    return;
  }
  std::unordered_map<std::string_view, int> seen;
  for (int i = 0; i < scenarios.size() && !Full(violations); ++i) {
    const v1::Scenario& scenario = scenarios[i];
    const std::string item = At(path, i);
    ValidateScenario(scenario, item, violations);
    if (scenario.id().empty()) continue;
    if (const auto [first, added] = seen.try_emplace(scenario.id(), i); !added) {
      Add(violations, Join(item, "id"), "{} is the id of [{}] as well; give each scenario its own",
          Quoted(scenario.id()), first->second);
    }
  }
}

}  // namespace candor::scenario
