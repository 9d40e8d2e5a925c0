// Keys in what a provider says.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/base/secret.h"

#include <string>

namespace candor::provider {

// The body of an answer without the key, and that of an error without what else of the endpoint it
// may echo (Secret::RedactError): before anything is cut from it.
std::string RedactBody(const Secret& key, int status, std::string body);

// Takes the key out of every text of a report that a provider wrote. A body without it may have it
// all the same, with escapes, which only reading undoes: so this comes after the reading.
void RedactTexts(const Secret& key, v1::AttemptReport* report);

}  // namespace candor::provider
