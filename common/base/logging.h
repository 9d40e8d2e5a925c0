// Log lines, to standard error, as text or as JSON.
//
//   StartLogging({.level = LogLevel::kInfo, .format = LogFormat::kJson});
//   Log().Info("listening on {}", address);
//   Log().With("worker", name).With("slots", 64).Warn("lost its connection; {} leases wait", n);
//
//   2026-11-23T21:59:00.000000Z warn  lost its connection; 3 leases wait worker=workers/w1 slots=64
//   {"time":"2026-11-23T21:59:00.000000Z","level":"warn","message":"lost
//   ...","worker":"workers/w1"}
//
// Prompts, model replies, keys and whole URLs never go into a log: names, ids and counts do.
// Control characters are escaped, so that no text can forge a line.
//
// Before `StartLogging`, lines go to standard error as text from level info. Any thread may log at
// any time; a line is written whole.
#pragma once

#include "common/base/clock.h"
#include "common/base/status.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace candor {

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };

// "trace", "debug", "info", "warn" or "error"; INVALID_ARGUMENT for others.
StatusOr<LogLevel> ParseLogLevel(std::string_view word);
// "text" or "json"; INVALID_ARGUMENT for others.
StatusOr<LogFormat> ParseLogFormat(std::string_view word);

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  // Stays open while anybody logs.
  std::FILE* stream = stderr;
  // Times of the lines. Null: the clock of the machine.
  const Clock* clock = nullptr;
};

// Begins, or changes, how the process logs. To be called before other threads log.
void StartLogging(const LogOptions& options);

// True when lines of this level are written: to skip the work of making one.
bool LogEnabled(LogLevel level);

// One line in the making. Cheap when its level is not written.
class LogLine {
 public:
  // Adds a field. Numbers and booleans are such in JSON too.
  template <typename T>
  LogLine&& With(std::string_view key, const T& value) && {
    bool quoted = !std::is_arithmetic_v<T> || std::is_same_v<T, char>;
    if constexpr (std::is_floating_point_v<T>) quoted = !std::isfinite(value);
    fields_.push_back({std::string(key), fmt::format("{}", value), quoted});
    return std::move(*this);
  }
  template <typename T>
  LogLine& With(std::string_view key, const T& value) & {
    std::move(*this).With(key, value);
    return *this;
  }

#define CANDOR_LOG_FUNCTION(name, level)                                                   \
  template <typename... Args>                                                              \
  void name(fmt::format_string<Args...> format, Args&&... args) const {                    \
    if (LogEnabled(level)) Write(level, fmt::format(format, std::forward<Args>(args)...)); \
  }
  CANDOR_LOG_FUNCTION(Trace, LogLevel::kTrace)
  CANDOR_LOG_FUNCTION(Debug, LogLevel::kDebug)
  CANDOR_LOG_FUNCTION(Info, LogLevel::kInfo)
  CANDOR_LOG_FUNCTION(Warn, LogLevel::kWarn)
  CANDOR_LOG_FUNCTION(Error, LogLevel::kError)
#undef CANDOR_LOG_FUNCTION

 private:
  struct Field {
    std::string key;
    std::string value;
    bool quoted;
  };

  void Write(LogLevel level, std::string_view message) const;

  std::vector<Field> fields_;
};

inline LogLine Log() { return {}; }

}  // namespace candor
