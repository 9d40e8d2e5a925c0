// Short times and rates as people read them, with as many digits as mean something. Pure.
#pragma once

#include <string>

namespace candor {

// "240 s", "2.3 s", "340 ms", "0.8 ms".
std::string SecondsText(double seconds);
// "1,666/s", "27.8/s", "0.42/s".
std::string RateText(double a_second);

}  // namespace candor
