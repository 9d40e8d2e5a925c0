// WorstCaseSlope of agreement.h.
#include "common/statistics/agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace candor::statistics {
namespace {

constexpr int kMostPasses = 200;
// What a pass must gain for another one.
constexpr double kGain = 1e-10;

// One (scenario, attribute): its weight, and its mean report as far as it is known.
struct Cell {
  double weight = 0;  // standardised
  double known = 0;   // sum of the readable reports / replies wanted
  double reach = 0;   // missing replies * kScale / replies wanted; 0: nothing is missing
  int set = 0;
  double report = 0;  // from known - reach to known + reach
};

// The slope of standardised weights on reports that are standardised per set, kept up to date
// while one cell changes at a time.
class Climber {
 public:
  explicit Climber(std::vector<Cell> cells) : cells_(std::move(cells)) {}

  // `direction` 1 climbs, -1 descends.
  std::optional<double> Optimise(double direction) {
    for (Cell& cell : cells_) {
      cell.report = cell.known + (cell.weight * direction >= 0 ? cell.reach : -cell.reach);
    }
    AccountAnew();
    std::optional<double> best = Slope();
    for (int pass = 0; pass < kMostPasses; ++pass) {
      for (Cell& cell : cells_) {
        if (cell.reach > 0) Move(cell, direction);
      }
      AccountAnew();
      const std::optional<double> slope = Slope();
      if (!slope || (best && direction * (*slope - *best) < kGain)) break;
      best = slope;
    }
    return Slope();
  }

 private:
  // Reports of each set have mean 0 and sd 1 over the set.
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

  // The best place for a cell while the others stay: an end of its reach, or where the slope is
  // stationary. As a function of its report v, what its set adds to the slope is proportional to
  // Sxy / sqrt(Sxx) = (a + b v) / sqrt(c + d v + e v^2).
  void Move(Cell& cell, double direction) {
    PairSums& sums = sets_[cell.set];
    const double n = sums.n;
    Account(cell, -1);
    const double a = sums.xy - sums.x * (sums.y + cell.weight) / n;
    const double b = cell.weight - (sums.y + cell.weight) / n;
    const double c = sums.xx - sums.x * sums.x / n;
    const double d = -2 * sums.x / n;
    const double e = 1 - 1 / n;
    const auto value = [&](double v) {
      const double sxx = c + v * (d + v * e);
      return sxx > 1e-12 * (1 + sums.xx) ? direction * (a + b * v) / std::sqrt(sxx)
                                         : -std::numeric_limits<double>::infinity();
    };
    const double low = cell.known - cell.reach;
    const double high = cell.known + cell.reach;
    const double stationary = (b * c - a * d / 2) / (a * e - b * d / 2);
    double best = value(cell.report);
    for (const double v : {low, high, stationary}) {
      // Written so that a stationary place of 0 / 0 fails.
      if (!(v >= low && v <= high) || value(v) <= best) continue;
      best = value(v);
      cell.report = v;
    }
    Account(cell, 1);
  }

  // Taking cells out and putting them back leaves rounding errors behind.
  void AccountAnew() {
    sets_.clear();
    for (const Cell& cell : cells_) Account(cell, 1);
  }

  void Account(const Cell& cell, double count) {
    PairSums& sums = sets_[cell.set];
    sums.n += count;
    sums.x += count * cell.report;
    sums.y += count * cell.weight;
    sums.xx += count * cell.report * cell.report;
    sums.xy += count * cell.report * cell.weight;
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
      cell.reach = (wanted - static_cast<double>(readable)) * kScale / wanted;
      cell.set = scenario.report_set;
      cells.push_back(cell);
    }
  }
  return cells;
}

}  // namespace

std::optional<Interval> WorstCaseSlope(const Comparison& comparison) {
  std::vector<Cell> cells = CellsOf(comparison);
  if (std::none_of(cells.begin(), cells.end(), [](const Cell& cell) { return cell.reach > 0; })) {
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
