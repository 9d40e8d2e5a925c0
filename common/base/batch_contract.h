// What coordinator and workers hold each other to when a provider's batch is created
// (worker_service.proto, BatchTask.send_clock), in lease TTLs: the coordinator gives a creation out
// again only after both, so a worker that kept to less or more of them could create a batch twice.
#pragma once

namespace candor {

// From the sending of a SUBMIT until the call that creates the batch begins, at most.
inline constexpr int kCreateWithinTtls = 10;
// What that call takes, at most.
inline constexpr int kCreateTakesTtls = 2;

}  // namespace candor
