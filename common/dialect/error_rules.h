// The table of error.h as data: what in a body names which class. Private to the room.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "common/dialect/error_body.h"

namespace candor::dialect {

// The class that the body names; unspecified when it names none. `status` is the answer's, or that
// of the body; 0 when there is none.
v1::Attempt::ErrorClass ClassOfBody(const ErrorBody& body, int status);

// The class of a status whose body says nothing.
v1::Attempt::ErrorClass ClassOfStatus(int status);

// Whether the prompt was filtered, so that asking again would bring the same.
bool SaysPromptWasFiltered(const ErrorBody& body);

// Whether the output limit was used up before anything was said.
bool SaysLimitWasUsedUp(const ErrorBody& body);

// What would mend a refused parameter, in candor.yaml or in the job, where that is known; empty
// otherwise.
std::string AdviceFor(const ErrorBody& body);

}  // namespace candor::dialect
