#include "cli/estimate.h"

#include "cli/text.h"
#include "common/base/quoted.h"

#include <fmt/format.h>
#include <google/protobuf/duration.pb.h>

#include <charconv>
#include <limits>

namespace candor::cli {
namespace {

constexpr std::size_t kDecimals = 9;

std::string Parts(const v1::JobEstimate& estimate) {
  Table table({"ENTRY", "KIND", ">CALLS", ">REUSED", ">TOKENS IN", ">OUT AT MOST",
               ">TO PAY AT MOST", ">TIME"});
  for (const v1::KindEstimate& kind : estimate.kinds()) {
    table.Add({Printable(kind.entry()),
               kind.kind() == v1::Cell::SELF_REPORT ? "self-reports" : "choices",
               WithCommas(kind.calls()), WithCommas(kind.reused()), Short(kind.input_tokens()),
               Short(kind.output_tokens()), kind.money() > 0 ? Money(kind.money()) : "-",
               kind.has_duration() ? Span(kind.duration()) : "-"});
  }
  return table.Text();
}

}  // namespace

std::string EstimateLines(const v1::JobEstimate& estimate) {
  std::string text =
      fmt::format("{} cells, {} calls", WithCommas(estimate.cells()), WithCommas(estimate.calls()));
  if (estimate.reused() > 0) text += fmt::format(", {} reused", WithCommas(estimate.reused()));
  text += fmt::format(", about {} input tokens, at most {} output tokens",
                      Short(estimate.input_tokens()), Short(estimate.output_tokens()));
  if (estimate.money() > 0) text += ", at most " + Money(estimate.money()) + " to pay";
  if (estimate.has_duration()) text += ", " + Span(estimate.duration()) + " at the limits in force";
  text += '\n';
  if (estimate.kinds_size() > 1) text += Parts(estimate);
  for (const v1::DesignPrecision& precision : estimate.precision()) {
    text += fmt::format(
        "{}: expect a 95 % interval {:.2f} wide around a slope of 0.5 and weights of reliability "
        "{:.2f}; contrasts from {:.2f} on can be seen\n",
        Printable(precision.entry()), precision.interval_width(), precision.weights_reliability(),
        precision.smallest_contrast());
  }
  for (const std::string& warning : estimate.warnings()) {
    text += "warning: " + Printable(warning) + '\n';
  }
  return text;
}

StatusOr<std::int64_t> ParseMoney(std::string_view text) {
  const auto wrong = [text] {
    return InvalidArgument(
        "{} is no amount of money; give one such as 2.50, of 0 or more, with at "
        "most {} decimals",
        Quoted(text), kDecimals);
  };
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, point));
  std::string decimals(point < text.size() ? text.substr(point + 1) : std::string_view());
  if (digits.empty() || decimals.size() > kDecimals || (point < text.size() && decimals.empty())) {
    return wrong();
  }
  decimals.resize(kDecimals, '0');
  digits += decimals;
  if (digits.find_first_not_of("0123456789") != std::string::npos) return wrong();
  std::int64_t nanos = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), nanos);
  if (error != std::errc() || end != digits.data() + digits.size()) return wrong();
  return nanos;
}

}  // namespace candor::cli
