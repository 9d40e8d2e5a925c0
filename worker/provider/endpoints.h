// The endpoints of candor.yaml as a worker uses them: addresses, keys, and which of them it serves.
//
//   CANDOR_ASSIGN_OR_RETURN(std::unique_ptr<Endpoints> endpoints,
//                           Endpoints::Create(config, ProcessEnvironment()));
//   hello.endpoints = endpoints->Services();
//   const Endpoint* endpoint = endpoints->Find("local");
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "candor/v1/config.pb.h"
#include "common/base/secret.h"
#include "common/base/status.h"
#include "common/dialect/dialect.h"
#include "common/net/http_client.h"
#include "worker/provider/key.h"

#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::provider {

// What the calls for one model rule have in common.
struct Route {
  // The default instance for models that no rule fits.
  const v1::ModelRule& rule;
  // Replies come as server-sent events.
  bool stream = false;
  // Encoded, without "?"; empty for none.
  std::string query;
  // All but those of authentication: the dialect's own, the endpoint's, then the rule's, of which
  // the last of a name holds.
  std::vector<std::pair<std::string, std::string>> headers;
};

// One endpoint. All but the key is fixed.
class Endpoint {
 public:
  // INVALID_ARGUMENT, naming the field, for a URL, dialect, header or time limit that cannot be.
  static StatusOr<std::unique_ptr<Endpoint>> Create(const v1::Endpoint& config);

  const v1::Endpoint& config() const { return config_; }
  const dialect::Dialect& dialect() const { return *dialect_; }
  const net::Origin& origin() const { return origin_; }
  // That of the first rule which fits the model, and path and query of a call.
  const Route& RouteOf(std::string_view model) const;
  std::string Target(const Route& route, std::string_view model) const;
  // The same for any path below the base URL, which may have a query of its own.
  std::string TargetOf(const Route& route, std::string_view path) const;
  // Adds the key, and the route's headers.
  void AddHeaders(const Route& route, const Secret& key, net::HttpHeaders* headers) const;
  const net::HttpTimeouts& timeouts() const { return timeouts_; }
  // The header that carries the key, and what stands in front of it there: the dialect's, unless
  // the configuration names a header, which then carries the bare key.
  const std::string& auth_header() const { return auth_header_; }
  std::string_view auth_prefix() const { return auth_prefix_; }

  // The key: null when the endpoint is not served, empty for an open server. The holder keeps it
  // alive while another takes its place. Any thread.
  std::shared_ptr<const Secret> key() const;
  // Why it is not served; empty when it is. Any thread.
  std::string reason() const;

  // Loads the key again. A key that was there stays when it cannot be: the provider decides whether
  // it still holds. Blocks while a command runs. Any thread.
  Status LoadKey(const Environment& environment, std::stop_token stop = {});

 private:
  explicit Endpoint(const v1::Endpoint& config) : config_(config) {}
  Status AddRoute(const v1::ModelRule& rule, std::string_view field);

  const v1::Endpoint config_;
  const dialect::Dialect* dialect_ = nullptr;
  net::Origin origin_;
  std::string base_path_;
  std::string base_query_;
  // One a rule, and one for the models that none fits.
  std::vector<Route> routes_;
  // Values of headers and parameters that no error may repeat.
  std::set<std::string> confidential_;
  net::HttpTimeouts timeouts_;
  std::string auth_header_;
  std::string_view auth_prefix_;

  mutable std::mutex mutex_;
  std::shared_ptr<const Secret> key_;
  std::string reason_ = "its key was not loaded yet";
};

// All of them. May be used by any number of threads.
class Endpoints {
 public:
  // INVALID_ARGUMENT, with every wrong field, for a configuration that cannot be. A key that is not
  // to be had is no error: its endpoint is not served.
  static StatusOr<std::unique_ptr<Endpoints>> Create(const v1::Config& config,
                                                     Environment environment);

  // In the order of the configuration: what is served, and why not what is not.
  std::vector<v1::Worker::EndpointService> Services() const;
  // Null when there is none of that name.
  const Endpoint* Find(std::string_view name) const;
  const std::vector<std::unique_ptr<Endpoint>>& all() const { return endpoints_; }

  // Loads the keys again that may change: those of files and commands. Blocks while commands run.
  void RefreshKeys(const std::stop_token& stop = {});

 private:
  Endpoints() = default;

  Environment environment_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
};

// How often `RefreshKeys` is to be called.
inline constexpr std::chrono::minutes kKeyRefreshInterval{5};

}  // namespace candor::provider
