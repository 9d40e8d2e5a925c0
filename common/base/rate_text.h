// Short times and rates as people read them, with as many digits as mean something. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace candor {

// "240 s", "2.3 s", "340 ms", "0.8 ms".
std::string SecondsText(double seconds);
// What people wait for: "45s", "1m40s", "2h05m", "3d04h".
std::string SpanText(std::int64_t seconds);
// "1,666/s", "27.8/s", "0.42/s"; what is rarer, by the hour or the day: "18/h", "5/day".
std::string RateText(double a_second);

}  // namespace candor
