#include "simulator/routes.h"

#include "simulator/json_span.h"
#include "simulator/multipart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace candor::simulator {
namespace {

using ::testing::ElementsAre;

TEST(FindRoute, KnowsThePathsOfAllApis) {
  const struct {
    std::string_view path;
    Route route;
  } cases[] = {
      {"/v1/chat/completions", {Endpoint::kCall, DialectKind::kChat, "/v1", "", "", false}},
      {"/chat/completions", {Endpoint::kCall, DialectKind::kChat, "", "", "", false}},
      {"/openai/deployments/d/chat/completions",
       {Endpoint::kCall, DialectKind::kChat, "/openai/deployments/d", "", "d", false}},
      {"/v1/responses", {Endpoint::kCall, DialectKind::kResponses, "/v1", "", "", false}},
      {"/v1/messages", {Endpoint::kCall, DialectKind::kAnthropic, "/v1", "", "", false}},
      {"/v1beta/models/gemini-3:generateContent",
       {Endpoint::kCall, DialectKind::kGemini, "/v1beta", "", "gemini-3", false}},
      {"/v1beta/models/g:streamGenerateContent",
       {Endpoint::kCall, DialectKind::kGemini, "/v1beta", "", "g", true}},
      {"/v1beta/tunedModels/t:generateContent",
       {Endpoint::kCall, DialectKind::kGemini, "/v1beta", "", "tunedModels/t", false}},
      {"/v1/models", {Endpoint::kModels, DialectKind::kChat, "/v1", "", "", false}},
      {"/v1/files", {Endpoint::kFiles, DialectKind::kChat, "/v1", "", "", false}},
      {"/v1/files/f", {Endpoint::kFile, DialectKind::kChat, "/v1", "f", "", false}},
      {"/v1/files/f/content", {Endpoint::kFileContent, DialectKind::kChat, "/v1", "f", "", false}},
      {"/v1/batches", {Endpoint::kBatches, DialectKind::kChat, "/v1", "", "", false}},
      {"/v1/batches/b", {Endpoint::kBatch, DialectKind::kChat, "/v1", "b", "", false}},
      {"/v1/batches/b/cancel", {Endpoint::kBatchCancel, DialectKind::kChat, "/v1", "b", "", false}},
      {"/v1/messages/batches",
       {Endpoint::kMessageBatches, DialectKind::kAnthropic, "/v1", "", "", false}},
      {"/v1/messages/batches/b",
       {Endpoint::kMessageBatch, DialectKind::kAnthropic, "/v1", "b", "", false}},
      {"/v1/messages/batches/b/results",
       {Endpoint::kMessageBatchResults, DialectKind::kAnthropic, "/v1", "b", "", false}},
      {"/v1/messages/batches/b/cancel",
       {Endpoint::kMessageBatchCancel, DialectKind::kAnthropic, "/v1", "b", "", false}},
      {"/_simulator/series", {Endpoint::kSeries, DialectKind::kChat, "", "", "", false}},
      {"/nothing", {}},
      {"/v1/models/g:embedContent", {}},
  };
  for (const auto& [path, wanted] : cases) {
    const Route route = FindRoute(path);
    EXPECT_EQ(route.endpoint, wanted.endpoint) << path;
    EXPECT_EQ(route.dialect, wanted.dialect) << path;
    EXPECT_EQ(route.id, wanted.id) << path;
    EXPECT_EQ(route.model, wanted.model) << path;
    EXPECT_EQ(route.stream, wanted.stream) << path;
    if (wanted.endpoint != Endpoint::kNone) {
      EXPECT_EQ(route.prefix, wanted.prefix) << path;
    }
  }
}

TEST(QueryValue, Decodes) {
  EXPECT_EQ(QueryValue("a=1&b=x%20y+z&c", "b"), "x y z");
  EXPECT_EQ(QueryValue("a=1&b=2", "c"), "");
  EXPECT_EQ(QueryValue("after=%zz", "after"), "%zz");
}

TEST(JsonSpan, KeepsEveryByte) {
  constexpr std::string_view kLine =
      R"( {"custom_id" : "a\"b", "x":[1,{"body":2}], "body": {"k": "}\\", "n":  [1, 2]} , "z":-1e3})";
  EXPECT_EQ(RawMember(kLine, "body"), R"({"k": "}\\", "n":  [1, 2]})");
  EXPECT_EQ(RawMember(kLine, "custom_id"), R"("a\"b")");
  EXPECT_EQ(RawMember(kLine, "z"), "-1e3");
  EXPECT_EQ(RawMember(kLine, "k"), "");
  EXPECT_THAT(RawElements(R"([ {"a":"]"}, "x,y" ,3])"),
              ElementsAre(R"({"a":"]"})", R"("x,y")", "3"));
  EXPECT_TRUE(RawElements("[]").empty());
}

TEST(ReadMultipart, ReadsFieldsAndFiles) {
  const std::string body =
      "--XX\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--XX\r\n"
      "content-disposition: form-data; name=\"file\"; filename=\"a b.jsonl\"\r\n"
      "Content-Type: application/jsonl\r\n\r\n{}\n{}\n\r\n--XX--\r\n";
  const auto parts = ReadMultipart("multipart/form-data; boundary=XX", body);
  ASSERT_TRUE(parts.has_value());
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ((*parts)[0].name, "purpose");
  EXPECT_EQ((*parts)[0].content, "batch");
  EXPECT_EQ((*parts)[1].filename, "a b.jsonl");
  EXPECT_EQ((*parts)[1].content, "{}\n{}\n");
  EXPECT_FALSE(ReadMultipart("application/json", body).has_value());
  EXPECT_FALSE(ReadMultipart("multipart/form-data; boundary=XX", body.substr(0, 90)).has_value());
}

}  // namespace
}  // namespace candor::simulator
