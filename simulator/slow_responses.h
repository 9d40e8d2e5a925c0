// Responses that take long, or for ever: headers that drip, bodies that stall, bodies without an
// end. Each holds its connection until the peer has gone, or the server stops.
//
// To be used on the thread of its io_context.
#pragma once

#include "common/net/http_server.h"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>

namespace candor::simulator {

class SlowResponses {
 public:
  explicit SlowResponses(boost::asio::io_context& io) : io_(io) {}

  // The first `bytes` of the body in a chunked response, and then nothing.
  void Stall(net::HttpServerResponse response, std::size_t bytes, net::Responder responder);
  // The response with a byte of its header a second.
  void Drip(const net::HttpServerResponse& response, net::Responder responder);
  // The response's status and headers, the beginning of a JSON text, and letters for ever; or up to
  // `announced` bytes, which the header promises, when that is above 0.
  void Flood(const net::HttpServerResponse& response, std::uint64_t announced,
             net::Responder responder);
  // Lets go of all.
  void Clear();

  // What goes on by itself; defined in the source.
  class Process;

 private:
  void Keep(std::shared_ptr<Process> process);

  boost::asio::io_context& io_;
  std::list<std::shared_ptr<Process>> processes_;
};

}  // namespace candor::simulator
