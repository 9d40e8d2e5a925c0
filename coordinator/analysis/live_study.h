// What the committed outcomes of one job say so far: weights of each scenario, and each entry's
// agreement between reported and estimated weights.
//
//   LiveStudy study(specification, plan);
//   for (const v1::Outcome& outcome : page) study.Add(outcome);      // each one once, in any order
//   study.Refit();                                                   // only what has changed
//   study.FillEntries(&estimates);
//
// A function of the set of outcomes: answers are kept with their cell's number and are read in the
// order of these, so that neither the order of commits nor a restart changes a bit of any number.
//
// Only numbers are kept, no text: 8 (K + 4) bytes a choice and 8 (K + 1) a report. Above
// `Options::max_rows` choices, all entries and scenarios together, the later trials of every
// scenario are counted and left out of its weights; which ones follows from the specification
// alone. `AnalyzeJobs` has no such limit.
//
// Not for concurrent use.
#pragma once

#include "candor/v1/evaluation_service.pb.h"
#include "candor/v1/job.pb.h"
#include "candor/v1/outcome.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/scenario/cells.h"
#include "common/statistics/choice_model.h"
#include "common/statistics/choice_trials.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace candor::statistics {
struct Comparison;
}  // namespace candor::statistics

namespace candor::analysis {

class LiveStudy {
 public:
  struct Options {
    // Choices kept at most: 140 MB with five attributes.
    std::size_t max_rows = 2'000'000;
  };

  // The plan's tau and exclusions hold; an empty one keeps everything, with tau 1.
  LiveStudy(std::shared_ptr<const v1::JobSpecification> specification, v1::AnalysisPlan plan,
            Options options);
  LiveStudy(std::shared_ptr<const v1::JobSpecification> specification, v1::AnalysisPlan plan);
  ~LiveStudy();

  // Takes a committed outcome. One of an entry or cell that the job does not have is left out: an
  // analysis must not end the coordinator.
  void Add(const v1::Outcome& outcome);
  // Outcomes taken.
  std::int64_t outcomes() const { return outcomes_; }

  // Brings the estimates up to date. True when any of them may have changed. Some tens of
  // microseconds for a scenario of 50 choices.
  bool Refit();

  // One item an entry, and `outcomes`. As of the last Refit.
  void FillEntries(v1::LiveEstimates* estimates) const;

  // Which scenarios a watcher has seen; empty: none.
  using Seen = std::vector<std::uint64_t>;
  // Adds the scenarios that have changed since `seen` says, as many as fit in `max_bytes`, and
  // marks them as seen. True when none is left. As of the last Refit.
  bool FillScenarios(std::size_t max_bytes, Seen& seen, v1::LiveEstimates* estimates) const;

 private:
  struct Entry;
  struct Slot;

  void AddChoice(Entry& entry, const scenario::CellAddress& address, const v1::Outcome& outcome);
  void AddReport(Entry& entry, const scenario::CellAddress& address, const v1::Outcome& outcome);
  Slot& SlotOf(const Entry& entry, std::uint32_t scenario_ordinal);
  const v1::Scenario& ScenarioOf(const Entry& entry, std::uint32_t scenario_ordinal) const;
  bool Excludes(const v1::Outcome& outcome) const;
  void Touch(const Entry& entry, std::uint32_t scenario_ordinal);
  void RefitWeights(Slot& slot);
  static void AverageReports(Slot& slot, std::size_t attributes);
  void Agree(Entry& entry);
  bool LeavesOut(std::uint32_t scenario, const Slot* chooser) const;
  void AddInstilled(std::uint32_t scenario, const Slot& slot,
                    statistics::Comparison* comparison) const;
  const Slot* At(std::ptrdiff_t slot) const;

  const std::shared_ptr<const v1::JobSpecification> specification_;
  const v1::AnalysisPlan plan_;
  // Trials of a scenario whose choices are kept.
  std::uint32_t max_trials_ = 0;
  std::vector<bool> excluded_;  // by position in the specification's scenarios
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> entry_numbers_;
  std::vector<Slot> slots_;  // entry by entry, in the order of its scenarios
  // Slots to be brought up to date, with their number of attributes.
  std::vector<std::pair<std::size_t, int>> changed_;
  std::int64_t outcomes_ = 0;
  std::int64_t fitted_outcomes_ = 0;
  std::uint64_t refits_ = 0;
  // Kept, so that fitting allocates little.
  statistics::ChoiceFitter fitter_;
  statistics::ChoiceFit fit_;
};

}  // namespace candor::analysis
