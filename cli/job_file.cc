#include "cli/job_file.h"

#include "common/base/files.h"
#include "common/base/json_proto.h"
#include "common/base/text_value.h"

#include <algorithm>
#include <istream>

namespace candor::cli {

StatusOr<std::string> ReadInput(const std::string& path, std::istream& in) {
  if (path != "-") return ReadFile(path, kMaxTextBytes);
  std::string text;
  char buffer[1 << 16];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMaxTextBytes) {
      return InvalidArgument("-: more than {} bytes, which is the most that is read",
                             kMaxTextBytes);
    }
  }
  return text;
}

StatusOr<v1::CreateJobRequest> ReadJobFile(const std::string& path, const std::string& prompts_path,
                                           std::istream& in) {
  CANDOR_ASSIGN_OR_RETURN(const std::string text, ReadInput(path, in));
  const TextFormat format = TextFormatOf(path, text);
  const auto names = TopLevelNames(format, text);
  if (!names.ok()) return Annotate(names.status(), path);
  v1::CreateJobRequest request;
  if (std::find(names->begin(), names->end(), "job") != names->end()) {
    CANDOR_RETURN_IF_ERROR(Annotate(ParseText(format, text, &request), path));
  } else {
    CANDOR_RETURN_IF_ERROR(Annotate(ParseText(format, text, request.mutable_job()), path));
  }
  if (!prompts_path.empty()) {
    CANDOR_RETURN_IF_ERROR(ParseFile(prompts_path, request.mutable_job()->mutable_prompts()));
  }
  return request;
}

}  // namespace candor::cli
