#include "cli/limit_page.h"

#include "cli/layout.h"
#include "cli/text.h"
#include "common/base/limit_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

namespace candor::cli {
namespace {

constexpr const char* kYellow = "\x1b[33m";
constexpr const char* kBold = "\x1b[1m";
constexpr const char* kPlain = "\x1b[0m";
constexpr std::size_t kBar = 10;
// Below this width there are no bars.
constexpr std::size_t kRoomForBars = 72;

std::string Words(std::string name) {
  for (char& c : name) c = c == '_' ? ' ' : static_cast<char>(std::tolower(c));
  return name;
}

std::string Name(const v1::LimitGroup& group) {
  constexpr std::string_view kPrefix = "limitGroups/";
  const std::string& name = group.name();
  return Printable(name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name);
}

// The uses that the coordinator lists; of one that lists none, what its limits say.
std::vector<v1::LimitUse> UsesOf(const v1::LimitGroup& group) {
  std::vector<v1::LimitUse> uses(group.uses().begin(), group.uses().end());
  if (!uses.empty()) return uses;
  const auto add = [&uses](v1::LimitUse::Dimension dimension, std::int64_t limit,
                           std::int64_t used) {
    if (limit <= 0) return;
    v1::LimitUse& use = uses.emplace_back();
    use.set_dimension(dimension);
    use.set_limit(limit);
    use.set_used(used);
    use.set_source(v1::LimitUse::CONFIGURED);
  };
  add(v1::LimitUse::REQUESTS_PER_MINUTE, group.limits().requests_per_minute(),
      group.requests_last_minute());
  add(v1::LimitUse::TOKENS_PER_MINUTE, group.limits().tokens_per_minute(),
      group.tokens_last_minute());
  add(v1::LimitUse::IN_FLIGHT, group.limits().in_flight(), group.in_flight());
  return uses;
}

std::vector<std::string> Remarks(const v1::LimitUse& use) {
  std::vector<std::string> remarks = {SourceText(use.source())};
  if (use.has_remaining()) {
    remarks.push_back("the provider leaves " + Short(use.remaining()));
  }
  return remarks;
}

void AddUse(const v1::LimitUse& use, const ProgressStyle& style, std::size_t width,
            std::vector<std::string>* lines) {
  const double share = static_cast<double>(use.used()) / static_cast<double>(use.limit());
  const std::string counts = Short(use.used()) + " / " + Short(use.limit());
  const bool bars = width >= kRoomForBars;
  std::string line = "  " + PadRight(UnitText(use.dimension()), 24) + "  ";
  if (bars) line += Bar(share, kBar, style.unicode) + "  ";
  line += PadLeft(counts, bars ? 17 : 13) + "  " +
          PadLeft(WithCommas(std::llround(std::floor(share * 100))) + "%", 4);
  Flow(line, Remarks(use), bars ? 28 : 4, width, lines);
}

std::vector<std::string> Heading(const v1::LimitGroup& group) {
  std::vector<std::string> parts;
  parts.push_back(group.waiting() == 0   ? "idle"
                  : group.waiting() == 1 ? "1 cell waits"
                                         : WithCommas(group.waiting()) + " cells wait");
  if (group.share() > 0 && group.share() < 1) {
    parts.push_back(fmt::format("{:.0f}% of the account", group.share() * 100));
  }
  if (group.ramp() > 0 && group.ramp() < 1) {
    parts.push_back(fmt::format("rising, now {:.0f}% of the limit", group.ramp() * 100));
  }
  if (group.circuit() == v1::LimitGroup::OPEN) {
    parts.push_back(group.has_circuit_retry_time()
                        ? "the provider fails; next try at " + Moment(group.circuit_retry_time()) +
                              " UTC"
                        : "the provider fails; the next call looks whether it is back");
  }
  if (group.circuit() == v1::LimitGroup::HALF_OPEN) {
    parts.emplace_back("one call looks whether the provider is back");
  }
  if (group.has_blocked_until()) {
    parts.push_back("no call before " + Moment(group.blocked_until()) + " UTC");
  }
  if (group.refusals() > 0) {
    parts.push_back(fmt::format("{} of {} calls refused", WithCommas(group.refusals()),
                                WithCommas(group.calls())));
  }
  return parts;
}

// "so far: slots 92%, nothing 8%".
std::string SoFar(const v1::LimitGroup& group) {
  double whole = 0;
  for (const v1::WaitTime& wait : group.waits()) whole += Seconds(wait.time());
  std::vector<std::string> parts;
  for (const v1::WaitTime& wait : group.waits()) {
    const double share = whole > 0 ? Seconds(wait.time()) / whole : 0;
    if (share < 0.005) continue;
    parts.push_back(
        fmt::format("{} {:.0f}%", Words(v1::WaitReason_Name(wait.reason())), share * 100));
  }
  return parts.empty() ? "" : fmt::format("waited for so far: {}", fmt::join(parts, ", "));
}

void AddGroup(const v1::LimitGroup& group, const ProgressStyle& style, std::size_t width,
              std::vector<std::string>* lines) {
  const std::string name = Clip(Name(group), width / 2);
  const std::size_t first = lines->size();
  const std::vector<std::string> heading = Heading(group);
  Flow(name + "  " + heading[0], {heading.begin() + 1, heading.end()}, 2, width, lines);
  if (style.color) (*lines)[first].replace(0, name.size(), kBold + name + kPlain);
  const std::vector<v1::LimitUse> uses = UsesOf(group);
  for (const v1::LimitUse& use : uses) {
    if (use.limit() > 0) AddUse(use, style, width, lines);
  }
  if (uses.empty()) {
    Wrap(fmt::format("no limit; {} requests and {} tokens in the last minute, {} in flight",
                     WithCommas(group.requests_last_minute()), Short(group.tokens_last_minute()),
                     WithCommas(group.in_flight())),
         2, width, lines);
  }
  if (!group.waiting_for().empty()) {
    const std::size_t at = lines->size();
    Wrap("waits for: " + Printable(group.waiting_for()), 2, width, lines);
    if (style.color) (*lines)[at].replace(2, 9, fmt::format("{}waits for{}", kYellow, kPlain));
  }
  if (const std::string so_far = SoFar(group); !so_far.empty()) Wrap(so_far, 2, width, lines);
}

}  // namespace

std::vector<std::string> RenderLimits(
    const google::protobuf::RepeatedPtrField<v1::LimitGroup>& groups, const ProgressStyle& style) {
  const std::size_t width = std::max<std::size_t>(style.width, 48);
  std::vector<std::string> lines;
  for (const v1::LimitGroup& group : groups) AddGroup(group, style, width, &lines);
  // Long names and times in a very narrow terminal.
  if (!style.color) {
    for (std::string& line : lines) line = Clip(line, width);
  }
  if (lines.empty()) {
    Wrap("No limit groups: the coordinator's configuration has no endpoints.", 0, width, &lines);
  }
  return lines;
}

}  // namespace candor::cli
