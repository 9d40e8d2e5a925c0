#include "cli/explanation_page.h"

#include "common/base/text_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

v1::JobExplanation Explanation() {
  v1::JobExplanation said;
  said.set_summary("jobs/x has 12,340 of 40,000 answers and gets 27.5/s.");
  auto& entry = *said.add_entries();
  entry.set_entry("base");
  entry.set_state(v1::EntryProgress::WAITING);
  entry.set_rate(27.5);
  entry.set_limit_rate(166.67);
  entry.set_slots_rate(27.83);
  entry.mutable_latency_median()->set_seconds(2);
  entry.mutable_latency_median()->set_nanos(300'000'000);
  entry.mutable_latency_p95()->set_seconds(4);
  entry.set_repeated_calls(3);
  auto& slots = *entry.add_findings();
  slots.set_reason(v1::SLOTS);
  slots.set_share(0.92);
  slots.set_text(
      "all 64 slots were taken. At a median latency of 2.3 s 64 slots give 27.8/s; the limits "
      "would "
      "allow 167/s");
  slots.set_advice("6 workers of 64 slots would reach them (there is 1 now)");
  auto& also = *entry.add_findings();
  also.set_reason(v1::RETRY_BACK_OFF);
  also.set_text("31 of the last 1,000 calls were repetitions");
  said.mutable_commit_median()->set_nanos(4'000'000);
  said.mutable_commit_p95()->set_nanos(20'000'000);
  return said;
}

TEST(ExplanationPageTest, IsReadable) {
  const auto lines = RenderExplanation(Explanation(), {.width = 100});
  const std::vector<std::string> expected = {
      "jobs/x has 12,340 of 40,000 answers and gets 27.5/s.",
      "",
      "base  WAITING  27.5/s",
      "  a call takes 2.3 s (median), 4.0 s (95 %)  slots allow 27.8/s  limits allow 167/s",
      "  3 of the last calls repeated",
      "   92 %  [#########-]  all 64 slots were taken. At a median latency of 2.3 s 64 slots give "
      "27.8/s;",
      "                       the limits would allow 167/s",
      "                       Would help: 6 workers of 64 slots would reach them (there is 1 now)",
      "         also          31 of the last 1,000 calls were repetitions",
      "",
      "The store makes a batch durable in 4.0 ms (median), 20 ms (95 %).",
      "",
      "Percentages are of the time so far in which cells were pending, since the coordinator "
      "started.",
  };
  EXPECT_EQ(lines, expected);
}

TEST(ExplanationPageTest, WhatItWaitsForNowComesFirst) {
  v1::JobExplanation said;
  said.set_summary("jobs/x has 1 of 2 answers.");
  auto& entry = *said.add_entries();
  entry.set_entry("base");
  auto& now = *entry.add_findings();
  now.set_reason(v1::NO_WORKER);
  now.set_text("no connected worker serves it");
  auto& before = *entry.add_findings();
  before.set_share(0.9);
  before.set_text("all 64 slots were taken");
  const auto lines = RenderExplanation(said, {.width = 100});
  ASSERT_GE(lines.size(), 5U);
  EXPECT_EQ(lines[2], "base") << "of an entry without a state no word is said";
  EXPECT_EQ(lines[3], "   now                 no connected worker serves it");
  EXPECT_EQ(lines[4], "   90 %  [#########-]  all 64 slots were taken");
}

TEST(ExplanationPageTest, KeepsToTheWidth) {
  for (const std::size_t width : {48U, 60U, 80U, 140U}) {
    for (const std::string& line : RenderExplanation(Explanation(), {.width = width})) {
      EXPECT_LE(Columns(line), width) << line;
    }
  }
}

TEST(ExplanationPageTest, ColoursOnlyWhereAsked) {
  for (const std::string& line : RenderExplanation(Explanation(), {.width = 80})) {
    EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  }
  EXPECT_THAT(RenderExplanation(Explanation(), {.width = 80, .color = true}),
              Contains(HasSubstr("\x1b[1mbase\x1b[0m")));
}

TEST(ExplanationPageTest, ObeysNoProvidersWords) {
  v1::JobExplanation said;
  said.set_summary("a\x1b[2Jb");
  said.add_entries()->add_findings()->set_text("x\x1b]0;y\x07z");
  for (const std::string& line : RenderExplanation(said, {})) {
    EXPECT_THAT(line, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07"))));
  }
}

TEST(ExplanationPageTest, BeforeAnything) {
  v1::JobExplanation said;
  said.set_summary("jobs/x has 0 of 4 answers and gets none at present.");
  said.add_entries()->set_entry("base");
  EXPECT_THAT(RenderExplanation(said, {}), Contains("  Nothing was waited for yet."));
}

}  // namespace
}  // namespace candor::cli
