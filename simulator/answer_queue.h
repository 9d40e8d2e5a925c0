// Answers that wait for their time, one queue a thread: a heap and one timer, so that a waiting
// call costs its answer and a place in the heap.
//
// To be used on the thread of its io_context.
#pragma once

#include "common/base/clock.h"
#include "common/net/http_server.h"
#include "simulator/provider_service.h"
#include "simulator/slow_responses.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <vector>

namespace candor::simulator {

class AnswerQueue {
 public:
  AnswerQueue(boost::asio::io_context& io, ProviderService& service)
      : service_(service), timer_(io), slow_(io) {}

  // Gives the answer through the responder after answer.delay.
  void Add(Answer answer, net::Responder responder);
  // Forgets what waits: their connections are answered 500 if they are still there.
  void Clear();

 private:
  struct Waiting {
    std::chrono::steady_clock::time_point when;
    // Equal times are answered in order of arrival.
    std::uint64_t number;
    Answer answer;
    net::Responder responder;
  };
  // Orders a heap with the earliest on top.
  struct Later {
    bool operator()(const Waiting& a, const Waiting& b) const {
      return a.when != b.when ? a.when > b.when : a.number > b.number;
    }
  };

  void Arm();
  void GiveDue();
  void Give(Answer answer, net::Responder responder);

  ProviderService& service_;
  boost::asio::steady_timer timer_;
  // What the timer is set to; max() when it is not.
  std::chrono::steady_clock::time_point armed_ = std::chrono::steady_clock::time_point::max();
  SlowResponses slow_;
  std::vector<Waiting> heap_;
  std::uint64_t next_number_ = 0;
};

}  // namespace candor::simulator
