// Keys of providers, from where the operator keeps them.
#pragma once

#include "candor/v1/config.pb.h"
#include "common/base/secret.h"
#include "common/base/status.h"

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace candor::provider {

// A variable of the environment; absent when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
// That of the process.
Environment ProcessEnvironment();

// How long a key command may take.
inline constexpr std::chrono::seconds kKeyCommandTimeout{30};

// The key of an endpoint: from api_key_env, api_key_file or auth.command, whichever is set; empty
// when none is (an open server). White space around it is dropped.
//
// FAILED_PRECONDITION, in words for Hello and logs ("environment variable LOCAL_API_KEY is not
// set"), when there is no key to be had; a file that others than its owner may read is refused with
// the command that mends it. INVALID_ARGUMENT when several sources are set. No message holds the
// key or anything that a command printed. A command may take up to kKeyCommandTimeout; asking
// `stop` ends it early.
StatusOr<Secret> LoadKey(const v1::Endpoint& endpoint, const Environment& environment,
                         std::stop_token stop = {});

// Runs `/bin/sh -c command`, as operators expect of a command in a configuration (pipes, variables
// and quotes work), and returns the first line that it prints. Its standard error is ours, its
// standard input is empty. After `timeout` it is killed with everything that it started.
StatusOr<std::string> RunKeyCommand(const std::string& command, std::chrono::milliseconds timeout,
                                    std::stop_token stop = {});

}  // namespace candor::provider
