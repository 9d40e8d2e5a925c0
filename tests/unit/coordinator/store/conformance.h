// What every Store must do, whatever lies behind it: a suite of GoogleTest cases that takes the
// store from a factory.
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformanceTest, testing::Values(&MakeSqliteBackend));
#pragma once

#include "common/base/status.h"
#include "coordinator/store/store.h"

#include <gtest/gtest.h>

#include <memory>

namespace candor::store {

// One store that is empty at first, and can be closed and opened again.
class StoreBackend {
 public:
  virtual ~StoreBackend() = default;
  // Opens the store; the one opened before has been destroyed.
  virtual StatusOr<std::unique_ptr<Store>> Open() = 0;
};

using StoreBackendFactory = std::unique_ptr<StoreBackend> (*)();

class StoreConformanceTest : public testing::TestWithParam<StoreBackendFactory> {
 protected:
  void SetUp() override;
  // Closes the store, as at the end of the process, and opens and recovers it.
  engine::Recovery Reopen();
  // Commits one batch by itself.
  Status Commit(engine::WriteBatch batch);

  std::unique_ptr<StoreBackend> backend_;
  std::unique_ptr<Store> store_;
};

}  // namespace candor::store
