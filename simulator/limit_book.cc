#include "simulator/limit_book.h"

#include "common/base/config.h"
#include "common/base/json_writer.h"
#include "common/base/time_proto.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace candor::simulator {
namespace {

Status CheckRule(const v1::LimitRule& rule, std::string_view path, std::string_view limits_path) {
  const v1::Limits& limits = rule.limits();
  const std::pair<std::string, std::int64_t> fields[] = {
      {fmt::format("{}.requests_per_minute", limits_path), limits.requests_per_minute()},
      {fmt::format("{}.tokens_per_minute", limits_path), limits.tokens_per_minute()},
      {fmt::format("{}.in_flight", limits_path), limits.in_flight()},
      {fmt::format("{}.input_tokens_per_minute", limits_path), limits.input_tokens_per_minute()},
      {fmt::format("{}.output_tokens_per_minute", limits_path), limits.output_tokens_per_minute()},
      {fmt::format("{}.requests_per_day", limits_path), limits.requests_per_day()},
      {fmt::format("{}.tokens_per_day", limits_path), limits.tokens_per_day()},
      {fmt::format("{}.acceleration_floor", path), rule.acceleration_floor()},
      {fmt::format("{}.background_requests_per_minute", path),
       rule.background_requests_per_minute()},
      {fmt::format("{}.background_tokens_per_request", path),
       rule.background_tokens_per_request()}};
  for (const auto& [name, value] : fields) {
    if (value < 0) {
      return InvalidArgument("{}: {} is negative; give a positive number, or 0 for no limit", name,
                             value);
    }
  }
  if (!(rule.acceleration() >= 0 && rule.acceleration() <= 1e6)) {
    return InvalidArgument("{}.acceleration: {} is no factor", path, rule.acceleration());
  }
  return absl::OkStatus();
}

LimitSettings SettingsOf(const v1::LimitRule& rule, bool count_rejected) {
  const v1::Limits& limits = rule.limits();
  LimitSettings settings;
  settings.requests_per_minute = limits.requests_per_minute();
  settings.tokens_per_minute = limits.tokens_per_minute();
  settings.in_flight = limits.in_flight();
  settings.count_rejected = count_rejected;
  settings.input_tokens_per_minute = limits.input_tokens_per_minute();
  settings.output_tokens_per_minute = limits.output_tokens_per_minute();
  settings.requests_per_day = limits.requests_per_day();
  settings.tokens_per_day = limits.tokens_per_day();
  if (rule.has_request_window()) settings.request_window = ToDuration(rule.request_window());
  settings.acceleration = rule.acceleration();
  settings.acceleration_floor = rule.acceleration_floor();
  settings.background_requests_per_minute = rule.background_requests_per_minute();
  settings.background_tokens_per_request = rule.background_tokens_per_request();
  return settings;
}

std::string PatternOf(const v1::LimitRule& rule) {
  return rule.match().empty() ? "*" : rule.match();
}

}  // namespace

StatusOr<LimitBook> LimitBook::Create(const v1::SimulatorConfig& config) {
  LimitBook book;
  book.count_rejected_ = config.count_rejected();
  for (int i = 0; i < config.limit_rules_size(); ++i) {
    const v1::LimitRule& rule = config.limit_rules(i);
    const std::string path = fmt::format("limit_rules[{}]", i);
    CANDOR_RETURN_IF_ERROR(CheckRule(rule, path, path + ".limits"));
    book.rules_.push_back(
        {PatternOf(rule), rule.pool(), SettingsOf(rule, config.count_rejected())});
  }
  v1::LimitRule all;
  *all.mutable_limits() = config.limits();
  CANDOR_RETURN_IF_ERROR(CheckRule(all, "limits", "limits"));
  book.rules_.push_back({"*", "", SettingsOf(all, config.count_rejected())});
  return book;
}

const LimitBook::Rule& LimitBook::RuleOf(std::string_view model) const {
  return *std::find_if(rules_.begin(), rules_.end() - 1,
                       [&](const Rule& rule) { return MatchesModel(rule.match, model); });
}

Limiter& LimitBook::Find(std::string_view model) {
  Limiter*& known = by_model_[std::string(model)];
  if (known == nullptr) {
    const Rule& rule = RuleOf(model);
    const std::string key =
        rule.pool.empty() ? fmt::format("model {}", model) : "pool " + rule.pool;
    std::unique_ptr<Limiter>& limiter = limiters_[key];
    if (limiter == nullptr) limiter = std::make_unique<Limiter>(rule.settings);
    known = limiter.get();
  }
  return *known;
}

Status LimitBook::Change(const v1::LimitRule& rule) {
  CANDOR_RETURN_IF_ERROR(CheckRule(rule, "rule", "limits"));
  const LimitSettings settings = SettingsOf(rule, count_rejected_);
  const std::string match = PatternOf(rule);
  std::string pool = rule.pool();
  const auto last = rules_.end() - 1;
  const auto old =
      std::find_if(rules_.begin(), last, [&](const Rule& item) { return item.match == match; });
  if (old != last) {
    if (pool.empty()) pool = old->pool;
    rules_.erase(old);
  }
  rules_.insert(rules_.begin(), {match, pool, settings});
  ++version_;
  for (auto& [model, limiter] : by_model_) {
    if (!MatchesModel(match, model)) continue;
    if (!pool.empty()) {
      std::unique_ptr<Limiter>& pooled = limiters_["pool " + pool];
      if (pooled == nullptr) pooled = std::make_unique<Limiter>(settings);
      limiter = pooled.get();
    }
    limiter->Change(settings);
  }
  return absl::OkStatus();
}

std::string LimitBook::Print() const {
  std::vector<std::string> keys;
  for (const auto& [key, limiter] : limiters_) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  JsonWriter writer(2);
  writer.BeginObject().Key("limits").BeginArray();
  for (const std::string& key : keys) {
    const Limiter& limiter = *limiters_.at(key);
    const LimitSettings& settings = limiter.settings();
    const auto space = key.find(' ');
    writer.BeginObject().Key(key.substr(0, space)).String(key.substr(space + 1));
    writer.Key("requests_per_minute").Number(settings.requests_per_minute);
    writer.Key("tokens_per_minute").Number(settings.tokens_per_minute);
    writer.Key("in_flight").Number(settings.in_flight);
    writer.Key("input_tokens_per_minute").Number(settings.input_tokens_per_minute);
    writer.Key("output_tokens_per_minute").Number(settings.output_tokens_per_minute);
    writer.Key("requests_per_day").Number(settings.requests_per_day);
    writer.Key("tokens_per_day").Number(settings.tokens_per_day);
    writer.Key("calls_in_flight").Number(limiter.in_flight());
    writer.EndObject();
  }
  writer.EndArray().EndObject();
  return writer.Take() + "\n";
}

}  // namespace candor::simulator
