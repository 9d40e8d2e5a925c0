// Streams to the coordinator over gRPC.
#pragma once

#include "worker/session/channel.h"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

namespace candor::session {

// Streams to the WorkerService at "host:port", without TLS. The connection is kept alive by pings
// every 30 s, which the coordinator must allow. Everything happens on `executor`.
std::unique_ptr<WorkerChannelFactory> MakeGrpcChannels(const std::string& address,
                                                       boost::asio::any_io_executor executor);

}  // namespace candor::session
