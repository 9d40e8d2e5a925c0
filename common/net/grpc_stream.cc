#include "common/net/grpc_stream.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace candor::net::internal {
namespace asio = boost::asio;

Wakeup::Wakeup(const asio::any_io_executor& executor)
    : timer_(executor, asio::steady_timer::time_point::max()) {}

asio::awaitable<bool> Wakeup::Wait() {
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return cancellation.cancelled() == asio::cancellation_type::none;
}

void Wakeup::Wake() { timer_.cancel(); }

}  // namespace candor::net::internal
