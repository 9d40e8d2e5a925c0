// Runs crash_child and judges what it leaves behind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace candor::store {

struct ChildResult {
  std::uint32_t acknowledged = 0;  // the last ticket it printed; 0: none
  bool killed = false;             // by SIGKILL
  int exit_code = -1;
  std::string errors;  // what it wrote to standard error
};

// Runs `command` (argv) until it ends. With `kill_after` > 0 it is killed once it has printed so
// many tickets, which hits it anywhere in the commits that follow.
ChildResult RunChild(const std::vector<std::string>& command, std::uint32_t kill_after = 0);

// Opens the store and expects exactly the batches up to some number, which is at least
// `acknowledged` and is returned.
std::uint32_t ExpectPrefix(const std::string& directory, std::uint32_t acknowledged);

// One point of the sweep over system calls.
struct Injection {
  std::string call;   // "fdatasync", "pwrite64"
  std::string fault;  // as strace has it: "signal=SIGKILL", "error=EIO"
  int when = 1;       // which one, counted from 1
};

// The reason why strace cannot inject faults here; empty when it can.
std::string WhyNoStrace();
// How often the undisturbed child makes the call in a new directory.
int CountCalls(const std::string& call);
// Runs the child in a new directory with the injection, and then again without: what was
// acknowledged must be there, and the store must go on. Returns what became of the disturbed child.
ChildResult SweepPoint(const Injection& injection);

}  // namespace candor::store
