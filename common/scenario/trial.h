// Trials: the pair of options that a cell shows, a function of (seed, scenario id, kind, pair)
// alone. Every model sees the same pairs, and adding a model or a scenario changes nothing else.
//
//   const TrialStream stream(seed, scenario, v1::Cell::CHOICE, v1::Job::FIXED);
//   Trial trial;
//   stream.Draw(address.pair, address.order, trial);
//
// How another implementation makes the same trials (tests/unit/common/scenario/trial_vectors.json
// has values to check against):
//
// 1. Text: "candor/trial/1\n{seed}\n{kind}\n{scenario id}", the seed in decimal, the kind CHOICE or
//    SELF_REPORT. Key: the first 8 bytes of the text's SHA-256 as a little-endian number.
// 2. Random numbers: Philox4x32-10 (common/base/random.h) with this key; number i of the pair is
//    made of words 2 (i % 2) and 2 (i % 2) + 1 of the block with counter words (low and high half
//    of i / 2, low and high half of the pair). bits = low word + 2^32 high word; u = (bits >> 11) /
//    2^53.
// 3. Numbers 0 .. K-1 are the values of A, K .. 2K-1 those of B, in the scenario's attribute order:
//    min + (max - min) u in doubles, without fused multiply-add.
// 4. Rounded to the attribute's decimals (`Decimals`, `RoundToDecimals`), then clamped into
//    [min, max] (a bound with more decimals than the attribute's is kept as it is: no option leaves
//    its range), then -0.0 becomes 0.0.
// 5. Order 1 swaps A and B.
// 6. Attribute order SHUFFLED: a second stream whose text begins "candor/attribute_order/1\n"
//    instead, so that values do not depend on it. From the identity, for i from K-1 down to 1:
//    swap positions i and Below(i + 1) (RandomStream::Below). The same for both orders of a pair.
// 7. Candidates of an adaptive design, among which the pair is chosen: a stream whose text begins
//    "candor/candidate/1\n" instead, and in the counter the pair in the third word, the number of
//    the candidate in the fourth. Values are made of it as in 3 and 4.
#pragma once

#include "candor/v1/cell.pb.h"
#include "candor/v1/job.pb.h"
#include "candor/v1/outcome.pb.h"
#include "candor/v1/scenario.pb.h"
#include "common/base/status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace candor::scenario {

// A pair of options as a model is shown it.
struct Trial {
  // The values of option A and B after `order` was applied, one an attribute, in the scenario's own
  // attribute order.
  std::vector<double> a;
  std::vector<double> b;
  // The attributes in the order shown, as positions in the scenario; 0 .. K-1 when FIXED.
  std::vector<std::uint32_t> attribute_order;

  bool operator==(const Trial&) const = default;
};

// What the values of one attribute may be.
struct ValueRange {
  double min = 0;
  double max = 0;
  int decimals = 0;
};

// The trials of one (seed, scenario, kind). Making one costs two SHA-256; drawing costs about a
// microsecond and, once `trial` has its capacity, no allocation. Keeps nothing of the scenario.
// Immutable: may be used by any number of threads.
class TrialStream {
 public:
  // `kind` is CHOICE or SELF_REPORT. ATTRIBUTE_ORDER_UNSPECIFIED is FIXED. The scenario is valid
  // (ValidateScenario).
  TrialStream(std::uint64_t seed, const v1::Scenario& scenario, v1::Cell::Kind kind,
              v1::Job::AttributeOrder attribute_order);

  // The trial of (pair, order); order is 0 or 1.
  void Draw(std::uint32_t pair, std::uint32_t order, Trial& trial) const;

  // The same with the pair's values given instead of drawn: taken as they are, not rounded or
  // clamped, and swapped by order 1 like drawn ones. INVALID_ARGUMENT unless `values` has one
  // finite number an attribute for A and for B; `trial` is then unchanged.
  Status Place(const v1::ExplicitTrial& values, std::uint32_t pair, std::uint32_t order,
               Trial& trial) const;

 private:
  void ShuffleAttributes(std::uint32_t pair, Trial& trial) const;

  std::uint64_t key_;
  std::uint64_t order_key_;
  bool shuffled_;
  std::vector<ValueRange> ranges_;
};

// The candidates among which an adaptive design chooses the pairs of a scenario's choices (item 7).
// Immutable: may be used by any number of threads.
class CandidateStream {
 public:
  // The scenario is valid.
  CandidateStream(std::uint64_t seed, const v1::Scenario& scenario);

  // Candidate number `candidate` of a pair: the values of `a` and `b`, before any order.
  void Draw(std::uint32_t pair, std::uint32_t candidate, std::vector<double>& a,
            std::vector<double>& b) const;

 private:
  std::uint64_t key_;
  std::vector<ValueRange> ranges_;
};

// Decimals of an attribute's values (method.md section 6, item 8): 0 if max - min >= 5, 1 if >= 1,
// else |floor(log10(max - min))| + 1. min < max, both finite.
int Decimals(double min, double max);

// The double nearest to the correctly rounded decimal of `value`: ties of the exact binary value go
// to even, as in C's "%.*f" and Python's round. 0 <= decimals <= 40.
double RoundToDecimals(double value, int decimals);

// A value as prompts print it (method.md section 6, item 9): Python's repr of a float, the shortest
// text that reads back as the same double: "67.0", "3.2", "1e-05", "-0.0". Appends to `text`.
void AppendValue(double value, std::string& text);
std::string FormatValue(double value);

// The options as shown, for an outcome: sets `option_a` and `option_b` in the order shown.
void SetShownValues(const v1::Scenario& scenario, const Trial& trial, v1::Outcome* outcome);

}  // namespace candor::scenario
