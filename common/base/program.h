// What the four programs share: flags, environment, file, help, errors, ready file and signals.
//
//   int main(int argc, char** argv) {
//     candor::v1::Config config;
//     candor::Program program({.name = "candor-worker", .version = CANDOR_VERSION,
//                              .summary = "Calls model providers for a coordinator.",
//                              .config = &config, .section = "worker"});
//     program.Bind({.flag = "--slots", .field = "worker.slots", .placeholder = "N", .help = "Calls
//     at once",
//                   .fallback = "64"});
//     if (const auto exit_code = program.Parse(argc, argv)) return *exit_code;
//     candor::ShutdownSignal shutdown([&](int) { io.stop(); });      // before any thread is
//     started
//     ...
//     auto ready = program.WriteReady({{"grpc", "127.0.0.1:41233"}});
//     if (!ready.ok()) return program.Fail(ready.status());
//     io.run();
//   }                                                                // the ready file is gone
//
// Every program has --help, --version, --config FILE (CANDOR_CONFIG), --print-config, and, where
// its section of the configuration has the fields, --log-level and --log-format. A setting comes
// from its flag, else from its environment variable (--slots: CANDOR_SLOTS), else from the file,
// else from `fallback`. An unknown flag is an error that names the nearest one. Exit codes: 0
// success, 1 error, 2 usage.
#pragma once

#include "common/base/status.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace candor {

inline constexpr int kExitSuccess = 0;
inline constexpr int kExitError = 1;
inline constexpr int kExitUsage = 2;

// "grpc" -> "127.0.0.1:7070".
using Addresses = std::vector<std::pair<std::string, std::string>>;

// A file that exists while the program serves; removed with the object.
class ReadyFile {
 public:
  ReadyFile() = default;
  explicit ReadyFile(std::string path) : path_(std::move(path)) {}
  ~ReadyFile();
  ReadyFile(ReadyFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ReadyFile& operator=(ReadyFile&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }

 private:
  std::string path_;
};

// Writes {"grpc": "127.0.0.1:7070", ...} so that a reader sees all of it or nothing. An empty path
// writes nothing.
StatusOr<ReadyFile> WriteReadyFile(const std::string& path, const Addresses& addresses);

// A flag bound to a field of the configuration.
struct BoundFlag {
  // "--slots"; also gives the environment variable, CANDOR_SLOTS. A boolean field's flag takes no
  // value.
  std::string flag;
  // Where the value goes: "worker.slots".
  std::string field;
  // What stands for the value in the help: "N", "ADDRESS".
  std::string placeholder;
  std::string help;
  // The value when nobody gives one; empty: the field stays unset.
  std::string fallback;
};

class Program {
 public:
  struct Options {
    // "candor-worker".
    std::string name;
    // "0.1.0".
    std::string version;
    // A sentence or two for the help.
    std::string summary;
    // What flags and file fill; outlives the program. Its type is that of the file.
    google::protobuf::Message* config = nullptr;
    // The part of the configuration that holds the program's own settings; empty: the whole.
    std::string section;
    // Checks the configuration once it is complete. Absent: `Validate` of config.h for a
    // v1::Config, nothing for others.
    std::function<Status()> validate = nullptr;
    // Whether there is a --ready-file.
    bool ready_file = true;
  };

  explicit Program(Options options);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Before Parse.
  void Bind(BoundFlag flag);
  // For options and subcommands of the program's own. The flags above are understood after a
  // subcommand too.
  CLI::App& app();

  // Reads the command line, the environment and the file, and starts the logging. Nothing: go on. A
  // value: exit with it; what there was to say has been said.
  std::optional<int> Parse(int argc, const char* const* argv);

  // Writes the file of --ready-file, once the program serves.
  StatusOr<ReadyFile> WriteReady(const Addresses& addresses) const;
  // The path of --config as given; empty when there was none.
  const std::string& config_path() const;

  // Says "name: message" on standard error and returns the exit code 1 (2 with `usage`).
  int Fail(const Status& status, int exit_code = kExitError) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Hears SIGINT and SIGTERM, and ignores SIGPIPE. The callback runs on a thread of its own, once a
// signal: the first one to end in good order, a second one perhaps at once.
//
// Make it before any other thread, because it blocks the signals in the calling thread and all that
// this one starts. A child process inherits the blocked signals; who starts one unblocks them
// there.
class ShutdownSignal {
 public:
  explicit ShutdownSignal(std::function<void(int signal)> callback);
  // Waits for a callback under way. The signals have their old meaning again in the calling thread.
  ~ShutdownSignal();
  ShutdownSignal(const ShutdownSignal&) = delete;
  ShutdownSignal& operator=(const ShutdownSignal&) = delete;

 private:
  void Run();

  std::function<void(int)> callback_;
  int signals_ = -1;
  int stop_ = -1;
  std::thread thread_;
};

}  // namespace candor
