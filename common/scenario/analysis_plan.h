// The analysis plan of a job: what is to be tested, said before the answers are there. It is
// checked when the job is created, hashed, and never changes afterwards.
//
//   "analysis": {
//     "primary": ["trained.self_reports", "trained.contrast_self_reports"],
//     "tau": 1,
//     "exclusions": {"classes": ["REPAIRED"], "min_reports_per_scenario": 5},
//     "contrasts": [{"trained": "trained", "untrained": "control"}]
//   }
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/scenario.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/base/violations.h"

#include <google/protobuf/repeated_ptr_field.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::scenario {

// Prior standard deviation of the weights where a plan names none: replicates the paper.
inline constexpr double kDefaultTau = 1;
// What the choice model can be fitted with.
inline constexpr double kMinTau = 0.001;
inline constexpr double kMaxTau = 100;
// The words of a plan's `primary`.
inline constexpr std::string_view kSelfReports = "self_reports";
inline constexpr std::string_view kLearnedVsInstilled = "learned_vs_instilled";
inline constexpr std::string_view kContrastSelfReports = "contrast_self_reports";
inline constexpr std::string_view kPooled = "pooled";
inline constexpr std::string_view kPrivilegedAccess = "privileged_access";

// One statistic of a plan's `primary`. Entry names may hold dots: the last one separates.
struct PlannedStatistic {
  std::string entry;      // "pooled", or empty for "privileged_access"
  std::string statistic;  // "self_reports"

  bool operator==(const PlannedStatistic&) const = default;
};

// "gpt-4.1.self_reports" -> {"gpt-4.1", "self_reports"}. Absent when the text has no such form;
// whether there is such an entry or statistic is not looked at.
std::optional<PlannedStatistic> ParsePlannedStatistic(std::string_view text);

// The contrasts of a plan; where it names none: every other entry with the first one that asks for
// self-reports and is judged against the same weights, in the order of the entries.
std::vector<v1::AnalysisPlan::Contrast> PlannedContrasts(
    const v1::AnalysisPlan& plan,
    const google::protobuf::RepeatedPtrField<v1::ResolvedEntry>& entries);

// Adds what is wrong with a plan: unknown entries, statistics and scenarios, with the nearest known
// one; statistics that the design cannot give; tau out of bounds; classes
// that cannot be left out; exclusions that leave nothing. `entries` are resolved, with
// `scenario_indexes` as positions in `scenarios`. `path` is that of the plan: "job.analysis".
void CheckAnalysisPlan(const v1::AnalysisPlan& plan,
                       const google::protobuf::RepeatedPtrField<v1::ResolvedEntry>& entries,
                       const google::protobuf::RepeatedPtrField<v1::Scenario>& scenarios,
                       const std::string& path, FieldViolations& violations);

// SHA-256, in hexadecimal, of the plan's deterministic serialisation.
std::string AnalysisPlanHash(const v1::AnalysisPlan& plan);

}  // namespace candor::scenario
