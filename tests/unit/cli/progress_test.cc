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
  AddKind(base, v1::Cell::SELF_REPORT, 0, 2'000);
  v1::EntryProgress* tuned = job.add_progress();
  tuned->set_entry("preference_trained");
  tuned->set_state(v1::EntryProgress::WAITING);
  tuned->set_reason(
      "60,000 requests per minute of limit group local are used up; 12 s until the next one");
  AddKind(tuned, v1::Cell::CHOICE, 6'000, 6'000);
  v1::EntryProgress* stopped = job.add_progress();
  stopped->set_entry("broken");
  stopped->set_state(v1::EntryProgress::STOPPED);
  stopped->set_reason("401: \x1b[31mIncorrect API key");
  AddKind(stopped, v1::Cell::CHOICE, 0, 6'000);
  return job;
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
  const auto lines = RenderProgress(Example(), &left, {.width = width});
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

TEST(RenderProgressLine, SaysAllInOneLine) {
  const google::protobuf::Duration left = Left();
  EXPECT_EQ(RenderProgressLine(Example(), &left),
            "jobs/4k9wq0z7m3t8x2ab RUNNING 10000/20000 50% 312/s 64 in flight 3 failed spend 1.23 "
            "1m40s left; preference_trained waits: 60,000 requests per minute of limit group local "
            "are used up; 12 s until the next one; broken stopped: 401:  [31mIncorrect API key");
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
  ApplyUpdate(change, &picture);
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
