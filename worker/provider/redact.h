// Keys in what a provider says.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/base/secret.h"

namespace candor::provider {

// Takes the key out of every text of a report that a provider wrote. A body without it may have it
// all the same, with escapes, which only reading undoes: so this comes after the reading.
void RedactTexts(const Secret& key, v1::AttemptReport* report);

}  // namespace candor::provider
