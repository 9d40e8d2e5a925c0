#include "simulator/limit_headers.h"

#include "common/base/json_writer.h"
#include "simulator/durations.h"

#include <fmt/format.h>

#include <algorithm>

namespace candor::simulator {
namespace {

using v1::ScriptedFault;
using v1::SimulatorConfig;

constexpr std::string_view kAbsurdNumber = "99999999999999999999999";

std::string_view NameOf(Verdict kind) {
  switch (kind) {
    case Verdict::kTokens:
      return "tokens";
    case Verdict::kInputTokens:
      return "input-tokens";
    case Verdict::kOutputTokens:
      return "output-tokens";
    default:
      return "requests";
  }
}

std::string Reset(SimulatorConfig::LimitHeaders style, const LimitView& limit, WallTime now,
                  HeaderLie lie) {
  Duration reset = limit.reset;
  switch (lie) {
    case HeaderLie::kNegative:
    case HeaderLie::kPast:
      reset = -std::chrono::hours{1};
      break;
    case HeaderLie::kAbsurd:
      reset = std::chrono::hours{24 * 365 * 1000};
      break;
    default:
      break;
  }
  switch (style) {
    case SimulatorConfig::ANTHROPIC:
      return Rfc3339(now + std::chrono::seconds{reset.count() < 0 ? reset.count() / 1'000'000
                                                                  : CeilSeconds(reset)});
    case SimulatorConfig::AZURE:
      return fmt::format("{}", reset.count() < 0 ? reset.count() / 1'000'000 : CeilSeconds(reset));
    default:
      return reset.count() < 0 ? "-" + GoDuration(-reset) : GoDuration(reset);
  }
}

std::string Remaining(SimulatorConfig::LimitHeaders style, const LimitView& limit, HeaderLie lie) {
  if (lie == HeaderLie::kNegative) return "-5";
  if (lie == HeaderLie::kAbsurd) return std::string(kAbsurdNumber);
  if (lie == HeaderLie::kPast) return "0";
  if (style == SimulatorConfig::ANTHROPIC && limit.kind != Verdict::kRequests) {
    return fmt::format("{}", (limit.remaining + 500) / 1'000 * 1'000);
  }
  return fmt::format("{}", limit.remaining);
}

}  // namespace

SimulatorConfig::LimitHeaders OwnLimitHeaders(DialectKind dialect) {
  switch (dialect) {
    case DialectKind::kAnthropic:
      return SimulatorConfig::ANTHROPIC;
    case DialectKind::kGemini:
      return SimulatorConfig::NONE;
    default:
      return SimulatorConfig::OPENAI;
  }
}

void AddLimitHeaders(SimulatorConfig::LimitHeaders style, std::span<const LimitView> limits,
                     WallTime now, HeaderLie lie, net::HttpHeaders* headers) {
  if (style == SimulatorConfig::NONE || lie == HeaderLie::kMissing) return;
  const bool anthropic = style == SimulatorConfig::ANTHROPIC;
  for (const LimitView& limit : limits) {
    const std::string_view kind = NameOf(limit.kind);
    const auto name = [&](std::string_view what) {
      return anthropic ? fmt::format("anthropic-ratelimit-{}-{}", kind, what)
                       : fmt::format("x-ratelimit-{}-{}", what, kind);
    };
    headers->Add(name("limit"), lie == HeaderLie::kNegative ? "-1"
                                : lie == HeaderLie::kAbsurd ? std::string(kAbsurdNumber)
                                                            : fmt::format("{}", limit.limit));
    headers->Add(name("remaining"), Remaining(style, limit, lie));
    headers->Add(name("reset"), Reset(style, limit, now, lie));
  }
}

void AddRetryAfter(ScriptedFault::RetryAfterFormat format, DialectKind dialect, Duration wait,
                   WallTime now, net::HttpHeaders* headers) {
  const auto seconds = [&] { headers->Add("retry-after", fmt::format("{}", CeilSeconds(wait))); };
  const auto milliseconds = [&] {
    headers->Add("retry-after-ms", fmt::format("{}", (wait.count() + 999) / 1'000));
  };
  switch (format) {
    case ScriptedFault::SECONDS:
      return seconds();
    case ScriptedFault::DECIMAL_SECONDS:
      headers->Add("retry-after", ShortestNumber(static_cast<double>(wait.count()) / 1e6));
      return;
    case ScriptedFault::MILLISECONDS:
      return milliseconds();
    case ScriptedFault::HTTP_DATE:
      // A whole second: rounded up from where the clock stands within one.
      headers->Add("retry-after", HttpDate(std::chrono::ceil<std::chrono::seconds>(now + wait)));
      return;
    case ScriptedFault::RETRY_INFO:
    case ScriptedFault::NOT_SENT:
      return;
    default:
      break;
  }
  if (dialect == DialectKind::kGemini) return;
  seconds();
  if (dialect != DialectKind::kAnthropic) milliseconds();
}

}  // namespace candor::simulator
