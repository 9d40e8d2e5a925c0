// The whole cluster with simulated time, around the real engine: a store that loses what is not
// durable, workers that die, stall and come back, messages that are late or lost with their stream,
// a provider with limits and moods, users who pause and cancel, and a coordinator that is killed.
//
//   const Outcome outcome = Simulate({.seed = 7, .heals = false});
//   ASSERT_TRUE(outcome.violations.empty());
//
// The promises (shared promises.md R1 to R11, as far as the engine keeps them) are checked after
// each step. Everything follows from the seed: equal seeds have equal trace hashes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace candor::engine::simulation {

struct Scenario {
  std::uint64_t seed = 0;
  // Faults stop after a while, and then every job has to end by itself.
  bool heals = false;
};

struct Outcome {
  std::vector<std::string> violations;
  // Of all events and commands.
  std::uint64_t trace_hash = 0;
  // What happened, so that a test can tell that something did.
  std::int64_t calls = 0;
  std::int64_t outcomes = 0;
  std::int64_t coordinator_deaths = 0;
  std::int64_t worker_deaths = 0;
  std::int64_t late_reports = 0;
  std::int64_t refusals = 0;
  std::int64_t sleeps = 0;
  // Outcomes that a job took over from another one.
  std::int64_t reused = 0;
  // Pairs of adaptive designs, and how many of them were worked out more than once.
  std::int64_t proposals = 0;
  std::int64_t proposals_again = 0;
  // Batches created at providers, their lines that were run, and those that were found after a
  // worker or coordinator had died with them.
  std::int64_t batches = 0;
  std::int64_t lines = 0;
  std::int64_t adopted = 0;
};

Outcome Simulate(const Scenario& scenario);

}  // namespace candor::engine::simulation
