// p values of several tests together. Both functions keep the order and treat an absent p as a test
// that was not made.
#pragma once

#include <optional>
#include <vector>

namespace candor::statistics {

using PValues = std::vector<std::optional<double>>;

// Adjusted so that rejecting at 5 % makes a wrong rejection in the family 5 % of the time at most:
// Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".
PValues Holm(const PValues& p);

// Adjusted so that of what is rejected at 5 % about 5 % is wrong: Benjamini and Hochberg 1995,
// "Controlling the False Discovery Rate".
PValues BenjaminiHochberg(const PValues& p);

}  // namespace candor::statistics
