#include "cli/text.h"

#include "candor/v1/outcome.pb.h"
#include "common/base/rate_text.h"

#include <fmt/chrono.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

namespace candor::cli {

std::string Span(const google::protobuf::Duration& duration) {
  return SpanText(duration.seconds() + (duration.nanos() >= 500'000'000 ? 1 : 0));
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
