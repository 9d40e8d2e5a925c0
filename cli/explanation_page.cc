#include "cli/explanation_page.h"

#include "cli/layout.h"
#include "cli/text.h"
#include "common/base/rate_text.h"

#include <fmt/format.h>
#include <google/protobuf/duration.pb.h>

#include <algorithm>

namespace candor::cli {
namespace {

constexpr const char* kBold = "\x1b[1m";
constexpr const char* kPlain = "\x1b[0m";
constexpr std::size_t kBar = 10;
// "  100 %  " and the bar with its brackets, and two spaces.
constexpr std::size_t kIndent = 9 + kBar + 2 + 2;

std::string Time(const google::protobuf::Duration& time) { return SecondsText(Seconds(time)); }

std::vector<std::string> Figures(const v1::JobExplanation::EntryExplanation& entry) {
  std::vector<std::string> figures;
  const bool called = Seconds(entry.latency_median()) > 0;
  if (called) {
    figures.push_back(fmt::format("a call takes {} (median), {} (95 %)",
                                  Time(entry.latency_median()), Time(entry.latency_p95())));
  }
  if (entry.slots_rate() > 0) figures.push_back("slots allow " + RateText(entry.slots_rate()));
  if (entry.limit_rate() > 0) figures.push_back("limits allow " + RateText(entry.limit_rate()));
  if (entry.repeated_calls() > 0) {
    figures.push_back(WithCommas(entry.repeated_calls()) + " of the last calls repeated");
  }
  return figures;
}

void AddEntry(const v1::JobExplanation::EntryExplanation& entry, const ProgressStyle& style,
              std::size_t width, std::vector<std::string>* lines) {
  const std::string name = Clip(Printable(entry.entry()), width / 2);
  std::string title = name;
  // Those of a job that ended before they did have none.
  if (entry.state() != v1::EntryProgress::STATE_UNSPECIFIED) {
    title += "  " + v1::EntryProgress::State_Name(entry.state());
  }
  if (entry.rate() > 0) title += "  " + RateText(entry.rate());
  if (style.color) title = kBold + name + kPlain + title.substr(name.size());
  lines->push_back(std::move(title));
  if (const auto figures = Figures(entry); !figures.empty()) Flow("  ", figures, 2, width, lines);
  for (const v1::JobExplanation::Finding& finding : entry.findings()) {
    std::vector<std::string> said;
    Wrap(Printable(finding.text()), kIndent, width, &said);
    if (said.empty()) continue;
    // Without a share the first one is what holds it back now; later ones could, and did not yet.
    const char* unshared = &finding == &entry.findings(0) ? "   now" : "         also";
    const std::string share = finding.share() > 0
                                  ? fmt::format("  {:>3.0f} %  ", finding.share() * 100) +
                                        Bar(finding.share(), kBar, style.unicode)
                                  : unshared;
    said.front().replace(0, kIndent, PadRight(share, kIndent));
    lines->insert(lines->end(), said.begin(), said.end());
    if (!finding.advice().empty()) {
      Wrap("Would help: " + Printable(finding.advice()), kIndent, width, lines);
    }
  }
  if (entry.findings().empty()) Wrap("Nothing was waited for yet.", 2, width, lines);
}

}  // namespace

std::vector<std::string> RenderExplanation(const v1::JobExplanation& explanation,
                                           const ProgressStyle& style) {
  const std::size_t width = std::max<std::size_t>(style.width, 48);
  std::vector<std::string> lines;
  Wrap(Printable(explanation.summary()), 0, width, &lines);
  for (const auto& entry : explanation.entries()) {
    lines.emplace_back();
    AddEntry(entry, style, width, &lines);
  }
  if (Seconds(explanation.commit_median()) > 0) {
    lines.emplace_back();
    Wrap(fmt::format("The store makes a batch durable in {} (median), {} (95 %).",
                     Time(explanation.commit_median()), Time(explanation.commit_p95())),
         0, width, &lines);
  }
  lines.emplace_back();
  Wrap(
      "Percentages are of the time so far in which cells were pending, since the coordinator "
      "started.",
      0, width, &lines);
  return lines;
}

}  // namespace candor::cli
