// What a call is that came to no answer, whether of a trial or of a step of a batch.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "common/net/http_client.h"

namespace candor::provider {

// CONNECTION where there was none (name, TCP, TLS, proxy; in time or not) or where it broke;
// TIMEOUT where there was one and nothing came; MALFORMED_RESPONSE for what is no HTTP or too
// large; INVALID_REQUEST for what could not be sent. Not for kNone.
v1::Attempt::ErrorClass ClassOf(net::HttpFailure failure);

}  // namespace candor::provider
