#include "worker/provider/endpoints.h"

#include "common/base/config.h"
#include "common/base/logging.h"
#include "common/base/own_headers.h"
#include "common/base/violations.h"

#include <algorithm>
#include <map>

namespace candor::provider {
namespace {

// For names and values of query parameters.
std::string PercentEncode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool kept = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '.' || c == '_' || c == '~';
    if (kept) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

bool IsToken(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool IsFieldValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 ? c != 0x7f : c == '\t';
  });
}

// Headers and parameters whose values may be read, and help to understand an error; any other may
// be a credential.
bool IsPublic(std::string_view name) {
  for (const std::string_view known :
       {"api-version", "anthropic-beta", "anthropic-version", "openai-beta", "http-referer",
        "referer", "x-title", "user-agent", "accept"}) {
    if (net::EqualIgnoringCase(name, known)) return true;
  }
  return false;
}

Status SetTimeout(const google::protobuf::Duration& value, std::string_view field,
                  std::chrono::milliseconds* timeout) {
  const auto duration =
      std::chrono::seconds(value.seconds()) +
      std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds(value.nanos()));
  if (duration.count() < 0 || duration > std::chrono::hours(24)) {
    return InvalidArgument("timeouts.{}: is {} s; give a time of at most 24h", field,
                           value.seconds());
  }
  *timeout = duration;
  return absl::OkStatus();
}

Status ReadTimeouts(const v1::CallTimeouts& config, net::HttpTimeouts* timeouts) {
  if (config.has_connect()) {
    CANDOR_RETURN_IF_ERROR(SetTimeout(config.connect(), "connect", &timeouts->connect));
  }
  if (config.has_first_byte()) {
    CANDOR_RETURN_IF_ERROR(SetTimeout(config.first_byte(), "first_byte", &timeouts->first_byte));
  }
  if (config.has_idle()) {
    CANDOR_RETURN_IF_ERROR(SetTimeout(config.idle(), "idle", &timeouts->idle));
  }
  if (config.has_total()) {
    CANDOR_RETURN_IF_ERROR(SetTimeout(config.total(), "total", &timeouts->total));
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<Endpoint>> Endpoint::Create(const v1::Endpoint& config) {
  std::unique_ptr<Endpoint> endpoint(new Endpoint(config));
  CANDOR_ASSIGN_OR_RETURN(endpoint->dialect_, dialect::FindDialect(config.dialect()));
  if (config.base_url().empty()) {
    return InvalidArgument("base_url: is missing; give one such as http://127.0.0.1:8080/v1");
  }
  auto url = net::ParseUrl(config.base_url(), config.ca_file());
  if (!url.ok()) return Annotate(url.status(), "base_url");
  endpoint->origin_ = url->origin;
  // The base may have a query of its own.
  const auto question = url->target.find('?');
  endpoint->base_path_ = url->target.substr(0, question);
  while (endpoint->base_path_.ends_with('/')) endpoint->base_path_.pop_back();
  if (question != std::string::npos) endpoint->base_query_ = url->target.substr(question + 1);

  CANDOR_RETURN_IF_ERROR(ReadTimeouts(config.timeouts(), &endpoint->timeouts_));
  const std::string& header = config.auth().header();
  if (!header.empty() && !IsToken(header)) {
    return InvalidArgument("auth.header: \"{}\" is no name of a header", header);
  }
  endpoint->auth_header_ = header.empty() ? endpoint->dialect_->AuthHeader() : header;
  endpoint->auth_prefix_ = header.empty() ? endpoint->dialect_->AuthPrefix() : "";
  const bool has_key = !config.api_key_env().empty() || !config.api_key_file().empty() ||
                       !config.auth().command().empty();
  if (!header.empty() && !has_key) {
    return InvalidArgument(
        "auth.header: there is no key for it; give api_key_env, api_key_file or auth.command");
  }
  for (int i = 0; i < endpoint->config_.models_size(); ++i) {
    CANDOR_RETURN_IF_ERROR(
        endpoint->AddRoute(endpoint->config_.models(i), fmt::format("models[{}].", i)));
  }
  CANDOR_RETURN_IF_ERROR(endpoint->AddRoute(v1::ModelRule::default_instance(), ""));
  return endpoint;
}

Status Endpoint::AddRoute(const v1::ModelRule& rule, std::string_view field) {
  Route route{.rule = rule, .stream = dialect::Streams(rule), .query = base_query_};
  // Sorted: a protobuf map has no order.
  std::map<std::string, std::string> parameters(config_.query().begin(), config_.query().end());
  for (const auto& [name, value] : rule.query()) parameters[name] = value;
  for (const auto& [name, value] : parameters) {
    if (!route.query.empty()) route.query += '&';
    route.query += PercentEncode(name) + "=" + PercentEncode(value);
    if (!IsPublic(name)) confidential_.insert(value);
  }
  const auto set_header = [&](std::string_view name, std::string_view value) {
    for (auto& [other, other_value] : route.headers) {
      if (!net::EqualIgnoringCase(name, other)) continue;
      other_value = value;
      return;
    }
    route.headers.emplace_back(name, value);
  };
  const bool has_key = !config_.api_key_env().empty() || !config_.api_key_file().empty() ||
                       !config_.auth().command().empty();
  for (const dialect::FixedHeader& header : dialect_->Headers()) {
    set_header(header.name, header.value);
  }
  for (const auto* headers : {&config_.headers(), &rule.headers()}) {
    const std::string path = fmt::format("{}headers", headers == &rule.headers() ? field : "");
    for (const auto& [name, value] : *headers) {
      if (!IsToken(name)) return InvalidArgument("{}: \"{}\" is no name of a header", path, name);
      if (!IsFieldValue(value)) {
        return InvalidArgument("{}.{}: holds a line break or another control character", path,
                               name);
      }
      if (IsOwnHeader(name) || (has_key && net::EqualIgnoringCase(name, auth_header_))) {
        return InvalidArgument("{}.{}: Candor writes this header itself; leave it out", path, name);
      }
      set_header(name, value);
      if (!IsPublic(name)) confidential_.insert(value);
    }
  }
  routes_.push_back(std::move(route));
  return absl::OkStatus();
}

const Route& Endpoint::RouteOf(std::string_view model) const {
  for (const Route& route : routes_) {
    if (MatchesModel(route.rule.match(), model)) return route;
  }
  return routes_.back();
}

std::string Endpoint::Target(const Route& route, std::string_view model) const {
  return TargetOf(route, dialect_->Path(model, route.stream));
}

std::string Endpoint::TargetOf(const Route& route, std::string_view path) const {
  std::string target = base_path_;
  target += path;
  if (route.query.empty()) return target;
  target += target.find('?') == std::string::npos ? '?' : '&';
  return target += route.query;
}

void Endpoint::AddHeaders(const Route& route, const Secret& key, net::HttpHeaders* headers) const {
  if (!key.empty()) headers->Add(auth_header_, std::string(auth_prefix_) + key.Reveal());
  for (const auto& [name, value] : route.headers) headers->Add(name, value);
}

std::shared_ptr<const Secret> Endpoint::key() const {
  const std::lock_guard lock(mutex_);
  return key_;
}

std::string Endpoint::reason() const {
  const std::lock_guard lock(mutex_);
  return key_ == nullptr ? reason_ : "";
}

Status Endpoint::LoadKey(const Environment& environment, std::stop_token stop) {
  auto key = provider::LoadKey(config_, environment, std::move(stop));
  const std::lock_guard lock(mutex_);
  if (key.ok()) {
    for (const std::string& text : confidential_) key->AddCompanion(text);
    key_ = std::make_shared<const Secret>(*std::move(key));
    return absl::OkStatus();
  }
  if (key_ == nullptr) reason_ = Message(key.status());
  return key.status();
}

StatusOr<std::unique_ptr<Endpoints>> Endpoints::Create(const v1::Config& config,
                                                       Environment environment) {
  std::unique_ptr<Endpoints> endpoints(new Endpoints);
  endpoints->environment_ = std::move(environment);
  FieldViolations violations;
  for (int i = 0; i < config.endpoints_size(); ++i) {
    const v1::Endpoint& item = config.endpoints(i);
    const std::string field = fmt::format("endpoints[{}]", i);
    if (item.name().empty()) {
      violations.push_back({field + ".name", "is missing; jobs name the endpoint by it"});
      continue;
    }
    if (endpoints->Find(item.name()) != nullptr) {
      violations.push_back(
          {field + ".name", fmt::format("\"{}\" is there twice; names are unique", item.name())});
      continue;
    }
    auto endpoint = Endpoint::Create(item);
    if (!endpoint.ok()) {
      violations.push_back(
          {fmt::format("{} (\"{}\")", field, item.name()), Message(endpoint.status())});
      continue;
    }
    const Status loaded = (*endpoint)->LoadKey(endpoints->environment_);
    if (loaded.code() == absl::StatusCode::kInvalidArgument) {
      violations.push_back({fmt::format("{} (\"{}\")", field, item.name()), Message(loaded)});
      continue;
    }
    endpoints->endpoints_.push_back(*std::move(endpoint));
  }
  CANDOR_RETURN_IF_ERROR(ToStatus(violations));
  return endpoints;
}

std::vector<v1::Worker::EndpointService> Endpoints::Services() const {
  std::vector<v1::Worker::EndpointService> services;
  services.reserve(endpoints_.size());
  for (const auto& endpoint : endpoints_) {
    v1::Worker::EndpointService& service = services.emplace_back();
    service.set_endpoint(endpoint->config().name());
    service.set_served(endpoint->key() != nullptr);
    if (!service.served()) service.set_reason(endpoint->reason());
  }
  return services;
}

const Endpoint* Endpoints::Find(std::string_view name) const {
  for (const auto& endpoint : endpoints_) {
    if (endpoint->config().name() == name) return endpoint.get();
  }
  return nullptr;
}

void Endpoints::RefreshKeys(const std::stop_token& stop) {
  for (const auto& endpoint : endpoints_) {
    const v1::Endpoint& config = endpoint->config();
    if (config.api_key_file().empty() && config.auth().command().empty()) continue;
    if (stop.stop_requested()) return;
    const Status loaded = endpoint->LoadKey(environment_, stop);
    if (!loaded.ok() && !stop.stop_requested()) {
      Log().Warn("the key of endpoint {} cannot be loaded again: {}", config.name(),
                 Message(loaded));
    }
  }
}

}  // namespace candor::provider
