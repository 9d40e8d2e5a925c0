#include "cli/text.h"

#include "candor/v1/outcome.pb.h"

#include <fmt/chrono.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

namespace candor::cli {

std::string Span(const google::protobuf::Duration& duration) {
  const std::int64_t s = duration.seconds() + (duration.nanos() >= 500'000'000 ? 1 : 0);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / 86400, s / 3600 % 24);
}

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + static_cast<double>(duration.nanos()) / 1e9;
}

std::string Moment(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "-";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(time.seconds())));
}

std::string Tokens(const v1::Usage& usage) {
  return fmt::format("{} tokens in, {} out", Short(usage.input_tokens()),
                     Short(usage.output_tokens()));
}

}  // namespace candor::cli
