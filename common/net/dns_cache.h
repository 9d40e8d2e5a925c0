// Host names -> addresses, remembered for a while. Internal; for the thread of the client alone.
#pragma once

#include "common/base/strings.h"
#include "common/net/connection_pool.h"

#include <absl/container/flat_hash_map.h>
#include <boost/asio/ip/address.hpp>

#include <list>
#include <memory>
#include <string>
#include <vector>

namespace candor::net {

class DnsCache : public std::enable_shared_from_this<DnsCache> {
 public:
  using Addresses = std::vector<boost::asio::ip::address>;

  DnsCache(boost::asio::any_io_executor executor, std::chrono::milliseconds keep);

  // kNone with at least one address in `addresses`; kResolve with a text; kConnectTimeout when
  // `deadline` passed; kCancelled. An IP address is its own address. Several that ask for one name
  // share the look-up, which goes on in the background when one of them gives up.
  boost::asio::awaitable<HttpFailure> Resolve(std::string host, SteadyTime deadline,
                                              Addresses& addresses, std::string& text);
  void Shutdown();

 private:
  struct Entry {
    Addresses addresses;
    std::string error;
    SteadyTime good_until{};
    bool pending = false;
    std::list<boost::asio::steady_timer*> waiting;
  };

  void Start(const std::string& host);

  boost::asio::any_io_executor executor_;
  const std::chrono::milliseconds keep_;
  absl::flat_hash_map<std::string, std::shared_ptr<Entry>> entries_;
  bool closing_ = false;
};

}  // namespace candor::net
