#include "common/scenario/analysis_plan.h"

#include "common/base/nearest.h"
#include "common/scenario/describe.h"
#include "common/scenario/deterministic.h"
#include "common/scenario/trial.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <unordered_set>
#include <utility>

namespace candor::scenario {
namespace {

using Entries = google::protobuf::RepeatedPtrField<v1::ResolvedEntry>;
using Scenarios = google::protobuf::RepeatedPtrField<v1::Scenario>;
using Exclusions = v1::AnalysisPlan::Exclusions;

constexpr int kMaxPrimary = 100;
constexpr int kMaxContrasts = 1'000;

bool AsksChoices(const v1::ResolvedEntry& entry) {
  return entry.choices().trials_per_scenario() > 0;
}

bool AsksReports(const v1::ResolvedEntry& entry) {
  return entry.self_reports().reports_per_scenario() > 0;
}

class Checker {
 public:
  Checker(const v1::AnalysisPlan& plan, const Entries& entries, const Scenarios& scenarios,
          std::string path, FieldViolations& violations)
      : plan_(plan),
        entries_(entries),
        scenarios_(scenarios),
        path_(std::move(path)),
        violations_(violations) {
    for (const v1::ResolvedEntry& entry : entries_) {
      names_.push_back(entry.name());
      for (const std::uint32_t position : entry.scenario_indexes()) asked_.insert(position);
    }
  }

  void Check() {
    CheckTau();
    CheckContrasts();
    CheckPrimary();
    CheckExclusions();
  }

 private:
  const v1::ResolvedEntry* Find(std::string_view name) const {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& entry) { return entry.name() == name; });
    return found == entries_.end() ? nullptr : &*found;
  }

  void CheckTau() {
    if (!plan_.has_tau() || (plan_.tau() >= kMinTau && plan_.tau() <= kMaxTau)) return;
    Add(violations_, Join(path_, "tau"),
        "is {}; give a number from {} to {}, such as 1 (the paper's) or 5, or leave it out",
        FormatValue(plan_.tau()), kMinTau, kMaxTau);
  }

  // The entry that a contrast names; it has to ask for self-reports.
  const v1::ResolvedEntry* CheckReporter(const std::string& name, const std::string& field) {
    const v1::ResolvedEntry* entry = Find(name);
    if (entry == nullptr) {
      Add(violations_, field, "{} is no entry of job.models{}; give the name of one", Quoted(name),
          DidYouMean(name, names_));
    } else if (!AsksReports(*entry)) {
      Add(violations_, field,
          "{} asks for no self-reports, which a contrast compares; name an entry with "
          "reports_per_scenario above 0",
          Quoted(name));
    }
    return entry;
  }

  void CheckContrasts() {
    const std::string path = Join(path_, "contrasts");
    if (plan_.contrasts_size() > kMaxContrasts) {
      return Add(violations_, path, "has {} items; give at most {}", plan_.contrasts_size(),
                 kMaxContrasts);
    }
    std::map<std::pair<std::string, std::string>, int> seen;
    for (int i = 0; i < plan_.contrasts_size() && !Full(violations_); ++i) {
      const v1::AnalysisPlan::Contrast& contrast = plan_.contrasts(i);
      CheckReporter(contrast.trained(), Join(At(path, i), "trained"));
      CheckReporter(contrast.untrained(), Join(At(path, i), "untrained"));
      if (contrast.trained() == contrast.untrained()) {
        Add(violations_, At(path, i), "compares {} with itself; name two entries",
            Quoted(contrast.trained()));
      }
      const auto [first, added] = seen.try_emplace({contrast.trained(), contrast.untrained()}, i);
      if (!added) {
        Add(violations_, At(path, i), "is the same as [{}]; give each contrast once",
            first->second);
      }
    }
  }

  void CheckPrimary() {
    const std::string path = Join(path_, "primary");
    if (plan_.primary_size() > kMaxPrimary) {
      return Add(violations_, path,
                 "has {} items; give at most {}: each one more costs the others power",
                 plan_.primary_size(), kMaxPrimary);
    }
    std::map<std::string, int> seen;
    for (int i = 0; i < plan_.primary_size() && !Full(violations_); ++i) {
      const std::string& text = plan_.primary(i);
      const auto [first, added] = seen.try_emplace(text, i);
      if (!added) {
        Add(violations_, At(path, i), "{} stands at [{}] already; name each statistic once",
            Quoted(text), first->second);
        continue;
      }
      CheckStatistic(text, At(path, i));
    }
  }

  void CheckStatistic(const std::string& text, const std::string& field) {
    const std::optional<PlannedStatistic> planned = ParsePlannedStatistic(text);
    if (!planned) {
      return Add(violations_, field,
                 "{} is no statistic; give ENTRY.self_reports, ENTRY.learned_vs_instilled, "
                 "ENTRY.contrast_self_reports, pooled.contrast_self_reports or "
                 "privileged_access{}",
                 Quoted(text), DidYouMean(text, KnownStatistics()));
    }
    if (planned->statistic == kPrivilegedAccess) return CheckPrivilegedAccess(field);
    if (planned->entry == kPooled) return CheckPooled(text, planned->statistic, field);
    const v1::ResolvedEntry* entry = Find(planned->entry);
    if (entry == nullptr) {
      return Add(violations_, field, "{} names {}, which is no entry of job.models{}", Quoted(text),
                 Quoted(planned->entry), DidYouMean(planned->entry, names_));
    }
    if (planned->statistic == kSelfReports) return CheckSelfReports(*entry, field);
    if (planned->statistic == kLearnedVsInstilled) return CheckInstilled(*entry, field);
    if (planned->statistic == kContrastSelfReports) return CheckContrastOf(*entry, field);
    Add(violations_, field,
        "{} names {}, which is no statistic of an entry{}; give self_reports, "
        "learned_vs_instilled or contrast_self_reports",
        Quoted(text), Quoted(planned->statistic), DidYouMean(text, KnownStatistics()));
  }

  // For suggestions only.
  std::vector<std::string> KnownStatistics() const {
    std::vector<std::string> known = {fmt::format("{}.{}", kPooled, kContrastSelfReports),
                                      std::string(kPrivilegedAccess)};
    for (const std::string& name : names_) {
      for (const auto statistic : {kSelfReports, kLearnedVsInstilled, kContrastSelfReports})
        known.push_back(fmt::format("{}.{}", name, statistic));
    }
    return known;
  }

  void CheckSelfReports(const v1::ResolvedEntry& entry, const std::string& field) {
    if (!AsksReports(entry)) {
      return Add(violations_, field,
                 "needs self-reports, and entry {} asks for none; give it reports_per_scenario "
                 "above 0, or name another entry",
                 Quoted(entry.name()));
    }
    const v1::ResolvedEntry* chooser = Find(entry.weights_from());
    // An unknown chooser is reported where it is named.
    if (chooser == nullptr || AsksChoices(*chooser)) return;
    Add(violations_, field,
        "needs estimated weights, and entry {}, whose weights they are, asks for no choices; give "
        "it trials_per_scenario above 0, or set weights_from of entry {}",
        Quoted(chooser->name()), Quoted(entry.name()));
  }

  void CheckInstilled(const v1::ResolvedEntry& entry, const std::string& field) {
    if (!AsksChoices(entry)) {
      return Add(violations_, field,
                 "needs choices, and entry {} asks for none; give it trials_per_scenario above 0, "
                 "or name another entry",
                 Quoted(entry.name()));
    }
    const auto& positions = entry.scenario_indexes();
    const bool any = std::any_of(positions.begin(), positions.end(), [&](std::uint32_t position) {
      return !scenarios_[static_cast<int>(position)].instilled_weights().empty();
    });
    if (any) return;
    Add(violations_, field,
        "needs scenarios with instilled_weights, and entry {} asks none; give the scenarios their "
        "weights, or leave the statistic out",
        Quoted(entry.name()));
  }

  void CheckContrastOf(const v1::ResolvedEntry& entry, const std::string& field) {
    const auto contrasts = PlannedContrasts(plan_, entries_);
    const bool any = std::any_of(contrasts.begin(), contrasts.end(), [&](const auto& contrast) {
      return contrast.trained() == entry.name();
    });
    if (any) return;
    Add(violations_, field,
        "needs a contrast in which entry {} is the trained one; add it to {}.contrasts",
        Quoted(entry.name()), path_);
  }

  void CheckPooled(const std::string& text, const std::string& statistic,
                   const std::string& field) {
    if (statistic != kContrastSelfReports) {
      return Add(violations_, field, "{} is no pooled statistic; give pooled.contrast_self_reports",
                 Quoted(text));
    }
    if (!PlannedContrasts(plan_, entries_).empty()) return;
    Add(violations_, field,
        "needs contrasts, and the job has none: no two entries with self-reports are judged "
        "against the same weights; name some in {}.contrasts",
        path_);
  }

  void CheckPrivilegedAccess(const std::string& field) {
    const auto both = std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) {
      return AsksReports(entry) && AsksChoices(entry);
    });
    if (both >= 2) return;
    Add(violations_, field,
        "compares entries with each other, and {} of job.models ask for both choices and "
        "self-reports; at least 2 have to",
        both);
  }

  void CheckExclusions() {
    const std::string path = Join(path_, "exclusions");
    const Exclusions& exclusions = plan_.exclusions();
    CheckScenarioIds(exclusions, Join(path, "scenario_ids"));
    CheckClasses(exclusions, Join(path, "classes"));
    CheckLeast(exclusions.min_reports_per_scenario(), "reports", &Checker::ReportsOf,
               Join(path, "min_reports_per_scenario"));
    CheckLeast(exclusions.min_choices_per_scenario(), "choices", &Checker::ChoicesOf,
               Join(path, "min_choices_per_scenario"));
    const std::string field = Join(path, "out_of_range");
    if (!v1::AnalysisPlan::OutOfRange_IsValid(exclusions.out_of_range())) {
      Add(violations_, field, "is {}, which is no such value; give AS_IS, CLIPPED or DROPPED",
          static_cast<int>(exclusions.out_of_range()));
    }
    const auto& classes = exclusions.classes();
    const bool dropped =
        std::find(classes.begin(), classes.end(), v1::Outcome::OUT_OF_RANGE) != classes.end();
    if (dropped && (exclusions.out_of_range() == v1::AnalysisPlan::AS_IS ||
                    exclusions.out_of_range() == v1::AnalysisPlan::CLIPPED)) {
      Add(violations_, field,
          "is {}, and {}.classes leaves OUT_OF_RANGE out; give DROPPED, or keep the class",
          v1::AnalysisPlan::OutOfRange_Name(exclusions.out_of_range()), path);
    }
  }

  void CheckScenarioIds(const Exclusions& exclusions, const std::string& path) {
    if (exclusions.scenario_ids().empty() || asked_.empty()) return;
    std::unordered_set<std::string_view> left;
    std::vector<std::string> ids;
    constexpr std::size_t kCompared = 1'000;
    for (const std::uint32_t position : asked_) {
      const std::string& id = scenarios_[static_cast<int>(position)].id();
      left.insert(id);
      if (ids.size() < kCompared) ids.push_back(id);
    }
    std::set<std::string_view> seen;
    for (int i = 0; i < exclusions.scenario_ids_size() && !Full(violations_); ++i) {
      const std::string& id = exclusions.scenario_ids(i);
      if (!seen.insert(id).second) {
        Add(violations_, At(path, i), "{} is listed twice; list each scenario once", Quoted(id));
      } else if (left.erase(id) == 0) {
        Add(violations_, At(path, i), "{} is no scenario that the job asks{}", Quoted(id),
            DidYouMean(id, ids));
      }
    }
    if (left.empty()) {
      Add(violations_, path, "leaves out all {} scenarios of the job; keep some", asked_.size());
    }
  }

  void CheckClasses(const Exclusions& exclusions, const std::string& path) {
    std::set<int> seen;
    for (int i = 0; i < exclusions.classes_size() && !Full(violations_); ++i) {
      const int value = exclusions.classes(i);
      if (value == v1::Outcome::VALID) {
        Add(violations_, At(path, i),
            "is VALID, and replies that are what was asked for cannot be left out; give other "
            "classes, such as REPAIRED");
      } else if (value == v1::Outcome::CLASS_UNSPECIFIED || !v1::Outcome::Class_IsValid(value)) {
        Add(violations_, At(path, i), "is {}, which is no class; give one such as REPAIRED", value);
      } else if (!seen.insert(value).second) {
        Add(violations_, At(path, i), "{} is listed twice; list each class once",
            v1::Outcome::Class_Name(value));
      }
    }
  }

  static std::int64_t ReportsOf(const v1::ResolvedEntry& entry) {
    return entry.self_reports().reports_per_scenario();
  }
  static std::int64_t ChoicesOf(const v1::ResolvedEntry& entry) {
    return std::int64_t{entry.choices().trials_per_scenario()} *
           std::max(1, entry.choices().samples_per_trial());
  }

  // A least number of readable replies that an entry could never reach would leave all of it out.
  void CheckLeast(std::int64_t least, const char* what,
                  std::int64_t (*asked)(const v1::ResolvedEntry&), const std::string& field) {
    if (least < 0) {
      return Add(violations_, field, "is {}; give 0 (no such exclusion) or more", least);
    }
    for (const v1::ResolvedEntry& entry : entries_) {
      const std::int64_t most = asked(entry);
      if (most <= 0 || most >= least) continue;
      return Add(violations_, field,
                 "is {}, and entry {} asks for {} {} a scenario, so that all of its scenarios "
                 "would be left out; give at most {}",
                 least, Quoted(entry.name()), most, what, most);
    }
  }

  const v1::AnalysisPlan& plan_;
  const Entries& entries_;
  const Scenarios& scenarios_;
  const std::string path_;
  FieldViolations& violations_;
  std::vector<std::string> names_;
  std::set<std::uint32_t> asked_;
};

}  // namespace

std::optional<PlannedStatistic> ParsePlannedStatistic(std::string_view text) {
  if (text == kPrivilegedAccess) return PlannedStatistic{"", std::string(text)};
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == text.size()) return std::nullopt;
  return PlannedStatistic{std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

std::vector<v1::AnalysisPlan::Contrast> PlannedContrasts(const v1::AnalysisPlan& plan,
                                                         const Entries& entries) {
  if (plan.contrasts_size() > 0) return {plan.contrasts().begin(), plan.contrasts().end()};
  std::vector<v1::AnalysisPlan::Contrast> contrasts;
  std::map<std::string, std::string> first_of;
  for (const v1::ResolvedEntry& entry : entries) {
    if (!AsksReports(entry)) continue;
    const auto [first, added] = first_of.try_emplace(entry.weights_from(), entry.name());
    if (added) continue;
    contrasts.emplace_back().set_trained(entry.name());
    contrasts.back().set_untrained(first->second);
  }
  return contrasts;
}

void CheckAnalysisPlan(const v1::AnalysisPlan& plan, const Entries& entries,
                       const Scenarios& scenarios, const std::string& path,
                       FieldViolations& violations) {
  Checker(plan, entries, scenarios, path, violations).Check();
}

std::string AnalysisPlanHash(const v1::AnalysisPlan& plan) { return DeterministicHash(plan); }

}  // namespace candor::scenario
