// Rows that come in one order and are wanted in another: grouped, within a group as they came.
//
//   CANDOR_ASSIGN_OR_RETURN(RowSpool spool, RowSpool::Create(directory));
//   CANDOR_RETURN_IF_ERROR(spool.Add(scenario_ordinal, row));
//   CANDOR_RETURN_IF_ERROR(spool.Drain([&](std::uint32_t group, std::string_view row) { ... }));
//
// Rows lie in a file that has no name and goes with the process; in memory are 16 bytes a row.
#pragma once

#include "common/base/status.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::cli {

// Not for concurrent use. Errors are UNAVAILABLE and name the directory.
class RowSpool {
 public:
  static StatusOr<RowSpool> Create(const std::string& directory);
  ~RowSpool();
  RowSpool(RowSpool&& other) noexcept;
  RowSpool& operator=(RowSpool&&) = delete;

  Status Add(std::uint32_t group, std::string_view row);
  bool empty() const { return index_.empty(); }

  // Hands on all rows, by ascending group, and forgets them.
  Status Drain(const std::function<Status(std::uint32_t, std::string_view)>& take);

 private:
  struct Place {
    std::uint64_t offset = 0;
    std::uint32_t group = 0;
    std::uint32_t size = 0;
  };
  RowSpool(std::string directory, int file) : directory_(std::move(directory)), file_(file) {}
  Status Flush();
  Status Error(const char* what) const;

  std::string directory_;
  int file_ = -1;
  std::vector<Place> index_;
  // What is not written yet, and where in the file it will begin.
  std::string buffer_;
  std::uint64_t written_ = 0;
};

}  // namespace candor::cli
