// Known mistakes, built into the engine for tests only: a simulation that none of them can turn red
// proves nothing. Without CANDOR_PLANTED_BUGS every question here is a constant `false`.
#pragma once

namespace candor::engine {

enum class PlantedBug {
  kNone,
  kAcknowledgeBeforeCommit,
  kSendBeforeCommit,
  kLimitsResetAtRestart,
  kOutcomeCountedTwice,
  kRetryAfterIgnored,
  kExpiredCellLost,
  kProposedTooSoon,
  kHeadersNeverLower,
  kDecreasePerRefusal,
  kCircuitNeverCloses,
  kSubmittedTooSoon,
};

#ifdef CANDOR_PLANTED_BUGS
// Set by a test between two simulations; there is one thread.
inline PlantedBug planted_bug = PlantedBug::kNone;
inline bool Planted(PlantedBug bug) { return planted_bug == bug; }
#else
constexpr bool Planted(PlantedBug /*bug*/) { return false; }
#endif

}  // namespace candor::engine
