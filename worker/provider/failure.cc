#include "worker/provider/failure.h"

namespace candor::provider {

v1::Attempt::ErrorClass ClassOf(net::HttpFailure failure) {
  using net::HttpFailure;
  switch (failure) {
    case HttpFailure::kInvalidRequest:
      return v1::Attempt::INVALID_REQUEST;
    case HttpFailure::kMalformed:
    case HttpFailure::kTooLarge:
      return v1::Attempt::MALFORMED_RESPONSE;
    case HttpFailure::kFirstByteTimeout:
    case HttpFailure::kIdleTimeout:
    case HttpFailure::kTotalTimeout:
      return v1::Attempt::TIMEOUT;
    case HttpFailure::kNone:
    case HttpFailure::kCancelled:
    case HttpFailure::kResolve:
    case HttpFailure::kConnect:
    case HttpFailure::kTls:
    case HttpFailure::kProxy:
    case HttpFailure::kConnectTimeout:
    case HttpFailure::kReset:
    case HttpFailure::kTruncated:
      break;
  }
  return v1::Attempt::CONNECTION;
}

}  // namespace candor::provider
