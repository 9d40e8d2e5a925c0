// What is kept of the outcomes of one entry of a job. Private to the room.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/outcome.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/analysis/study.h"
#include "common/base/status.h"
#include "common/scenario/cells.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace candor::analysis {

inline constexpr std::size_t kOutcomeClasses = v1::Outcome::Class_ARRAYSIZE;

// Outcomes of one kind: how many, and which cells have one.
struct KindRecord {
  scenario::CellMap cells;
  std::vector<bool> seen;
  std::int64_t outcomes = 0;
  std::array<std::int64_t, kOutcomeClasses> classes{};

  std::vector<v1::ClassCount> ClassCounts() const;
};

class EntryRecord {
 public:
  // Both must outlive the record. `excluded` are the classes that the plan leaves out: such replies
  // are counted, and their numbers not kept.
  EntryRecord(const v1::JobSpecification& specification, int entry_index,
              const google::protobuf::RepeatedField<int>& excluded);

  // An outcome of this entry, of the scenario at a position in the specification. DATA_LOSS.
  Status Add(const v1::Outcome& outcome, std::uint32_t scenario);

  const v1::ResolvedEntry& entry() const { return *entry_; }
  const KindRecord& choices() const { return choices_; }
  const KindRecord& reports() const { return reports_; }
  // Models that the provider says it served, with how many outcomes.
  const std::map<std::string, std::int64_t>& served_models() const { return served_models_; }
  // One a kind and class: that of the lowest cell.
  std::vector<v1::ExampleReply> Examples() const;

  // What there is of the scenario at a position in the entry's list, in the order of cells.
  // `scenario` and `native` are for the caller to set, as is `asked` where cells are still to come:
  // it is the number of outcomes.
  ScenarioChoices ChoicesOf(std::size_t ordinal) const;
  ScenarioReports ReportsOf(std::size_t ordinal) const;

 private:
  struct ChoiceBin {
    std::vector<AnswerKey> keys;
    std::vector<double> x;
    std::vector<double> y;
    std::int32_t soft = 0;
    std::int32_t outcomes = 0;
  };
  struct ReportBin {
    std::vector<std::uint32_t> index;
    std::vector<double> values;
    std::int32_t outcomes = 0;
  };
  struct Example {
    std::uint32_t index = 0;
    v1::ExampleReply reply;
  };

  Status AddChoice(const v1::Outcome& outcome, const v1::Scenario& scenario, ChoiceBin* bin);
  Status AddReport(const v1::Outcome& outcome, const v1::Scenario& scenario, ReportBin* bin);
  void KeepExample(const v1::Outcome& outcome);

  const v1::JobSpecification* specification_;
  const v1::ResolvedEntry* entry_;
  std::array<bool, kOutcomeClasses> excluded_{};
  KindRecord choices_;
  KindRecord reports_;
  // By position in the specification: the position in the entry's list, or -1.
  std::vector<std::int32_t> ordinals_;
  std::vector<ChoiceBin> choice_bins_;
  std::vector<ReportBin> report_bins_;
  std::map<std::string, std::int64_t> served_models_;
  std::map<std::pair<int, int>, Example> examples_;
  // Working space.
  std::vector<double> row_;
};

}  // namespace candor::analysis
