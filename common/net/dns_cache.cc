#include "common/net/dns_cache.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace candor::net {
namespace asio = boost::asio;

DnsCache::DnsCache(asio::any_io_executor executor, std::chrono::milliseconds keep)
    : executor_(std::move(executor)), keep_(keep) {}

asio::awaitable<HttpFailure> DnsCache::Resolve(std::string host, SteadyTime deadline,
                                               Addresses& addresses, std::string& text) {
  boost::system::error_code no_address;
  const asio::ip::address literal = asio::ip::make_address(host, no_address);
  if (!no_address) {
    addresses.assign(1, literal);
    co_return HttpFailure::kNone;
  }
  std::shared_ptr<Entry>& slot = entries_[host];
  if (slot == nullptr) slot = std::make_shared<Entry>();
  const std::shared_ptr<Entry> entry = slot;
  if (!entry->pending && std::chrono::steady_clock::now() >= entry->good_until) Start(host);
  if (entry->pending) {
    asio::steady_timer timer(executor_, deadline);
    // Leaves the list also when the coroutine is destroyed where it waits.
    struct Place {
      Entry& entry;
      std::list<asio::steady_timer*>::iterator at;
      ~Place() { entry.waiting.erase(at); }
    } place{*entry, entry->waiting.insert(entry->waiting.end(), &timer)};
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (closing_) co_return HttpFailure::kCancelled;
  if (entry->pending) {
    co_return std::chrono::steady_clock::now() >= deadline ? HttpFailure::kConnectTimeout
                                                           : HttpFailure::kCancelled;
  }
  if (entry->addresses.empty()) {
    text = entry->error;
    co_return HttpFailure::kResolve;
  }
  addresses = entry->addresses;
  co_return HttpFailure::kNone;
}

void DnsCache::Start(const std::string& host) {
  entries_[host]->pending = true;
  auto resolver = std::make_shared<asio::ip::tcp::resolver>(executor_);
  resolver->async_resolve(host, "",
                          [weak = weak_from_this(), entry = entries_[host], resolver](
                              const boost::system::error_code& error,
                              const asio::ip::tcp::resolver::results_type& results) {
                            const auto cache = weak.lock();
                            if (cache == nullptr) return;
                            entry->pending = false;
                            entry->addresses.clear();
                            for (const auto& result : results) {
                              entry->addresses.push_back(result.endpoint().address());
                            }
                            entry->error = error ? error.message() : "the name has no address";
                            entry->good_until =
                                entry->addresses.empty()
                                    ? SteadyTime{}
                                    : std::chrono::steady_clock::now() + cache->keep_;
                            for (asio::steady_timer* timer : entry->waiting) timer->cancel();
                          });
}

void DnsCache::Shutdown() {
  closing_ = true;
  for (auto& [host, entry] : entries_) {
    for (asio::steady_timer* timer : entry->waiting) timer->cancel();
  }
}

}  // namespace candor::net
