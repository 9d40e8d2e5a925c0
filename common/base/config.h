// The configuration file (candor.yaml): reading, checking, and the questions asked of it.
//
//   CANDOR_ASSIGN_OR_RETURN(v1::Config config, LoadConfig("candor.yaml"));
//   const v1::ModelRule* rule = FindModelRule(config.endpoints(0), "gpt-5-mini");
//   std::string group = LimitGroupOf(config.endpoints(0), "gpt-5-mini");
//
// All of it may be called by any number of threads.
#pragma once

#include "common/base/status.h"
#include "common/base/violations.h"

#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace candor::v1 {
class Config;
class Endpoint;
class Limits;
class ModelRule;
}  // namespace candor::v1

namespace candor {

// Reads and checks a file. Errors name the file, the field, the value and what would be right:
// NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT.
StatusOr<v1::Config> LoadConfig(const std::string& path);

// The words of `Endpoint.dialect`.
const std::vector<std::string>& DialectNames();

// Appends what is wrong: names and their uniqueness, URLs, dialects, ways to authenticate, limits,
// shares, prices, batches, and rules with unknown words or a limit group that nobody configured.
void Validate(const v1::Config& config, FieldViolations* violations);

// True when `pattern`, in which * stands for any characters (none included), fits the whole model
// name. Upper and lower case differ.
bool MatchesModel(std::string_view pattern, std::string_view model);

// The endpoint of this name, null when there is none.
const v1::Endpoint* FindEndpoint(const v1::Config& config, std::string_view name);

// The first rule that fits, null when none does. Points into `endpoint`.
const v1::ModelRule* FindModelRule(const v1::Endpoint& endpoint, std::string_view model);

// The limit group of a model at an endpoint: its rule's, or else the endpoint's own, which bears
// the endpoint's name.
std::string LimitGroupOf(const v1::Endpoint& endpoint, std::string_view model);

// The account's limits of a group, as the operator gave them: a group of limit_groups, or that of
// an endpoint. 0 means no limit. All zero for a group that nobody configured.
v1::Limits ConfiguredLimits(const v1::Config& config, std::string_view group);

// What part of them Candor may use, above 0 and at most 1.
double ShareOfGroup(const v1::Config& config, std::string_view group);

// Both: as configured times the share, rounded down to at least 1.
v1::Limits LimitsOfGroup(const v1::Config& config, std::string_view group);

// True for a dialect that has batches: openai ("" too), openai-responses and anthropic. Whether a
// server that calls itself compatible has them shows only when one is created.
bool HasBatches(std::string_view dialect);

// Replaces what may hold a secret by "[left out]": values of headers and query parameters, keys,
// commands, and the user part of URLs. For printing a configuration.
void LeaveOutSecrets(google::protobuf::Message* config);

}  // namespace candor
