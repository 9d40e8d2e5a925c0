// Validate of config.h: everything that is wrong with a configuration, field by field.
#include "candor/v1/cluster_service.pb.h"
#include "candor/v1/config.pb.h"
#include "common/base/batch_bounds.h"
#include "common/base/config.h"
#include "common/base/logging.h"
#include "common/base/max_limit.h"
#include "common/base/nearest.h"
#include "common/base/own_headers.h"

#include <google/protobuf/duration.pb.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <vector>

namespace candor {
namespace {

namespace pb = google::protobuf;

class Checker {
 public:
  Checker(const v1::Config& config, FieldViolations* violations)
      : config_(config), violations_(violations) {}

  void Run() {
    for (int i = 0; i < config_.limit_groups_size(); ++i) {
      CheckGroup(config_.limit_groups(i), fmt::format("limit_groups[{}]", i));
    }
    for (int i = 0; i < config_.endpoints_size(); ++i) {
      CheckEndpoint(config_.endpoints(i), fmt::format("endpoints[{}]", i));
    }
    const v1::CoordinatorConfig& coordinator = config_.coordinator();
    if (coordinator.has_lease_ttl() && coordinator.lease_ttl().seconds() < 1) {
      Add("coordinator.lease_ttl",
          "is shorter than a second; give at least 1s, or leave it out for 30s");
    }
    CheckLogging(coordinator, "coordinator");
    const v1::WorkerConfig& worker = config_.worker();
    if (worker.slots() < 0 || worker.slots() > kMaxSlots) {
      Add("worker.slots", "is {}; give 1 to {}, or 0 for 64", worker.slots(), kMaxSlots);
    }
    if (worker.threads() < 0 || worker.threads() > kMaxThreads) {
      Add("worker.threads", "is {}; give 1 to {}, or 0 for 1", worker.threads(), kMaxThreads);
    }
    if (worker.has_grace() && (worker.grace().seconds() < 0 || worker.grace().nanos() < 0)) {
      Add("worker.grace", "is negative; give a time such as 120s, or 0s");
    }
    CheckLogging(worker, "worker");
  }

 private:
  static constexpr int kMaxSlots = 100'000;
  static constexpr int kMaxThreads = 256;
  static constexpr double kMaxPrice = 1e6;

  template <typename... Args>
  void Add(std::string field, fmt::format_string<Args...> format, Args&&... args) {
    violations_->push_back({std::move(field), fmt::format(format, std::forward<Args>(args)...)});
  }

  // Names appear in resource names ("limitGroups/g5"), flags, labels and file names.
  void CheckName(const std::string& name, const std::string& path) {
    const auto inner = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    if (name.empty() || name.size() > 63 || name.front() < 'a' || name.front() > 'z' ||
        !std::all_of(name.begin(), name.end(), inner)) {
      Add(path + ".name",
          "\"{}\" is no name; give lower-case letters, digits and hyphens, beginning with a "
          "letter, at most 63",
          name);
    } else if (!names_.insert(name).second) {
      Add(path + ".name",
          "\"{}\" is taken: endpoints and limit groups need names of their own, because each "
          "endpoint "
          "has a limit group of its own name",
          name);
    }
  }

  void CheckLimits(const v1::Limits& limits, const std::string& path) {
    const std::pair<const char*, std::int64_t> fields[] = {
        {"requests_per_minute", limits.requests_per_minute()},
        {"tokens_per_minute", limits.tokens_per_minute()},
        {"in_flight", limits.in_flight()},
        {"input_tokens_per_minute", limits.input_tokens_per_minute()},
        {"output_tokens_per_minute", limits.output_tokens_per_minute()},
        {"requests_per_day", limits.requests_per_day()},
        {"tokens_per_day", limits.tokens_per_day()}};
    for (const auto& [name, value] : fields) {
      if (value < 0 || value > kMaxLimit) {
        Add(path + ".limits." + name, "is {}; give 1 to {}, or 0 for no limit", value, kMaxLimit);
      }
    }
  }

  void CheckGroup(const v1::LimitGroupConfig& group, const std::string& path) {
    CheckName(group.name(), path);
    groups_.push_back(group.name());
    CheckLimits(group.limits(), path);
    if (group.has_share()) CheckPart(group.share(), path + ".share");
  }

  // Written so that NaN is refused too.
  void CheckPart(double part, const std::string& path) {
    if (!(part > 0 && part <= 1)) Add(path, "is {}; give a part above 0 and at most 1", part);
  }

  void CheckEndpoint(const v1::Endpoint& endpoint, const std::string& path) {
    CheckName(endpoint.name(), path);
    CheckUrl(endpoint.base_url(), path + ".base_url");
    const auto& dialects = DialectNames();
    if (std::find(dialects.begin(), dialects.end(), endpoint.dialect()) == dialects.end()) {
      Add(path + ".dialect", "\"{}\" is no dialect of this release; give one of: {}",
          endpoint.dialect(), fmt::join(dialects, ", "));
    }
    const bool command = !endpoint.auth().command().empty();
    if (int{!endpoint.api_key_env().empty()} + int{!endpoint.api_key_file().empty()} +
            int{command} >
        1) {
      Add(path, "has more than one of api_key_env, api_key_file and auth.command; give one");
    }
    CheckKeyVariable(endpoint.api_key_env(), path + ".api_key_env");
    CheckLimits(endpoint.limits(), path);
    if (endpoint.has_share()) CheckPart(endpoint.share(), path + ".share");
    CheckHeaders(endpoint.headers(), path);
    CheckQuery(endpoint.query(), path);
    if (!endpoint.auth().header().empty()) {
      CheckHeaderName(endpoint.auth().header(), path + ".auth.header");
      if (endpoint.api_key_env().empty() && endpoint.api_key_file().empty() && !command) {
        Add(path + ".auth.header",
            "has no key to carry; give api_key_env, api_key_file or auth.command");
      }
    }
    const v1::CallTimeouts& timeouts = endpoint.timeouts();
    if (timeouts.has_connect()) CheckPositive(timeouts.connect(), path + ".timeouts.connect");
    if (timeouts.has_first_byte())
      CheckPositive(timeouts.first_byte(), path + ".timeouts.first_byte");
    if (timeouts.has_idle()) CheckPositive(timeouts.idle(), path + ".timeouts.idle");
    if (timeouts.has_total()) CheckPositive(timeouts.total(), path + ".timeouts.total");
    bool all = false;
    for (int i = 0; i < endpoint.models_size(); ++i) {
      const v1::ModelRule& rule = endpoint.models(i);
      const std::string rule_path = fmt::format("{}.models[{}]", path, i);
      CheckRule(endpoint, rule, rule_path);
      if (all) {
        Add(rule_path + ".match",
            "\"{}\" stands behind \"*\", which takes every model; put \"*\" last", rule.match());
      }
      all = all || rule.match() == "*";
    }
  }

  // Never repeats what was given: it may be the key itself.
  void CheckKeyVariable(const std::string& name, const std::string& path) {
    if (name.empty()) return;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    const auto inner = [&](char c) {
      return is_digit(c) || is_lower(c) || is_upper(c) || c == '_';
    };
    // What has all three is hardly a variable.
    const bool random = std::any_of(name.begin(), name.end(), is_digit) &&
                        std::any_of(name.begin(), name.end(), is_lower) &&
                        std::any_of(name.begin(), name.end(), is_upper);
    if (is_digit(name.front()) || !std::all_of(name.begin(), name.end(), inner) || random) {
      Add(path,
          "is no name of an environment variable; give one such as OPENAI_API_KEY, and put the key "
          "into that variable");
    }
  }

  void CheckQuery(const pb::Map<std::string, std::string>& query, const std::string& path) {
    if (query.contains("")) {
      Add(path + ".query", "has a parameter without a name; give it one, or leave it out");
    }
  }

  void CheckHeaders(const pb::Map<std::string, std::string>& headers, const std::string& path) {
    for (const auto& [name, value] : headers) {
      const std::string field = fmt::format("{}.headers[\"{}\"]", path, name);
      CheckHeaderName(name, field);
      if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
        Add(field, "has a line break or a zero byte in its value; leave them out");
      }
      if (IsOwnHeader(name)) Add(field, "is a header that Candor writes itself; leave it out");
    }
  }

  // `word` is one of `words`, or left out.
  void CheckWord(const std::string& word, const std::vector<std::string>& words,
                 const std::string& path) {
    if (word.empty() || std::find(words.begin(), words.end(), word) != words.end()) return;
    Add(path, "\"{}\" is none of {}{}", word, fmt::join(words, ", "), DidYouMean(word, words));
  }

  void CheckRule(const v1::Endpoint& endpoint, const v1::ModelRule& rule, const std::string& path) {
    if (rule.match().empty()) {
      Add(path + ".match", "is empty; give a model name, in which * stands for any characters");
    }
    const std::string& group = rule.limit_group();
    if (!group.empty() && group != endpoint.name() &&
        std::find(groups_.begin(), groups_.end(), group) == groups_.end()) {
      const std::string near = DidYouMean(group, groups_);
      Add(path + ".limit_group", "\"{}\" is no limit group of limit_groups{}", group,
          near.empty() ? "; add it there, or leave it out here" : near);
    }
    CheckPrice(rule.price(), path + ".price");
    CheckWord(rule.system_as(), {"system", "developer", "user"}, path + ".system_as");
    CheckWord(rule.stream(), {"never", "always", "auto"}, path + ".stream");
    CheckWord(rule.output_counts(), {"reserved", "produced"}, path + ".output_counts");
    if (rule.min_output_tokens() < 0) {
      Add(path + ".min_output_tokens", "is {}; give 1 or more, or 0 for what the dialect asks for",
          rule.min_output_tokens());
    }
    CheckMaxTokensField(rule.max_tokens_field(), path + ".max_tokens_field");
    CheckHeaders(rule.headers(), path);
    CheckQuery(rule.query(), path);
    CheckBatch(rule.batch(), endpoint.dialect(), path + ".batch");
  }

  void CheckMaxTokensField(const std::string& field, const std::string& path) {
    const auto inner = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    if (!std::all_of(field.begin(), field.end(), inner)) {
      return Add(path, "\"{}\" is no field of a request; give one such as max_completion_tokens",
                 field);
    }
    // Of common/dialect/openai.cc: a request would have it twice.
    for (const std::string_view own :
         {"model", "messages", "temperature", "top_p", "seed", "reasoning_effort", "logprobs",
          "top_logprobs", "response_format", "stream", "stream_options"}) {
      if (field != own) continue;
      Add(path, "\"{}\" has another meaning; give one such as max_completion_tokens", field);
    }
  }

  // A batch above what its provider takes would be made, refused, and made again.
  void CheckBatch(const v1::BatchConfig& batch, const std::string& dialect,
                  const std::string& path) {
    const BatchBounds most = BatchBoundsOf(dialect);
    if (batch.max_lines() < 0 || batch.max_lines() > most.lines) {
      Add(path + ".max_lines", "is {}; give 1 to {}, or 0 for {}", batch.max_lines(), most.lines,
          kDefaultBatch.lines);
    }
    if (batch.max_bytes() < 0 || batch.max_bytes() > most.bytes) {
      Add(path + ".max_bytes", "is {}; give 1 to {}, or 0 for {}", batch.max_bytes(), most.bytes,
          kDefaultBatch.bytes);
    }
    if (batch.queue_tokens() < 0) {
      Add(path + ".queue_tokens", "is {}; give 1 or more, or 0 for no limit", batch.queue_tokens());
    }
    if (batch.has_poll_interval()) CheckPositive(batch.poll_interval(), path + ".poll_interval");
  }

  void CheckPrice(const v1::Price& price, const std::string& path) {
    const std::pair<const char*, double> fields[] = {{"input", price.input()},
                                                     {"cached_input", price.cached_input()},
                                                     {"output", price.output()}};
    for (const auto& [name, value] : fields) {
      if (!(value >= 0 && value <= kMaxPrice)) {
        Add(path + "." + name, "is {}; give a price of 0 to {:.0f}", value, kMaxPrice);
      }
    }
    if (price.has_batch()) CheckPart(price.batch(), path + ".batch");
    if (price.per_tokens() < 0) {
      Add(path + ".per_tokens", "is {}; give 1000 or 1000000, or 0 for 1000000",
          price.per_tokens());
    }
  }

  void CheckHeaderName(const std::string& name, const std::string& path) {
    // RFC 9110, section 5.6.2: token.
    const auto token = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
             std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    };
    if (name.empty() || !std::all_of(name.begin(), name.end(), token)) {
      Add(path, "\"{}\" is no name of a header; give letters, digits and hyphens", name);
    }
  }

  void CheckPositive(const pb::Duration& duration, const std::string& path) {
    if (duration.seconds() < 0 || duration.nanos() < 0 ||
        (duration.seconds() == 0 && duration.nanos() == 0)) {
      Add(path, "is not above 0; give a time such as 30s");
    }
  }

  void CheckUrl(const std::string& url, const std::string& path) {
    const std::string_view example = "give one such as \"http://127.0.0.1:8080/v1\"";
    if (url.empty()) return Add(path, "is empty; {}", example);
    std::string_view rest = url;
    if (rest.substr(0, 8) == "https://") {
      rest.remove_prefix(8);
    } else if (rest.substr(0, 7) == "http://") {
      rest.remove_prefix(7);
    } else {
      return Add(path, "\"{}\" does not begin with http:// or https://; {}", WithoutUser(url),
                 example);
    }
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    if (authority.find('@') != std::string_view::npos) {
      return Add(path, "holds a user or password; use api_key_env, api_key_file or auth instead");
    }
    if (url.find_first_of("?#") != std::string::npos) {
      return Add(path, "holds a query or a fragment; put parameters into `query`");
    }
    for (const std::string_view call : {"/chat/completions", "/responses", "/messages"}) {
      if (!std::string_view(url).ends_with(call)) continue;
      return Add(path, "\"{}\" ends in {}, which Candor adds itself; leave it out", url, call);
    }
    const auto odd = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; };
    if (std::any_of(url.begin(), url.end(), odd)) {
      return Add(path, "holds a space or a control character; {}", example);
    }
    std::string_view host = authority;
    std::string_view port;
    const std::size_t bracket = authority.rfind(']');
    const std::size_t colon = authority.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
      host = authority.substr(0, colon);
      port = authority.substr(colon + 1);
      int number = 0;
      const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
      if (error != std::errc() || end != port.data() + port.size() || number < 1 ||
          number > 65535) {
        return Add(path, "\"{}\" has the port \"{}\"; give 1 to 65535", url, port);
      }
    }
    const bool brackets = host.find_first_of("[]") != std::string_view::npos;
    if (host.empty() || (brackets && (host.front() != '[' || host.back() != ']')) ||
        (!brackets && host.find(':') != std::string_view::npos)) {
      Add(path, "\"{}\" has no host; {}", url, example);
    }
  }

  static std::string WithoutUser(std::string url) {
    const std::size_t at = url.rfind('@');
    if (at != std::string::npos) url.replace(0, at, "[left out]");
    return url;
  }

  template <typename Section>
  void CheckLogging(const Section& section, const std::string& path) {
    if (!section.log_level().empty()) {
      if (const auto level = ParseLogLevel(section.log_level()); !level.ok()) {
        Add(path + ".log_level", "{}", Message(level.status()));
      }
    }
    if (!section.log_format().empty()) {
      if (const auto format = ParseLogFormat(section.log_format()); !format.ok()) {
        Add(path + ".log_format", "{}", Message(format.status()));
      }
    }
  }

  const v1::Config& config_;
  FieldViolations* violations_;
  std::set<std::string> names_;
  std::vector<std::string> groups_;
};

}  // namespace

void Validate(const v1::Config& config, FieldViolations* violations) {
  Checker(config, violations).Run();
}

}  // namespace candor
