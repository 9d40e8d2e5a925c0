// What is compared with what in jobs. Private to the room.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/analysis/entry_record.h"
#include "common/analysis/study.h"

#include <vector>

namespace candor::analysis {

// One job and what is kept of its outcomes. The entries refer to `specification`: not to be copied.
struct JobRecord {
  JobRecord() = default;
  JobRecord(const JobRecord&) = delete;
  JobRecord& operator=(const JobRecord&) = delete;

  v1::JobSpecification specification;
  // Without inline scenarios.
  v1::Job job;
  // In the order of the specification's.
  std::vector<EntryRecord> entries;
};

// The study of all of them together.
Study StudyOf(const std::vector<const JobRecord*>& jobs);

}  // namespace candor::analysis
