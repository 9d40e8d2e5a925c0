// What the headers of an answer say of limits, in the formats of every provider that sends any.
//
//   LimitHeaders limits;
//   for (std::size_t i = 0; i < headers.size(); ++i) limits.Add(headers.name(i), headers.value(i));
//   limits.Read(clock.WallNow(), report.mutable_limits());
//
// Read, with `limit`, `remaining` and `reset` where the braces stand:
//
//   x-ratelimit-{}-requests, -tokens, and -project-*    OpenAI and compatible; a minute
//   x-ratelimit-{}-input-tokens, -output-tokens,
//     -tokens-prompt, -tokens-generated                 vLLM gateways, Fireworks; a minute
//   x-ratelimit-{}-requests-minute, -requests-day, ...  Cerebras, Mistral, Kong, DigitalOcean
//   anthropic-ratelimit-X-{}, anthropic-fast-X-{}       X: requests, tokens, input-tokens and
//                                                       output-tokens; tokens in whole thousands
//   ratelimit-{}, x-ratelimit-{}, x-rate-limit-{},      other gateways; the window is what `w=`
//     RateLimit and RateLimit-Policy of the IETF        or the policy says
//
// A reset is a Go duration ("6m0s"), seconds ("59", "0.5", as Azure sends them), a time of RFC 3339
// or HTTP, or a Unix time in seconds or milliseconds. Times are measured from the answer's own Date
// where it has one, because our clock may be wrong by hours.
//
// Headers lie, and nothing that they say is fatal. Dropped are: limits that are no number, below 1
// or above 10^12; a `remaining` that is negative or more than the limit; a reset in the past, or
// further away than two days, and what remains until then. Of several headers of one dimension the
// tightest counts. Two things are not said and have to be told apart:
//
//   * OpenAI's smallest accounts and Groq send requests *a day* under the name of those a minute.
//     A reset above two minutes fits no window of one, and where it fits a day (reset * limit /
//     used), the day is meant.
//   * Without a stated window, a reset of 3 to 60 s is taken for a minute's and one above an hour
//     for a day's; the others are dropped, since a limit a second read as one a minute would slow
//     a job down sixty times.
//
// anthropic-priority-* is not read: it is a reserved capacity, above which calls are standard ones.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"

#include <google/protobuf/repeated_ptr_field.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace candor::dialect {

// Collects headers of one answer, then reads them. Not for several threads.
class LimitHeaders {
 public:
  // Any header of the answer, its name in any case. The texts must live until Read. Cheap for what
  // tells nothing of limits.
  void Add(std::string_view name, std::string_view value);

  // Appends an observation a dimension, in the order of the dimensions. `now` stands for the Date
  // of an answer that has none.
  void Read(WallTime now,
            google::protobuf::RepeatedPtrField<v1::LimitObservation>* observations) const;

 private:
  // Everything said of one subject, such as "requests" or "input-tokens".
  struct Family {
    // Position in the table of subjects.
    std::size_t subject = 0;
    std::string_view limit;
    std::string_view remaining;
    std::string_view reset;
  };
  Family* FamilyOf(std::size_t subject);
  std::optional<v1::LimitObservation> ReadFamily(const Family& family, WallTime now) const;

  // More subjects than this are nobody's.
  std::array<Family, 16> families_;
  std::size_t size_ = 0;
  std::string_view date_;
  // RateLimit-Policy.
  std::string_view policy_;
};

// A time of RFC 3339: "2026-11-25T12:00:00Z", "2026-11-25T12:00:00.5+01:00".
std::optional<WallTime> ParseRfc3339(std::string_view text);

}  // namespace candor::dialect
