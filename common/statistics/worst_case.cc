// WorstCaseSlope of agreement.h.
#include "common/statistics/agreement.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace candor::statistics {
namespace {

constexpr int kMostPasses = 100;

// One (scenario, attribute): its weight, and its mean report as far as it is known.
struct Cell {
  double weight = 0;  // standardised
  double known = 0;   // sum of the readable reports / replies wanted
  double step = 0;    // missing replies * kScale / replies wanted; 0: nothing is missing
  int set = 0;
  double sign = 1;  // of the missing replies

  double report() const { return known + sign * step; }
};

// The slope of standardised weights on reports that are standardised per set, kept up to date
// while one cell changes at a time.
class Climber {
 public:
  explicit Climber(std::vector<Cell> cells) : cells_(std::move(cells)) { AccountAnew(); }

  // The pooled line: reports of each set have mean 0 and sd 1 over the set.
  std::optional<double> Slope() const {
    double xx = 0;
    double xy = 0;
    for (const auto& [set, sums] : sets_) {
      const double sxx = sums.Sxx();
      if (sums.n < 2 || sxx <= 1e-12 * (1 + sums.xx)) return std::nullopt;
      xx += sums.n - 1;
      xy += sums.Sxy() / std::sqrt(sxx / (sums.n - 1));
    }
    if (xx <= 0) return std::nullopt;
    return xy / xx;
  }

  void Flip(Cell& cell) {
    Account(cell, -1);
    cell.sign = -cell.sign;
    Account(cell, 1);
  }

  // `direction` 1 climbs, -1 descends.
  std::optional<double> Optimise(double direction) {
    for (Cell& cell : cells_) {
      const double wanted = cell.weight * direction >= 0 ? 1 : -1;
      if (cell.step > 0 && cell.sign != wanted) Flip(cell);
    }
    for (int pass = 0; pass < kMostPasses; ++pass) {
      AccountAnew();
      std::optional<double> best = Slope();
      bool better = false;
      for (Cell& cell : cells_) {
        if (cell.step <= 0) continue;
        Flip(cell);
        const std::optional<double> slope = Slope();
        if (slope && (!best || direction * (*slope - *best) > 1e-12)) {
          best = slope;
          better = true;
        } else {
          Flip(cell);
        }
      }
      if (!better) break;
    }
    AccountAnew();
    return Slope();
  }

 private:
  // Taking cells out and putting them back leaves rounding errors behind.
  void AccountAnew() {
    sets_.clear();
    for (const Cell& cell : cells_) Account(cell, 1);
  }

  void Account(const Cell& cell, double count) {
    PairSums& sums = sets_[cell.set];
    const double x = cell.report();
    sums.n += count;
    sums.x += count * x;
    sums.y += count * cell.weight;
    sums.xx += count * x * x;
    sums.xy += count * x * cell.weight;
  }

  std::vector<Cell> cells_;
  std::map<int, PairSums> sets_;
};

std::vector<Cell> CellsOf(const Comparison& comparison) {
  // Weights are standardised per set, as PairUp does it.
  std::map<int, std::vector<double>> sets;
  for (const ComparedScenario& scenario : comparison.scenarios) {
    std::vector<double>& set = sets[scenario.weight_set];
    for (const double weight : scenario.weights) set.push_back(Bounded(weight));
  }
  std::map<int, Moments> scales;
  for (const auto& [set, values] : sets) scales.emplace(set, ScaleOf(values));

  std::vector<Cell> cells;
  for (const ComparedScenario& scenario : comparison.scenarios) {
    const std::size_t k = scenario.weights.size();
    const std::size_t readable = ReportsOf(scenario);
    const auto wanted =
        std::max(static_cast<double>(scenario.replies_total), static_cast<double>(readable));
    if (k == 0 || wanted <= 0) continue;
    const Moments& scale = scales.at(scenario.weight_set);
    for (std::size_t attribute = 0; attribute < k; ++attribute) {
      Cell cell;
      cell.weight = Standardise(Bounded(scenario.weights[attribute]), scale);
      for (std::size_t i = 0; i < readable; ++i)
        cell.known += Bounded(scenario.reports[i * k + attribute]);
      cell.known /= wanted;
      cell.step = (wanted - static_cast<double>(readable)) * kScale / wanted;
      cell.set = scenario.report_set;
      cells.push_back(cell);
    }
  }
  return cells;
}

}  // namespace

std::optional<Interval> WorstCaseSlope(const Comparison& comparison) {
  std::vector<Cell> cells = CellsOf(comparison);
  if (std::none_of(cells.begin(), cells.end(), [](const Cell& cell) { return cell.step > 0; })) {
    const std::optional<LineFit> line = FitLine(PairUp(comparison));
    if (!line) return std::nullopt;
    return Interval{line->slope, line->slope};
  }
  Climber climber(std::move(cells));
  const std::optional<double> high = climber.Optimise(1);
  const std::optional<double> low = climber.Optimise(-1);
  if (!high || !low) return std::nullopt;
  return Interval{std::min(*low, *high), std::max(*low, *high)};
}

}  // namespace candor::statistics
