#include "worker/batch/provider_calls.h"

#include "worker/provider/failure.h"
#include "worker/provider/redact.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <exception>
#include <utility>

namespace candor::batch {
namespace {

namespace asio = boost::asio;

// Objects and pages of a hundred of them.
constexpr std::size_t kMaxAnswerBytes = std::size_t{4} << 20U;
constexpr std::chrono::hours kResultsTime{1};
// Results are as large as they are: they are never held as a whole.
constexpr std::size_t kMaxResultBytes = std::size_t{4} << 30U;

// Puts the pieces of a body together to lines.
class LineSplitter {
 public:
  asio::awaitable<bool> Feed(std::string_view piece, const TakeLine& take) {
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      Append(piece.substr(0, end));
      if (end == std::string_view::npos) break;
      piece.remove_prefix(end + 1);
      const bool goes_on = co_await Finish(take);
      if (!goes_on) co_return false;
    }
    co_return true;
  }

  // The last line may lack its end.
  asio::awaitable<bool> Finish(const TakeLine& take) {
    const Line::Extent extent =
        std::exchange(too_long_, false) ? Line::Extent::kBeginning : Line::Extent::kWhole;
    std::string text = std::exchange(line_, {});
    if (text.find_first_not_of(" \t\r") == std::string::npos) co_return true;
    const Line line{extent, text};
    const bool goes_on = co_await take(line);
    co_return goes_on;
  }

 private:
  void Append(std::string_view text) {
    if (too_long_) return;
    line_ += text.substr(0, kMaxLineBytes + 1 - line_.size());
    if (line_.size() <= kMaxLineBytes) return;
    too_long_ = true;
    line_.resize(kBeginningBytes);
    line_.shrink_to_fit();
  }

  std::string line_;
  bool too_long_ = false;
};

std::string NameOf(const net::HttpRequest& request) {
  const std::string_view target = request.target;
  return fmt::format("{} {}", request.method, target.substr(0, target.find('?')));
}

}  // namespace

dialect::ProviderError Unreadable(const Status& status) {
  return {.error_class = v1::Attempt::MALFORMED_RESPONSE,
          .text = Message(status),
          .retry_after = std::nullopt};
}

bool IsNoSuchPath(const Answer& answer) {
  return answer.status == 404 || answer.status == 405 || answer.status == 501;
}

dialect::ProviderError NoSuchPath(const Answer& answer) {
  return {.error_class = v1::Attempt::NOT_FOUND,
          .text = fmt::format("{} answered {}: {}", answer.call, answer.status,
                              answer.error ? answer.error->text : std::string()),
          .retry_after = std::nullopt};
}

asio::awaitable<void> LetOthersGo() {
  const auto executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);
}

ProviderCalls::ProviderCalls(const provider::Endpoint& endpoint, std::string model,
                             std::shared_ptr<const Secret> key, net::HttpClient& http,
                             const Clock& clock)
    : endpoint_(endpoint),
      model_(std::move(model)),
      key_(std::move(key)),
      http_(http),
      clock_(clock) {}

net::HttpRequest ProviderCalls::MakeRequest(std::string_view method, std::string_view path) const {
  net::HttpRequest request;
  request.method = method;
  request.origin = endpoint_.origin();
  const provider::Route& route = endpoint_.RouteOf(model_);
  request.target = endpoint_.TargetOf(route, path);
  request.timeouts = endpoint_.timeouts();
  request.max_response_body_bytes = kMaxAnswerBytes;
  request.headers.Add("Accept", "application/json");
  endpoint_.AddHeaders(route, *key_, &request.headers);
  return request;
}

Answer ProviderCalls::Read(net::HttpResult result) const {
  Answer answer;
  answer.status = result.ok() ? result.status : 0;
  answer.sent = result.request_bytes_written;
  answer.body = provider::RedactBody(*key_, result.status, std::move(result.body));
  if (!result.ok()) {
    answer.error = {.error_class = provider::ClassOf(result.failure),
                    .text = result.text,
                    .retry_after = std::nullopt};
  } else if (result.status < 200 || result.status > 299) {
    const auto header = [&](std::string_view name) { return result.headers.Find(name); };
    answer.error = endpoint_.dialect().ClassifyError(
        {.status = result.status, .body = answer.body, .header = header, .now = clock_.WallNow()});
  }
  if (answer.error) answer.error->text = key_->RedactError(std::move(answer.error->text));
  return answer;
}

asio::awaitable<Answer> ProviderCalls::Call(net::HttpRequest request) {
  std::string name = NameOf(request);
  net::HttpResult result = co_await http_.Call(std::move(request));
  Answer answer = Read(std::move(result));
  answer.call = std::move(name);
  co_return answer;
}

asio::awaitable<Answer> ProviderCalls::Get(std::string_view path) {
  Answer answer = co_await Call(MakeRequest("GET", path));
  co_return answer;
}

asio::awaitable<Answer> ProviderCalls::Post(std::string_view path, std::string body,
                                            std::string_view content_type,
                                            std::chrono::milliseconds total) {
  net::HttpRequest request = MakeRequest("POST", path);
  request.headers.Add("Content-Type", content_type);
  request.body = std::move(body);
  // A large body is long under way before the first byte of its answer can come.
  request.timeouts.first_byte = total;
  request.timeouts.total = total;
  Answer answer = co_await Call(std::move(request));
  co_return answer;
}

asio::awaitable<Answer> ProviderCalls::GetLines(std::string_view path, TakeLine take) {
  net::HttpRequest request = MakeRequest("GET", path);
  request.max_response_body_bytes = kMaxResultBytes;
  // Long enough for what is large, and for those who take the lines; what has not come by then is
  // asked for again. A pause ends it sooner, but a body may drip for ever.
  request.timeouts.total = kResultsTime;
  LineSplitter lines;
  bool ended = false;
  request.take_body = [&](std::string_view piece) -> asio::awaitable<bool> {
    const bool goes_on = co_await lines.Feed(piece, take);
    ended = !goes_on;
    co_return goes_on;
  };
  net::HttpResult result = co_await http_.Call(std::move(request));
  if (ended) co_return Answer{.status = 200, .sent = true};
  Answer answer = Read(std::move(result));
  if (!answer.error && answer.status != 200) {
    answer.error = {.error_class = v1::Attempt::MALFORMED_RESPONSE,
                    .text = fmt::format("status {} where results should be", answer.status),
                    .retry_after = std::nullopt};
  }
  if (!answer.error) {
    const bool goes_on = co_await lines.Finish(take);
    static_cast<void>(goes_on);
  }
  co_return answer;
}

}  // namespace candor::batch
