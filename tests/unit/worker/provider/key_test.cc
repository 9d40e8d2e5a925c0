#include "worker/provider/key.h"

#include "common/base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace candor::provider {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

std::optional<std::string> NoVariables(const std::string&) { return std::nullopt; }

class KeyFileTest : public ::testing::Test {
 protected:
  KeyFileTest() {
    std::string name = ::testing::TempDir() + "candor_key_XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~KeyFileTest() override { std::filesystem::remove_all(directory_); }

  StatusOr<Secret> Load(std::string_view content, mode_t mode) {
    const std::string path = directory_ + "/key";
    EXPECT_TRUE(WriteFileAtomically(path, content).ok());
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    v1::Endpoint endpoint;
    endpoint.set_api_key_file(path);
    return LoadKey(endpoint, NoVariables);
  }

  std::string directory_;
};

TEST_F(KeyFileTest, WithoutWhiteSpaceAroundIt) {
  for (const mode_t mode : {mode_t{0400}, mode_t{0600}}) {
    const auto key = Load("  sk-secret\n", mode);
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(key->Reveal(), "sk-secret");
  }
}

TEST_F(KeyFileTest, RefusesOneThatOthersMayRead) {
  for (const mode_t mode : {mode_t{0640}, mode_t{0604}, mode_t{0644}, mode_t{0610}}) {
    const auto key = Load("sk-secret", mode);
    EXPECT_EQ(key.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(Message(key.status()), HasSubstr("run: chmod 600 " + directory_ + "/key"));
    EXPECT_THAT(Message(key.status()), Not(HasSubstr("sk-secret")));
  }
  EXPECT_THAT(Message(Load("x", 0644).status()), HasSubstr("mode 0644"));
}

TEST_F(KeyFileTest, RefusesWhatIsNoKey) {
  EXPECT_THAT(Message(Load(" \n", 0400).status()), HasSubstr("is empty"));
  EXPECT_THAT(Message(Load("one\ntwo", 0600).status()), HasSubstr("line break"));
  EXPECT_THAT(Message(Load("one\ntwo", 0600).status()), Not(HasSubstr("two")));
}

TEST_F(KeyFileTest, SaysThatItIsNotThere) {
  v1::Endpoint endpoint;
  endpoint.set_api_key_file(directory_ + "/none");
  const Status status = LoadKey(endpoint, NoVariables).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr(directory_ + "/none cannot be read: No such file"));
}

TEST(LoadKeyTest, FromTheEnvironment) {
  v1::Endpoint endpoint;
  endpoint.set_api_key_env("LOCAL_API_KEY");
  const auto key = LoadKey(endpoint, [](const std::string& name) -> std::optional<std::string> {
    return "value of " + name;
  });
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->Reveal(), "value of LOCAL_API_KEY");
  EXPECT_EQ(Message(LoadKey(endpoint, NoVariables).status()),
            "environment variable LOCAL_API_KEY is not set");
  EXPECT_EQ(
      Message(LoadKey(endpoint, [](const std::string&) { return std::optional(std::string()); })
                  .status()),
      "environment variable LOCAL_API_KEY is empty");
}

TEST(LoadKeyTest, OpenServersHaveNone) {
  const auto key = LoadKey({}, NoVariables);
  ASSERT_TRUE(key.ok());
  EXPECT_TRUE(key->empty());
}

TEST(LoadKeyTest, OneSourceOnly) {
  v1::Endpoint endpoint;
  endpoint.set_api_key_env("A");
  endpoint.mutable_auth()->set_command("true");
  EXPECT_EQ(LoadKey(endpoint, NoVariables).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(RunKeyCommandTest, TheFirstLine) {
  const auto line = RunKeyCommand("printf 'first\\nsecond\\n' | cat", milliseconds(20'000));
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(*line, "first");
  // The rest is read, so that the command can end.
  EXPECT_TRUE(RunKeyCommand("echo key; head -c 1000000 /dev/zero", milliseconds(20'000)).ok());
}

TEST(RunKeyCommandTest, WhatGoesWrongIsSaidWithoutTheOutput) {
  const Status failed = RunKeyCommand("echo sk-secret; exit 3", milliseconds(20'000)).status();
  EXPECT_EQ(Message(failed), "auth.command ended with exit code 3");
  EXPECT_EQ(Message(RunKeyCommand("kill -9 $$", milliseconds(20'000)).status()),
            "auth.command was ended by signal 9");
  v1::Endpoint endpoint;
  endpoint.mutable_auth()->set_command("true");
  EXPECT_THAT(Message(LoadKey(endpoint, NoVariables).status()), HasSubstr("is empty"));
}

TEST(RunKeyCommandTest, EndsWhatTakesTooLongWithItsChildren) {
  const Status status = RunKeyCommand("sleep 1000 | sleep 1000", milliseconds(50)).status();
  EXPECT_EQ(Message(status), "auth.command did not end within 0.05 s");
  // Closes its output, but goes on.
  EXPECT_FALSE(RunKeyCommand("exec >&-; sleep 1000", milliseconds(50)).ok());
}

TEST(RunKeyCommandTest, EndsWhenAskedTo) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(RunKeyCommand("sleep 1000", milliseconds(20'000), stop.get_token()).status().code(),
            absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace candor::provider
