// What a job asks of its endpoints that they cannot do, found before the first call: an output
// limit below what the provider takes, log-probabilities where there are none, a schema for a model
// that cannot be held to one.
//
//   FieldViolations violations;
//   CheckJob(job, specification, config, &violations);
//
// A dialect says what it can do at all (Capabilities), the model rules of candor.yaml what its
// models can: nothing is guessed from a model's name.
#pragma once

#include "candor/v1/config.pb.h"
#include "candor/v1/job.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/base/violations.h"
#include "common/dialect/dialect.h"

#include <cstdint>

namespace candor::dialect {

// The output limit of a model that thinks, where nobody says less: thousands are usual, and below
// this most of them say nothing at all.
inline constexpr int kLeastReasoningTokens = 1024;

// The least output limit that a job may give: the rule's, or 1,024 for a reasoning model, but not
// less than what the dialect takes.
int MinOutputTokens(const Dialect& dialect, const v1::ModelRule& rule);

// Appends what cannot be, with the value and what would be right, under the field of the job where
// it stands: "job.models[1].choices.sampling.seed" for an entry's own, "job.choices.sampling.seed"
// for the job's. `specification` is the job, resolved. Entries at endpoints that `config` does not
// have are passed over. The first cell of every entry and kind is rendered, so that what a dialect
// refuses to say (a field of extra_body that Candor sets itself) is found, too.
void CheckJob(const v1::Job& job, const v1::JobSpecification& specification,
              const v1::Config& config, FieldViolations* violations);

}  // namespace candor::dialect
