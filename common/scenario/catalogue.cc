#include "common/scenario/catalogue.h"

#include "common/base/digest.h"
#include "common/scenario/describe.h"
#include "common/scenario/json.h"
#include "common/scenario/read_scenario.h"
#include "common/scenario/validate.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace candor::scenario {
namespace {

constexpr std::string_view kSetPrefix = "scenarioSets/";
constexpr std::size_t kMaxSetName = 63;

// What ContentHash hashes of a text or a number: unambiguous, and independent of protobuf.
void AppendText(std::string_view text, std::string& bytes) {
  bytes += fmt::format("{}:{}", text.size(), text);
}

void CheckSetName(const std::string& name, FieldViolations& violations) {
  const bool right =
      name.size() <= kMaxSetName && name[0] >= 'a' && name[0] <= 'z' &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
  if (right) return;
  Add(violations, "name",
      "is {}; give lower-case letters, digits, '-' and '_', beginning with a letter, at most {}",
      Quoted(name), kMaxSetName);
}

std::string JsonText(const std::string& text) {
  return boost::json::serialize(boost::json::string_view(text));
}

}  // namespace

StatusOr<v1::ScenarioSet> ParseScenarioSet(std::string_view json) {
  CANDOR_ASSIGN_OR_RETURN(const TextValue value, ParseJson(json));
  FieldViolations violations;
  v1::ScenarioSet set;
  std::string name;
  ObjectReader reader(value, "", {"name", "display_name", "scenarios"}, violations);
  reader.Text("name", false, &name);
  reader.Text("display_name", false, set.mutable_display_name());
  CheckText(set.display_name(), kMaxIdLength, true, "display_name", violations);
  if (!name.empty()) {
    CheckSetName(name, violations);
    set.set_name(std::string(kSetPrefix) + name);
  }
  if (const std::vector<TextValue>* scenarios = reader.List("scenarios", true)) {
    ReadScenarios(*scenarios, "scenarios", &set, violations);
  }
  FinishSet("scenarios", &set, violations);
  if (!violations.empty()) return ToStatus(violations);
  return set;
}

std::string PrintScenarioSet(const v1::ScenarioSet& set) {
  std::string name = set.name();
  if (name.starts_with(kSetPrefix)) name.erase(0, kSetPrefix.size());
  std::string text = "{\n";
  if (!name.empty()) text += fmt::format("  \"name\": {},\n", JsonText(name));
  if (!set.display_name().empty()) {
    text += fmt::format("  \"display_name\": {},\n", JsonText(set.display_name()));
  }
  text += "  \"scenarios\": [\n";
  for (int i = 0; i < set.scenarios_size(); ++i) {
    const v1::Scenario& scenario = set.scenarios(i);
    text += fmt::format("    {{\n      \"id\": {},\n", JsonText(scenario.id()));
    if (!scenario.domain().empty()) {
      text += fmt::format("      \"domain\": {},\n", JsonText(scenario.domain()));
    }
    if (!scenario.role().empty()) {
      text += fmt::format("      \"role\": {},\n", JsonText(scenario.role()));
    }
    text += fmt::format("      \"question\": {},\n      \"attributes\": [\n",
                        JsonText(scenario.question()));
    for (int k = 0; k < scenario.attributes_size(); ++k) {
      const v1::Attribute& attribute = scenario.attributes(k);
      text += fmt::format("        {{\"name\": {}, \"unit\": {}, \"min\": {}, \"max\": {}}}{}\n",
                          JsonText(attribute.name()), JsonText(attribute.unit()), attribute.min(),
                          attribute.max(), k + 1 < scenario.attributes_size() ? "," : "");
    }
    text += "      ]";
    if (scenario.instilled_weights_size() > 0) {
      text += fmt::format(",\n      \"instilled_weights\": [{}]",
                          fmt::join(scenario.instilled_weights(), ", "));
    }
    text += fmt::format("\n    }}{}\n", i + 1 < set.scenarios_size() ? "," : "");
  }
  text += "  ]\n}\n";
  return text;
}

std::string ContentHash(const google::protobuf::RepeatedPtrField<v1::Scenario>& scenarios) {
  std::string bytes;
  for (const v1::Scenario& scenario : scenarios) {
    for (const std::string* text :
         {&scenario.id(), &scenario.role(), &scenario.question(), &scenario.domain()}) {
      AppendText(*text, bytes);
    }
    bytes += fmt::format("{} {};", scenario.attributes_size(), scenario.instilled_weights_size());
    for (const v1::Attribute& attribute : scenario.attributes()) {
      AppendText(attribute.name(), bytes);
      AppendText(attribute.unit(), bytes);
      bytes += fmt::format("{:a} {:a};", attribute.min(), attribute.max());
    }
    for (const double weight : scenario.instilled_weights()) bytes += fmt::format("{:a};", weight);
  }
  return Sha256Hex(bytes);
}

}  // namespace candor::scenario
