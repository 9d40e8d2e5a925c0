// Statuses with formatted messages, and the two macros that pass them on.
//
//   return InvalidArgument("{}: {} is no number; give one from {} to {}", field, value, min, max);
//   CANDOR_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
//
// A message says what is wrong, with which value, and what would be right. Fallible functions
// return absl::Status or absl::StatusOr; nothing of ours throws across an interface.
#pragma once

#include "common/base/strings.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace candor {

using absl::Status;
using absl::StatusOr;

// A status of any code. OK is not an error: the code must not be kOk.
inline Status MakeStatus(absl::StatusCode code, std::string_view message) {
  return {code, ToAbsl(message)};
}

#define CANDOR_STATUS_FACTORY(name, code)                                      \
  template <typename... Args>                                                  \
  Status name(fmt::format_string<Args...> format, Args&&... args) {            \
    return MakeStatus(code, fmt::format(format, std::forward<Args>(args)...)); \
  }
CANDOR_STATUS_FACTORY(InvalidArgument, absl::StatusCode::kInvalidArgument)
CANDOR_STATUS_FACTORY(NotFound, absl::StatusCode::kNotFound)
CANDOR_STATUS_FACTORY(AlreadyExists, absl::StatusCode::kAlreadyExists)
CANDOR_STATUS_FACTORY(FailedPrecondition, absl::StatusCode::kFailedPrecondition)
CANDOR_STATUS_FACTORY(ResourceExhausted, absl::StatusCode::kResourceExhausted)
CANDOR_STATUS_FACTORY(Unavailable, absl::StatusCode::kUnavailable)
CANDOR_STATUS_FACTORY(DeadlineExceeded, absl::StatusCode::kDeadlineExceeded)
CANDOR_STATUS_FACTORY(Cancelled, absl::StatusCode::kCancelled)
CANDOR_STATUS_FACTORY(DataLoss, absl::StatusCode::kDataLoss)
CANDOR_STATUS_FACTORY(PermissionDenied, absl::StatusCode::kPermissionDenied)
CANDOR_STATUS_FACTORY(Internal, absl::StatusCode::kInternal)
#undef CANDOR_STATUS_FACTORY

// The message, as a std type.
inline std::string Message(const Status& status) { return std::string(status.message()); }

// The same error with "{context}: " in front of its message.
inline Status Annotate(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  return MakeStatus(status.code(), fmt::format("{}: {}", context, Message(status)));
}

}  // namespace candor

#define CANDOR_RETURN_IF_ERROR(expression)                                  \
  do {                                                                      \
    if (::absl::Status candor_status = (expression); !candor_status.ok()) { \
      return candor_status;                                                 \
    }                                                                       \
  } while (false)

#define CANDOR_CONCAT_INNER(a, b) a##b
#define CANDOR_CONCAT(a, b) CANDOR_CONCAT_INNER(a, b)
#define CANDOR_ASSIGN_OR_RETURN(declaration, expression) \
  CANDOR_ASSIGN_OR_RETURN_IMPL(CANDOR_CONCAT(candor_result_, __LINE__), declaration, expression)
#define CANDOR_ASSIGN_OR_RETURN_IMPL(result, declaration, expression) \
  auto result = (expression);                                         \
  if (!(result).ok()) return (result).status();                       \
  declaration = *std::move(result)
