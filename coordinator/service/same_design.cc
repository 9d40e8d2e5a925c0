#include "coordinator/service/same_design.h"

#include <fmt/format.h>
#include <google/protobuf/util/message_differencer.h>

#include <string>

namespace candor::service {
namespace {

using google::protobuf::util::MessageDifferencer;

class Comparison {
 public:
  Comparison(const v1::JobSpecification& job, const v1::JobSpecification& earlier,
             std::string_view name, FieldViolations& violations)
      : job_(job), earlier_(earlier), name_(name), violations_(violations) {}

  void Run() {
    Same("job.seed", job_.seed(), earlier_.seed());
    if (job_.attribute_order() != earlier_.attribute_order()) Differs("job.attribute_order");
    Same("job.models", job_.entries_size(), earlier_.entries_size());
    for (int i = 0; i < job_.entries_size() && i < earlier_.entries_size(); ++i) Entry(i);
  }

 private:
  template <typename T>
  void Same(const std::string& field, const T& value, const T& before) {
    if (value == before) return;
    violations_.push_back(
        {field, fmt::format("is {}, but {} in {}; its outcomes belong to the same cells only where "
                            "it is the same",
                            value, before, name_)});
  }

  void Differs(const std::string& field) {
    violations_.push_back(
        {field, fmt::format("is another one than in {}; its outcomes belong to the same cells only "
                            "where it is the same",
                            name_)});
  }

  void AtLeast(const std::string& field, int value, int before) {
    if (value >= before) return;
    violations_.push_back(
        {field, fmt::format("is {}, but {} in {}; give at least as many", value, before, name_)});
  }

  void Entry(int i) {
    const v1::ResolvedEntry& entry = job_.entries(i);
    const v1::ResolvedEntry& before = earlier_.entries(i);
    const std::string path = fmt::format("job.models[{}]", i);
    Same(path + ".name", entry.name(), before.name());
    Same(path + ".endpoint", entry.endpoint(), before.endpoint());
    Same(path + ".model", entry.model(), before.model());
    if (!MessageDifferencer::Equals(entry.choice_prompt(), before.choice_prompt()) ||
        !MessageDifferencer::Equals(entry.self_report_prompt(), before.self_report_prompt())) {
      Differs(path + ".prompts");
    }
    Scenarios(entry, before, path + ".scenario_ids");
    v1::Choices choices = entry.choices();
    v1::Choices choices_before = before.choices();
    AtLeast(path + ".choices.trials_per_scenario", choices.trials_per_scenario(),
            choices_before.trials_per_scenario());
    for (v1::Choices* part : {&choices, &choices_before}) {
      part->clear_trials_per_scenario();
      part->clear_sampling();
    }
    if (!MessageDifferencer::Equals(choices, choices_before)) Differs(path + ".choices");
    AtLeast(path + ".self_reports.reports_per_scenario",
            entry.self_reports().reports_per_scenario(),
            before.self_reports().reports_per_scenario());
  }

  void Scenarios(const v1::ResolvedEntry& entry, const v1::ResolvedEntry& before,
                 const std::string& field) {
    if (entry.scenario_indexes_size() != before.scenario_indexes_size()) return Differs(field);
    for (int i = 0; i < entry.scenario_indexes_size(); ++i) {
      const auto& scenario = job_.scenarios(static_cast<int>(entry.scenario_indexes(i)));
      const auto& other = earlier_.scenarios(static_cast<int>(before.scenario_indexes(i)));
      if (!MessageDifferencer::Equals(scenario, other)) return Differs(field);
    }
  }

  const v1::JobSpecification& job_;
  const v1::JobSpecification& earlier_;
  const std::string_view name_;
  FieldViolations& violations_;
};

}  // namespace

void CheckSameDesign(const v1::JobSpecification& job, const v1::JobSpecification& earlier,
                     std::string_view earlier_name, FieldViolations& violations) {
  Comparison(job, earlier, earlier_name, violations).Run();
}

}  // namespace candor::service
