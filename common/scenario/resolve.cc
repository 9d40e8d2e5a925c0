#include "common/scenario/resolve.h"

#include "common/base/nearest.h"
#include "common/scenario/analysis_plan.h"
#include "common/scenario/check_counts.h"
#include "common/scenario/describe.h"
#include "common/scenario/deterministic.h"
#include "common/scenario/prompt.h"
#include "common/scenario/validate.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace candor::scenario {
namespace {

using Scenarios = google::protobuf::RepeatedPtrField<v1::Scenario>;
using Ids = google::protobuf::RepeatedPtrField<std::string>;

constexpr std::size_t kMaxNameLength = 128;
constexpr std::size_t kMaxModelLength = 256;
constexpr std::size_t kMaxLabelLength = 256;
constexpr std::size_t kMaxLabels = 64;
constexpr std::uint64_t kMaxSeed = std::uint64_t{1} << 53U;
// The first field of v1.Job that is output only.
constexpr int kFirstOutputField = 30;

std::uint64_t SaturatingProduct(std::uint64_t a, std::uint64_t b) {
  if (a != 0 && b > std::numeric_limits<std::uint64_t>::max() / a) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return a * b;
}

std::uint64_t SaturatingSum(std::uint64_t a, std::uint64_t b) {
  return a + b < a ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

// Some of a list of scenarios, by id, in an order of their own.
class Selection {
 public:
  // All of `scenarios`, in their order.
  explicit Selection(const Scenarios& scenarios) : scenarios_(scenarios) {
    for (int i = 0; i < scenarios.size(); ++i) Insert(static_cast<std::uint32_t>(i));
  }

  const std::vector<std::uint32_t>& positions() const { return positions_; }

  // Those that `ids` name, in that order, or all when it is empty. Unknown and repeated ids become
  // violations; `whole` tells what is known at all from what this selection left out.
  Selection Pick(const Ids& ids, const Selection& whole, const std::string& path,
                 FieldViolations& violations) const {
    if (ids.empty()) return *this;
    Selection picked(scenarios_, 0);
    std::unordered_map<std::string_view, int> seen;
    for (int i = 0; i < ids.size() && !Full(violations); ++i) {
      const auto [first, added] = seen.try_emplace(ids[i], i);
      if (!added) {
        Add(violations, At(path, i), "{} stands at [{}] already; list each scenario once",
            Quoted(ids[i]), first->second);
      } else if (const auto found = by_id_.find(ids[i]); found != by_id_.end()) {
        picked.Insert(found->second);
      } else if (whole.by_id_.contains(ids[i])) {
        Add(violations, At(path, i),
            "{} is left out by job.scenario_ids or job.scenario_limit; an entry asks only "
            "scenarios "
            "that the job selects",
            Quoted(ids[i]));
      } else {
        Add(violations, At(path, i), "{} is no scenario of the job's set{}", Quoted(ids[i]),
            Suggestion(ids[i]));
      }
    }
    return picked;
  }

  void Limit(std::size_t limit) {
    if (limit == 0 || limit >= positions_.size()) return;
    for (std::size_t i = limit; i < positions_.size(); ++i) {
      by_id_.erase(scenarios_[static_cast<int>(positions_[i])].id());
    }
    positions_.resize(limit);
  }

 private:
  Selection(const Scenarios& scenarios, int) : scenarios_(scenarios) {}

  void Insert(std::uint32_t position) {
    positions_.push_back(position);
    by_id_.emplace(scenarios_[static_cast<int>(position)].id(), position);
  }

  // Only among the first thousand, so that a long list of wrong ids costs little.
  std::string Suggestion(const std::string& id) const {
    constexpr std::size_t kCompared = 1'000;
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < std::min(kCompared, positions_.size()); ++i) {
      ids.push_back(scenarios_[static_cast<int>(positions_[i])].id());
    }
    return DidYouMean(id, ids);
  }

  const Scenarios& scenarios_;
  std::vector<std::uint32_t> positions_;
  std::unordered_map<std::string_view, std::uint32_t> by_id_;
};

class Resolver {
 public:
  Resolver(const v1::Job& job, const Scenarios& set_scenarios)
      : job_(job),
        scenarios_(job.has_inline_scenarios() ? job.inline_scenarios().scenarios() : set_scenarios),
        whole_(scenarios_) {}

  FieldViolations Resolve(v1::JobSpecification* specification) {
    CheckJob();
    const Selection selection = SelectScenarios();
    ResolveEntries(selection);
    CheckSize();
    if (violations_.empty()) Finish(selection, specification);
    return std::move(violations_);
  }

 private:
  void CheckJob() {
    CheckText(job_.display_name(), kMaxLabelLength, true, "job.display_name", violations_);
    CheckLabels();
    if (job_.seed() > kMaxSeed) {
      Add(violations_, "job.seed", "is {}; give at most 2^53 ({})", job_.seed(), kMaxSeed);
    }
    if (job_.priority() < -100 || job_.priority() > 100) {
      Add(violations_, "job.priority", "is {}; give a number from -100 to 100", job_.priority());
    }
    if (!v1::Job::AttributeOrder_IsValid(job_.attribute_order())) {
      Add(violations_, "job.attribute_order",
          "is {}, which is no such value; give FIXED or SHUFFLED",
          static_cast<int>(job_.attribute_order()));
    }
    CheckRetry(job_.retry(), "job.retry", violations_);
    CheckBudget(job_.budget(), "job.budget", violations_);
    CheckChoices(job_.choices(), "job.choices", violations_);
    CheckSelfReports(job_.self_reports(), "job.self_reports", violations_);
    CheckPrompts(job_.prompts(), "job.prompts");
  }

  void CheckLabels() {
    if (job_.labels().size() > kMaxLabels) {
      Add(violations_, "job.labels", "has {} items; give at most {}", job_.labels().size(),
          kMaxLabels);
      return;
    }
    // Maps have no order; errors do.
    std::vector<std::pair<std::string, std::string>> labels(job_.labels().begin(),
                                                            job_.labels().end());
    std::sort(labels.begin(), labels.end());
    for (const auto& [key, value] : labels) {
      const std::string field = fmt::format("job.labels[{}]", Quoted(key));
      if (key.empty()) Add(violations_, field, "has an empty key; name the label");
      CheckText(key, kMaxNameLength, true, field, violations_);
      CheckText(value, kMaxLabelLength, true, field, violations_);
    }
  }

  void CheckPrompts(const v1::Prompts& prompts, const std::string& path) {
    if (prompts.has_choice()) ValidatePrompt(prompts.choice(), Join(path, "choice"), violations_);
    if (prompts.has_self_report()) {
      ValidatePrompt(prompts.self_report(), Join(path, "self_report"), violations_);
    }
  }

  // The job's selection: the scenarios picked, in order, as far as the limit goes.
  Selection SelectScenarios() {
    if (job_.has_inline_scenarios()) {
      CheckInline();
    } else if (scenarios_.empty()) {
      Add(violations_, "job.scenario_set", "{} has no scenarios; name a set that has some",
          Quoted(job_.scenario_set()));
    }
    if (job_.scenario_limit() < 0) {
      Add(violations_, "job.scenario_limit", "is {}; give 0 (all of them) or more",
          job_.scenario_limit());
    }
    // Nothing can be told about ids while there is nothing to pick from.
    if (scenarios_.empty()) return whole_;
    Selection selection = whole_.Pick(job_.scenario_ids(), whole_, "job.scenario_ids", violations_);
    selection.Limit(static_cast<std::size_t>(std::max(0, job_.scenario_limit())));
    return selection;
  }

  void CheckInline() {
    const std::string path = "job.inline_scenarios";
    if (!job_.scenario_set().empty()) {
      Add(violations_, path, "stands beside job.scenario_set, which is {}; give one of the two",
          Quoted(job_.scenario_set()));
    }
    const std::size_t size = job_.inline_scenarios().ByteSizeLong();
    if (size > kMaxInlineBytes) {
      Add(violations_, path,
          "has {} bytes; the limit is {}. Upload the scenarios as a set "
          "(candor.v1.ScenarioService/UploadScenarioSet) and name it in job.scenario_set",
          size, kMaxInlineBytes);
      return;
    }
    ValidateScenarios(scenarios_, Join(path, "scenarios"), violations_);
  }

  void ResolveEntries(const Selection& selection) {
    const int count = job_.models_size();
    if (count == 0 || count > kMaxEntries) {
      Add(violations_, "job.models", "has {} entries; give from 1 to {}", count, kMaxEntries);
      return;
    }
    std::vector<std::string> names;
    for (int i = 0; i < count && !Full(violations_); ++i) {
      names.push_back(ResolveEntry(job_.models(i), At("job.models", i), selection));
    }
    CheckNames(names);
    CheckWeightsFrom(names);
    if (job_.has_analysis()) {
      CheckAnalysisPlan(job_.analysis(), entries_, scenarios_, "job.analysis", violations_);
    }
  }

  // Appends to `entries_`; returns the entry's name.
  std::string ResolveEntry(const v1::Entry& entry, const std::string& path,
                           const Selection& selection) {
    v1::ResolvedEntry& resolved = *entries_.Add();
    if (entry.endpoint().empty()) {
      Add(violations_, Join(path, "endpoint"),
          "is empty; name an endpoint of the operator's configuration");
    }
    if (entry.model().empty()) {
      Add(violations_, Join(path, "model"), "is empty; name the model as its endpoint calls it");
    }
    CheckText(entry.endpoint(), kMaxNameLength, true, Join(path, "endpoint"), violations_);
    CheckText(entry.model(), kMaxModelLength, true, Join(path, "model"), violations_);
    CheckText(entry.condition(), kMaxNameLength, true, Join(path, "condition"), violations_);
    CheckText(entry.name(), kMaxModelLength, true, Join(path, "name"), violations_);
    CheckPrompts(entry.prompts(), Join(path, "prompts"));
    if (entry.has_choices()) CheckChoices(entry.choices(), Join(path, "choices"), violations_);
    if (entry.has_self_reports()) {
      CheckSelfReports(entry.self_reports(), Join(path, "self_reports"), violations_);
    }

    resolved.set_name(!entry.name().empty()        ? entry.name()
                      : !entry.condition().empty() ? entry.condition()
                                                   : entry.model());
    resolved.set_endpoint(entry.endpoint());
    resolved.set_model(entry.model());
    resolved.set_condition(entry.condition());
    resolved.set_weights_from(entry.weights_from().empty() ? resolved.name()
                                                           : entry.weights_from());
    if (!scenarios_.empty()) {
      const std::vector<std::uint32_t> asked =
          entry.scenario_ids().empty()
              ? selection.positions()
              : selection
                    .Pick(entry.scenario_ids(), whole_, Join(path, "scenario_ids"), violations_)
                    .positions();
      resolved.mutable_scenario_indexes()->Assign(asked.begin(), asked.end());
    }
    *resolved.mutable_choice_prompt() = entry.prompts().has_choice()  ? entry.prompts().choice()
                                        : job_.prompts().has_choice() ? job_.prompts().choice()
                                                                      : DefaultPrompts().choice();
    *resolved.mutable_self_report_prompt() =
        entry.prompts().has_self_report()  ? entry.prompts().self_report()
        : job_.prompts().has_self_report() ? job_.prompts().self_report()
                                           : DefaultPrompts().self_report();
    v1::Choices& choices = *resolved.mutable_choices();
    choices = entry.has_choices() ? entry.choices() : job_.choices();
    if (choices.orders() == v1::Choices::ORDERS_UNSPECIFIED) choices.set_orders(v1::Choices::ONE);
    if (!choices.has_samples_per_trial()) choices.set_samples_per_trial(1);
    ResolveDesign(choices);
    *resolved.mutable_self_reports() =
        entry.has_self_reports() ? entry.self_reports() : job_.self_reports();
    return resolved.name();
  }

  static void ResolveDesign(v1::Choices& choices) {
    if (choices.design() != v1::Choices::ADAPTIVE) {
      choices.set_design(v1::Choices::RANDOM);
      return;
    }
    v1::Choices::Adaptive& adaptive = *choices.mutable_adaptive();
    if (!adaptive.has_random_pairs()) adaptive.set_random_pairs(kDefaultRandomPairs);
    if (!adaptive.has_candidates()) adaptive.set_candidates(kDefaultCandidates);
  }

  void CheckNames(const std::vector<std::string>& names) {
    std::unordered_map<std::string_view, std::size_t> seen;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) continue;  // the model is empty, which is reported
      const auto [first, added] = seen.try_emplace(names[i], i);
      if (added) continue;
      const bool given = !job_.models(static_cast<int>(i)).name().empty();
      Add(violations_, Join(At("job.models", i), "name"),
          "is {}{}, the name of job.models[{}] as well; give each entry a name of its own",
          Quoted(names[i]), given ? "" : " (left out: the condition, or the model)", first->second);
    }
  }

  void CheckWeightsFrom(const std::vector<std::string>& names) {
    for (int i = 0; i < job_.models_size(); ++i) {
      const std::string& wanted = job_.models(i).weights_from();
      if (wanted.empty() || std::find(names.begin(), names.end(), wanted) != names.end()) continue;
      Add(violations_, Join(At("job.models", i), "weights_from"),
          "{} is no entry of job.models{}; give the name of one, or leave it out for the entry "
          "itself",
          Quoted(wanted), DidYouMean(wanted, names));
    }
  }

  void CheckSize() {
    if (!violations_.empty()) return;  // counts that are out of range have no product
    std::uint64_t cells = 0;
    for (const v1::ResolvedEntry& entry : entries_) {
      const auto scenarios = static_cast<std::uint64_t>(entry.scenario_indexes_size());
      const auto trials = static_cast<std::uint64_t>(entry.choices().trials_per_scenario());
      const auto samples = static_cast<std::uint64_t>(entry.choices().samples_per_trial());
      const auto reports = static_cast<std::uint64_t>(entry.self_reports().reports_per_scenario());
      cells =
          SaturatingSum(cells, SaturatingProduct(scenarios, SaturatingProduct(trials, samples)));
      cells = SaturatingSum(cells, SaturatingProduct(scenarios, reports));
    }
    if (cells == 0) {
      Add(violations_, "job.choices.trials_per_scenario",
          "is 0, as is job.self_reports.reports_per_scenario, so that the job asks nothing; give "
          "one "
          "of them, or one of an entry's, a number above 0");
    } else if (cells > kMaxJobCells) {
      Add(violations_, "job.models",
          "{} ask for {}{} cells (scenarios * trials * samples, and reports); the limit is {}. Ask "
          "less of each scenario, ask fewer scenarios, or split the job",
          job_.models_size() == 1 ? "the entry would" : "the entries together would",
          cells == std::numeric_limits<std::uint64_t>::max() ? "more than " : "", cells,
          kMaxJobCells);
    }
  }

  void Finish(const Selection& selection, v1::JobSpecification* specification) {
    specification->Clear();
    specification->set_job(job_.name());
    specification->set_seed(job_.seed());
    specification->set_attribute_order(
        job_.attribute_order() == v1::Job::SHUFFLED ? v1::Job::SHUFFLED : v1::Job::FIXED);
    // Only what some entry asks is sent to the workers.
    std::vector<bool> asked(static_cast<std::size_t>(scenarios_.size()));
    for (const v1::ResolvedEntry& entry : entries_) {
      for (const std::uint32_t position : entry.scenario_indexes()) asked[position] = true;
    }
    std::vector<std::uint32_t> new_position(asked.size());
    for (const std::uint32_t position : selection.positions()) {
      if (!asked[position]) continue;
      new_position[position] = static_cast<std::uint32_t>(specification->scenarios_size());
      *specification->add_scenarios() = scenarios_[static_cast<int>(position)];
    }
    specification->mutable_entries()->Swap(&entries_);
    for (v1::ResolvedEntry& entry : *specification->mutable_entries()) {
      for (std::uint32_t& position : *entry.mutable_scenario_indexes()) {
        position = new_position[position];
      }
    }
  }

  const v1::Job& job_;
  const Scenarios& scenarios_;
  const Selection whole_;
  google::protobuf::RepeatedPtrField<v1::ResolvedEntry> entries_;
  FieldViolations violations_;
};

}  // namespace

FieldViolations ResolveJob(const v1::Job& job, const Scenarios& set_scenarios,
                           v1::JobSpecification* specification) {
  return Resolver(job, set_scenarios).Resolve(specification);
}

std::string SpecificationHash(const v1::Job& job) {
  v1::Job specified = job;
  specified.clear_name();
  const google::protobuf::Descriptor* descriptor = v1::Job::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = descriptor->field(i);
    if (field->number() >= kFirstOutputField)
      v1::Job::GetReflection()->ClearField(&specified, field);
  }
  return DeterministicHash(specified);
}

}  // namespace candor::scenario
