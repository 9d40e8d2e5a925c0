// Times, durations and token counts as people read them; numbers and tables are in
// common/base/text_table.h. Pure.
#pragma once

#include "common/base/text_table.h"

#include <string>

namespace google::protobuf {
class Duration;
class Timestamp;
}  // namespace google::protobuf

namespace candor::v1 {
class Usage;
}  // namespace candor::v1

namespace candor::cli {

// "45s", "1m40s", "2h05m", "3d04h".
std::string Span(const google::protobuf::Duration& duration);
// With the fraction.
double Seconds(const google::protobuf::Duration& duration);
// "2026-11-23 22:03:48", in UTC; "-" when it is not set.
std::string Moment(const google::protobuf::Timestamp& time);
// "1.2M tokens in, 32k out".
std::string Tokens(const v1::Usage& usage);

}  // namespace candor::cli
