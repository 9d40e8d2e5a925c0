#include "tests/integration/process.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

extern char** environ;

namespace candor::integration {
namespace {

[[noreturn]] void Die(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

std::vector<std::string> EnvironmentWith(const std::map<std::string, std::string>& changes) {
  std::map<std::string, std::string> all;
  for (char** item = environ; *item != nullptr; ++item) {
    const std::string text = *item;
    const auto equals = text.find('=');
    // Settings of whoever runs the tests are not to reach the programs under test.
    if (text.rfind("CANDOR_", 0) != 0) all[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : changes) all[name] = value;
  std::vector<std::string> result;
  for (const auto& [name, value] : all) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Process::Process(const Options& options) {
  std::vector<std::string> arguments = options.command;
  std::vector<std::string> environment = EnvironmentWith(options.environment);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);

  // Standard input from an unlinked file: a pipe would need somebody to feed it.
  const int input = memfd_create("input", MFD_CLOEXEC);
  if (write(input, options.input.data(), options.input.size()) !=
      static_cast<ssize_t>(options.input.size())) {
    Die("memfd");
  }
  lseek(input, 0, SEEK_SET);
  const int log = open(options.log_file.empty() ? "/dev/null" : options.log_file.c_str(),
                       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  std::array<int, 2> pipe = {-1, -1};
  if (options.read_output && pipe2(pipe.data(), O_CLOEXEC) != 0) Die("pipe");

  pid_ = fork();
  if (pid_ < 0) Die("fork");
  if (pid_ == 0) {
    // Dies with the test, whatever becomes of that.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(input, STDIN_FILENO);
    dup2(options.read_output ? pipe[1] : log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execvpe(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  close(input);
  close(log);
  if (options.read_output) {
    close(pipe[1]);
    output_ = pipe[0];
  }
}

Process::~Process() {
  if (pid_ > 0) Stop(SIGKILL);
  if (output_ >= 0) close(output_);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::exchange(other.output_, -1)),
      buffer_(std::move(other.buffer_)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(output_, other.output_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

void Process::Signal(int signal) const { kill(pid_, signal); }

int Process::Wait() {
  int status = 0;
  if (pid_ <= 0 || waitpid(pid_, &status, 0) != pid_) return -1;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int Process::Stop(int signal) {
  Signal(signal);
  return Wait();
}

std::optional<std::string> Process::ReadLine() {
  while (true) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    std::array<char, 4096> piece{};
    const ssize_t n = read(output_, piece.data(), piece.size());
    if (n > 0) {
      buffer_.append(piece.data(), static_cast<std::size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      return std::nullopt;
    }
  }
}

Finished RunCommand(const std::vector<std::string>& command, const std::string& input,
                    const std::map<std::string, std::string>& environment) {
  const std::string errors = TestDirectory() + "/stderr";
  std::filesystem::remove(errors);
  Process process({.command = command,
                   .environment = environment,
                   .input = input,
                   .log_file = errors,
                   .read_output = true});
  Finished finished;
  while (const auto line = process.ReadLine()) finished.out += *line + "\n";
  finished.exit_code = process.Wait();
  finished.err = ReadWhole(errors);
  return finished;
}

bool WaitForFile(const std::string& path, const Process& process) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const int notify = inotify_init1(IN_CLOEXEC);
  inotify_add_watch(notify, folder.c_str(), IN_MOVED_TO | IN_CREATE);
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, process.pid(), 0));
  bool found = std::filesystem::exists(path);
  while (!found) {
    std::array<pollfd, 2> wait = {{{notify, POLLIN, 0}, {pidfd, POLLIN, 0}}};
    if (poll(wait.data(), wait.size(), -1) < 0) continue;
    // Events are taken before the look: one that comes in between wakes the next poll.
    std::array<char, 4096> events{};
    if (wait[0].revents != 0 && read(notify, events.data(), events.size()) <= 0) break;
    found = std::filesystem::exists(path);
    if (wait[1].revents != 0) break;
  }
  close(notify);
  close(pidfd);
  return found;
}

std::string TestDirectory() {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const std::string name =
      info == nullptr ? "bench" : std::string(info->test_suite_name()) + "." + info->name();
  const std::string path =
      std::string(CANDOR_BINARY_DIR) + "/test-runs/" + name + "." + std::to_string(getpid());
  static std::string made;
  if (made != path) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
    made = path;
  }
  return path;
}

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

void WriteWhole(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace candor::integration
