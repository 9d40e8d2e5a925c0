// The files of an export: written aside, and moved to their places when all of them are whole.
#pragma once

#include "common/base/status.h"

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace candor::cli {

// One file being written. Errors are UNAVAILABLE and name it.
class ExportFile {
 public:
  Status Append(std::string_view text);
  Status Close();

 private:
  friend class ExportFiles;
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  ExportFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  Status Error(const char* what) const;

  std::string path_;
  std::unique_ptr<std::FILE, Closer> file_;
};

class ExportFiles {
 public:
  // Makes `directory` and, in it, ".partial". FAILED_PRECONDITION for a directory that holds
  // anything but an earlier export, unless `force`; `is_ours` tells its files by their names.
  static StatusOr<ExportFiles> Create(const std::string& directory, bool force,
                                      const std::function<bool(const std::string&)>& is_ours);
  // Removes what was not finished.
  ~ExportFiles();
  ExportFiles(ExportFiles&& other) noexcept = default;
  ExportFiles& operator=(ExportFiles&&) = delete;

  // Where files are while they are written: for scratch files of the writer's own, which go with
  // it.
  std::string partial_directory() const;

  StatusOr<ExportFile> Open(const std::string& name);
  Status Write(const std::string& name, std::string_view content);
  // Moves all files to their places, replacing those of an earlier export.
  Status Finish();

 private:
  explicit ExportFiles(std::string directory) : directory_(std::move(directory)) {}

  std::string directory_;
  std::vector<std::string> names_;
};

}  // namespace candor::cli
