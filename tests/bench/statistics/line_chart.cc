#include "tests/bench/statistics/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string_view>

namespace candor::statistics {
namespace {

constexpr double kPlotWidth = 330;
constexpr double kPlotHeight = 300;
constexpr double kLabelWidth = 200;
constexpr double kLeft = 60;
constexpr double kTop = 70;
constexpr double kBottom = 50;
constexpr double kLabelStep = 16;

// Okabe and Ito's colours, which the colour-blind tell apart; every line has its own dashes too.
constexpr std::array<std::string_view, 6> kColours = {"#0072B2", "#D55E00", "#009E73",
                                                      "#CC79A7", "#E69F00", "#56B4E9"};
constexpr std::array<std::string_view, 6> kDashes = {"none",     "7 3", "2 3",
                                                     "10 3 2 3", "4 2", "1 2"};

std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// Distance of the ticks: 1, 2 or 5 times a power of ten, and 4 to 10 of them.
double TickStep(double largest) {
  const double power = std::pow(10, std::floor(std::log10(largest / 4)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (largest / (factor * power) <= 8) return factor * power;
  }
  return 10 * power;
}

class Renderer {
 public:
  explicit Renderer(const Chart& chart) : chart_(chart) {
    for (const ChartPanel& panel : chart.panels) {
      for (const ChartLine& line : panel.lines) {
        x_max_ = std::max(x_max_, *std::max_element(line.x.begin(), line.x.end()));
        y_max_ = std::max(y_max_, *std::max_element(line.y.begin(), line.y.end()));
      }
    }
    y_max_ = std::ceil(y_max_ / TickStep(y_max_)) * TickStep(y_max_);
  }

  std::string Render() {
    const double width = static_cast<double>(chart_.panels.size()) * PanelWidth();
    const double height = kTop + kPlotHeight + kBottom;
    Append(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" role="img" )"
           R"(aria-label="{2}">)"
           "\n<title>{2}</title>\n",
           width, height, Escape(chart_.title));
    out_ +=
        "<style>svg{background:#fff}text{font:12px sans-serif;fill:#222}.axis{stroke:#888}"
        ".grid{stroke:#8883}.line{fill:none;stroke-width:2}"
        "@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#ddd}}</style>\n";
    Text(kLeft, 22, "start", "600 15px sans-serif", chart_.title);
    for (std::size_t i = 0; i < chart_.panels.size(); ++i) {
      left_ = kLeft + static_cast<double>(i) * PanelWidth();
      Axes(chart_.panels[i].title);
      Lines(chart_.panels[i]);
    }
    out_ += "</svg>\n";
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void Append(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  static double PanelWidth() { return kLeft + kPlotWidth + kLabelWidth; }
  double X(double x) const { return left_ + x / x_max_ * kPlotWidth; }
  double Y(double y) const { return kTop + (1 - y / y_max_) * kPlotHeight; }

  void Text(double x, double y, std::string_view anchor, std::string_view font,
            std::string_view text) {
    Append(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}" style="font:{}">{}</text>)"
           "\n",
           x, y, anchor, font, Escape(text));
  }

  void Axes(std::string_view title) {
    constexpr std::string_view kFont = "12px sans-serif";
    for (double y = 0; y <= y_max_ * 1.0001; y += TickStep(y_max_)) {
      Append(R"(<path class="{}" d="M{:.1f} {:.1f}h{:.0f}"/>)"
             "\n",
             y == 0 ? "axis" : "grid", X(0), Y(y), kPlotWidth);
      Text(X(0) - 8, Y(y) + 4, "end", kFont, fmt::format("{:g}", y));
    }
    for (double x = 0; x <= x_max_ * 1.0001; x += TickStep(x_max_)) {
      Append(R"(<path class="axis" d="M{:.1f} {:.1f}v5"/>)"
             "\n",
             X(x), Y(0));
      Text(X(x), Y(0) + 18, "middle", kFont, fmt::format("{:g}", x));
    }
    Text(X(0), kTop - 14, "start", "600 12px sans-serif", title);
    Text(X(x_max_ / 2), Y(0) + 38, "middle", kFont, chart_.x_label);
    const double middle = Y(y_max_ / 2);
    Append(
        R"svg(<text transform="translate({:.1f} {:.1f}) rotate(-90)" text-anchor="middle">{}</text>)svg"
        "\n",
        left_ - 40, middle, Escape(chart_.y_label));
  }

  void Lines(const ChartPanel& panel) {
    for (std::size_t i = 0; i < panel.lines.size(); ++i) {
      const ChartLine& line = panel.lines[i];
      std::string path;
      for (std::size_t p = 0; p < line.x.size(); ++p) {
        path += fmt::format("{}{:.1f} {:.1f}", p == 0 ? "M" : "L", X(line.x[p]), Y(line.y[p]));
      }
      Append(R"(<path class="line" stroke="{}" stroke-dasharray="{}" d="{}"/>)"
             "\n",
             kColours[i % kColours.size()], kDashes[i % kDashes.size()], path);
    }
    // Labels from the top down, pushed apart where lines end close to each other.
    std::vector<std::size_t> order(panel.lines.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return panel.lines[a].y.back() > panel.lines[b].y.back();
    });
    // The lowest label may not sink below the axis.
    double floor = Y(0) + 4 - kLabelStep * static_cast<double>(order.size() - 1);
    double next = 0;
    for (const std::size_t i : order) {
      const ChartLine& line = panel.lines[i];
      const double y = std::max(next, std::min(floor, Y(line.y.back()) + 4));
      Append(R"(<text x="{:.1f}" y="{:.1f}" style="fill:{};font-weight:600">{}</text>)"
             "\n",
             X(x_max_) + 8, y, kColours[i % kColours.size()], Escape(line.label));
      next = y + kLabelStep;
      floor += kLabelStep;
    }
  }

  const Chart& chart_;
  double x_max_ = 0;
  double y_max_ = 0;
  double left_ = 0;
  std::string out_;
};

}  // namespace

std::string RenderSvg(const Chart& chart) { return Renderer(chart).Render(); }

}  // namespace candor::statistics
