#include "common/analysis/job_study.h"

#include "common/analysis/entry_record.h"
#include "common/analysis/job_comparisons.h"

#include <unordered_map>
#include <utility>
#include <vector>

namespace candor::analysis {

struct JobStudyBuilder::State {
  // Behind pointers: records refer to the specification.
  struct Added {
    JobRecord record;
    std::unordered_map<std::string, std::size_t> entries;
    std::unordered_map<std::string, std::uint32_t> scenarios;
  };
  std::vector<std::unique_ptr<Added>> jobs;
  std::int64_t size = 0;
};

JobStudyBuilder::JobStudyBuilder() : state_(std::make_unique<State>()) {}
JobStudyBuilder::~JobStudyBuilder() = default;
JobStudyBuilder::JobStudyBuilder(JobStudyBuilder&&) noexcept = default;
JobStudyBuilder& JobStudyBuilder::operator=(JobStudyBuilder&&) noexcept = default;

StatusOr<int> JobStudyBuilder::AddJob(const v1::JobSpecification& specification,
                                      const v1::Job& job) {
  for (const auto& added : state_->jobs) {
    if (added->record.job.name() == job.name())
      return InvalidArgument("the job {} is given twice", job.name());
  }
  auto added = std::make_unique<State::Added>();
  JobRecord& record = added->record;
  record.specification = specification;
  record.job = job;
  record.job.clear_inline_scenarios();
  const auto& excluded = job.analysis().exclusions().classes();
  for (int i = 0; i < specification.entries_size(); ++i) {
    for (const std::uint32_t index : specification.entries(i).scenario_indexes()) {
      if (index >= static_cast<std::uint32_t>(specification.scenarios_size())) {
        return InvalidArgument("{}: the entry {} asks about scenario {} of {}", job.name(),
                               specification.entries(i).name(), index,
                               specification.scenarios_size());
      }
    }
    added->entries.emplace(specification.entries(i).name(), record.entries.size());
    record.entries.emplace_back(record.specification, i, excluded);
  }
  for (int i = 0; i < specification.scenarios_size(); ++i)
    added->scenarios.emplace(specification.scenarios(i).id(), static_cast<std::uint32_t>(i));
  state_->jobs.push_back(std::move(added));
  return static_cast<int>(state_->jobs.size()) - 1;
}

Status JobStudyBuilder::Add(int job, const v1::Outcome& outcome) {
  State::Added& added = *state_->jobs.at(static_cast<std::size_t>(job));
  const auto entry = added.entries.find(outcome.entry());
  if (entry == added.entries.end()) return DataLoss("the job has no entry \"{}\"", outcome.entry());
  const auto scenario = added.scenarios.find(outcome.scenario());
  if (scenario == added.scenarios.end())
    return DataLoss("the job has no scenario \"{}\"", outcome.scenario());
  CANDOR_RETURN_IF_ERROR(added.record.entries[entry->second].Add(outcome, scenario->second));
  ++state_->size;
  return absl::OkStatus();
}

std::int64_t JobStudyBuilder::size() const { return state_->size; }

Study JobStudyBuilder::Build() const {
  std::vector<const JobRecord*> jobs;
  for (const auto& added : state_->jobs) jobs.push_back(&added->record);
  return StudyOf(jobs);
}

}  // namespace candor::analysis
