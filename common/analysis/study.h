// What is analysed, wherever it comes from: trials with choices, self-reports, and what is to be
// compared with what. Builders fill a Study (job_study.h from outcomes, paper_study.h from the
// paper's files, export_study.h from what `candor export` wrote); Analyze turns it into figures.
//
// A Study holds numbers, no texts of replies: 5 attributes and 1 million choices take about 70 MB.
// Everything refers to scenarios, choosers, report sets and comparisons by their position.
#pragma once

#include "candor/v1/analysis.pb.h"
#include "candor/v1/job.pb.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace candor::analysis {

// One choice context of K attributes.
struct StudyScenario {
  std::string id;
  // Subject area, may be empty.
  std::string domain;
  // The attributes' names, [K].
  std::vector<std::string> attributes;
  // The weights that fine-tuning tried to teach, [K]; empty when there are none.
  std::vector<double> instilled;
};

// Which answer of a scenario.
struct AnswerKey {
  std::uint32_t pair = 0;
  // 0: as drawn, 1: A and B swapped.
  std::uint32_t order = 0;
  // Which repetition of the same prompt.
  std::uint32_t sample = 0;

  auto operator<=>(const AnswerKey&) const = default;
};

// The readable choices of one chooser in one scenario: n of them, in the order of their keys.
struct ScenarioChoices {
  // Position in Study::scenarios.
  std::size_t scenario = 0;
  // True when no fine-tuning touched the scenario.
  bool native = false;
  // Differences of the options as shown, (A_k - B_k) / (max_k - min_k), [n, K] row by row.
  std::vector<double> x;
  // The choice, [n]: 1 for A, 0 for B, or the probability of A where log-probabilities came along.
  std::vector<double> y;
  // Which answer each is, [n].
  std::vector<AnswerKey> keys;
  // Choices with log-probabilities.
  std::int32_t soft = 0;
  // Replies that could not be read as a choice.
  std::int32_t unreadable = 0;
  // Replies that were asked for. At least n + unreadable.
  std::int64_t asked = 0;
};

// Weights that somebody published for one scenario, [K].
struct PublishedWeights {
  std::size_t scenario = 0;
  std::vector<double> weights;
};

// Whose weights: one results file of the paper, or one entry of a job. Its weights are standardised
// together.
struct Chooser {
  // Under which of Analysis.models its scenarios stand.
  std::string model;
  // What people call it.
  std::string name;
  // In the order of `scenario`.
  std::vector<ScenarioChoices> choices;
  // Where not empty, these are compared, and our fits stand beside them.
  std::vector<PublishedWeights> published;
};

// The readable self-reports of one reporter on one scenario: n of them.
struct ScenarioReports {
  std::size_t scenario = 0;
  // Reported weights as given, [n, K] row by row.
  std::vector<double> values;
  // Replies that were asked for: at least n. A scenario whose every reply was lost stands here too.
  std::int64_t asked = 0;
};

// Reports that are standardised together.
struct ReportSet {
  std::string name;
  // In the order of `scenario`.
  std::vector<ScenarioReports> reports;
};

// Which field of v1::ModelAnalysis.
enum class Statistic {
  kLearnedVsInstilled,
  kControl,
  kPreferenceTrained,
  kIntrospectionTrained,
  kNativeBefore,
  kNativeAfter,
  kSelfReports,
};
enum class ContrastStatistic { kInstilled, kNative, kSelfReports };

// The field's name: "self_reports", "contrast_self_reports".
const char* Name(Statistic statistic);
const char* Name(ContrastStatistic statistic);

// Reported against estimated weights. For kLearnedVsInstilled there are no report sets: the
// instilled weights of the chooser's scenarios take their place, and the replies are the choices.
struct Comparison {
  std::string model;
  Statistic statistic = Statistic::kSelfReports;
  // Position in Study::choosers.
  std::size_t chooser = 0;
  // Positions in Study::report_sets: one, or the halves of introspection training.
  std::vector<std::size_t> report_sets;
  // What people call the reporter.
  std::string reporter;
  // Scenarios that the plan leaves out of the headline figures, in order.
  std::vector<std::size_t> excluded;
  // How the headline figures treat reports beyond the scale.
  v1::AnalysisPlan::OutOfRange out_of_range = v1::AnalysisPlan::AS_IS;
  // Replies by class; empty for sources that keep only readable ones.
  std::vector<v1::ClassCount> classes;
};

// The difference of two comparisons of one model.
struct ContrastOf {
  // Under which of Analysis.models it stands.
  std::string model;
  ContrastStatistic statistic = ContrastStatistic::kSelfReports;
  // Positions in Study::comparisons.
  std::size_t trained = 0;
  std::size_t untrained = 0;
};

// One who takes part in the chooser-by-reporter matrix: -1 for what it does not have.
struct Participant {
  std::string name;
  std::ptrdiff_t chooser = -1;
  std::ptrdiff_t report_set = -1;
  // Position of the participant whose weights the reports are about: itself, or another.
  std::ptrdiff_t own = -1;
};

// Everything that is analysed.
struct Study {
  std::vector<StudyScenario> scenarios;
  std::vector<Chooser> choosers;
  std::vector<ReportSet> report_sets;
  std::vector<Comparison> comparisons;
  std::vector<ContrastOf> contrasts;
  // The matrix is made when at least two have choices and at least one of them has reports.
  std::vector<Participant> participants;

  // Replies by kind and class, by model.
  std::map<std::string, std::vector<v1::KindClasses>> replies;
  // Whether a plan was given, and which. Its exclusions are in the comparisons already.
  bool has_plan = false;
  v1::AnalysisPlan plan;
  std::string plan_hash;
  // What was read: "jobs/x", or a file.
  std::vector<std::string> sources;
  std::vector<v1::Job> jobs;
  // What is known already not to be there, and why.
  std::vector<v1::LeftOut> left_out;
  std::vector<std::string> warnings;
  // The first kMaxExcludedRows of `excluded_row_count`.
  std::vector<v1::ExcludedRow> excluded_rows;
  std::int64_t excluded_row_count = 0;
  std::vector<v1::ExampleReply> examples;
};

inline constexpr std::size_t kMaxExcludedRows = 1'000;

// Counts a row that was kept out, and keeps it while there is room.
void ExcludeRow(Study* study, const std::string& file, std::int64_t line, std::string column,
                std::string reason);

}  // namespace candor::analysis
