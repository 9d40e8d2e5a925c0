// One granted call, from the lease to the report.
//
//   Caller caller(endpoints, *http_client, clock);
//   v1::AttemptReport report = co_await caller.Call(lease, job, received + start_within);
//
// What becomes of an attempt:
//
//   a complete model reply, whatever its class             COMPLETED, with the outcome
//   an answer that is an error, or broken                  FAILED, class by the dialect
//   no connection (name, TCP, TLS, proxy)                  FAILED, CONNECTION
//   the request cannot be made of the job                  FAILED, INVALID_REQUEST
//   written, then broken, timed out or cancelled           UNANSWERED, CONNECTION or TIMEOUT
//   too late, cancelled before it was written, no key      NOT_SENT
//
// A failed connection is no NOT_SENT, although no byte was written: calls never sent do not count,
// and an endpoint that refuses every connection would be called for ever.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"
#include "common/dialect/error.h"
#include "common/dialect/render.h"
#include "common/net/http_client.h"
#include "worker/provider/call_observer.h"
#include "worker/provider/endpoints.h"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace candor::provider {

// Not for concurrent use by several threads; any number of calls may be pending on one.
class Caller {
 public:
  // All must outlive the caller and its calls. `observer` may be null.
  Caller(const Endpoints& endpoints, net::HttpClient& http, const Clock& clock,
         CallObserver* observer = nullptr)
      : endpoints_(endpoints), http_(http), clock_(clock), observer_(observer) {}

  // Makes the call, once. Begun after `start_by` it makes none and hands the lease back. A
  // cancelled call ends as the table says. Never throws. `lease` must outlive the call.
  boost::asio::awaitable<v1::AttemptReport> Call(const v1::Lease& lease,
                                                 std::shared_ptr<const dialect::JobRenderer> job,
                                                 TimePoint start_by);

 private:
  net::HttpRequest MakeRequest(const Endpoint& endpoint, std::string_view model, const Secret& key,
                               const v1::Lease& lease) const;
  // Fills in what came back, without the key in it. `known` is what the outcome holds already.
  void ReadAnswer(const Endpoint& endpoint, const v1::Scenario& scenario, v1::Outcome known,
                  const Secret& key, net::HttpResult result, v1::AttemptReport* report) const;

  const Endpoints& endpoints_;
  net::HttpClient& http_;
  const Clock& clock_;
  CallObserver* const observer_;
  // One call after the other is rendered into it; nothing of it waits with a call.
  dialect::RenderedCell rendered_;
};

// The report of a lease that is handed back without a call, with the reason.
v1::AttemptReport HandBack(const v1::Lease& lease, std::string_view reason);

// Answers above this are refused: a reply has to fit into a message to the coordinator.
inline constexpr std::size_t kMaxAnswerBytes = std::size_t{1} << 20U;
// The error of a reply whose texts are; absent for one that fits. What stands around them may be
// larger: events, log-probabilities.
std::optional<dialect::ProviderError> TooLarge(const v1::Outcome& outcome);
// Server-sent events say the same with many more bytes, a token an event.
inline constexpr std::size_t kMaxStreamBytes = std::size_t{8} << 20U;

}  // namespace candor::provider
