#include "simulator/answer_queue.h"

#include <algorithm>
#include <utility>

namespace candor::simulator {

void AnswerQueue::Add(ChatService::Answer answer, net::Responder responder) {
  if (answer.delay.count() <= 0) return Give(std::move(answer), std::move(responder));
  const auto when = std::chrono::steady_clock::now() + answer.delay;
  heap_.push_back({when, next_number_++, std::move(answer), std::move(responder)});
  std::push_heap(heap_.begin(), heap_.end(), Later{});
  if (when < armed_) Arm();
}

void AnswerQueue::Clear() {
  heap_.clear();
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

void AnswerQueue::Give(ChatService::Answer answer, net::Responder responder) {
  // Before the answer is out, so that whoever has it finds its end in the ledger and its place
  // free.
  service_.Finish(answer);
  switch (answer.action) {
    case ChatService::Action::kSend:
      return responder.Send(std::move(answer.response));
    case ChatService::Action::kSendTruncated:
      return responder.SendTruncated(std::move(answer.response), answer.body_bytes_sent);
    case ChatService::Action::kReset:
      return responder.Reset();
    case ChatService::Action::kIgnore:
      return responder.Ignore();
  }
}

}  // namespace candor::simulator
