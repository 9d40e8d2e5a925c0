#include "common/base/logging.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>

namespace candor {
namespace {

class Logging : public testing::Test {
 protected:
  void Start(LogLevel level, LogFormat format) {
    StartLogging({.level = level, .format = format, .stream = stream_, .clock = &clock_});
  }
  void TearDown() override {
    StartLogging({});
    std::fclose(stream_);
    std::free(buffer_);
  }
  std::string Text() {
    std::fflush(stream_);
    return {buffer_, size_};
  }

  // The epoch of the type plus a moment: 2023-11-14T22:13:20Z.
  ManualClock clock_;
  char* buffer_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_ = open_memstream(&buffer_, &size_);
};

TEST_F(Logging, WritesTextWithTimeLevelAndFields) {
  Start(LogLevel::kInfo, LogFormat::kText);
  clock_.Advance(std::chrono::microseconds(42));
  Log().With("worker", "workers/w1").With("slots", 64).Warn("lost {} leases", 3);
  EXPECT_EQ(Text(), "2023-11-14T22:13:20.000042Z warn  lost 3 leases worker=workers/w1 slots=64\n");
}

TEST_F(Logging, WritesJsonWithTypedFields) {
  Start(LogLevel::kInfo, LogFormat::kJson);
  Log().With("job", std::string("jobs/\"x\"")).With("rate", 1.5).With("last", true).Info("done");
  Log().With("rate", std::numeric_limits<double>::quiet_NaN()).Info("undefined");
  EXPECT_EQ(Text(), R"({"time":"2023-11-14T22:13:20.000000Z","level":"info","message":"done",)"
                    R"("job":"jobs/\"x\"","rate":1.5,"last":true})"
                    "\n"
                    R"({"time":"2023-11-14T22:13:20.000000Z","level":"info","message":"undefined",)"
                    R"("rate":"nan"})"
                    "\n");
}

TEST_F(Logging, LeavesOutLinesBelowItsLevel) {
  Start(LogLevel::kWarn, LogFormat::kText);
  Log().Info("not this");
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  EXPECT_TRUE(LogEnabled(LogLevel::kError));
  EXPECT_EQ(Text(), "");
}

TEST_F(Logging, TextCannotForgeALine) {
  Start(LogLevel::kInfo, LogFormat::kText);
  Log().With("name", "a b\nc").With("empty", "").Info("one\n2026 info two");
  EXPECT_EQ(Text(),
            "2023-11-14T22:13:20.000000Z info  one\\n2026 info two name=\"a b\\nc\" empty=\"\"\n");
}

TEST(ParseLogLevel, KnowsFiveWords) {
  EXPECT_EQ(*ParseLogLevel("trace"), LogLevel::kTrace);
  EXPECT_EQ(*ParseLogLevel("error"), LogLevel::kError);
  EXPECT_EQ(Message(ParseLogLevel("loud").status()),
            "\"loud\" is no log level; give trace, debug, info, warn or error");
  EXPECT_EQ(Message(ParseLogFormat("xml").status()), "\"xml\" is no log format; give text or json");
}

}  // namespace
}  // namespace candor
