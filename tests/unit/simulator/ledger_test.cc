#include "simulator/ledger.h"

#include "common/base/files.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

LedgerEntry EntryAt(Duration time) {
  LedgerEntry entry;
  entry.arrived = TimePoint{} + time;
  entry.arrived_wall = WallTime{seconds{1'700'000'000}};
  entry.body = Sha256("body");
  entry.body_arrival = 2;
  entry.prompt_tokens = 180;
  entry.counted_tokens = 200;
  entry.in_flight = 3;
  entry.admitted = true;
  return entry;
}

std::vector<json::object> Rows(const Ledger& ledger, std::uint64_t after = 0,
                               std::size_t limit = 1'000'000) {
  std::string text;
  ledger.Print(after, limit, &text);
  std::vector<json::object> rows;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    rows.push_back(json::parse(json::string_view(text.data() + begin, end - begin)).as_object());
    begin = end + 1;
  }
  return rows;
}

TEST(Ledger, PrintsARowBeforeAndAfterItsEnd) {
  Ledger ledger("ab");
  ASSERT_EQ(ledger.Begin(EntryAt(Duration{5}), "attempt \"1\"", "m"), 1U);
  json::object row = Rows(ledger).at(0);
  EXPECT_TRUE(row.at("end_us").is_null());
  EXPECT_EQ(row.at("status"), 0);

  ledger.End(1, TimePoint{} + Duration{9}, {200, Kind::kChoice, Shape::kBold, 2, 1, 5});
  row = Rows(ledger).at(0);
  EXPECT_EQ(json::value(row), json::parse(R"({
    "call": 1, "request_id": "req_ab000000000001", "attempt_id": "attempt \"1\"", "model": "m",
    "kind": "CHOICE",
    "body_sha256": "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5",
    "body_arrival": 2, "arrival_us": 5, "arrival_unix_us": 1700000000000000, "end_us": 9,
    "status": 200, "fault": "", "rejected_by": "", "admitted": true, "shape": "BOLD",
    "prompt_tokens": 180, "completion_tokens": 2, "counted_tokens": 205, "in_flight": 3,
    "dialect": "chat", "batch": false, "reasoning_tokens": 1})"));
  EXPECT_EQ(ledger.RequestId(1), "req_ab000000000001");
}

TEST(Ledger, ListsFromAnyCallOn) {
  Ledger ledger("");
  constexpr std::uint64_t kCalls = 10'000;
  for (std::uint64_t i = 1; i <= kCalls; ++i) {
    ASSERT_EQ(ledger.Begin(EntryAt(Duration{i}), std::string(i % 300, 'x'), "m"), i);
  }
  const std::vector<json::object> rows = Rows(ledger);
  ASSERT_EQ(rows.size(), kCalls);
  for (std::uint64_t i = 1; i <= kCalls; ++i) {
    ASSERT_EQ(rows[i - 1].at("call"), i);
    ASSERT_EQ(rows[i - 1].at("attempt_id").as_string().size(), i % 300);
  }
  EXPECT_EQ(Rows(ledger, 9'990).size(), 10U);
  EXPECT_EQ(Rows(ledger, 0, 7).size(), 7U);
  std::string out;
  EXPECT_EQ(ledger.Print(4'000, 200, &out), 4'200U);
  EXPECT_EQ(ledger.Print(kCalls, 200, &out), kCalls);
  EXPECT_EQ(ledger.Print(kCalls + 5, 200, &out), kCalls + 5);
}

TEST(Ledger, SummarisesWindowsStatusesAndFaults) {
  Ledger ledger("");
  // Three within a minute, and 0 s outside of it.
  const auto answer = [&](int s, const char* model) {
    LedgerEntry entry = EntryAt(seconds{s});
    entry.in_flight = static_cast<std::uint32_t>(s == 70 ? 9 : 1);
    const std::uint64_t call = ledger.Begin(entry, "", model);
    if (s != 65) ledger.End(call, entry.arrived, {200, Kind::kChoice, Shape::kAsAsked, 1, 0, 0});
  };
  for (const int s : {0, 50, 65, 70}) answer(s, "m");
  LedgerEntry rejected = EntryAt(seconds{71});
  rejected.admitted = false;
  rejected.counted_tokens = 0;
  rejected.verdict = Verdict::kTokens;
  ledger.End(ledger.Begin(rejected, "", "m"), rejected.arrived, {429, {}, {}, 0, 0, 0});
  answer(200, "n");
  LedgerEntry broken = EntryAt(seconds{300});
  broken.fault = FaultKind::kReset;
  ledger.End(ledger.Begin(broken, "", "m"), broken.arrived, {});

  const json::object summary = json::parse(ledger.Summary()).as_object();
  EXPECT_EQ(summary.at("calls"), 7);
  EXPECT_EQ(summary.at("unanswered"), 2);
  EXPECT_EQ(summary.at("by_status"), json::parse(R"({"200": 4, "429": 1})"));
  EXPECT_EQ(summary.at("by_fault"), json::parse(R"({"reset": 1})"));
  EXPECT_EQ(summary.at("rejected_by"), json::parse(R"({"tokens": 1})"));
  EXPECT_EQ(summary.at("max_arrivals_per_minute"), 4);
  EXPECT_EQ(summary.at("max_requests_per_minute"), 3);
  EXPECT_EQ(summary.at("max_tokens_per_minute"), 600);
  EXPECT_EQ(summary.at("max_in_flight"), 9);
  ASSERT_EQ(summary.at("models").as_array().size(), 2U);
  EXPECT_EQ(summary.at("models").at(1).at("model"), "n");
  EXPECT_EQ(summary.at("models").at(1).at("calls"), 1);
}

TEST(Ledger, ShowsItsCourseInWindows) {
  Ledger ledger("");
  const auto call = [&](int ms, const char* model, Verdict verdict, std::uint32_t produced) {
    LedgerEntry entry = EntryAt(std::chrono::milliseconds{ms});
    entry.counted_input_tokens = 180;
    entry.verdict = verdict;
    entry.admitted = verdict == Verdict::kAdmitted;
    ledger.End(ledger.Begin(entry, "", model), entry.arrived + seconds{1},
               {entry.admitted ? 200 : 429, {}, {}, produced, 0, produced});
  };
  call(500, "m", Verdict::kAdmitted, 7);
  call(900, "m", Verdict::kRequests, 0);
  call(1'600, "n", Verdict::kAdmitted, 2);
  LedgerEntry line = EntryAt(seconds{2});
  line.batch = true;
  ledger.Begin(line, "", "m");
  EXPECT_EQ(json::parse(ledger.Series(seconds{1}, "")), json::parse(R"({
    "window_us": 1000000, "begin_us": 500000, "arrived": [2, 1, 0], "admitted": [1, 1, 0],
    "rejected": [1, 0, 0], "answered": [0, 2, 1], "tokens": [200, 207, 2],
    "input_tokens": [180, 180, 0], "output_tokens": [0, 7, 2]})"));
  EXPECT_EQ(json::parse(ledger.Series(seconds{1}, "n")).at("admitted"), json::array({0, 1, 0}));
  const json::value summary = json::parse(ledger.Summary());
  EXPECT_EQ(summary.at("batch_lines"), 1);
  EXPECT_EQ(summary.at("max_requests_per_minute"), 2);
  EXPECT_EQ(summary.at("max_tokens_per_minute"), 409);
  EXPECT_EQ(summary.at("max_output_tokens_per_minute"), 9);
}

TEST(Ledger, AppendsEndedRowsToAFile) {
  const std::string path = ::testing::TempDir() + "/candor_ledger_" +
                           ::testing::UnitTest::GetInstance()->current_test_info()->name() +
                           std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
                           ".jsonl";
  std::remove(path.c_str());
  for (int run = 0; run < 2; ++run) {
    Ledger ledger("");
    ASSERT_TRUE(ledger.OpenFile(path).ok());
    ledger.Begin(EntryAt(Duration{1}), "first", "m");
    ledger.Begin(EntryAt(Duration{2}), "second", "m");
    ledger.End(2, TimePoint{}, {200, {}, {}, 0, 0, 0});
  }
  const auto text = ReadFile(path);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(std::count(text->begin(), text->end(), '\n'), 2);
  EXPECT_THAT(*text, ::testing::HasSubstr("second"));
  EXPECT_THAT(*text, ::testing::Not(::testing::HasSubstr("first")));
  std::remove(path.c_str());

  Ledger ledger("");
  const Status missing = ledger.OpenFile("/nonexistent/ledger");
  EXPECT_EQ(missing.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(missing), ::testing::HasSubstr("/nonexistent/ledger"));
}

}  // namespace
}  // namespace candor::simulator
