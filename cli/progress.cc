#include "cli/progress.h"

#include "cli/layout.h"
#include "cli/text.h"

#include <fmt/format.h>
#include <google/protobuf/duration.pb.h>

#include <algorithm>
#include <cctype>
#include <cmath>

namespace candor::cli {
namespace {

constexpr const char* kGreen = "\x1b[32m";
constexpr const char* kRed = "\x1b[31m";
constexpr const char* kYellow = "\x1b[33m";
constexpr const char* kPlain = "\x1b[0m";

std::string Percent(std::int64_t done, std::int64_t total) {
  if (total <= 0) return "100%";
  // Rounded down: 100 % is only said of what is complete.
  return fmt::format("{}%", static_cast<std::int64_t>(100 * static_cast<double>(done) /
                                                      static_cast<double>(total)));
}

std::string Rate(double rate) {
  return rate < 100 ? fmt::format("{:.1f}/s", rate) : WithCommas(std::llround(rate)) + "/s";
}

std::string BarOf(const v1::KindProgress& kind, const ProgressStyle& style, std::size_t width) {
  const double share =
      kind.total() > 0 ? static_cast<double>(kind.done()) / static_cast<double>(kind.total()) : 1;
  return Bar(share, width, style.unicode);
}

std::string KindLabel(v1::Cell::Kind kind) {
  return kind == v1::Cell::SELF_REPORT ? "self-reports" : "choices";
}

// "spend 1.23", "spend 1.23 and at most 0.02 unknown"; empty where nothing was to pay.
std::string Spend(std::int64_t money, std::int64_t unknown) {
  if (money <= 0 && unknown <= 0) return {};
  std::string text = "spend " + Money(money);
  if (unknown > 0) text += " and at most " + Money(unknown) + " unknown";
  return text;
}

// "12 repeated calls", "1 repeated call".
std::string Calls(std::int64_t calls, const char* what) {
  return fmt::format("{} {} {}", WithCommas(calls), what, calls == 1 ? "call" : "calls");
}

// What stands behind the counts of a kind.
std::vector<std::string> Details(const v1::KindProgress& kind) {
  std::vector<std::string> details;
  if (kind.in_flight() > 0) details.push_back(WithCommas(kind.in_flight()) + " in flight");
  if (kind.failed() > 0) details.push_back(WithCommas(kind.failed()) + " failed");
  if (kind.reused() > 0) details.push_back("reused " + WithCommas(kind.reused()));
  std::vector<const v1::KindProgress::ClassCount*> classes;
  for (const auto& count : kind.classes()) classes.push_back(&count);
  std::stable_sort(classes.begin(), classes.end(),
                   [](const auto* a, const auto* b) { return a->count() > b->count(); });
  for (const auto* count : classes) {
    details.push_back(
        fmt::format("{} {}", v1::Outcome::Class_Name(count->class_()), WithCommas(count->count())));
  }
  if (kind.repeated_calls() > 0) details.push_back(Calls(kind.repeated_calls(), "repeated"));
  if (kind.unknown_attempts() > 0) details.push_back(Calls(kind.unknown_attempts(), "unknown"));
  if (kind.usage().input_tokens() > 0 || kind.usage().output_tokens() > 0) {
    details.push_back(Tokens(kind.usage()));
  }
  if (const std::string spend = Spend(kind.money(), kind.unknown_money()); !spend.empty()) {
    details.push_back(spend);
  }
  return details;
}

const char* ColorOf(v1::Job::State state) {
  switch (state) {
    case v1::Job::RUNNING:
    case v1::Job::SUCCEEDED:
      return kGreen;
    case v1::Job::FAILED:
    case v1::Job::CANCELLED:
    case v1::Job::BUDGET_EXHAUSTED:
      return kRed;
    default:
      return kYellow;
  }
}

const char* ColorOf(v1::EntryProgress::State state) {
  switch (state) {
    case v1::EntryProgress::STOPPED:
      return kRed;
    case v1::EntryProgress::WAITING:
      return kYellow;
    default:
      return kGreen;
  }
}

const v1::LiveEstimates::EntryEstimate* FindEstimate(const v1::LiveEstimates* estimates,
                                                     const std::string& entry) {
  if (estimates == nullptr) return nullptr;
  for (const auto& estimate : estimates->entries()) {
    if (estimate.entry() == entry) return &estimate;
  }
  return nullptr;
}

// A name of the contract as people say it: OUT_OF_RANGE -> "out of range".
std::string Words(std::string name) {
  for (char& c : name) c = c == '_' ? ' ' : static_cast<char>(std::tolower(c));
  return name;
}

// Colours the first occurrence of a word.
void Paint(const std::string& word, const char* color, std::string* line) {
  const std::size_t at = line->find(word);
  if (at != std::string::npos)
    *line = line->substr(0, at) + color + word + kPlain + line->substr(at + word.size());
}

}  // namespace

JobTotals Totals(const v1::Job& job) {
  JobTotals totals;
  for (const v1::EntryProgress& entry : job.progress()) {
    totals.rate += entry.rate();
    for (const v1::KindProgress& kind : entry.kinds()) {
      totals.total += kind.total();
      totals.done += kind.done();
      totals.failed += kind.failed();
      totals.in_flight += kind.in_flight();
      totals.money += kind.money();
      totals.unknown_money += kind.unknown_money();
      totals.reused += kind.reused();
    }
  }
  return totals;
}

std::vector<std::string> RenderProgress(const v1::Job& job,
                                        const google::protobuf::Duration* time_left,
                                        const ProgressStyle& style,
                                        const v1::LiveEstimates* estimates) {
  std::vector<std::string> lines;
  const std::size_t width = std::max<std::size_t>(style.width, 40);
  const JobTotals totals = Totals(job);
  std::vector<std::string> head;
  if (!job.display_name().empty()) head.push_back(Clip(Printable(job.display_name()), width / 3));
  const std::string state = v1::Job::State_Name(job.state());
  head.push_back(state);
  head.push_back(WithCommas(totals.done) + "/" + WithCommas(totals.total));
  head.push_back(Percent(totals.done, totals.total));
  if (totals.reused > 0) head.push_back("reused " + WithCommas(totals.reused));
  if (const std::string spend = Spend(totals.money, totals.unknown_money); !spend.empty()) {
    head.push_back(spend);
  }
  if (time_left != nullptr && !IsTerminal(job.state())) head.push_back(Span(*time_left) + " left");
  Flow(Clip(job.name(), width), head, 0, width, &lines);
  if (style.color) {
    for (std::string& line : lines) Paint("  " + state, ColorOf(job.state()), &line);
  }
  if (!job.state_reason().empty()) Wrap(Printable(job.state_reason()), 2, width, &lines);

  std::size_t counts = 0;
  for (const auto& entry : job.progress()) {
    for (const auto& kind : entry.kinds()) {
      counts = std::max(counts, (WithCommas(kind.done()) + "/" + WithCommas(kind.total())).size());
    }
  }
  const std::size_t bar_width = width < 80 ? 10 : width < 120 ? 20 : 30;
  constexpr std::size_t kIndent = 16;  // Two spaces, the longer label, two spaces.
  for (const v1::EntryProgress& entry : job.progress()) {
    // Of a job that ended before they did, entries do not run any more.
    const bool ended = IsTerminal(job.state()) && entry.state() == v1::EntryProgress::RUNNING;
    const std::string word = ended ? "ENDED" : v1::EntryProgress::State_Name(entry.state());
    std::string title = Clip(Printable(entry.entry()), width / 2) + "  " + word;
    if (entry.rate() > 0) title += "  " + Rate(entry.rate());
    if (style.color) Paint("  " + word, ColorOf(entry.state()), &title);
    lines.push_back(std::move(title));
    if (!entry.reason().empty()) {
      // That of a stopped entry begins with "stopped".
      const char* why = entry.state() == v1::EntryProgress::WAITING ? "waiting: " : "";
      Wrap(why + Printable(entry.reason()), 2, width, &lines);
    }
    for (const v1::KindProgress& kind : entry.kinds()) {
      const std::string done = WithCommas(kind.done()) + "/" + WithCommas(kind.total());
      const std::string line = "  " + PadRight(KindLabel(kind.kind()), kIndent - 4) + "  " +
                               BarOf(kind, style, bar_width) + "  " + PadLeft(done, counts) + "  " +
                               PadLeft(Percent(kind.done(), kind.total()), 4);
      Flow(line, Details(kind), kIndent, width, &lines);
    }
    const auto* estimate = FindEstimate(estimates, entry.entry());
    const std::string text = estimate == nullptr ? "" : EstimateText(*estimate);
    if (!text.empty()) {
      std::vector<std::string> said;
      Wrap(text, kIndent, width, &said);
      said.front().replace(2, 6, "so far");
      lines.insert(lines.end(), said.begin(), said.end());
    }
  }
  // Very large counts in a very narrow terminal.
  if (!style.color) {
    for (std::string& line : lines) line = Clip(line, width);
  }
  return lines;
}

std::string RenderProgressLine(const v1::Job& job, const google::protobuf::Duration* time_left,
                               const v1::LiveEstimates* estimates) {
  const JobTotals totals = Totals(job);
  std::string line = fmt::format("{} {} {}/{} {}", job.name(), v1::Job::State_Name(job.state()),
                                 totals.done, totals.total, Percent(totals.done, totals.total));
  if (totals.rate > 0) line += " " + Rate(totals.rate);
  if (totals.in_flight > 0) line += fmt::format(" {} in flight", totals.in_flight);
  if (totals.failed > 0) line += fmt::format(" {} failed", totals.failed);
  if (totals.reused > 0) line += fmt::format(" reused {}", totals.reused);
  if (const std::string spend = Spend(totals.money, totals.unknown_money); !spend.empty()) {
    line += " " + spend;
  }
  if (time_left != nullptr && !IsTerminal(job.state())) line += " " + Span(*time_left) + " left";
  for (const v1::EntryProgress& entry : job.progress()) {
    if (entry.reason().empty()) continue;
    line += fmt::format("; {} {}{}", Printable(entry.entry()),
                        entry.state() == v1::EntryProgress::WAITING ? "waits: " : "",
                        Printable(entry.reason()));
  }
  if (estimates != nullptr) {
    for (const auto& estimate : estimates->entries()) {
      const std::string text = EstimateText(estimate);
      if (!text.empty()) line += fmt::format("; {} {}", Printable(estimate.entry()), text);
    }
  }
  if (!job.state_reason().empty()) line += "; " + Printable(job.state_reason());
  return line;
}

std::string EstimateText(const v1::LiveEstimates::EntryEstimate& estimate) {
  std::vector<std::string> parts;
  if (estimate.has_slope()) {
    std::string slope = fmt::format("slope {:.2f}", estimate.slope());
    if (estimate.has_interval_low() && estimate.has_interval_high()) {
      slope += fmt::format(" [{:.2f}, {:.2f}]", estimate.interval_low(), estimate.interval_high());
    }
    parts.push_back(std::move(slope));
  }
  if (estimate.has_r()) parts.push_back(fmt::format("r {:.2f}", estimate.r()));
  const auto scenarios = [](std::int32_t count) {
    return WithCommas(count) + (count == 1 ? " scenario" : " scenarios");
  };
  if (!parts.empty()) {
    parts.push_back(scenarios(estimate.n_scenarios()));
  } else if (estimate.n_scenarios_with_weights() > 0) {
    parts.push_back("weights of " + scenarios(estimate.n_scenarios_with_weights()));
  }
  if (estimate.has_r_instilled()) {
    parts.push_back(fmt::format("r {:.2f} with the instilled weights", estimate.r_instilled()));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<std::string> RenderPlan(const v1::Job& job, std::size_t width) {
  std::vector<std::string> lines;
  if (!job.has_analysis()) return lines;
  const v1::AnalysisPlan& plan = job.analysis();
  std::vector<std::string> parts;
  parts.push_back(plan.primary().empty()
                      ? "no primary statistic, all is exploratory"
                      : fmt::format("primary {}", fmt::join(plan.primary(), ", ")));
  if (plan.has_tau()) parts.push_back(fmt::format("tau {}", plan.tau()));
  for (const auto& contrast : plan.contrasts())
    parts.push_back(fmt::format("contrast {} - {}", contrast.trained(), contrast.untrained()));
  const v1::AnalysisPlan::Exclusions& exclusions = plan.exclusions();
  if (!exclusions.scenario_ids().empty()) {
    parts.push_back(
        fmt::format("without scenarios {}", fmt::join(exclusions.scenario_ids(), ", ")));
  }
  if (!exclusions.classes().empty()) {
    std::vector<std::string> classes;
    for (const int value : exclusions.classes())
      classes.push_back(v1::Outcome::Class_Name(static_cast<v1::Outcome::Class>(value)));
    parts.push_back(fmt::format("without replies {}", fmt::join(classes, ", ")));
  }
  if (exclusions.min_reports_per_scenario() > 0)
    parts.push_back(fmt::format("at least {} reports", exclusions.min_reports_per_scenario()));
  if (exclusions.min_choices_per_scenario() > 0)
    parts.push_back(fmt::format("at least {} choices", exclusions.min_choices_per_scenario()));
  if (exclusions.out_of_range() != v1::AnalysisPlan::OUT_OF_RANGE_UNSPECIFIED) {
    parts.push_back("values out of range " +
                    Words(v1::AnalysisPlan::OutOfRange_Name(exclusions.out_of_range())));
  }
  Wrap(Printable(fmt::format("analysis plan {}: {}", job.analysis_hash().substr(0, 12),
                             fmt::join(parts, "; "))),
       0, width, &lines);
  return lines;
}

void ApplyUpdate(const v1::WatchJobResponse& update, v1::WatchJobResponse* picture) {
  if (update.type() == v1::WatchJobResponse::SNAPSHOT) {
    *picture = update;
    return;
  }
  if (update.has_estimates()) *picture->mutable_estimates() = update.estimates();
  v1::Job* job = picture->mutable_job();
  job->set_name(update.job().name());
  job->set_state(update.job().state());
  if (update.type() == v1::WatchJobResponse::HEARTBEAT) return;
  job->set_state_reason(update.job().state_reason());
  *job->mutable_progress() = update.job().progress();
  if (update.job().has_start_time()) *job->mutable_start_time() = update.job().start_time();
  if (update.job().has_end_time()) *job->mutable_end_time() = update.job().end_time();
  if (update.has_time_left()) {
    *picture->mutable_time_left() = update.time_left();
  } else {
    picture->clear_time_left();
  }
}

bool IsTerminal(v1::Job::State state) {
  return state == v1::Job::SUCCEEDED || state == v1::Job::FAILED || state == v1::Job::CANCELLED ||
         state == v1::Job::BUDGET_EXHAUSTED;
}

}  // namespace candor::cli
