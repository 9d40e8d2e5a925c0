#include "coordinator/engine/explain.h"

#include "common/base/rate_text.h"
#include "common/base/text_table.h"
#include "common/base/time_proto.h"
#include "coordinator/engine/explain_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace candor::engine {
namespace {

using v1::JobExplanation;

// Findings below this share are noise, as long as there is a larger one.
constexpr double kLeastShare = 0.02;
constexpr int kMostFindings = 4;
// Repetitions above this part of the calls are worth a finding.
constexpr double kManyRepeated = 0.02;

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void AddFinding(v1::WaitReason reason, double share, FindingText words,
                JobExplanation::EntryExplanation* out) {
  JobExplanation::Finding& finding = *out->add_findings();
  finding.set_reason(reason);
  finding.set_share(share);
  finding.set_text(std::move(words.text));
  finding.set_advice(std::move(words.advice));
}

bool Ended(v1::Job::State state) {
  return state == v1::Job::SUCCEEDED || state == v1::Job::FAILED || state == v1::Job::CANCELLED ||
         state == v1::Job::BUDGET_EXHAUSTED;
}

// The entry that has most to do, of those that run.
const EntryFacts* Longest(const std::vector<EntryFacts>& entries) {
  const EntryFacts* longest = nullptr;
  double most = -1;
  for (const EntryFacts& facts : entries) {
    if (facts.state == v1::EntryProgress::STOPPED || facts.state == v1::EntryProgress::FINISHED) {
      continue;
    }
    const auto left = static_cast<double>(facts.total - facts.done - facts.given_up);
    // By the time that it takes; one without a rate takes longest.
    const double time = facts.rate > 0 ? left / facts.rate : left * 1e6;
    if (time > most) longest = &facts;
    most = std::max(most, time);
  }
  return longest;
}

// With its full stop, which providers' words often have.
std::string Sentence(std::string text) {
  if (!text.ends_with('.')) text += '.';
  return text;
}

// What the entry waits for now comes first: that is what can be mended.
std::string NowAndSoFar(const JobExplanation::EntryExplanation& entry) {
  std::string text;
  const JobExplanation::Finding* now = nullptr;
  for (const JobExplanation::Finding& finding : entry.findings()) {
    if (&finding == &entry.findings(0) && finding.share() <= 0) {
      now = &finding;
      text = " Now: " + Sentence(finding.text());
      continue;
    }
    if (finding.share() <= 0) break;
    const double percent = finding.share() * 100;
    return text + (now != nullptr && now->reason() == finding.reason()
                       ? fmt::format(" So it was {:.0f} % of the time so far.", percent)
                       : fmt::format(" So far, {:.0f} % of the time: {}", percent,
                                     Sentence(finding.text())));
  }
  return text;
}

// As it is seen now: nothing of one that is over, or has nothing left to do.
void AddNow(const EntryFacts& facts, const StoreTimes& store,
            JobExplanation::EntryExplanation* out) {
  const bool runs =
      facts.state == v1::EntryProgress::RUNNING || facts.state == v1::EntryProgress::WAITING;
  if (!runs || facts.over) return;
  if (!facts.reason.empty()) {
    AddFinding(facts.wait_reason, 0, {facts.reason, TextOf(facts.wait_reason, facts, store).advice},
               out);
  } else if (facts.pending > 0) {
    AddFinding(v1::NOTHING, 0, {"nothing holds it back: calls go as cells come", ""}, out);
  } else if (facts.in_flight > 0) {
    AddFinding(v1::NOTHING, 0,
               {fmt::format("the last {} in flight",
                            facts.in_flight == 1 ? std::string("call is")
                                                 : WithCommas(facts.in_flight) + " calls are"),
                ""},
               out);
  }
}

std::string Summary(const std::string& name, v1::Job::State state, const std::string& state_reason,
                    const std::vector<EntryFacts>& entries, const JobExplanation& explanation) {
  std::int64_t total = 0;
  std::int64_t done = 0;
  std::int64_t given_up = 0;
  double rate = 0;
  int stopped = 0;
  for (const EntryFacts& facts : entries) {
    total += facts.total;
    done += facts.done;
    given_up += facts.given_up;
    if (facts.state != v1::EntryProgress::STOPPED) rate += facts.rate;
    stopped += facts.state == v1::EntryProgress::STOPPED ? 1 : 0;
  }
  std::string text =
      fmt::format("{} has {} of {} answers", name, WithCommas(done), WithCommas(total));
  if (given_up > 0) text += fmt::format(" ({} came to nothing)", WithCommas(given_up));
  if (Ended(state)) {
    text += fmt::format(" and is {}", v1::Job::State_Name(state));
    if (!state_reason.empty()) text += ": " + state_reason;
    return text + (text.ends_with('.') ? "" : ".");
  }
  if (state == v1::Job::PAUSED) return text + " and is paused: `candor resume` goes on.";
  text += fmt::format(" and gets {}", rate > 0 ? RateText(rate) : "none at present");
  if (stopped > 0) {
    text += fmt::format("; {} {} stopped", stopped, stopped == 1 ? "entry is" : "entries are");
  }
  text += '.';
  const EntryFacts* longest = Longest(entries);
  if (longest == nullptr) return text;
  for (const auto& entry : explanation.entries()) {
    if (entry.entry() != longest->entry || entry.findings().empty()) continue;
    if (entries.size() > 1) {
      text += fmt::format(" Most of what is left is {}'s.", entry.entry());
    }
    return text + NowAndSoFar(entry);
  }
  return text;
}

}  // namespace

LimitRate RateOfLimits(const EntryFacts& facts) {
  constexpr double kMinute = 60;
  constexpr double kDay = 24 * 60 * 60;
  LimitRate out;
  const double latency = Seconds(facts.latency_median);
  for (const v1::LimitUse& use : facts.group.uses()) {
    if (use.limit() <= 0) continue;
    const auto limit = static_cast<double>(use.limit());
    // What one call takes of it; 0 while that is not known.
    double takes = 0;
    double seconds = kMinute;
    bool of_a_day = false;
    switch (use.dimension()) {
      case v1::LimitUse::REQUESTS_PER_MINUTE:
        takes = 1;
        break;
      case v1::LimitUse::TOKENS_PER_MINUTE:
        takes = facts.call_tokens;
        break;
      case v1::LimitUse::INPUT_TOKENS_PER_MINUTE:
        takes = facts.call_input_tokens;
        break;
      case v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE:
        takes = facts.call_output_tokens;
        break;
      case v1::LimitUse::REQUESTS_PER_DAY:
        takes = 1;
        seconds = kDay;
        of_a_day = true;
        break;
      case v1::LimitUse::TOKENS_PER_DAY:
        takes = facts.call_tokens;
        seconds = kDay;
        of_a_day = true;
        break;
      case v1::LimitUse::IN_FLIGHT:
        takes = latency > 0 ? 1 : 0;
        seconds = latency;
        break;
      default:
        break;
    }
    if (takes <= 0) continue;
    if (takes > limit) {
      out.rate = 0;
      out.binding = use;
      out.never = true;
      return out;
    }
    // While anything of a day is left it says nothing of a second.
    if (of_a_day && static_cast<double>(use.used()) + takes <= limit) continue;
    const double rate = limit / takes / seconds;
    if (out.rate <= 0 || rate < out.rate) {
      out.rate = rate;
      out.binding = use;
    }
  }
  return out;
}

double RateOfSlots(const EntryFacts& facts) {
  const double latency = Seconds(facts.latency_median);
  return latency > 0 ? static_cast<double>(facts.slots) / latency : 0;
}

JobExplanation::EntryExplanation ExplainEntry(const EntryFacts& facts, const StoreTimes& store) {
  JobExplanation::EntryExplanation out;
  out.set_entry(facts.entry);
  const bool stopped = facts.state == v1::EntryProgress::STOPPED;
  // Of a job that ended before its entries did they neither run nor wait.
  if (!facts.over || stopped || facts.state == v1::EntryProgress::FINISHED) {
    out.set_state(facts.state);
  }
  if (!facts.over && !stopped) {
    out.set_rate(facts.rate);
    out.set_limit_rate(RateOfLimits(facts).rate);
    out.set_slots_rate(RateOfSlots(facts));
  }
  // What nobody measured yet is left out.
  if (facts.latency_median > Duration(0)) {
    *out.mutable_latency_median() = ToProto(facts.latency_median);
    *out.mutable_latency_p95() = ToProto(facts.latency_p95);
  }
  out.set_repeated_calls(static_cast<std::int32_t>(facts.repeated));
  if (stopped) {
    AddFinding(v1::WAIT_REASON_UNSPECIFIED, 0, {"it was " + facts.reason, ""}, &out);
    return out;
  }
  AddNow(facts, store, &out);
  int past = 0;
  const double whole = Seconds(facts.waits.total());
  for (const v1::WaitTime& wait : facts.waits.Times()) {
    const double share = whole > 0 ? Seconds(ToDuration(wait.time())) / whole : 0;
    if (past > 0 && (share < kLeastShare || past >= kMostFindings)) break;
    ++past;
    FindingText words = TextOf(wait.reason(), facts, store);
    // Said once, where it is waited for now.
    if (out.findings_size() > 0 && out.findings(0).share() <= 0 &&
        out.findings(0).reason() == wait.reason()) {
      words.advice.clear();
    }
    AddFinding(wait.reason(), share, std::move(words), &out);
  }
  if (facts.calls > 0 &&
      static_cast<double>(facts.repeated) > kManyRepeated * static_cast<double>(facts.calls) &&
      facts.waits.Of(v1::RETRY_BACK_OFF) == Duration(0)) {
    AddFinding(v1::RETRY_BACK_OFF, 0,
               {fmt::format("{} of the last {} calls were repetitions of ones that had failed",
                            WithCommas(facts.repeated), WithCommas(facts.calls)),
                "`candor export` writes attempts.jsonl, which says why each one failed"},
               &out);
  }
  return out;
}

v1::JobExplanation ExplainJob(const std::string& name, v1::Job::State state,
                              const std::string& state_reason,
                              const std::vector<EntryFacts>& entries, const StoreTimes& store) {
  JobExplanation out;
  for (const EntryFacts& facts : entries) *out.add_entries() = ExplainEntry(facts, store);
  if (store.median > Duration(0)) {
    *out.mutable_commit_median() = ToProto(store.median);
    *out.mutable_commit_p95() = ToProto(store.p95);
  }
  out.set_summary(Summary(name, state, state_reason, entries, out));
  return out;
}

}  // namespace candor::engine
