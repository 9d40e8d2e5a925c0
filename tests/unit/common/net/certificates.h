// Certificates made on the spot, so that none in the repository can run out.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace candor::net {

// An authority of its own, with its files in a directory that ends with it.
class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  struct Files {
    std::string certificate;
    std::string key;
  };
  // A certificate for `names` ("DNS:localhost,IP:127.0.0.1"), good from an hour ago for so many
  // seconds from now; negative: it has run out.
  Files Issue(const std::string& names, long seconds = 3600);
  const std::string& ca_file() const { return ca_.certificate; }

 private:
  struct Impl;
  std::filesystem::path directory_;
  std::unique_ptr<Impl> impl_;
  Files ca_;
  int issued_ = 0;
};

}  // namespace candor::net
