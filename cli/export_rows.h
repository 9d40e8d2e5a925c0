// One outcome or attempt as a line of JSON or CSV: what scripts rely on. Pure.
//
// JSON: every field is written, null where there is nothing; integers are numbers, doubles the
// shortest that read back, enums words; options and reports are objects in attribute order.
// CSV: RFC 4180, lines end in LF; texts that a spreadsheet would take for a formula get a leading
// apostrophe.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "candor/v1/scenario.pb.h"
#include "common/base/status.h"

#include <string>
#include <string_view>

namespace candor::cli {

// A line of outcomes.jsonl, without its end. Nothing in it depends on timing, so that two runs that
// got the same replies export the same bytes: `attempt_id` is left out.
std::string OutcomeJson(const v1::Outcome& outcome);

// A line of attempts.jsonl, without its end; `latency_seconds` is a number.
std::string AttemptJson(const v1::Attempt& attempt);

// "entry,scenario,pair,order,sample,class,y,a_1..a_K,b_1..b_K,x_1..x_K\n" for K = `max_attributes`.
std::string ChoicesHeader(int max_attributes);

// The row of a choice: y is 1 for A, 0 for B, empty for neither; a_k and b_k stand in the
// scenario's own attribute order, whatever the order shown; x_k = (a_k - b_k) / (max_k - min_k);
// cells beyond the scenario's attributes are empty. DATA_LOSS when an attribute of the scenario is
// missing from the outcome.
StatusOr<std::string> ChoicesRow(const v1::Outcome& outcome, const v1::Scenario& scenario,
                                 int max_attributes);

// "entry,scenario,pair,sample,class,attribute,value\n".
std::string ReportsHeader();

// The rows of a self-report, one an attribute of the scenario; values that were not given are
// empty.
std::string ReportsRows(const v1::Outcome& outcome, const v1::Scenario& scenario);

}  // namespace candor::cli
