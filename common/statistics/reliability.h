// How consistent weights and reports are in themselves, and what agreement would be without that
// noise (Spearman 1904, "The Proof and Measurement of Association between Two Things").
//
// Everything rests on sums over scenarios, so that resampling scenarios costs no second look at the
// data.
#pragma once

#include "common/statistics/line.h"

#include <optional>

namespace candor::statistics {

// One-way analysis of variance of reports: an item is (scenario, attribute), its repetitions are
// the reports. Values are standardised per report set, so that sets can be pooled.
struct ReportSums {
  double items = 0;
  double n = 0;          // reports of all items
  double n_squared = 0;  // sum of n_i^2
  double inverse = 0;    // sum of 1 / n_i
  double mean = 0;       // sum of n_i m_i
  double mean_squared = 0;
  double within = 0;  // sum of squares about the items' means

  ReportSums& operator+=(const ReportSums& other) {
    items += other.items;
    n += other.n;
    n_squared += other.n_squared;
    inverse += other.inverse;
    mean += other.mean;
    mean_squared += other.mean_squared;
    within += other.within;
    return *this;
  }
  // Reliability of an item's mean: s_b^2 / (s_b^2 + s_w^2 / n'), with the between-item variance of
  // the one-way random-effects model for unequal numbers (Searle, Casella and McCulloch 1992) and
  // n' the harmonic mean of the numbers. With equal numbers that is (MSB - MSW) / MSB, the
  // intraclass correlation ICC(1, k) of Shrout and Fleiss 1979. Absent with fewer than 2 items or
  // without repetitions. Never below 0.
  std::optional<double> Reliability() const;
};

// What one scenario adds to agreement and to both reliabilities.
struct ScenarioSums {
  // report (x) and weight (y), standardised.
  PairSums pairs;
  // Weights from the first half (x) and the second half (y) of the trials.
  PairSums halves;
  ReportSums reports;

  ScenarioSums& operator+=(const ScenarioSums& other) {
    pairs += other.pairs;
    halves += other.halves;
    reports += other.reports;
    return *this;
  }
  // Split-half correlation stepped up by Spearman and Brown: 2 r / (1 + r). Absent without halves;
  // 0 when they do not go together.
  std::optional<double> WeightsReliability() const;
  // r / sqrt(reliability of weights x of reports): may pass 1. Absent when one of the three is, or
  // a reliability is 0.
  std::optional<double> DisattenuatedR() const;
};

// One item a scenario of the comparison; scenarios that are not in the line have zeros.
std::vector<ScenarioSums> SumsByScenario(const Comparison& comparison, const PairedReports& pairs);

ScenarioSums Total(const std::vector<ScenarioSums>& scenarios);

}  // namespace candor::statistics
