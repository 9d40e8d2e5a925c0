// Commits numbered batches to a store and prints each ticket once it is durable, until it has
// committed so many or is killed. For the crash tests.
//
//   crash_child DIRECTORY BATCHES
//
// Exits 0 when it has committed them, 3 when a write was refused (the reason on standard error).

#include "coordinator/store/sqlite_store.h"
#include "tests/unit/coordinator/store/crash_records.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace candor::store {
namespace {

int Fail(const Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 3;
}

int Run(const std::string& directory, std::uint32_t batches) {
  // Small enough that checkpoints happen all the time.
  auto store = OpenSqliteStore(directory, {.reserve_bytes = 65'536, .checkpoint_pages = 12});
  if (!store.ok()) return Fail(store.status());
  const StatusOr<engine::Recovery> recovery = (*store)->Recover();
  if (!recovery.ok()) return Fail(recovery.status());
  std::uint32_t last = RecoveredBatches(*recovery);
  const std::uint32_t end = last + batches;
  while (last < end) {
    std::vector<engine::WriteBatch> group;
    // Groups of one to three batches.
    for (std::uint32_t i = 0; i < 1 + last % 3 && last < end; ++i) {
      group.push_back(CrashBatch(++last));
    }
    const Status status = (*store)->Commit(group);
    if (!status.ok()) return Fail(status);
    const std::string ticket = std::to_string(last) + "\n";
    if (write(STDOUT_FILENO, ticket.data(), ticket.size()) < 0) return 4;
  }
  return 0;
}

}  // namespace
}  // namespace candor::store

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return candor::store::Run(argv[1], static_cast<std::uint32_t>(std::atoi(argv[2])));
}
