// A study from jobs and their outcomes, one by one: for the coordinator, and for exports.
//
//   JobStudyBuilder builder;
//   CANDOR_ASSIGN_OR_RETURN(const int job, builder.AddJob(specification, v1_job));
//   for (const v1::Outcome& outcome : ...) CANDOR_RETURN_IF_ERROR(builder.Add(job, outcome));
//   const Study study = builder.Build();
//
// Outcomes may come in any order, from several jobs in turn: they are put in the order of their
// cells, so the study does not depend on it. Only numbers and a few examples are kept.
//
// A model of the analysis is an entry, or "jobs/x/entry" when there are several jobs. Its
// self-reports are judged against the weights of its `weights_from`; entries whose scenarios have
// instilled weights are compared with those too. Contrasts are those of the plan, or, without one,
// every other entry against the first that is judged against the same weights. Entries are compared
// with each other over all jobs, in the matrix.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/outcome.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/analysis/study.h"
#include "common/base/status.h"

#include <cstdint>
#include <memory>

namespace candor::analysis {

class JobStudyBuilder {
 public:
  JobStudyBuilder();
  ~JobStudyBuilder();
  JobStudyBuilder(JobStudyBuilder&&) noexcept;
  JobStudyBuilder& operator=(JobStudyBuilder&&) noexcept;

  // A job: what Add takes to say whose outcome it is. `job` gives name, plan, state and progress;
  // it is kept for the report, without its inline scenarios. INVALID_ARGUMENT when the job was
  // added before.
  StatusOr<int> AddJob(const v1::JobSpecification& specification, const v1::Job& job);

  // An outcome of a job. DATA_LOSS, with what is wrong, for an outcome that does not fit the job:
  // an unknown entry or scenario, an option without one of the attributes, a number that is not
  // finite, a cell that had an outcome before. Such an outcome is not in the study; the caller says
  // whether that ends the analysis or is an excluded row.
  Status Add(int job, const v1::Outcome& outcome);

  // Outcomes taken so far.
  std::int64_t size() const;

  // The study of all jobs, with the outcomes so far. More may be added afterwards.
  Study Build() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace candor::analysis
