#include "common/base/config.h"

#include "candor/v1/cluster_service.pb.h"
#include "candor/v1/config.pb.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"

#include <google/protobuf/message.h>

#include <algorithm>

namespace candor {
namespace {

namespace pb = google::protobuf;

constexpr std::string_view kLeftOut = "[left out]";

void LowerToShare(double share, v1::Limits* limits) {
  const pb::Reflection& reflection = *limits->GetReflection();
  std::vector<const pb::FieldDescriptor*> fields;
  // Those above 0: 0 means no limit, and stays.
  reflection.ListFields(*limits, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    const auto limit = static_cast<double>(reflection.GetInt64(*limits, field));
    reflection.SetInt64(limits, field,
                        std::max<std::int64_t>(1, static_cast<std::int64_t>(limit * share)));
  }
}

}  // namespace

StatusOr<v1::Config> LoadConfig(const std::string& path) {
  v1::Config config;
  CANDOR_RETURN_IF_ERROR(ParseFile(path, &config));
  FieldViolations violations;
  Validate(config, &violations);
  CANDOR_RETURN_IF_ERROR(Annotate(ToStatus(violations), path));
  return config;
}

const std::vector<std::string>& DialectNames() {
  static const auto* const kNames =
      new std::vector<std::string>{"openai", "openai-responses", "anthropic", "gemini"};
  return *kNames;
}

bool MatchesModel(std::string_view pattern, std::string_view model) {
  // Greedy with one point to go back to: the last * and what it has swallowed. Linear for one star,
  // at worst |pattern| * |model|.
  std::size_t p = 0;
  std::size_t m = 0;
  std::size_t star = std::string_view::npos;
  std::size_t swallowed = 0;
  while (m < model.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      swallowed = m;
    } else if (p < pattern.size() && pattern[p] == model[m]) {
      ++p;
      ++m;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      m = ++swallowed;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

const v1::Endpoint* FindEndpoint(const v1::Config& config, std::string_view name) {
  for (const v1::Endpoint& endpoint : config.endpoints()) {
    if (endpoint.name() == name) return &endpoint;
  }
  return nullptr;
}

const v1::ModelRule* FindModelRule(const v1::Endpoint& endpoint, std::string_view model) {
  for (const v1::ModelRule& rule : endpoint.models()) {
    if (MatchesModel(rule.match(), model)) return &rule;
  }
  return nullptr;
}

std::string LimitGroupOf(const v1::Endpoint& endpoint, std::string_view model) {
  const v1::ModelRule* rule = FindModelRule(endpoint, model);
  return rule == nullptr || rule->limit_group().empty() ? endpoint.name() : rule->limit_group();
}

bool HasBatches(std::string_view dialect) {
  return dialect.empty() || dialect == "openai" || dialect == "openai-responses" ||
         dialect == "anthropic";
}

v1::Limits ConfiguredLimits(const v1::Config& config, std::string_view group) {
  for (const v1::LimitGroupConfig& configured : config.limit_groups()) {
    if (configured.name() == group) return configured.limits();
  }
  const v1::Endpoint* endpoint = FindEndpoint(config, group);
  return endpoint == nullptr ? v1::Limits() : endpoint->limits();
}

double ShareOfGroup(const v1::Config& config, std::string_view group) {
  for (const v1::LimitGroupConfig& configured : config.limit_groups()) {
    if (configured.name() == group) return configured.has_share() ? configured.share() : 1;
  }
  const v1::Endpoint* endpoint = FindEndpoint(config, group);
  return endpoint != nullptr && endpoint->has_share() ? endpoint->share() : 1;
}

v1::Limits LimitsOfGroup(const v1::Config& config, std::string_view group) {
  v1::Limits limits = ConfiguredLimits(config, group);
  LowerToShare(ShareOfGroup(config, group), &limits);
  return limits;
}

void LeaveOutSecrets(pb::Message* config) {
  const pb::Reflection& reflection = *config->GetReflection();
  std::vector<const pb::FieldDescriptor*> fields;
  reflection.ListFields(*config, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    const std::string& name = field->name();
    if (name == "api_key" || name == "command") {
      reflection.SetString(config, field, std::string(kLeftOut));
    } else if (name == "base_url") {
      std::string url = reflection.GetString(*config, field);
      const std::size_t begin = url.find("://") == std::string::npos ? 0 : url.find("://") + 3;
      const std::size_t at = url.rfind('@');
      if (at != std::string::npos && at > begin) url.replace(begin, at - begin, kLeftOut);
      reflection.SetString(config, field, std::move(url));
    } else if (field->is_map() && (name == "headers" || name == "query")) {
      for (int i = 0; i < reflection.FieldSize(*config, field); ++i) {
        pb::Message* entry = reflection.MutableRepeatedMessage(config, field, i);
        entry->GetReflection()->SetString(entry, field->message_type()->map_value(),
                                          std::string(kLeftOut));
      }
    } else if (field->message_type() != nullptr && field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(*config, field); ++i) {
        LeaveOutSecrets(reflection.MutableRepeatedMessage(config, field, i));
      }
    } else if (field->message_type() != nullptr) {
      LeaveOutSecrets(reflection.MutableMessage(config, field));
    }
  }
}

}  // namespace candor
