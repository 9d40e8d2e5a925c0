#include "common/dialect/limit_headers.h"

#include "common/base/time_proto.h"
#include "common/dialect/error.h"
#include "common/dialect/numbers.h"

#include <algorithm>
#include <cmath>

namespace candor::dialect {
namespace {

using v1::LimitUse;

// What a family of headers is about.
struct Subject {
  // Which names belong to it: "x" for x-ratelimit-*, "a" for anthropic-*, "g" for those that
  // name no subject.
  char prefix;
  std::string_view name;
  LimitUse::Dimension dimension;
  // Whether the name says what window is meant.
  bool window_said = true;
};

constexpr std::array kSubjects = {
    Subject{'x', "requests", LimitUse::REQUESTS_PER_MINUTE, false},
    Subject{'x', "project-requests", LimitUse::REQUESTS_PER_MINUTE, false},
    Subject{'x', "tokens", LimitUse::TOKENS_PER_MINUTE, false},
    Subject{'x', "project-tokens", LimitUse::TOKENS_PER_MINUTE, false},
    Subject{'x', "input-tokens", LimitUse::INPUT_TOKENS_PER_MINUTE},
    Subject{'x', "output-tokens", LimitUse::OUTPUT_TOKENS_PER_MINUTE},
    Subject{'x', "tokens-prompt", LimitUse::INPUT_TOKENS_PER_MINUTE},
    Subject{'x', "tokens-generated", LimitUse::OUTPUT_TOKENS_PER_MINUTE},
    Subject{'x', "requests-minute", LimitUse::REQUESTS_PER_MINUTE},
    Subject{'x', "requests-per-minute", LimitUse::REQUESTS_PER_MINUTE},
    Subject{'x', "req-minute", LimitUse::REQUESTS_PER_MINUTE},
    Subject{'x', "minute", LimitUse::REQUESTS_PER_MINUTE},
    Subject{'x', "tokens-minute", LimitUse::TOKENS_PER_MINUTE},
    Subject{'x', "tokens-per-minute", LimitUse::TOKENS_PER_MINUTE},
    Subject{'x', "requests-day", LimitUse::REQUESTS_PER_DAY},
    Subject{'x', "requests-per-day", LimitUse::REQUESTS_PER_DAY},
    Subject{'x', "req-day", LimitUse::REQUESTS_PER_DAY},
    Subject{'x', "day", LimitUse::REQUESTS_PER_DAY},
    Subject{'x', "tokens-day", LimitUse::TOKENS_PER_DAY},
    Subject{'x', "tokens-per-day", LimitUse::TOKENS_PER_DAY},
    Subject{'a', "requests", LimitUse::REQUESTS_PER_MINUTE},
    Subject{'a', "tokens", LimitUse::TOKENS_PER_MINUTE},
    Subject{'a', "input-tokens", LimitUse::INPUT_TOKENS_PER_MINUTE},
    Subject{'a', "output-tokens", LimitUse::OUTPUT_TOKENS_PER_MINUTE},
    Subject{'g', "", LimitUse::REQUESTS_PER_MINUTE, false},
};

constexpr double kMaxLimit = 1e12;
constexpr double kMaxReset = 2.0 * 24 * 3600;
constexpr double kDay = 24.0 * 3600;
constexpr std::int64_t kAnthropicRounding = 1000;

struct Prefix {
  std::string_view text;
  char kind;
};
constexpr std::array kPrefixes = {Prefix{"x-ratelimit-", 'x'}, Prefix{"anthropic-ratelimit-", 'a'},
                                  Prefix{"anthropic-fast-", 'a'}, Prefix{"ratelimit-", 'g'},
                                  Prefix{"x-rate-limit-", 'x'}};

std::size_t FindSubject(char prefix, std::string_view name) {
  if (name.empty()) prefix = 'g';
  std::size_t i = 0;
  while (i < kSubjects.size() && (kSubjects[i].prefix != prefix || kSubjects[i].name != name)) ++i;
  return i;
}

// Takes `word` with its hyphen off the front or the back; false when it stands at neither.
bool TakeWord(std::string_view word, std::string_view* name) {
  if (*name == word) {
    *name = {};
  } else if (name->starts_with(word) && (*name)[word.size()] == '-') {
    name->remove_prefix(word.size() + 1);
  } else if (name->ends_with(word) && (*name)[name->size() - word.size() - 1] == '-') {
    name->remove_suffix(word.size() + 1);
  } else {
    return false;
  }
  return true;
}

// The number after ";w=" and the like; absent when there is none.
std::optional<double> Parameter(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    const bool begins = at > 0 && (text[at - 1] == ';' || text[at - 1] == ' ');
    std::string_view rest = text.substr(at + name.size());
    if (!begins || !rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    return ParseNumber(rest.substr(0, rest.find_first_of(";, ")));
  }
  return std::nullopt;
}

// The count that stands first: "60", "100, 100;w=60".
std::optional<std::int64_t> Count(std::string_view text, double least) {
  const auto number = ParseNumber(text.substr(0, text.find_first_of(",;")));
  if (!number || !(*number >= least) || *number > kMaxLimit) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

// Seconds from `now` until a reset; absent for what is none, past, or absurd.
std::optional<double> SecondsUntil(std::string_view text, WallTime now) {
  if (text.empty()) return std::nullopt;
  const double now_seconds = static_cast<double>(now.time_since_epoch().count()) / 1e6;
  std::optional<double> seconds;
  if (const auto number = ParseNumber(text)) {
    // Unix times are far above any wait that can be meant.
    seconds = *number;
    if (*number > 1e11) {
      seconds = *number / 1e3 - now_seconds;
    } else if (*number > 1e9) {
      seconds = *number - now_seconds;
    }
  } else if (const auto duration = ParseGoDuration(text)) {
    seconds = std::chrono::duration<double>(*duration).count();
  } else if (const auto time = ParseRfc3339(text)) {
    seconds = std::chrono::duration<double>(*time - now).count();
  } else if (const auto date = ParseHttpDate(text)) {
    seconds = std::chrono::duration<double>(*date - now).count();
  }
  // Clocks and whole seconds make "now" a little late.
  constexpr double kTolerance = 2;
  if (!seconds || !(*seconds >= -kTolerance) || *seconds > kMaxReset) return std::nullopt;
  return std::max(*seconds, 0.0);
}

// The same of a day.
LimitUse::Dimension PerDay(LimitUse::Dimension dimension) {
  return dimension == LimitUse::REQUESTS_PER_MINUTE ? LimitUse::REQUESTS_PER_DAY
                                                    : LimitUse::TOKENS_PER_DAY;
}

// Whether a limit without a window in its name is one a day. `reset` is above two minutes, so it
// is none a minute whatever else it is.
bool IsOfDay(std::optional<std::int64_t> limit, std::optional<std::int64_t> remaining,
             double reset) {
  // A fixed window of a day shows what is left of the day, however little of the limit is used.
  if (reset > 3600) return true;
  if (!limit || !remaining || *remaining >= *limit) return false;
  const double window =
      reset * static_cast<double>(*limit) / static_cast<double>(*limit - *remaining);
  return window > 0.5 * kDay && window < 1.2 * kDay;
}

bool IsTighter(const v1::LimitObservation& a, const v1::LimitObservation& b) {
  if (a.has_remaining() && b.has_remaining() && a.remaining() != b.remaining()) {
    return a.remaining() < b.remaining();
  }
  if (a.has_limit() && b.has_limit()) return a.limit() < b.limit();
  return a.has_limit() && !b.has_limit();
}

}  // namespace

LimitHeaders::Family* LimitHeaders::FamilyOf(std::size_t subject) {
  for (std::size_t i = 0; i < size_; ++i) {
    if (families_[i].subject == subject) return &families_[i];
  }
  if (subject == kSubjects.size() || size_ == families_.size()) return nullptr;
  families_[size_].subject = subject;
  return &families_[size_++];
}

void LimitHeaders::Add(std::string_view name, std::string_view value) {
  std::array<char, 64> buffer;
  if (name.size() < 4 || name.size() > buffer.size()) return;
  const char first = static_cast<char>(name.front() | 0x20);
  if (first != 'x' && first != 'r' && first != 'a' && first != 'd') return;
  std::transform(name.begin(), name.end(), buffer.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::string_view lower(buffer.data(), name.size());
  if (lower == "date") {
    date_ = value;
  } else if (lower == "ratelimit-policy") {
    policy_ = value;
  } else if (lower == "ratelimit") {
    // One header for both: `"default";r=50;t=30`.
    Family* family = FamilyOf(FindSubject('g', ""));
    if (family != nullptr) family->remaining = family->reset = value;
  } else {
    const auto* prefix = std::find_if(kPrefixes.begin(), kPrefixes.end(),
                                      [&](const Prefix& p) { return lower.starts_with(p.text); });
    if (prefix == kPrefixes.end()) return;
    lower.remove_prefix(prefix->text.size());
    std::string_view Family::*part = nullptr;
    if (TakeWord("remaining", &lower)) {
      part = &Family::remaining;
    } else if (TakeWord("reset", &lower)) {
      part = &Family::reset;
    } else if (TakeWord("limit", &lower)) {
      part = &Family::limit;
    } else {
      return;
    }
    if (Family* family = FamilyOf(FindSubject(prefix->kind, lower))) family->*part = value;
  }
}

std::optional<v1::LimitObservation> LimitHeaders::ReadFamily(const Family& family,
                                                             WallTime now) const {
  const Subject& subject = kSubjects[family.subject];
  std::string_view limit_text = family.limit;
  std::optional<double> window;
  std::optional<std::int64_t> remaining = Count(family.remaining, 0);
  std::optional<double> reset = SecondsUntil(family.reset, now);
  std::optional<std::int64_t> limit = Count(limit_text, 1);
  if (subject.prefix == 'g') {
    window = Parameter(limit_text, "w");
    if (const auto policy = Parameter(policy_, "w")) {
      window = policy;
      if (const auto q = Parameter(policy_, "q"); q && !limit && *q >= 1 && *q <= kMaxLimit) {
        limit = static_cast<std::int64_t>(*q);
      }
    }
    if (const auto r = Parameter(family.remaining, "r"); r && *r >= 0 && *r <= kMaxLimit) {
      remaining = static_cast<std::int64_t>(*r);
    }
    if (const auto t = Parameter(family.reset, "t"); t && *t >= 0 && *t <= kMaxReset) reset = t;
  }
  const std::int64_t rounded_to =
      subject.prefix == 'a' && subject.dimension != LimitUse::REQUESTS_PER_MINUTE
          ? kAnthropicRounding
          : 0;
  if (limit && remaining && *remaining > *limit) {
    if (*remaining - *limit < std::max<std::int64_t>(1, rounded_to)) {
      remaining = limit;
    } else {
      remaining.reset();
    }
  }
  // "Nothing is left, and all of it came back an hour ago" says nothing.
  if (!reset && !family.reset.empty()) remaining.reset();
  if (!limit && !remaining) return std::nullopt;

  LimitUse::Dimension dimension = subject.dimension;
  if (subject.prefix == 'g') {
    if (!window && reset && *reset > 2 && *reset <= 60) window = 60;
    if (!window && reset && *reset > 3600) window = kDay;
    if (window == kDay) {
      dimension = PerDay(dimension);
    } else if (window != 60.0) {
      return std::nullopt;
    }
  } else if (!subject.window_said && reset && *reset > 120) {
    if (IsOfDay(limit, remaining, *reset)) {
      dimension = PerDay(dimension);
    } else {
      reset.reset();
    }
  }

  v1::LimitObservation observation;
  observation.set_dimension(dimension);
  if (limit) observation.set_limit(*limit);
  if (remaining) {
    observation.set_remaining(*remaining);
    observation.set_rounded_to(rounded_to);
  }
  if (reset) {
    *observation.mutable_reset_after() =
        ToProto(Duration(static_cast<std::int64_t>(std::ceil(*reset * 1e6))));
  }
  return observation;
}

void LimitHeaders::Read(
    WallTime now, google::protobuf::RepeatedPtrField<v1::LimitObservation>* observations) const {
  if (size_ == 0) return;
  if (const auto date = ParseHttpDate(date_)) now = *date;
  std::array<std::optional<v1::LimitObservation>, LimitUse::Dimension_ARRAYSIZE> tightest;
  for (std::size_t i = 0; i < size_; ++i) {
    auto observation = ReadFamily(families_[i], now);
    if (!observation) continue;
    auto& place = tightest[static_cast<std::size_t>(observation->dimension())];
    if (!place || IsTighter(*observation, *place)) place = std::move(observation);
  }
  for (auto& observation : tightest) {
    if (observation) *observations->Add() = *std::move(observation);
  }
}

}  // namespace candor::dialect
