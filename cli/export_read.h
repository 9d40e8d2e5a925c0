// What every format of an export reads from the coordinator. Streams resume across restarts of it.
#pragma once

#include "candor/v1/evaluation_service.pb.h"
#include "cli/commands.h"
#include "common/base/status.h"

#include <functional>
#include <string>

namespace candor::cli {

// A job, as it was before its outcomes are read.
struct ExportedJob {
  v1::Job job;
  v1::JobSpecification specification;
  std::string coordinator_version;
};

StatusOr<ExportedJob> ReadJob(Context& context, const std::string& name);

// All outcomes in canonical order: by entry, kind and index, so that those of one entry and kind
// come together, and the scenario runs fastest.
Status ReadOutcomes(Context& context, const std::string& name,
                    const std::function<Status(const v1::Outcome&)>& on_outcome);

Status ReadAttempts(Context& context, const std::string& name,
                    const std::function<Status(const v1::Attempt&)>& on_attempt);

// Says on `err` that a job which has not ended is exported with what it has.
void SayIfUnfinished(const v1::Job& job, std::ostream& err);

// --- The formats. `directory` is made; one that holds files of others is refused unless `force`.

// As the paper's replication package has them: {prefix}_selections.csv, {prefix}_weight_reports.csv
// and {prefix}_regression_results.csv.
Status ExportPaper(Context& context, const std::string& name, const std::string& directory,
                   bool force);

// Logs for Inspect's viewer: `out` is a file that ends in ".json", for the whole job, or a
// directory, for one log an entry and kind.
Status ExportInspect(Context& context, const std::string& name, const std::string& out, bool force);

}  // namespace candor::cli
