#include "simulator/dialects.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {
namespace {

namespace json = boost::json;

std::string WriteCompletion(const Completion& completion) {
  return ChatDialect().Write(completion);
}

Completion MakeCompletion() {
  Completion completion;
  completion.id = "chatcmpl-1";
  completion.created = 1'700'000'000;
  completion.model = "m\"1";
  completion.system_fingerprint = "fp_1";
  completion.text = "A";
  completion.prompt_tokens = 180;
  completion.completion_tokens = 1;
  completion.log_odds_a = 1.25;
  return completion;
}

TEST(WriteCompletion, HasTheShapeOfTheApi) {
  EXPECT_EQ(json::parse(WriteCompletion(MakeCompletion())), json::parse(R"({
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "m\"1",
    "choices": [{"index": 0,
                 "message": {"role": "assistant", "content": "A", "refusal": null,
                             "annotations": []},
                 "logprobs": null, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 180, "completion_tokens": 1, "total_tokens": 181,
              "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
              "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0,
                                            "accepted_prediction_tokens": 0,
                                            "rejected_prediction_tokens": 0}},
    "service_tier": "default", "system_fingerprint": "fp_1"})"));
}

TEST(WriteCompletion, SaysThatItWasCut) {
  Completion completion = MakeCompletion();
  completion.cut = true;
  const json::value body = json::parse(WriteCompletion(completion));
  EXPECT_EQ(body.at("choices").at(0).at("finish_reason"), "length");
}

std::map<std::string, double> TopOf(const json::value& token) {
  std::map<std::string, double> top;
  double before = 0;
  for (const json::value& item : token.at("top_logprobs").as_array()) {
    const double log_probability = item.at("logprob").as_double();
    EXPECT_LE(log_probability, before);
    before = log_probability;
    top[item.at("token").as_string().c_str()] = log_probability;
  }
  return top;
}

TEST(WriteCompletion, LogProbabilitiesAreTheTrueOnes) {
  for (const double log_odds : {-60.0, -800.0, -2.0, 0.0, 1.25, 45.0, 900.0}) {
    Completion completion = MakeCompletion();
    completion.log_odds_a = log_odds;
    completion.log_probabilities = true;
    completion.top_log_probabilities = 20;
    const json::value body = json::parse(WriteCompletion(completion));
    const json::array& content = body.at("choices").at(0).at("logprobs").at("content").as_array();
    ASSERT_EQ(content.size(), 1U);
    EXPECT_EQ(content[0].at("token"), "A");
    EXPECT_EQ(content[0].at("bytes"), json::array({65}));
    const std::map<std::string, double> top = TopOf(content[0]);
    EXPECT_EQ(content[0].at("logprob").as_double(), top.at("A"));
    EXPECT_NEAR(top.at("A") - top.at("B"), log_odds, 1e-9 * (1 + std::abs(log_odds)));
    double sum = 0;
    for (const auto& [token, log_probability] : top) sum += std::exp(log_probability);
    EXPECT_NEAR(sum, 1, 1e-9);
  }
}

TEST(WriteCompletion, GivesAsManyLogProbabilitiesAsAsked) {
  Completion completion = MakeCompletion();
  completion.log_probabilities = true;
  for (const int count : {0, 1, 2, 5}) {
    completion.top_log_probabilities = count;
    const json::value body = json::parse(WriteCompletion(completion));
    const json::value& token = body.at("choices").at(0).at("logprobs").at("content").at(0);
    EXPECT_EQ(token.at("top_logprobs").as_array().size(), static_cast<std::size_t>(count));
  }
}

TEST(WriteCompletion, LogProbabilitiesOfLongTextsJoinToTheText) {
  Completion completion = MakeCompletion();
  completion.text = "Option A \u2014 caf\u00e9";
  completion.log_probabilities = true;
  completion.top_log_probabilities = 3;
  const json::value body = json::parse(WriteCompletion(completion));
  std::string joined;
  for (const json::value& token :
       body.at("choices").at(0).at("logprobs").at("content").as_array()) {
    joined += token.at("token").as_string().c_str();
  }
  EXPECT_EQ(joined, completion.text);
}

TEST(WriteCompletionEvents, JoinToTheText) {
  Completion completion = MakeCompletion();
  completion.text = "{\"sun\":\n5}";
  for (const bool usage : {false, true}) {
    std::string_view events;
    const std::string all = ChatDialect().WriteStream(
        completion, usage ? StreamForm::kEventsWithUsage : StreamForm::kEvents);
    events = all;
    std::vector<json::value> chunks;
    while (!events.starts_with("data: [DONE]")) {
      ASSERT_TRUE(events.starts_with("data: "));
      const auto end = events.find("\n\n");
      ASSERT_NE(end, std::string_view::npos);
      chunks.push_back(json::parse(json::string_view(events.data() + 6, end - 6)));
      events.remove_prefix(end + 2);
    }
    EXPECT_EQ(events, "data: [DONE]\n\n");
    ASSERT_EQ(chunks.size(), usage ? 4U : 3U);
    for (const json::value& chunk : chunks) {
      EXPECT_EQ(chunk.at("object"), "chat.completion.chunk");
      EXPECT_EQ(chunk.at("id"), "chatcmpl-1");
    }
    EXPECT_EQ(chunks[0].at("choices").at(0).at("delta").at("role"), "assistant");
    EXPECT_EQ(chunks[1].at("choices").at(0).at("delta").at("content"), "{\"sun\":\n5}");
    EXPECT_EQ(chunks[2].at("choices").at(0).at("finish_reason"), "stop");
    if (usage) {
      EXPECT_TRUE(chunks[3].at("choices").as_array().empty());
      EXPECT_EQ(chunks[3].at("usage").at("total_tokens"), 181);
      EXPECT_TRUE(chunks[2].at("usage").is_null());
    }
  }
}

}  // namespace
}  // namespace candor::simulator
