#include "cli/export_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace candor::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPartial = ".partial";

}  // namespace

Status ExportFile::Append(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) return Error("write");
  return absl::OkStatus();
}

Status ExportFile::Close() {
  return std::fclose(file_.release()) == 0 ? absl::OkStatus() : Error("write");
}

Status ExportFile::Error(const char* what) const {
  return Unavailable("{}: cannot {}: {}", path_, what, std::strerror(errno));
}

StatusOr<ExportFiles> ExportFiles::Create(const std::string& directory, bool force,
                                          const std::function<bool(const std::string&)>& is_ours) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return Unavailable("{}: cannot make the directory: {}", directory, error.message());
  if (!force) {
    for (auto it = fs::directory_iterator(directory, error);
         !error && it != fs::directory_iterator(); it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (name == kPartial || is_ours(name)) continue;
      return FailedPrecondition(
          "{} holds \"{}\", which this command does not write; name another directory, or write "
          "beside it with "
          "--force",
          directory, name);
    }
    if (error) return Unavailable("{}: cannot list the directory: {}", directory, error.message());
  }
  const fs::path partial = fs::path(directory) / kPartial;
  fs::remove_all(partial, error);
  if (!error) fs::create_directory(partial, error);
  if (error)
    return Unavailable("{}: cannot make the directory: {}", partial.string(), error.message());
  return ExportFiles(directory);
}

ExportFiles::~ExportFiles() {
  if (directory_.empty()) return;
  std::error_code ignored;
  fs::remove_all(fs::path(directory_) / kPartial, ignored);
}

std::string ExportFiles::partial_directory() const {
  return (fs::path(directory_) / kPartial).string();
}

StatusOr<ExportFile> ExportFiles::Open(const std::string& name) {
  const std::string path = (fs::path(directory_) / kPartial / name).string();
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return Unavailable("{}: cannot create: {}", path, std::strerror(errno));
  names_.push_back(name);
  return ExportFile(path, file);
}

Status ExportFiles::Write(const std::string& name, std::string_view content) {
  CANDOR_ASSIGN_OR_RETURN(ExportFile file, Open(name));
  CANDOR_RETURN_IF_ERROR(file.Append(content));
  return file.Close();
}

Status ExportFiles::Finish() {
  for (const std::string& name : names_) {
    std::error_code error;
    fs::rename(fs::path(directory_) / kPartial / name, fs::path(directory_) / name, error);
    if (error) return Unavailable("{}/{}: cannot replace: {}", directory_, name, error.message());
  }
  return absl::OkStatus();
}

}  // namespace candor::cli
