#include "common/base/logging.h"

#include "common/base/json_writer.h"

#include <fmt/chrono.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <iterator>
#include <memory>
#include <mutex>

namespace candor {
namespace {

constexpr const char* kLevelWords[] = {"trace", "debug", "info", "warn", "error"};

// spdlog brings sinks for its own two standard streams only.
class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(std::FILE* stream) : stream_(stream) {}

 private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    std::fwrite(line.payload.data(), 1, line.payload.size(), stream_);
  }
  void flush_() override { std::fflush(stream_); }

  std::FILE* stream_;
};

struct Logging {
  explicit Logging(const LogOptions& given)
      : options(given), logger("candor", std::make_shared<FileSink>(given.stream)) {
    // Levels are decided by LogEnabled.
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
  }
  LogOptions options;
  spdlog::logger logger;
  // The one before is kept: another thread may be writing with it.
  Logging* before = nullptr;
};

// Never deleted: lines may be written while the process ends.
std::atomic<Logging*>& Current() {
  static std::atomic<Logging*> current{new Logging(LogOptions{})};
  return current;
}

std::string Time(const Clock* clock) {
  const WallTime now = clock != nullptr ? clock->WallNow() : SystemClock().WallNow();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (now - seconds).count());
}

// One line of one value: control characters escaped, quotes where spaces would make it unclear.
void AppendText(std::string_view text, bool value, std::string* out) {
  bool plain = !value || !text.empty();
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || (value && (c == ' ' || c == '"'))) {
      plain = false;
      break;
    }
  }
  if (plain) {
    *out += text;
    return;
  }
  std::string quoted;
  AppendJsonString(text, &quoted);
  *out += value ? quoted : quoted.substr(1, quoted.size() - 2);
}

}  // namespace

StatusOr<LogLevel> ParseLogLevel(std::string_view word) {
  for (int i = 0; i < 5; ++i) {
    if (word == kLevelWords[i]) return static_cast<LogLevel>(i);
  }
  return InvalidArgument("\"{}\" is no log level; give trace, debug, info, warn or error", word);
}

StatusOr<LogFormat> ParseLogFormat(std::string_view word) {
  if (word == "text") return LogFormat::kText;
  if (word == "json") return LogFormat::kJson;
  return InvalidArgument("\"{}\" is no log format; give text or json", word);
}

void StartLogging(const LogOptions& options) {
  auto* logging = new Logging(options);
  logging->before = Current().load(std::memory_order_acquire);
  Current().store(logging, std::memory_order_release);
}

bool LogEnabled(LogLevel level) {
  return level >= Current().load(std::memory_order_acquire)->options.level;
}

void LogLine::Write(LogLevel level, std::string_view message) const {
  Logging& logging = *Current().load(std::memory_order_acquire);
  const char* word = kLevelWords[static_cast<int>(level)];
  std::string line;
  if (logging.options.format == LogFormat::kJson) {
    line += R"({"time":")" + Time(logging.options.clock) + R"(","level":")" + word;
    line += R"(","message":)";
    AppendJsonString(message, &line);
    for (const Field& field : fields_) {
      line += ',';
      AppendJsonString(field.key, &line);
      line += ':';
      if (field.quoted) {
        AppendJsonString(field.value, &line);
      } else {
        line += field.value;
      }
    }
    line += '}';
  } else {
    line = fmt::format("{} {:<5} ", Time(logging.options.clock), word);
    AppendText(message, /*value=*/false, &line);
    for (const Field& field : fields_) {
      line += ' ' + field.key + '=';
      AppendText(field.value, /*value=*/true, &line);
    }
  }
  line += '\n';
  logging.logger.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace candor
