#include "simulator/answer_queue.h"

#include <algorithm>
#include <string>
#include <utility>

namespace candor::simulator {
namespace {

constexpr std::uint64_t kHugeBytes = std::uint64_t{2} << 30U;

void SendPieces(net::HttpServerResponse response, net::Responder responder) {
  std::string body = std::move(response.body);
  response.body = body.substr(0, body.size() / 3);
  const std::size_t first = response.body.size();
  net::StreamWriter writer = responder.StartStream(std::move(response));
  writer.Write(body.substr(first, first));
  writer.Write(body.substr(2 * first));
  writer.Finish();
}

}  // namespace

void AnswerQueue::Add(Answer answer, net::Responder responder) {
  if (answer.delay.count() <= 0) return Give(std::move(answer), std::move(responder));
  const auto when = std::chrono::steady_clock::now() + answer.delay;
  heap_.push_back({when, next_number_++, std::move(answer), std::move(responder)});
  std::push_heap(heap_.begin(), heap_.end(), Later{});
  if (when < armed_) Arm();
}

void AnswerQueue::Clear() {
  heap_.clear();
  slow_.Clear();
  timer_.cancel();
}

void AnswerQueue::Arm() {
  armed_ = heap_.front().when;
  timer_.expires_at(armed_);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    // Cancelled: set to an earlier time, or the queue was cleared.
    if (!cancelled) GiveDue();
  });
}

void AnswerQueue::GiveDue() {
  armed_ = std::chrono::steady_clock::time_point::max();
  const auto now = std::chrono::steady_clock::now();
  while (!heap_.empty() && heap_.front().when <= now) {
    std::pop_heap(heap_.begin(), heap_.end(), Later{});
    Waiting due = std::move(heap_.back());
    heap_.pop_back();
    Give(std::move(due.answer), std::move(due.responder));
  }
  if (!heap_.empty()) Arm();
}

void AnswerQueue::Give(Answer answer, net::Responder responder) {
  // Before the answer is out, so that whoever has it finds its end in the ledger and its place
  // free.
  service_.Finish(answer);
  switch (answer.delivery) {
    case Delivery::kWhole:
      return responder.Send(std::move(answer.response));
    case Delivery::kPieces:
      return SendPieces(std::move(answer.response), std::move(responder));
    case Delivery::kTruncated:
      return responder.SendTruncated(std::move(answer.response), answer.body_bytes_sent);
    case Delivery::kStalled:
      return slow_.Stall(std::move(answer.response), answer.body_bytes_sent, std::move(responder));
    case Delivery::kDripped:
      return slow_.Drip(answer.response, std::move(responder));
    case Delivery::kEndless:
      return slow_.Flood(answer.response, 0, std::move(responder));
    case Delivery::kHuge:
      return slow_.Flood(answer.response, kHugeBytes, std::move(responder));
    case Delivery::kReset:
      return responder.Reset();
    case Delivery::kIgnored:
      return responder.Ignore();
  }
}

}  // namespace candor::simulator
