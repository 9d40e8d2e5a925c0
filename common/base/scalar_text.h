// Scalars of protobuf fields from text; a part of json_proto.
#pragma once

#include "common/base/status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace google::protobuf {
class Duration;
}  // namespace google::protobuf

namespace candor {

// The integer that `text` writes, also as "1e6" or "2.0"; nothing for others and beyond the type.
std::optional<std::int64_t> ReadInt64(std::string_view text);
std::optional<std::uint64_t> ReadUint64(std::string_view text);
// The number that `text` writes, "NaN", "Infinity" and YAML's ".inf" and ".nan" included.
std::optional<double> ReadDouble(std::string_view text);

// "30s", "250ms", "2m", "1.5h", "1d", "10us", "5ns".
Status ReadDuration(std::string_view text, google::protobuf::Duration* duration);
// The shortest of the same: "30s", "0.250s".
std::string WriteDuration(const google::protobuf::Duration& duration);

}  // namespace candor
