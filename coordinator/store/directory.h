// The directory of a store: that it exists, that nobody else has it, and some space in reserve.
// Inside this room only.
#pragma once

#include "common/base/status.h"

#include <cstddef>
#include <string>

namespace candor::store {

class StoreDirectory {
 public:
  // Makes the directory if needed and locks it. Errors as of OpenSqliteStore.
  static StatusOr<StoreDirectory> Own(const std::string& path, std::size_t reserve_bytes);
  ~StoreDirectory();
  StoreDirectory(StoreDirectory&& other) noexcept;
  StoreDirectory& operator=(StoreDirectory&&) = delete;

  std::string DatabasePath() const { return path_ + "/candor.db"; }

  // Sets space aside, unless the disk is so full that this would keep the store from working.
  void MakeReserve() const;
  // Gives the space up: the disk is full, and opening a store takes some.
  void ReleaseReserve() const;

 private:
  StoreDirectory(std::string path, std::size_t reserve_bytes, int lock)
      : path_(std::move(path)), reserve_bytes_(reserve_bytes), lock_(lock) {}
  std::string ReservePath() const { return path_ + "/reserve"; }

  std::string path_;
  std::size_t reserve_bytes_;
  int lock_;
};

}  // namespace candor::store
