#include "common/base/program.h"

#include "candor/v1/config.pb.h"
#include "common/base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>

namespace candor {
namespace {

using testing::HasSubstr;

// One run of a program's beginning.
struct Parsed {
  std::optional<int> exit_code;
  std::string out;
  std::string err;
  v1::Config config;
};

class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/program_test." +
            testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  void TearDown() override {
    for (const char* name : {"CANDOR_SLOTS", "CANDOR_CONFIG", "CANDOR_LOG_LEVEL"}) unsetenv(name);
    unlink(path_.c_str());
  }

  Parsed Parse(std::vector<const char*> arguments) {
    Parsed run;
    Program program({.name = "candor-worker",
                     .version = "1.2.3",
                     .summary = "Works.",
                     .config = &run.config,
                     .section = "worker"});
    program.Bind({"--slots", "worker.slots", "N", "Calls at once", "64"});
    program.Bind({"--grace", "worker.grace", "TIME", "Time to finish", ""});
    program.Bind({"--allow-open", "coordinator.allow_open", "", "Listens anywhere", ""});
    arguments.insert(arguments.begin(), "candor-worker");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    run.exit_code = program.Parse(static_cast<int>(arguments.size()), arguments.data());
    run.out = testing::internal::GetCapturedStdout();
    run.err = testing::internal::GetCapturedStderr();
    return run;
  }

  std::string path_;
};

TEST_F(ProgramTest, FlagBeatsEnvironmentBeatsFileBeatsFallback) {
  EXPECT_EQ(Parse({}).config.worker().slots(), 64);
  ASSERT_TRUE(WriteFileAtomically(path_, "worker: {slots: 1, threads: 7}").ok());
  setenv("CANDOR_CONFIG", path_.c_str(), 1);
  EXPECT_EQ(Parse({}).config.worker().slots(), 1);
  setenv("CANDOR_SLOTS", "2", 1);
  EXPECT_EQ(Parse({}).config.worker().slots(), 2);
  const Parsed run = Parse({"--slots", "3", "--grace=250ms", "--allow-open"});
  EXPECT_EQ(run.exit_code, std::nullopt) << run.err;
  EXPECT_EQ(run.config.worker().slots(), 3);
  EXPECT_EQ(run.config.worker().threads(), 7);
  EXPECT_EQ(run.config.worker().grace().nanos(), 250'000'000);
  EXPECT_TRUE(run.config.coordinator().allow_open());
}

TEST_F(ProgramTest, PrintsVersionAndHelp) {
  const Parsed version = Parse({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.out, "candor-worker 1.2.3\n");
  const Parsed help = Parse({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("--slots N"));
  EXPECT_THAT(help.out, HasSubstr("Calls at once [64] (environment: CANDOR_SLOTS)"));
  EXPECT_THAT(help.out, HasSubstr("--log-format"));
}

TEST_F(ProgramTest, PrintsTheEffectiveConfigurationWithoutSecrets) {
  ASSERT_TRUE(WriteFileAtomically(path_,
                                  "endpoints: [{name: a, base_url: 'http://h', dialect: openai, "
                                  "headers: {x: canary}}]")
                  .ok());
  const Parsed run = Parse({"--config", path_.c_str(), "--print-config"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("\"slots\": 64"));
  EXPECT_THAT(run.out, HasSubstr("\"log_level\": \"info\""));
  EXPECT_THAT(run.out, HasSubstr("\"x\": \"[left out]\""));
  EXPECT_THAT(run.out, testing::Not(HasSubstr("canary")));
}

TEST_F(ProgramTest, UnknownFlagSuggestsTheNearest) {
  const Parsed run = Parse({"--slot", "3"});
  EXPECT_EQ(run.exit_code, kExitUsage);
  EXPECT_EQ(
      run.err,
      "candor-worker: unknown flag --slot; did you mean '--slots'? Run `candor-worker --help` "
      "for what there is.\n");
  EXPECT_THAT(Parse({"--slots"}).err, HasSubstr("--slots"));
}

TEST_F(ProgramTest, WrongValuesNameWhereTheyCameFrom) {
  const Parsed flag = Parse({"--slots", "many"});
  EXPECT_EQ(flag.exit_code, kExitError);
  EXPECT_THAT(flag.err, HasSubstr("candor-worker: --slots: \"many\" is no whole number"));
  setenv("CANDOR_SLOTS", "few", 1);
  EXPECT_THAT(Parse({}).err, HasSubstr("CANDOR_SLOTS: \"few\" is no whole number"));
  unsetenv("CANDOR_SLOTS");
  EXPECT_THAT(Parse({"--config", "/nowhere.yaml"}).err, HasSubstr("/nowhere.yaml: cannot open"));
  EXPECT_THAT(Parse({"--slots", "-3"}).err, HasSubstr("worker.slots: is -3"));
  EXPECT_THAT(Parse({"--log-level", "loud"}).err, HasSubstr("\"loud\" is no log level"));
}

TEST_F(ProgramTest, ReadyFileLivesAsLongAsItsObject) {
  {
    const auto ready =
        WriteReadyFile(path_, {{"grpc", "127.0.0.1:7070"}, {"http", "127.0.0.1:7071"}});
    ASSERT_TRUE(ready.ok());
    EXPECT_EQ(*ReadFile(path_), "{\"grpc\":\"127.0.0.1:7070\",\"http\":\"127.0.0.1:7071\"}\n");
  }
  EXPECT_EQ(ReadFile(path_).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(WriteReadyFile("/nowhere/ready.json", {}).ok());
  EXPECT_TRUE(WriteReadyFile("", {}).ok());
}

TEST(ShutdownSignal, CallsBackOncePerSignal) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int> heard;
  const auto wait_for = [&](std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return heard.size() >= count; });
  };
  {
    const ShutdownSignal shutdown([&](int signal) {
      const std::lock_guard lock(mutex);
      heard.push_back(signal);
      changed.notify_all();
    });
    kill(getpid(), SIGTERM);
    wait_for(1);
    kill(getpid(), SIGINT);
    wait_for(2);
  }
  EXPECT_THAT(heard, testing::ElementsAre(SIGTERM, SIGINT));
}

}  // namespace
}  // namespace candor
