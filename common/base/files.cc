#include "common/base/files.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace candor {
namespace {

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closer>;

Status FileError(const std::string& path, const char* what, int error) {
  const std::string reason = std::strerror(error);
  if (error == ENOENT) return NotFound("{}: cannot {}: {}", path, what, reason);
  if (error == EISDIR) return InvalidArgument("{}: is a directory; name a file", path);
  if (error == EACCES) return PermissionDenied("{}: cannot {}: {}", path, what, reason);
  return Unavailable("{}: cannot {}: {}", path, what, reason);
}

}  // namespace

StatusOr<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  File file(std::fopen(path.c_str(), "rb"));
  if (!file) return FileError(path, "open", errno);
  std::string content;
  char buffer[1 << 16];
  while (true) {
    const std::size_t n = std::fread(buffer, 1, sizeof buffer, file.get());
    if (n == 0) break;
    if (content.size() + n > max_bytes) {
      return InvalidArgument("{}: larger than {} bytes, which is the most that is read", path,
                             max_bytes);
    }
    content.append(buffer, n);
  }
  if (std::ferror(file.get()) != 0) return FileError(path, "read", errno);
  return content;
}

Status WriteFileAtomically(const std::string& path, std::string_view content) {
  const std::string partial = path + ".partial";
  {
    File file(std::fopen(partial.c_str(), "wb"));
    if (!file) return FileError(partial, "create", errno);
    if (std::fwrite(content.data(), 1, content.size(), file.get()) != content.size() ||
        std::fflush(file.get()) != 0) {
      return FileError(partial, "write", errno);
    }
  }
  if (std::rename(partial.c_str(), path.c_str()) != 0) return FileError(path, "rename to", errno);
  return absl::OkStatus();
}

}  // namespace candor
