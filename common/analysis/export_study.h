// A study from what `candor export` wrote: job.json, scenarios.json and outcomes.jsonl.
//
//   CANDOR_ASSIGN_OR_RETURN(const Study study, ReadExportStudy({"out/first", "out/second"}));
//
// outcomes.jsonl is read in one pass; of each line only the fields that figures need are kept, and
// memory is that of the numbers, however long a line is. Its order does not matter.
#pragma once

#include "common/analysis/study.h"
#include "common/base/status.h"

#include <string>
#include <vector>

namespace candor::analysis {

// NOT_FOUND and INVALID_ARGUMENT name the file, and line and column where there are any, for
// job.json and scenarios.json. Lines of outcomes.jsonl that are malformed or do not fit the job are
// kept out, named and counted.
StatusOr<Study> ReadExportStudy(const std::vector<std::string>& directories);

}  // namespace candor::analysis
