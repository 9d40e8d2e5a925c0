// Calls to the batch paths of one endpoint. Inside this room only.
#pragma once

#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/base/status.h"
#include "common/dialect/batch.h"
#include "common/dialect/error.h"
#include "common/net/http_client.h"
#include "worker/provider/endpoints.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace candor::batch {

// What came of a call. The key is taken out of all texts.
struct Answer {
  // Absent when the provider did what it was asked for.
  std::optional<dialect::ProviderError> error;
  // HTTP status; 0 when there was no complete answer.
  int status = 0;
  // Whether the provider may have seen the call.
  bool sent = false;
  std::string body;
  // "POST /v1/files", without a query.
  std::string call;
};

// The server has no such path, or nothing to do there: it only copies the calls of those who have.
bool IsNoSuchPath(const Answer& answer);
// The error of such an answer: NOT_FOUND, with the call and its status before the server's words.
dialect::ProviderError NoSuchPath(const Answer& answer);

// The words of an answer that is none.
dialect::ProviderError Unreadable(const Status& status);

// Lines that are rendered, or reported, before others get their turn; and that turn.
inline constexpr int kLinesAtATime = 100;
boost::asio::awaitable<void> LetOthersGo();

// A line of a body, or no more than the beginning of one above kMaxLineBytes.
struct Line {
  enum class Extent { kWhole, kBeginning };
  Extent extent = Extent::kWhole;
  std::string_view text;
};

// Takes a line; false ends the call.
using TakeLine = std::function<boost::asio::awaitable<bool>(const Line& line)>;

class ProviderCalls {
 public:
  // For a model at the endpoint. All but the key and the model must outlive it.
  ProviderCalls(const provider::Endpoint& endpoint, std::string model,
                std::shared_ptr<const Secret> key, net::HttpClient& http, const Clock& clock);

  // Paths are relative to the endpoint's base URL, with a query or without.
  boost::asio::awaitable<Answer> Get(std::string_view path);
  // `total` bounds the whole call.
  boost::asio::awaitable<Answer> Post(std::string_view path, std::string body,
                                      std::string_view content_type,
                                      std::chrono::milliseconds total);
  // Reads a body of lines as it comes, a line at a time, whatever its size, for an hour at most. Of
  // a line above kMaxLineBytes no more than its beginning is kept.
  boost::asio::awaitable<Answer> GetLines(std::string_view path, TakeLine take);

  const provider::Endpoint& endpoint() const { return endpoint_; }
  const v1::ModelRule& rule() const { return endpoint_.RouteOf(model_).rule; }
  const Secret& key() const { return *key_; }
  WallTime WallNow() const { return clock_.WallNow(); }

 private:
  net::HttpRequest MakeRequest(std::string_view method, std::string_view path) const;
  boost::asio::awaitable<Answer> Call(net::HttpRequest request);
  Answer Read(net::HttpResult result) const;

  const provider::Endpoint& endpoint_;
  const std::string model_;
  const std::shared_ptr<const Secret> key_;
  net::HttpClient& http_;
  const Clock& clock_;
};

// Of one result. Its reply has to fit into a message to the coordinator (see provider::TooLarge),
// but log-probabilities and what else stands beside it may be several times as long.
inline constexpr std::size_t kMaxLineBytes = std::size_t{8} << 20U;
// Of a longer one: enough to see whose it is.
inline constexpr std::size_t kBeginningBytes = 1024;

}  // namespace candor::batch
