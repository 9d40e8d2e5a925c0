#include "coordinator/service/grpc_status.h"

#include "google/rpc/error_details.pb.h"

#include <string>
#include <utility>

namespace candor::service {
namespace {

grpc::Status WithDetail(grpc::StatusCode code, const std::string& message,
                        const google::protobuf::Message& detail) {
  google::rpc::Status status;
  status.set_code(code);
  status.set_message(message);
  status.add_details()->PackFrom(detail);
  return {code, message, status.SerializeAsString()};
}

}  // namespace

grpc::Status ToGrpc(const Status& status, std::chrono::milliseconds retry_delay) {
  if (status.ok()) return grpc::Status::OK;
  // The two enumerations have the same values by definition.
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message = Message(status);
  if (code != grpc::StatusCode::UNAVAILABLE && code != grpc::StatusCode::RESOURCE_EXHAUSTED) {
    return {code, message};
  }
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(retry_delay.count() / 1000);
  retry.mutable_retry_delay()->set_nanos(static_cast<std::int32_t>(retry_delay.count() % 1000) *
                                         1'000'000);
  return WithDetail(code, message, retry);
}

grpc::Status ToGrpc(const FieldViolations& violations) {
  if (violations.empty()) return grpc::Status::OK;
  google::rpc::BadRequest bad_request;
  for (const FieldViolation& violation : violations) {
    auto* item = bad_request.add_field_violations();
    item->set_field(violation.field);
    item->set_description(violation.description);
  }
  return WithDetail(grpc::StatusCode::INVALID_ARGUMENT, Message(ToStatus(violations)), bad_request);
}

grpc::Status InvalidField(std::string field, std::string description) {
  return ToGrpc(FieldViolations{{std::move(field), std::move(description)}});
}

}  // namespace candor::service
