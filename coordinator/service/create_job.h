// Creating a job, however it was asked for: CreateJob, ExtendJob, RetryJob.
#pragma once

#include "candor/v1/evaluation_service.pb.h"
#include "common/base/ids.h"
#include "coordinator/service/engine_host.h"
#include "coordinator/service/turnstile.h"
#include "coordinator/service/unary_call.h"

#include <boost/asio/awaitable.hpp>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

namespace candor::service {

// What creations share. All references outlive the calls.
struct CreationContext {
  EngineHost& host;
  IdGenerator& ids;
  // Outcomes of other jobs are looked through for one creation at a time: each may hold tens of
  // megabytes, and takes a thread for analyses page by page.
  Turnstile& turnstile;
};

// Creates the request's job and answers once it is durable; with `validate_only` answers with what
// it would take. A request id that created the same job before gives that one. With `reuse_from` or
// `retry_of` outcomes of other jobs are looked through first, off the strand, as long as the caller
// waits.
boost::asio::awaitable<grpc::Status> CreateJob(CreationContext context,
                                               std::shared_ptr<UnaryCall> call,
                                               v1::CreateJobRequest request,
                                               v1::CreateJobResponse* response);

// Makes the request of a longer job and creates it.
boost::asio::awaitable<grpc::Status> ExtendJob(CreationContext context,
                                               std::shared_ptr<UnaryCall> call,
                                               v1::ExtendJobRequest request,
                                               v1::CreateJobResponse* response);

// Makes the request of a job that asks again and creates it.
boost::asio::awaitable<grpc::Status> RetryJob(CreationContext context,
                                              std::shared_ptr<UnaryCall> call,
                                              v1::RetryJobRequest request,
                                              v1::CreateJobResponse* response);

}  // namespace candor::service
