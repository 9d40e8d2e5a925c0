// Limit groups as lines of text: what each may do and who says so, what it does, what it waits for.
// Pure.
//
//   gpt-5  12,400 cells wait
//     requests a minute       [#########-]     499 / 500      99%  by the provider's headers
//     calls in flight         [###-------]      64 / 200      32%  configured
//     waits for: limit group "gpt-5": 500 requests a minute are in use
//     so far: request_limit 92%, nothing 8%
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "cli/progress.h"

#include <google/protobuf/repeated_field.h>

#include <string>
#include <vector>

namespace candor::cli {

// Without colours no line is wider than `style.width`.
std::vector<std::string> RenderLimits(
    const google::protobuf::RepeatedPtrField<v1::LimitGroup>& groups, const ProgressStyle& style);

}  // namespace candor::cli
