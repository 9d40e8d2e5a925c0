// A directory that goes with its test.
#pragma once

#include <gtest/gtest.h>

#include <stdlib.h>  // NOLINT: mkdtemp is POSIX

#include <filesystem>
#include <string>

namespace candor::store {

class TempDir {
 public:
  TempDir() : path_(testing::TempDir() + "candor_store_XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace candor::store
