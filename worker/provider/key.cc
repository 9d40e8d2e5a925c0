#include "worker/provider/key.h"

#include "common/base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <thread>

namespace candor::provider {
namespace {

constexpr std::size_t kMaxKeyBytes = 64 << 10;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// A key goes into a header: it must be there and printable.
StatusOr<Secret> MakeKey(std::string_view text, std::string_view source) {
  text = Trim(text);
  if (text.empty()) return FailedPrecondition("{} is empty", source);
  if (text.size() > kMaxKeyBytes) return FailedPrecondition("{} is too long for a key", source);
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return FailedPrecondition("{} holds a line break or another control character", source);
    }
  }
  return Secret(std::string(text));
}

StatusOr<Secret> KeyFromFile(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) {
    return FailedPrecondition("api_key_file {} cannot be read: {}", path, ::strerror(errno));
  }
  if ((file.st_mode & 077U) != 0) {
    return FailedPrecondition(
        "api_key_file {} may be read by others (mode {:04o}); run: chmod 600 {}", path,
        file.st_mode & 07777U, path);
  }
  auto text = ReadFile(path, kMaxKeyBytes);
  if (!text.ok()) {
    return FailedPrecondition("api_key_file {} cannot be read: {}", path, Message(text.status()));
  }
  return MakeKey(*text, fmt::format("api_key_file {}", path));
}

// Closes at the end of the scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Close(); }
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

// Starts the command in a process group of its own, so that all of it can be ended.
StatusOr<pid_t> Spawn(const std::string& command, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // Our threads block the signals that end the program; the command is to hear them.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&attributes, 0);
  std::string shell = "sh";
  std::string option = "-c";
  std::string text = command;
  char* const arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return FailedPrecondition("auth.command cannot be run: {}", ::strerror(error));
  return pid;
}

// Reads until the end, the deadline or a request to stop; false for the latter two.
bool ReadAll(int fd, std::chrono::steady_clock::time_point deadline, const std::stop_token& stop,
             std::string* output) {
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || stop.stop_requested()) return false;
    pollfd poll{.fd = fd, .events = POLLIN, .revents = 0};
    // In slices, to notice a request to stop.
    const int ready = ::poll(&poll, 1, static_cast<int>(std::min<long>(left.count(), 100)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    char buffer[4096];
    const ssize_t size = ::read(fd, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return true;
    // What is more than a key is read, so that the command does not block, and dropped.
    if (output->size() < kMaxKeyBytes) output->append(buffer, static_cast<std::size_t>(size));
  }
}

// The exit status, waiting until the deadline; nothing when the command has not ended by then.
std::optional<int> WaitFor(pid_t pid, std::chrono::steady_clock::time_point deadline) {
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) return status;
    if (ended < 0 && errno != EINTR) return 0;
    if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

StatusOr<std::string> RunKeyCommand(const std::string& command, std::chrono::milliseconds timeout,
                                    std::stop_token stop) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return FailedPrecondition("auth.command cannot be run: {}", ::strerror(errno));
  }
  Descriptor output(ends[0]);
  Descriptor input(ends[1]);
  CANDOR_ASSIGN_OR_RETURN(const pid_t pid, Spawn(command, input.get()));
  input.Close();

  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::string text;
  std::optional<int> status;
  if (ReadAll(output.get(), deadline, stop, &text)) status = WaitFor(pid, deadline);
  if (!status) {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    if (stop.stop_requested()) return Cancelled("auth.command was ended");
    return FailedPrecondition("auth.command did not end within {} s",
                              std::chrono::duration<double>(timeout).count());
  }
  if (WIFSIGNALED(*status)) {
    return FailedPrecondition("auth.command was ended by signal {}", WTERMSIG(*status));
  }
  if (WEXITSTATUS(*status) != 0) {
    return FailedPrecondition("auth.command ended with exit code {}", WEXITSTATUS(*status));
  }
  return text.substr(0, text.find('\n'));
}

StatusOr<Secret> LoadKey(const v1::Endpoint& endpoint, const Environment& environment,
                         std::stop_token stop) {
  const std::string& variable = endpoint.api_key_env();
  const std::string& file = endpoint.api_key_file();
  const std::string& command = endpoint.auth().command();
  if (!variable.empty() + !file.empty() + !command.empty() > 1) {
    return InvalidArgument("give one of api_key_env, api_key_file and auth.command, not several");
  }
  if (!variable.empty()) {
    const auto value = environment(variable);
    if (!value) return FailedPrecondition("environment variable {} is not set", variable);
    return MakeKey(*value, fmt::format("environment variable {}", variable));
  }
  if (!file.empty()) return KeyFromFile(file);
  if (!command.empty()) {
    CANDOR_ASSIGN_OR_RETURN(const std::string line,
                            RunKeyCommand(command, kKeyCommandTimeout, std::move(stop)));
    return MakeKey(line, "the first line that auth.command prints");
  }
  return Secret();
}

}  // namespace candor::provider
