// A line chart as SVG: enough for the plots of the benchmarks, readable on light and dark pages.
#pragma once

#include <string>
#include <vector>

namespace candor::statistics {

struct ChartLine {
  std::string label;
  std::vector<double> x;
  std::vector<double> y;
};

// One panel; the panels of a chart share their scales.
struct ChartPanel {
  std::string title;
  std::vector<ChartLine> lines;
};

struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<ChartPanel> panels;
};

// The chart, with each line's label at its end. Both scales begin at 0. Lines are not empty.
std::string RenderSvg(const Chart& chart);

}  // namespace candor::statistics
