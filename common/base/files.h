// Whole files, read and written with errors that say which file and why.
#pragma once

#include "common/base/status.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace candor {

// The content of a file of at most `max_bytes`; larger files are an error. NOT_FOUND,
// PERMISSION_DENIED, INVALID_ARGUMENT.
StatusOr<std::string> ReadFile(const std::string& path,
                               std::size_t max_bytes = std::size_t{1} << 30U);

// Writes a file so that a reader sees all of it or none: into a neighbour, then renamed.
// UNAVAILABLE on any I/O error.
Status WriteFileAtomically(const std::string& path, std::string_view content);

}  // namespace candor
