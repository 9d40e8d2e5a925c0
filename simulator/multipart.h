// Bodies of multipart/form-data.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {

struct FormPart {
  std::string name;
  // Empty for a plain field.
  std::string filename;
  std::string_view content;
};

// Nothing for a body or a content type that is none. Views point into the body.
std::optional<std::vector<FormPart>> ReadMultipart(std::string_view content_type,
                                                   std::string_view body);

}  // namespace candor::simulator
