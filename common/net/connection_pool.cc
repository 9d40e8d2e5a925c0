#include "common/net/connection_pool.h"

#include <absl/hash/hash.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace candor::net {
namespace asio = boost::asio;

struct ConnectionPool::Waiter {
  Waiter(const asio::any_io_executor& executor, Site& the_site, Lease& the_lease)
      : timer(executor), site(the_site), lease(the_lease) {
    place = site.waiting.insert(site.waiting.end(), this);
  }
  ~Waiter() { Leave(); }
  void Leave() {
    if (!waits) return;
    waits = false;
    site.waiting.erase(place);
  }

  asio::steady_timer timer;
  Site& site;
  Lease& lease;
  std::list<Waiter*>::iterator place;
  bool waits = true;
};

ConnectionPool::Lease::~Lease() {
  if (pool_ != nullptr) pool_->Release(*this);
}

ClientConnection& ConnectionPool::Lease::MakeConnection(const asio::any_io_executor& executor) {
  connection_ = std::make_shared<ClientConnection>(executor);
  site_->busy.insert(connection_.get());
  return *connection_;
}

std::size_t ConnectionPool::OriginHash::operator()(const Origin& origin) const {
  return absl::HashOf(origin.https, origin.host, origin.port, origin.ca_file);
}

ConnectionPool::ConnectionPool(asio::any_io_executor executor, std::size_t max_per_origin,
                               std::chrono::milliseconds idle_timeout)
    : executor_(std::move(executor)),
      max_per_origin_(std::max<std::size_t>(max_per_origin, 1)),
      idle_timeout_(idle_timeout),
      reaper_(executor_) {}

ConnectionPool::Site& ConnectionPool::At(const Origin& origin) {
  std::unique_ptr<Site>& site = sites_[origin];
  if (site == nullptr) site = std::make_unique<Site>();
  return *site;
}

void ConnectionPool::Give(Site& site, std::shared_ptr<ClientConnection> connection, Lease& lease) {
  lease.pool_ = shared_from_this();
  lease.site_ = &site;
  if (connection != nullptr) {
    connection->expired = HttpFailure::kNone;
    site.busy.insert(connection.get());
  }
  lease.connection_ = std::move(connection);
}

bool ConnectionPool::TryAcquire(const Origin& origin, Lease& lease) {
  if (closing_) return false;
  Site& site = At(origin);
  while (!site.idle.empty()) {
    std::shared_ptr<ClientConnection> connection = std::move(site.idle.back());
    site.idle.pop_back();
    // Closed meanwhile, or with bytes that nobody asked for: not to be used.
    if (connection->stream.Peek().status == IoStatus::kWantRead) {
      Give(site, std::move(connection), lease);
      return true;
    }
    connection->stream.Close();
    --site.slots;
  }
  if (site.slots >= max_per_origin_) return false;
  ++site.slots;
  Give(site, nullptr, lease);
  return true;
}

asio::awaitable<HttpFailure> ConnectionPool::Acquire(const Origin& origin, Lease& lease,
                                                     SteadyTime deadline) {
  if (closing_) co_return HttpFailure::kCancelled;
  Waiter waiter(executor_, At(origin), lease);
  waiter.timer.expires_at(deadline);
  co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
  waiter.Leave();
  if (lease.pool_ != nullptr) co_return HttpFailure::kNone;
  const bool timed_out = !closing_ && std::chrono::steady_clock::now() >= deadline;
  co_return timed_out ? HttpFailure::kTotalTimeout : HttpFailure::kCancelled;
}

void ConnectionPool::Release(Lease& lease) {
  Site& site = *lease.site_;
  std::shared_ptr<ClientConnection> connection = std::move(lease.connection_);
  if (connection != nullptr) {
    site.busy.erase(connection.get());
    if (!lease.reusable_ || closing_) {
      connection->deadline.Cancel();
      connection->stream.Close();
      connection = nullptr;
    } else {
      connection->deadline.Clear();
      connection->used = true;
    }
  }
  if (closing_) return;
  if (!site.waiting.empty()) {
    Waiter& next = *site.waiting.front();
    next.Leave();
    Give(site, std::move(connection), next.lease);
    next.timer.cancel();
  } else if (connection != nullptr) {
    connection->idle_since = std::chrono::steady_clock::now();
    site.idle.push_back(std::move(connection));
    StartReaper();
  } else {
    --site.slots;
  }
}

void ConnectionPool::StartReaper() {
  if (reaper_runs_ || idle_timeout_.count() <= 0) return;
  reaper_runs_ = true;
  reaper_.expires_after(std::max(idle_timeout_ / 4, std::chrono::milliseconds(1)));
  reaper_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (error) return;
    if (const auto pool = weak.lock()) pool->Reap();
  });
}

void ConnectionPool::Reap() {
  reaper_runs_ = false;
  const SteadyTime limit = std::chrono::steady_clock::now() - idle_timeout_;
  bool any_left = false;
  for (auto it = sites_.begin(); it != sites_.end();) {
    Site& site = *it->second;
    // Used last, stands last: the old ones are in front.
    const auto end = std::find_if(site.idle.begin(), site.idle.end(), [&](const auto& connection) {
      return connection->idle_since > limit;
    });
    for (auto old = site.idle.begin(); old != end; ++old) (*old)->stream.Close();
    site.slots -= static_cast<std::size_t>(std::distance(site.idle.begin(), end));
    site.idle.erase(site.idle.begin(), end);
    any_left = any_left || !site.idle.empty();
    const bool unused = site.slots == 0 && site.waiting.empty();
    const auto next = std::next(it);
    if (unused) sites_.erase(it);
    it = next;
  }
  if (any_left) StartReaper();
}

void ConnectionPool::Shutdown() {
  closing_ = true;
  reaper_.cancel();
  for (auto& [origin, site] : sites_) {
    for (const auto& connection : site->idle) connection->stream.Close();
    site->idle.clear();
    for (ClientConnection* connection : site->busy) {
      connection->closing = true;
      connection->Interrupt();
    }
    for (Waiter* waiter : site->waiting) waiter->timer.cancel();
  }
}

}  // namespace candor::net
