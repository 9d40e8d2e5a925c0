#include "cli/paper_rows.h"

#include "common/scenario/trial.h"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace candor::cli {
namespace {

using ShownValues = google::protobuf::RepeatedPtrField<v1::ShownValue>;

// RFC 4180, quoted where needed only: as pandas writes.
void AppendField(std::string_view text, std::string* row) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    *row += text;
    return;
  }
  *row += '"';
  for (const char c : text) {
    if (c == '"') *row += '"';
    *row += c;
  }
  *row += '"';
}

void AppendNames(const char* prefix, int attributes, std::string* header) {
  for (int k = 1; k <= attributes; ++k) *header += fmt::format(",{}{}", prefix, k);
}

StatusOr<double> Shown(const ShownValues& values, const v1::Attribute& attribute,
                       const v1::Outcome& outcome) {
  for (const v1::ShownValue& shown : values) {
    if (shown.attribute() == attribute.name()) return shown.value();
  }
  return DataLoss("the outcome {} {} {} of entry {} has no value of the attribute \"{}\"",
                  outcome.scenario(), v1::Cell::Kind_Name(outcome.kind()), outcome.index(),
                  outcome.entry(), attribute.name());
}

Status AppendOption(const ShownValues& values, const v1::Outcome& outcome,
                    const v1::Scenario& scenario, int attributes, std::string* row) {
  for (int k = 0; k < attributes; ++k) {
    *row += ',';
    if (k >= scenario.attributes_size()) continue;
    CANDOR_ASSIGN_OR_RETURN(const double value, Shown(values, scenario.attributes(k), outcome));
    scenario::AppendValue(value, *row);
  }
  return absl::OkStatus();
}

// The numbers of a reply that is a JSON object, to see which it wrote with a point: Python's json
// keeps 20 and 20.0 apart, and so do the paper's files.
class WrittenNumbers {
 public:
  explicit WrittenNumbers(const std::string& text) {
    boost::system::error_code error;
    value_ = boost::json::parse(text, error);
    if (error) value_ = nullptr;
  }

  bool HasPoint(const std::string& key) const {
    const boost::json::object* object = value_.if_object();
    const boost::json::value* number = object == nullptr ? nullptr : object->if_contains(key);
    return number != nullptr && number->is_double();
  }

 private:
  boost::json::value value_;
};

// Integers beyond this have lost digits, and print as floats do.
constexpr double kExactIntegers = 9007199254740992.0;

}  // namespace

bool IsReadable(v1::Outcome::Class outcome_class) {
  return outcome_class == v1::Outcome::VALID || outcome_class == v1::Outcome::REPAIRED ||
         outcome_class == v1::Outcome::OUT_OF_RANGE;
}

std::string SelectionsHeader(int attributes) {
  std::string header = "model,scenario,selection";
  AppendNames("A_attribute_", attributes, &header);
  AppendNames("B_attribute_", attributes, &header);
  return header + "\n";
}

std::string WeightReportsHeader(int attributes) {
  std::string header = "explaining_model,version,scenario";
  AppendNames("report_attr", attributes, &header);
  AppendNames("A_attribute_", attributes, &header);
  AppendNames("B_attribute_", attributes, &header);
  return header + "\n";
}

std::string RegressionHeader(int attributes) {
  std::string header = "scenario";
  AppendNames("b_attr", attributes, &header);
  return header + "\n";
}

StatusOr<std::string> SelectionsRow(std::string_view model, const v1::Outcome& outcome,
                                    const v1::Scenario& scenario, int attributes) {
  std::string row;
  AppendField(model, &row);
  row += ',';
  AppendField(outcome.scenario(), &row);
  row += outcome.choice() == v1::Outcome::A ? ",A" : ",B";
  CANDOR_RETURN_IF_ERROR(AppendOption(outcome.option_a(), outcome, scenario, attributes, &row));
  CANDOR_RETURN_IF_ERROR(AppendOption(outcome.option_b(), outcome, scenario, attributes, &row));
  return row + "\n";
}

StatusOr<std::string> WeightReportsRow(std::string_view model, std::string_view version,
                                       const v1::Outcome& outcome, const v1::Scenario& scenario,
                                       int attributes) {
  std::string row;
  AppendField(model, &row);
  row += ',';
  AppendField(version, &row);
  row += ',';
  AppendField(outcome.scenario(), &row);
  const WrittenNumbers written(outcome.raw_text());
  for (int k = 0; k < attributes; ++k) {
    row += ',';
    if (k >= scenario.attributes_size()) continue;
    const std::string& name = scenario.attributes(k).name();
    const v1::ReportedWeight* weight = nullptr;
    for (const v1::ReportedWeight& one : outcome.report()) {
      if (one.attribute() == name && one.has_value()) weight = &one;
    }
    if (weight == nullptr) {
      return DataLoss("the report {} {} of entry {} has no number for the attribute \"{}\"",
                      outcome.scenario(), outcome.index(), outcome.entry(), name);
    }
    const double value = weight->value();
    if (std::nearbyint(value) == value && std::abs(value) < kExactIntegers &&
        !written.HasPoint(name)) {
      row += fmt::format("{:.0f}", value);
    } else {
      scenario::AppendValue(value, row);
    }
  }
  CANDOR_RETURN_IF_ERROR(AppendOption(outcome.option_a(), outcome, scenario, attributes, &row));
  CANDOR_RETURN_IF_ERROR(AppendOption(outcome.option_b(), outcome, scenario, attributes, &row));
  return row + "\n";
}

std::string RegressionRow(std::string_view scenario, std::span<const double> weights,
                          int attributes) {
  std::string row;
  AppendField(scenario, &row);
  for (int k = 0; k < attributes; ++k) {
    row += ',';
    // The default rounding mode is half to even; what rounds to zero from below is "-0", as theirs.
    if (static_cast<std::size_t>(k) < weights.size())
      row += fmt::format("{:.0f}", std::nearbyint(weights[static_cast<std::size_t>(k)]));
  }
  return row + "\n";
}

StatusOr<std::vector<double>> Differences(const v1::Outcome& outcome,
                                          const v1::Scenario& scenario) {
  std::vector<double> x;
  x.reserve(static_cast<std::size_t>(scenario.attributes_size()));
  for (const v1::Attribute& attribute : scenario.attributes()) {
    CANDOR_ASSIGN_OR_RETURN(const double a, Shown(outcome.option_a(), attribute, outcome));
    CANDOR_ASSIGN_OR_RETURN(const double b, Shown(outcome.option_b(), attribute, outcome));
    x.push_back((a - b) / (attribute.max() - attribute.min()));
  }
  return x;
}

}  // namespace candor::cli
