#include "common/base/text_table.h"
#include "common/report/report.h"
#include "common/report/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace candor::report {
namespace {

// Warnings and reasons beyond these are counted, not listed: the page has them all.
constexpr int kMostLines = 12;
constexpr std::size_t kColumns = 100;

// "0.741", "-": what is absent or no number is a dash.
std::string Figure(bool there, double value) {
  if (!there || !std::isfinite(value)) return "-";
  std::string text = fmt::format("{:.3f}", value);
  return text == "-0.000" ? "0.000" : text;
}

std::string Probability(bool there, double p) {
  return there && p < 0.001 ? "<0.001" : Figure(there, p);
}

std::string Ends(bool there, double low, double high) {
  if (!there || !std::isfinite(low) || !std::isfinite(high)) return "-";
  return fmt::format("[{}, {}]", Figure(true, low), Figure(true, high));
}

std::string Ends(bool there, const v1::Interval& interval) {
  return Ends(there && interval.has_low() && interval.has_high(), interval.low(), interval.high());
}

std::string Of(bool there, std::int64_t part, bool total_there, std::int64_t total) {
  if (!there) return "-";
  return total_there ? WithCommas(part) + "/" + WithCommas(total) : WithCommas(part);
}

// "native_before" -> "native before".
std::string Words(std::string_view statistic) {
  std::string words(statistic);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string Marked(const v1::Analysis& analysis, std::string_view model,
                   std::string_view statistic) {
  const bool primary = Standing(analysis, model, statistic) == "primary";
  return Words(statistic) + (primary ? " *" : "");
}

class Lines {
 public:
  void Add(std::string_view line) { lines_.push_back(Printable(line)); }
  void Blank() {
    if (!lines_.empty() && !lines_.back().empty()) lines_.emplace_back();
  }

  // Words at spaces, further lines indented.
  void Wrapped(std::string_view text, std::string_view indent) {
    const std::string clean = Printable(text);
    std::string line;
    for (std::string_view rest = clean; !rest.empty();) {
      const std::size_t space = std::min(rest.find(' '), rest.size());
      const std::string_view word = rest.substr(0, space);
      rest.remove_prefix(std::min(space + 1, rest.size()));
      if (word.empty()) continue;
      if (!line.empty() && Columns(line) + 1 + Columns(word) > kColumns) {
        lines_.push_back(std::move(line));
        line = std::string(indent);
      } else if (!line.empty()) {
        line += ' ';
      }
      line += word;
    }
    if (!line.empty()) lines_.push_back(std::move(line));
  }

  void Rows(const Table& table) {
    const std::string text = table.Text();
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      Add(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
  }

  std::vector<std::string> Take() { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

void AddAgreements(const v1::Analysis& analysis, Lines* lines) {
  Table table({"model", "weights against reports", ">slope", "95 % interval", ">r", "by scenarios",
               ">scenarios", ">replies"});
  for (const auto& [model, statistic, agreement] : Agreements(analysis)) {
    const v1::Agreement& a = *agreement;
    table.Add(
        {Printable(model), Marked(analysis, model, statistic), Figure(a.has_slope(), a.slope()),
         Ends(a.has_interval_low() && a.has_interval_high(), a.interval_low(), a.interval_high()),
         Figure(a.has_r(), a.r()),
         Ends(a.has_bootstrap() && a.bootstrap().has_r(), a.bootstrap().r()),
         a.has_n_scenarios() ? WithCommas(a.n_scenarios()) : "-",
         Of(a.has_replies_valid(), a.replies_valid(), a.has_replies_total(), a.replies_total())});
  }
  if (table.empty()) return;
  lines->Blank();
  lines->Rows(table);
}

void AddContrasts(const v1::Analysis& analysis, Lines* lines) {
  Table table({"model", "trained minus untrained", ">slope", "95 % interval", ">r",
               "by scenarios (slope)", ">p"});
  for (const auto& [model, statistic, contrast] : Contrasts(analysis)) {
    const v1::Contrast& c = *contrast;
    table.Add(
        {Printable(model), Marked(analysis, model, statistic), Figure(c.has_slope(), c.slope()),
         Ends(c.has_interval_low() && c.has_interval_high(), c.interval_low(), c.interval_high()),
         Figure(c.has_r(), c.r()),
         Ends(c.has_bootstrap() && c.bootstrap().has_slope(), c.bootstrap().slope()),
         Probability(c.has_p(), c.p())});
  }
  if (table.empty()) return;
  lines->Blank();
  lines->Rows(table);
}

// The first of them as a list, and how many more there are.
template <typename Items, typename TextOf>
void AddList(std::string_view title, const Items& items, TextOf text_of, Lines* lines) {
  if (items.empty()) return;
  lines->Blank();
  lines->Add(title);
  int shown = 0;
  for (const auto& item : items) {
    if (shown++ == kMostLines) break;
    lines->Wrapped("- " + text_of(item), "  ");
  }
  if (items.size() > kMostLines) {
    lines->Add(
        fmt::format("- and {} more; the report lists all", WithCommas(items.size() - kMostLines)));
  }
}

}  // namespace

std::vector<std::string> RenderTerminal(const v1::Analysis& analysis) {
  Lines lines;
  lines.Wrapped(analysis.headline(), "");
  AddAgreements(analysis, &lines);
  AddContrasts(analysis, &lines);
  const auto& access = analysis.privileged_access();
  if (access.has_overall() && access.overall().has_difference()) {
    lines.Blank();
    lines.Add(fmt::format("own weights minus others' weights, r: {} {}",
                          Figure(true, access.overall().difference()),
                          Ends(access.overall().has_interval(), access.overall().interval())));
  }
  if (analysis.has_plan()) {
    lines.Blank();
    lines.Add("* named by the analysis plan; everything else is exploratory");
  }
  AddList(
      "Warnings:", analysis.warnings(), [](const std::string& text) { return text; }, &lines);
  AddList(
      "Left out:", analysis.left_out(),
      [](const v1::LeftOut& item) { return item.statistic() + ": " + item.reason(); }, &lines);
  if (analysis.excluded_row_count() > 0) {
    lines.Blank();
    lines.Add(fmt::format("{} rows were kept out; excluded_rows.csv says why",
                          WithCommas(analysis.excluded_row_count())));
  }
  return lines.Take();
}

}  // namespace candor::report
