// From the job that a user sent to the specification that everybody works from.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/scenario.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/base/violations.h"

#include <google/protobuf/repeated_ptr_field.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace candor::scenario {

// Inline scenarios above this size (serialised) go through UploadScenarioSet.
inline constexpr std::size_t kMaxInlineBytes = 4U << 20U;
// Cells of a job at most, over all entries and kinds.
inline constexpr std::uint64_t kMaxJobCells = 100'000'000;
inline constexpr int kMaxEntries = 200;
inline constexpr int kDefaultMaxAttempts = 5;
// Of an adaptive design (method.md section 5).
inline constexpr int kDefaultRandomPairs = 5;
inline constexpr int kDefaultCandidates = 64;

// Checks a whole job and resolves it: entry names, wording, overrides, scenario selection, counts.
// `set_scenarios` are the scenarios of the job's set, valid ones; they are not looked at when the
// job brings its own. Whether endpoints and the set exist is for the caller to check.
//
// Returns everything that is wrong (at most kMaxViolations items), with paths such as
// "job.models[0].name"; `specification` is filled only when nothing is. Its `job` is the job's
// name, empty before one is assigned. `scenarios` holds those that entries ask, in the order
// selected; choices and self-reports are always set, with `orders`, `samples_per_trial` and
// `design` (an ADAPTIVE one with all of `adaptive`); a sampling is as the user gave it.
//
// Pure and deterministic. Takes some milliseconds for a thousand scenarios.
FieldViolations ResolveJob(const v1::Job& job,
                           const google::protobuf::RepeatedPtrField<v1::Scenario>& set_scenarios,
                           v1::JobSpecification* specification);

// SHA-256, in hexadecimal, of what the user specified: the job's deterministic serialisation
// without `name` and the output-only fields. Equal requests have equal hashes.
std::string SpecificationHash(const v1::Job& job);

}  // namespace candor::scenario
