#include "common/base/scalar_text.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/util/time_util.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace candor {
namespace {

template <typename T>
std::optional<T> ReadWhole(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && rest == end) return value;
  return std::nullopt;
}

template <typename T>
std::optional<T> ReadInteger(std::string_view text) {
  if (text.size() > 1 && text.front() == '+') text.remove_prefix(1);
  if (const std::optional<T> value = ReadWhole<T>(text)) return value;
  // "1e6" and "2.0": exact below 2^53, and nobody writes larger numbers so.
  const std::optional<double> value = ReadDouble(text);
  if (!value || std::trunc(*value) != *value || std::abs(*value) > 0x1p53) return std::nullopt;
  if (*value < 0 && !std::numeric_limits<T>::is_signed) return std::nullopt;
  return static_cast<T>(*value);
}

struct Unit {
  std::string_view name;
  double nanos;
};
constexpr Unit kUnits[] = {{"ns", 1},   {"us", 1e3},   {"ms", 1e6},   {"s", 1e9},
                           {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}};

}  // namespace

std::optional<std::int64_t> ReadInt64(std::string_view text) {
  return ReadInteger<std::int64_t>(text);
}

std::optional<std::uint64_t> ReadUint64(std::string_view text) {
  return ReadInteger<std::uint64_t>(text);
}

std::optional<double> ReadDouble(std::string_view text) {
  if (text.size() > 1 && text.front() == '+') text.remove_prefix(1);
  if (text == "NaN" || text == ".nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity" || text == ".inf") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity" || text == "-.inf") return -std::numeric_limits<double>::infinity();
  // from_chars would also take "inf", "nan" and "infinity" in any case.
  if (text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return std::nullopt;
  return ReadWhole<double>(text);
}

Status ReadDuration(std::string_view text, google::protobuf::Duration* duration) {
  const std::size_t split = text.find_first_not_of("0123456789.+-");
  const std::optional<double> number = ReadDouble(text.substr(0, split));
  if (!number) {
    return InvalidArgument("\"{}\" is no duration; write one such as \"30s\", \"250ms\" or \"2m\"",
                           text);
  }
  const std::string_view unit = split == std::string_view::npos ? "" : text.substr(split);
  for (const Unit& known : kUnits) {
    if (known.name != unit) continue;
    // Seconds and their fraction apart, so that "9007199254740993ns" and such stay sensible.
    const double nanos = *number * known.nanos;
    // The limit of google.protobuf.Duration, about 10,000 years.
    if (!(std::abs(nanos) <= 315'576'000'000e9)) {
      return InvalidArgument("\"{}\" is longer than 10,000 years", text);
    }
    const double seconds = std::trunc(nanos / 1e9);
    duration->set_seconds(static_cast<std::int64_t>(seconds));
    duration->set_nanos(static_cast<std::int32_t>(std::round(nanos - seconds * 1e9)));
    return absl::OkStatus();
  }
  if (unit.empty())
    return InvalidArgument("\"{}\" has no unit; write \"{}s\" for seconds", text, text);
  return InvalidArgument("\"{}\" has the unit \"{}\"; use ns, us, ms, s, m, h or d", text, unit);
}

std::string WriteDuration(const google::protobuf::Duration& duration) {
  return google::protobuf::util::TimeUtil::ToString(duration);
}

}  // namespace candor
