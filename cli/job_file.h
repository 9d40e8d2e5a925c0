// Job files: a bare job, or the CreateJob envelope around one; JSON, YAML or textproto.
#pragma once

#include "candor/v1/evaluation_service.pb.h"
#include "common/base/status.h"

#include <iosfwd>
#include <string>

namespace candor::cli {

// The text of a file, or of `in` when the path is "-"; at most 64 MB.
StatusOr<std::string> ReadInput(const std::string& path, std::istream& in);

// A text is taken for the envelope when it has `job` at its top level. With `prompts_path` the file
// there (a v1.Prompts) replaces the job's wording. Errors name the file, the field, the value and
// what would be right.
StatusOr<v1::CreateJobRequest> ReadJobFile(const std::string& path, const std::string& prompts_path,
                                           std::istream& in);

}  // namespace candor::cli
