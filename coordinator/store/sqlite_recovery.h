// Reads what a restarted coordinator needs. Inside this room only.
#pragma once

#include "common/base/status.h"
#include "coordinator/engine/records.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/sqlite_writer.h"

namespace candor::store {

struct Recovered {
  engine::Recovery recovery;
  WriterState state;
};

// Reads the state, as Store::Recover describes it; `recovery.term` is the one stored. Within a
// transaction of the caller.
StatusOr<Recovered> ReadRecovery(Connection& connection);

}  // namespace candor::store
