// Identifiers, injected: of jobs, workers and requests.
//
//   const std::string job = "jobs/" + ids.Next();      // "jobs/4k9wq0z7m3t8x2ab"
#pragma once

#include <cstdint>
#include <string>

namespace candor {

class IdGenerator {
 public:
  virtual ~IdGenerator() = default;
  // 16 characters: 80 bits in lower-case base32 (Crockford's alphabet: digits and letters without
  // i, l, o and u). Fit for resource names, file names and Kubernetes labels. May be called by any
  // number of threads.
  virtual std::string Next() = 0;
};

// 80 random bits of the operating system: among a million ids the chance of two equal ones is below
// one in 10^12.
class SystemIdGenerator final : public IdGenerator {
 public:
  std::string Next() override;
};

// For tests: "0000000000000001", "0000000000000002", ... Not for concurrent use.
class SequentialIds final : public IdGenerator {
 public:
  std::string Next() override;

 private:
  std::uint64_t last_ = 0;
};

}  // namespace candor
