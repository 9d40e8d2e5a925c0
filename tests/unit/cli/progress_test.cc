#include "cli/progress.h"

#include "cli/text.h"
#include "common/base/files.h"

#include <gmock/gmock.h>
#include <google/protobuf/duration.pb.h>
#include <gtest/gtest.h>

namespace candor::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::KindProgress* AddKind(v1::EntryProgress* entry, v1::Cell::Kind kind, std::int64_t done,
                          std::int64_t total) {
  v1::KindProgress* progress = entry->add_kinds();
  progress->set_kind(kind);
  progress->set_done(done);
  progress->set_total(total);
  return progress;
}

void AddClass(v1::KindProgress* kind, v1::Outcome::Class word, std::int64_t count) {
  auto* item = kind->add_classes();
  item->set_class_(word);
  item->set_count(count);
}

v1::Job Example() {
  v1::Job job;
  job.set_name("jobs/4k9wq0z7m3t8x2ab");
  job.set_display_name("first study");
  job.set_state(v1::Job::RUNNING);
  v1::EntryProgress* base = job.add_progress();
  base->set_entry("base");
  base->set_state(v1::EntryProgress::RUNNING);
  base->set_rate(312.04);
  v1::KindProgress* choices = AddKind(base, v1::Cell::CHOICE, 4'000, 6'000);
  choices->set_in_flight(64);
  choices->set_failed(3);
  choices->set_repeated_calls(12);
  AddClass(choices, v1::Outcome::REFUSAL, 10);
  AddClass(choices, v1::Outcome::VALID, 3'950);
  AddClass(choices, v1::Outcome::NOT_A_CHOICE, 40);
  choices->mutable_usage()->set_input_tokens(1'234'567);
  choices->mutable_usage()->set_output_tokens(32'000);
  choices->set_money(1'234'000'000);
  choices->set_unknown_attempts(2);
  choices->set_unknown_money(20'000'000);
  AddKind(base, v1::Cell::SELF_REPORT, 0, 2'000);
  v1::EntryProgress* tuned = job.add_progress();
  tuned->set_entry("preference_trained");
  tuned->set_state(v1::EntryProgress::WAITING);
  tuned->set_reason(
      "60,000 requests per minute of limit group local are used up; 12 s until the next one");
  AddKind(tuned, v1::Cell::CHOICE, 6'000, 6'000)->set_reused(4'500);
  v1::EntryProgress* stopped = job.add_progress();
  stopped->set_entry("broken");
  stopped->set_state(v1::EntryProgress::STOPPED);
  stopped->set_reason("stopped: 401: \x1b[31mIncorrect API key");
  AddKind(stopped, v1::Cell::CHOICE, 0, 6'000);
  return job;
}

v1::LiveEstimates ExampleEstimates() {
  v1::LiveEstimates estimates;
  auto* base = estimates.add_entries();
  base->set_entry("base");
  base->set_slope(0.5427);
  base->set_interval_low(0.4687);
  base->set_interval_high(0.6166);
  base->set_r(0.549);
  base->set_n_scenarios(18);
  base->set_n_scenarios_with_weights(20);
  base->set_r_instilled(0.8433);
  auto* tuned = estimates.add_entries();
  tuned->set_entry("preference_trained");
  tuned->set_n_scenarios_with_weights(1);
  estimates.add_entries()->set_entry("broken");
  return estimates;
}

google::protobuf::Duration Left() {
  google::protobuf::Duration left;
  left.set_seconds(100);
  return left;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

class Golden : public testing::TestWithParam<int> {};

TEST_P(Golden, PictureIsAsDrawn) {
  const auto width = static_cast<std::size_t>(GetParam());
  const google::protobuf::Duration left = Left();
  const v1::LiveEstimates estimates = ExampleEstimates();
  const auto lines = RenderProgress(Example(), &left, {.width = width}, &estimates);
  for (const std::string& line : lines) EXPECT_LE(Columns(line), width) << line;
  const auto expected =
      ReadFile(fmt::format("{}/tests/unit/cli/golden/progress_{}.txt", CANDOR_SOURCE_DIR, width));
  ASSERT_TRUE(expected.ok()) << Message(expected.status()) << "\n" << Joined(lines);
  EXPECT_EQ(Joined(lines), *expected);
}

INSTANTIATE_TEST_SUITE_P(Widths, Golden, testing::Values(60, 100, 160));

TEST(RenderProgress, NoLineIsWiderThanTheTerminal) {
  v1::Job job = Example();
  job.mutable_progress(0)->mutable_kinds(0)->set_total(99'999'999'999);
  job.mutable_progress(1)->set_entry(std::string(500, 'x'));
  job.mutable_progress(1)->set_reason(std::string(500, 'y'));
  job.set_display_name(std::string(300, 'z'));
  const google::protobuf::Duration left = Left();
  for (std::size_t width = 40; width < 200; ++width) {
    for (const bool unicode : {false, true}) {
      for (const auto& line : RenderProgress(job, &left, {.width = width, .unicode = unicode})) {
        ASSERT_LE(Columns(line), width) << line;
      }
    }
  }
}

TEST(RenderProgress, ColoursOnlyWhenAsked) {
  const auto plain = Joined(RenderProgress(Example(), nullptr, {.width = 100}));
  EXPECT_THAT(plain, Not(HasSubstr("\x1b")));
  const auto coloured = Joined(RenderProgress(Example(), nullptr, {.width = 100, .color = true}));
  EXPECT_THAT(coloured, HasSubstr("\x1b[31m  STOPPED\x1b[0m"));
  // The provider's own escape sequence is gone.
  EXPECT_THAT(coloured, Not(HasSubstr("\x1b[31mIncorrect")));
}

TEST(RenderProgress, SaysHundredPercentOnlyOfWhatIsComplete) {
  v1::Job job;
  job.set_name("jobs/x");
  AddKind(job.add_progress(), v1::Cell::CHOICE, 999, 1'000);
  EXPECT_THAT(RenderProgressLine(job, nullptr), HasSubstr(" 999/1000 99%"));
}

TEST(RenderProgress, WhatEndedDoesNotRun) {
  v1::Job job;
  job.set_name("jobs/x");
  job.set_state(v1::Job::CANCELLED);
  v1::EntryProgress& entry = *job.add_progress();
  entry.set_entry("base");
  entry.set_state(v1::EntryProgress::RUNNING);
  entry.set_reason("the latest error: connection refused");
  AddKind(&entry, v1::Cell::CHOICE, 1, 2)->set_repeated_calls(1);
  const auto lines = RenderProgress(job, nullptr, {.width = 120}, nullptr);
  ASSERT_GE(lines.size(), 4U);
  EXPECT_EQ(lines[1], "base  ENDED");
  EXPECT_EQ(lines[2], "  the latest error: connection refused");
  EXPECT_THAT(lines[3], testing::EndsWith("1 repeated call"));
}

TEST(RenderProgressLine, SaysAllInOneLine) {
  const google::protobuf::Duration left = Left();
  EXPECT_EQ(RenderProgressLine(Example(), &left),
            "jobs/4k9wq0z7m3t8x2ab RUNNING 10000/20000 50% 312/s 64 in flight 3 failed reused 4500 "
            "spend 1.23 and at most 0.0200 unknown 1m40s left; preference_trained waits: 60,000 "
            "requests per minute of limit group local "
            "are used up; 12 s until the next one; broken stopped: 401:  [31mIncorrect API key");
}

TEST(RenderProgressLine, SaysWhatOutcomesSaySoFar) {
  const v1::LiveEstimates estimates = ExampleEstimates();
  EXPECT_THAT(RenderProgressLine(Example(), nullptr, &estimates),
              HasSubstr("; base slope 0.54 [0.47, 0.62], r 0.55, 18 scenarios, r 0.84 with the "
                        "instilled weights; preference_trained weights of 1 scenario"));
}

TEST(EstimateText, SaysWhatIsKnown) {
  v1::LiveEstimates::EntryEstimate estimate;
  EXPECT_EQ(EstimateText(estimate), "");
  estimate.set_n_scenarios_with_weights(1'234);
  EXPECT_EQ(EstimateText(estimate), "weights of 1,234 scenarios");
  estimate.set_n_scenarios(18);
  estimate.set_slope(-0.001);
  estimate.set_r(0);
  EXPECT_EQ(EstimateText(estimate), "slope -0.00, r 0.00, 18 scenarios");
}

TEST(RenderPlan, SaysWhatWasPlanned) {
  v1::Job job;
  EXPECT_TRUE(RenderPlan(job, 80).empty());
  v1::AnalysisPlan& plan = *job.mutable_analysis();
  job.set_analysis_hash("0123456789abcdef");
  EXPECT_EQ(Joined(RenderPlan(job, 80)),
            "analysis plan 0123456789ab: no primary statistic, all is exploratory\n");
  plan.add_primary("trained.self_reports");
  plan.set_tau(5);
  plan.add_contrasts()->set_trained("trained");
  plan.mutable_contrasts(0)->set_untrained("base");
  plan.mutable_exclusions()->add_classes(v1::Outcome::REPAIRED);
  plan.mutable_exclusions()->set_min_reports_per_scenario(3);
  plan.mutable_exclusions()->set_out_of_range(v1::AnalysisPlan::CLIPPED);
  EXPECT_EQ(
      Joined(RenderPlan(job, 100)),
      "analysis plan 0123456789ab: primary trained.self_reports; tau 5; contrast trained - base; "
      "without\nreplies REPAIRED; at least 3 reports; values out of range clipped\n");
}

TEST(ApplyUpdate, KeepsTheSpecificationAndTakesTheRest) {
  v1::WatchJobResponse picture;
  v1::WatchJobResponse update;
  update.set_type(v1::WatchJobResponse::SNAPSHOT);
  *update.mutable_job() = Example();
  update.mutable_time_left()->set_seconds(9);
  ApplyUpdate(update, &picture);
  v1::WatchJobResponse change;
  change.set_type(v1::WatchJobResponse::CHANGE);
  change.mutable_job()->set_name("jobs/4k9wq0z7m3t8x2ab");
  change.mutable_job()->set_state(v1::Job::PAUSED);
  AddKind(change.mutable_job()->add_progress(), v1::Cell::CHOICE, 7, 8);
  change.mutable_estimates()->set_outcomes(7);
  ApplyUpdate(change, &picture);
  EXPECT_EQ(picture.estimates().outcomes(), 7);
  change.clear_estimates();
  ApplyUpdate(change, &picture);
  EXPECT_EQ(picture.estimates().outcomes(), 7);
  EXPECT_EQ(picture.job().display_name(), "first study");
  EXPECT_EQ(picture.job().state(), v1::Job::PAUSED);
  EXPECT_EQ(Totals(picture.job()).done, 7);
  EXPECT_FALSE(picture.has_time_left());
  v1::WatchJobResponse heartbeat;
  heartbeat.set_type(v1::WatchJobResponse::HEARTBEAT);
  heartbeat.mutable_job()->set_name("jobs/4k9wq0z7m3t8x2ab");
  heartbeat.mutable_job()->set_state(v1::Job::RUNNING);
  ApplyUpdate(heartbeat, &picture);
  EXPECT_EQ(picture.job().state(), v1::Job::RUNNING);
  EXPECT_EQ(Totals(picture.job()).done, 7);
}

}  // namespace
}  // namespace candor::cli
