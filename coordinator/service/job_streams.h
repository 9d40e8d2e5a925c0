// The streams of EvaluationService: watching a job, and reading what came out of it.
#pragma once

#include "candor/v1/evaluation_service.pb.h"
#include "coordinator/service/live_jobs.h"
#include "coordinator/service/response_stream.h"

namespace candor::service {

// Runs until the job has settled and its estimates are final, or the client has gone. The request
// is copied: gRPC's own ends with the call.
boost::asio::awaitable<grpc::Status> Watch(
    EngineHost& host, LiveJobs& live, std::shared_ptr<ResponseStream<v1::WatchJobResponse>> stream,
    v1::WatchJobRequest request);

boost::asio::awaitable<grpc::Status> SendOutcomes(
    EngineHost& host, std::shared_ptr<ResponseStream<v1::StreamOutcomesResponse>> stream,
    v1::StreamOutcomesRequest request);

boost::asio::awaitable<grpc::Status> SendAttempts(
    EngineHost& host, std::shared_ptr<ResponseStream<v1::StreamAttemptsResponse>> stream,
    v1::StreamAttemptsRequest request);

// NOT_FOUND and UNAVAILABLE, in the same words everywhere.
Status NoSuchJob(const std::string& name);
Status ShuttingDown();

}  // namespace candor::service
