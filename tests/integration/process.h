// Real processes for tests: started, read, killed, and never left behind.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace candor::integration {

// A program that runs beside the test. Killed and reaped when destroyed.
class Process {
 public:
  struct Options {
    std::vector<std::string> command;
    std::map<std::string, std::string> environment;
    // Text for standard input, which ends behind it.
    std::string input;
    // Standard error goes here; standard output too unless it is read.
    std::string log_file;
    // Whether ReadLine reads standard output.
    bool read_output = false;
  };

  explicit Process(const Options& options);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // Waits for the end: the exit code, or 128 + the signal's number.
  int Wait();
  // Sends a signal and waits for the end.
  int Stop(int signal);
  // Blocks for the next line of standard output, without its end; absent at the end of the output.
  std::optional<std::string> ReadLine();

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string buffer_;
};

// What a finished command said.
struct Finished {
  int exit_code = 0;
  std::string out;
  std::string err;
};

// Runs a command to its end.
Finished RunCommand(const std::vector<std::string>& command, const std::string& input = {},
                    const std::map<std::string, std::string>& environment = {});

// Waits, without polling, until `path` has been renamed into its place. False when `process` ends
// before.
bool WaitForFile(const std::string& path, const Process& process);

// A directory below the build tree, empty at the first call, named after the running test.
std::string TestDirectory();

std::string ReadWhole(const std::string& path);
void WriteWhole(const std::string& path, const std::string& content);

}  // namespace candor::integration
