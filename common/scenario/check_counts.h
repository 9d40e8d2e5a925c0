// Checks of how often and how a job asks: choices, self-reports, sampling, retry, budget. Private
// to the room.
#pragma once

#include "candor/v1/job.pb.h"
#include "common/base/violations.h"

#include <string>

namespace candor::scenario {

// `path` is that of the message checked: "job.models[1].choices".
void CheckChoices(const v1::Choices& choices, const std::string& path, FieldViolations& violations);
void CheckSelfReports(const v1::SelfReports& self_reports, const std::string& path,
                      FieldViolations& violations);
void CheckRetry(const v1::Retry& retry, const std::string& path, FieldViolations& violations);
void CheckBudget(const v1::Budget& budget, const std::string& path, FieldViolations& violations);

}  // namespace candor::scenario
