// Why a job is not faster, as lines of text. Pure.
#pragma once

#include "candor/v1/evaluation_service.pb.h"
#include "cli/progress.h"

#include <string>
#include <vector>

namespace candor::cli {

// Without colours no line is wider than `style.width`.
std::vector<std::string> RenderExplanation(const v1::JobExplanation& explanation,
                                           const ProgressStyle& style);

}  // namespace candor::cli
