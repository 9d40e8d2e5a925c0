#include "common/scenario/import.h"

#include "common/base/csv.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/describe.h"
#include "common/scenario/json.h"
#include "common/scenario/python_random.h"
#include "common/scenario/read_scenario.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace candor::scenario {
namespace {

bool IsCandidateList(const std::vector<TextValue>& list) {
  return !list.empty() && FindMember(list[0], "short_name") != nullptr;
}

void ReadCandidate(const TextValue& value, const std::string& path, v1::Scenario* scenario,
                   FieldViolations& violations) {
  ObjectReader reader(value, path, {"short_name", "question", "attributes"}, violations);
  reader.Text("short_name", true, scenario->mutable_id());
  reader.Text("question", true, scenario->mutable_question());
  const std::vector<TextValue>* attributes = reader.List("attributes", true);
  if (attributes == nullptr) return;
  for (std::size_t k = 0; k < attributes->size() && !Full(violations); ++k) {
    v1::Attribute* attribute = scenario->add_attributes();
    ObjectReader item((*attributes)[k], At(reader.Path("attributes"), k),
                      {"name", "units", "range"}, violations);
    item.Text("name", true, attribute->mutable_name());
    item.Text("units", true, attribute->mutable_unit());
    const std::vector<TextValue>* range = item.List("range", true);
    if (range == nullptr) continue;
    if (range->size() != 2) {
      Add(violations, item.Path("range"), "has {} items; give two, [min, max]", range->size());
      continue;
    }
    double min = 0;
    double max = 0;
    ReadNumber((*range)[0], At(item.Path("range"), 0), &min, violations);
    ReadNumber((*range)[1], At(item.Path("range"), 1), &max, violations);
    attribute->set_min(min);
    attribute->set_max(max);
  }
}

// The roles in the order in which scenarios get them.
StatusOr<std::vector<std::string>> ShuffledRoles(std::string_view roles_csv, std::uint64_t seed) {
  auto records = ParseCsv(roles_csv);
  if (!records.ok()) return Annotate(records.status(), "roles");
  std::vector<std::string> roles;
  roles.reserve(records->size());
  for (CsvRecord& record : *records) {
    if (record.fields.size() != 1) {
      return InvalidArgument(
          "roles: line {} has {} fields; give one role a line, in quotes if it "
          "holds a comma",
          record.line, record.fields.size());
    }
    roles.push_back(std::move(record.fields[0]));
  }
  PythonRandom(seed).Shuffle(roles);
  return roles;
}

StatusOr<v1::ScenarioSet> ImportCandidates(const std::vector<TextValue>& list,
                                           std::string_view roles_csv,
                                           const CandidateOptions& options) {
  v1::ScenarioSet set;
  FieldViolations violations;
  const std::size_t count = std::min(list.size(), options.count);
  for (std::size_t i = 0; i < count && !Full(violations); ++i) {
    ReadCandidate(list[i], At("", i), set.add_scenarios(), violations);
  }
  if (!violations.empty()) return ToStatus(violations);
  if (!roles_csv.empty()) {
    CANDOR_ASSIGN_OR_RETURN(std::vector<std::string> roles,
                            ShuffledRoles(roles_csv, options.roles_seed));
    if (roles.size() < count) {
      return InvalidArgument("roles: has {} roles for {} scenarios; give at least as many",
                             roles.size(), count);
    }
    for (std::size_t i = 0; i < count; ++i) {
      set.mutable_scenarios(static_cast<int>(i))->set_role(std::move(roles[i]));
    }
  }
  FinishSet("", &set, violations);
  if (!violations.empty()) return ToStatus(violations);
  return set;
}

}  // namespace

StatusOr<v1::ScenarioSet> ImportScenarios(std::string_view scenarios_json,
                                          std::string_view roles_csv,
                                          const CandidateOptions& options) {
  CANDOR_ASSIGN_OR_RETURN(const TextValue value, ParseJson(scenarios_json));
  const bool is_list = value.kind == TextValue::Kind::kList;
  if (is_list && IsCandidateList(value.items)) {
    return ImportCandidates(value.items, roles_csv, options);
  }
  if (!roles_csv.empty()) {
    return InvalidArgument(
        "roles: are given beside scenarios in Candor's own format, which have their roles in the "
        "file; give roles only with a list of candidates (short_name, question, attributes)");
  }
  if (value.kind == TextValue::Kind::kMap) {
    CANDOR_ASSIGN_OR_RETURN(v1::ScenarioSet set, ParseScenarioSet(scenarios_json));
    set.clear_name();
    return set;
  }
  if (!is_list) {
    return InvalidArgument(
        "the file is {}; give a scenario set (an object with scenarios), a list "
        "of scenarios, or a list of candidates (short_name, question, attributes)",
        TypeName(value));
  }
  v1::ScenarioSet set;
  FieldViolations violations;
  ReadScenarios(value.items, "", &set, violations);
  FinishSet("", &set, violations);
  if (!violations.empty()) return ToStatus(violations);
  return set;
}

}  // namespace candor::scenario
