// Both batch APIs, without a socket.
#include "simulator/anthropic_batches.h"
#include "simulator/batch_run.h"
#include "simulator/openai_batches.h"
#include "tests/unit/simulator/prompts.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {
namespace {

namespace json = boost::json;
using std::chrono::seconds;
using ::testing::HasSubstr;

class BatchesTest : public ::testing::Test {
 protected:
  void SetUp() override { config_.mutable_batches()->mutable_delay()->set_seconds(100); }

  void Serve() {
    service_ = *ProviderService::Create(config_, {}, clock_);
    openai_ = *MakeOpenAiBatches(config_.batches(), *service_);
    anthropic_ = *MakeAnthropicBatches(config_.batches(), *service_);
  }
  HttpReply Ask(std::string_view method, std::string_view target, std::string body = {},
                const net::HttpHeaders& headers = {}) {
    net::HttpServerRequest request;
    request.method = method;
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    if (request.path.size() < target.size()) {
      request.query = target.substr(request.path.size() + 1);
    }
    request.headers = headers;
    request.body = std::move(body);
    const Route route = FindRoute(request.path);
    BatchApi& api = route.dialect == DialectKind::kAnthropic ? *anthropic_ : *openai_;
    return api.Handle(route, request);
  }
  json::value OpenAi(std::string_view method, std::string_view target, std::string body = {},
                     int status = 200) {
    const HttpReply reply = Ask(method, target, std::move(body));
    EXPECT_EQ(reply.status, status) << reply.body;
    return json::parse(reply.body);
  }
  json::value Anthropic(std::string_view method, std::string_view target, std::string body = {},
                        int status = 200) {
    const HttpReply reply = Ask(method, target, std::move(body),
                                {{"anthropic-version", "2023-06-01"}, {"host", "here:1"}});
    EXPECT_EQ(reply.status, status) << reply.body;
    return json::parse(reply.body);
  }
  std::string Upload(const std::string& content) {
    const std::string body =
        "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\n"
        "Content-Disposition: form-data; name=\"file\"; filename=\"in.jsonl\"\r\n\r\n" +
        content + "\r\n--b--\r\n";
    const HttpReply reply =
        Ask("POST", "/v1/files", body, {{"content-type", "multipart/form-data; boundary=b"}});
    EXPECT_EQ(reply.status, 200) << reply.body;
    return json::parse(reply.body).at("id").as_string().c_str();
  }
  static std::string Line(int i, std::string_view body) {
    return fmt::format(
        R"({{"custom_id":"c-{}","method":"POST","url":"/v1/chat/completions","body":{}}})"
        "\n",
        i, body);
  }
  std::string Lines(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += Line(i, ChoiceBody({{"seed", i}}));
    return text;
  }
  std::string Create(const std::string& file, int status = 200) {
    const json::value batch =
        OpenAi("POST", "/v1/batches",
               fmt::format(R"({{"input_file_id":"{}","endpoint":"/v1/chat/completions",)"
                           R"("completion_window":"24h","metadata":{{"intent":"t-1"}}}})",
                           file),
               status);
    return status == 200 ? batch.at("id").as_string().c_str() : "";
  }
  json::value Batch(const std::string& id) { return OpenAi("GET", "/v1/batches/" + id); }
  // Rows of a file, by custom_id.
  std::map<std::string, json::value> Rows(const json::value& file) {
    const std::string target = "/v1/files/" + std::string(file.as_string().c_str()) + "/content";
    return RowsOf(Ask("GET", target).body);
  }
  static std::map<std::string, json::value> RowsOf(std::string_view text) {
    std::map<std::string, json::value> rows;
    while (!text.empty()) {
      const auto end = text.find('\n');
      const json::value row = json::parse(json::string_view(text.data(), end));
      rows[row.at("custom_id").as_string().c_str()] = row;
      text.remove_prefix(end + 1);
    }
    return rows;
  }
  std::string MessageBatch(int count, std::string_view more = {}) {
    std::string text = R"({"requests":[)";
    for (int i = 0; i < count; ++i) {
      text += fmt::format(R"({}{{"custom_id":"c-{}","params":{}}})", i == 0 ? "" : ",", i,
                          MessageBody(i));
    }
    return text + std::string(more) + "]}";
  }
  static std::string MessageBody(int i) {
    json::object body = {{"model", "m"}, {"max_tokens", 50 + i}};
    body["messages"] = {{{"role", "user"}, {"content", PaperText(kPaperChoice)}}};
    return json::serialize(body);
  }

  ManualClock clock_;
  v1::SimulatorConfig config_;
  std::unique_ptr<ProviderService> service_;
  std::unique_ptr<BatchApi> openai_;
  std::unique_ptr<BatchApi> anthropic_;
};

TEST_F(BatchesTest, OpenAiGoesThroughItsStates) {
  Serve();
  const std::string id = Create(Upload(Lines(20)));
  json::value batch = Batch(id);
  EXPECT_EQ(batch.at("status"), "validating");
  EXPECT_EQ(batch.at("metadata").at("intent"), "t-1");
  EXPECT_EQ(batch.at("request_counts").at("total"), 20);
  clock_.Advance(seconds{50});
  batch = Batch(id);
  EXPECT_EQ(batch.at("status"), "in_progress");
  EXPECT_EQ(batch.at("request_counts").at("completed"), 9);
  clock_.Advance(seconds{46});
  EXPECT_EQ(Batch(id).at("status"), "finalizing");
  clock_.Advance(seconds{4});
  batch = Batch(id);
  EXPECT_EQ(batch.at("status"), "completed");
  EXPECT_EQ(batch.at("completed_at"), 1'700'000'100);
  EXPECT_EQ(batch.at("request_counts"), json::parse(R"({"total":20,"completed":20,"failed":0})"));
  EXPECT_TRUE(batch.at("error_file_id").is_null());

  const auto rows = Rows(batch.at("output_file_id"));
  ASSERT_EQ(rows.size(), 20U);
  // Each line as the same body live, but for what counts arrivals.
  for (int i = 0; i < 20; ++i) {
    const std::string live_body = ChoiceBody({{"seed", i}});
    const Answer live = service_->Handle({.body = live_body}, "live");
    service_->Finish(live);
    const json::value& response = rows.at(fmt::format("c-{}", i)).at("response");
    EXPECT_EQ(response.at("status_code"), 200);
    EXPECT_EQ(response.at("body").at("choices"), json::parse(live.response.body).at("choices"));
  }
  // The output is not in the order of the input.
  const std::string output = Ask("GET", fmt::format("/v1/files/{}/content",
                                                    batch.at("output_file_id").as_string().c_str()))
                                 .body;
  EXPECT_GT(output.find("\"c-0\""), output.find("\"c-19\""));

  std::string row;
  service_->ledger().Print(0, 1, &row);
  EXPECT_THAT(row, HasSubstr(R"("attempt_id":"c-0")"));
  EXPECT_THAT(row, HasSubstr(R"("batch":true)"));
  EXPECT_EQ(json::parse(service_->ledger().Summary()).at("batches").at("openai"), 1);
}

TEST_F(BatchesTest, LinesFailAndExpire) {
  config_.mutable_batches()->set_line_error_rate(0.2);
  config_.mutable_batches()->set_line_expiry_rate(0.3);
  Serve();
  const std::string id = Create(Upload(Lines(200)));
  clock_.Advance(seconds{100});
  const json::value batch = Batch(id);
  EXPECT_EQ(batch.at("status"), "expired");
  const auto good = Rows(batch.at("output_file_id"));
  const auto bad = Rows(batch.at("error_file_id"));
  EXPECT_EQ(good.size() + bad.size(), 200U);
  EXPECT_NEAR(static_cast<double>(good.size()), 100, 35);
  int expired = 0;
  for (const auto& [custom_id, row] : bad) {
    if (row.at("response").is_null()) {
      EXPECT_EQ(row.at("error").at("code"), "batch_expired");
      ++expired;
    } else {
      EXPECT_EQ(row.at("response").at("status_code"), 500);
      EXPECT_TRUE(row.at("error").is_null());
    }
  }
  EXPECT_NEAR(expired, 60, 33);
  // Those that expired have not been called.
  EXPECT_EQ(json::parse(service_->ledger().Summary()).at("batch_lines"), 200 - expired);
}

TEST_F(BatchesTest, WindowsCloseAndCancellationsKeepWhatIsDone) {
  config_.mutable_batches()->mutable_completion_window()->set_seconds(50);
  Serve();
  const std::string closed = Create(Upload(Lines(20)));
  clock_.Advance(seconds{60});
  json::value batch = Batch(closed);
  EXPECT_EQ(batch.at("status"), "expired");
  EXPECT_EQ(batch.at("request_counts"), json::parse(R"({"total":20,"completed":9,"failed":11})"));

  const std::string cancelled = Create(Upload(Lines(20)));
  clock_.Advance(seconds{30});
  batch = OpenAi("POST", "/v1/batches/" + cancelled + "/cancel");
  EXPECT_EQ(batch.at("status"), "cancelling");
  clock_.Advance(seconds{10});
  batch = Batch(cancelled);
  EXPECT_EQ(batch.at("status"), "cancelled");
  EXPECT_EQ(Rows(batch.at("output_file_id")).size(), 4U);
  EXPECT_EQ(Rows(batch.at("error_file_id")).begin()->second.at("error").at("code"),
            "batch_cancelled");
  OpenAi("POST", "/v1/batches/" + cancelled + "/cancel", "", 409);
}

TEST_F(BatchesTest, WholeBatchesFailAndExpire) {
  config_.mutable_batches()->set_fail_first(1);
  config_.mutable_batches()->set_expire_first(1);
  Serve();
  const std::string fails = Create(Upload(Lines(3)));
  const std::string expires = Create(Upload(Lines(3)));
  const std::string works = Create(Upload(Lines(3)));
  clock_.Advance(seconds{100});
  EXPECT_EQ(Batch(fails).at("status"), "failed");
  EXPECT_EQ(Batch(fails).at("errors").at("data").at(0).at("code"), "server_error");
  EXPECT_EQ(Batch(expires).at("status"), "expired");
  EXPECT_TRUE(Batch(expires).at("output_file_id").is_null());
  EXPECT_EQ(Batch(works).at("status"), "completed");
}

TEST_F(BatchesTest, ValidatesFiles) {
  config_.mutable_batches()->set_queue_tokens(1'000);
  Serve();
  const auto code_of = [&](const std::string& content) {
    const std::string id = Create(Upload(content));
    clock_.Advance(seconds{10});
    const json::value batch = Batch(id);
    EXPECT_EQ(batch.at("status"), "failed") << content.substr(0, 100);
    return std::string(batch.at("errors").at("data").at(0).at("code").as_string().c_str());
  };
  EXPECT_EQ(code_of("\n"), "empty_file");
  EXPECT_EQ(code_of("{\n"), "invalid_json_line");
  EXPECT_EQ(code_of(Lines(1) + Lines(1)), "duplicate_custom_id");
  EXPECT_EQ(code_of(Line(0, ChoiceBody()) + Line(1, ChoiceBody({}, "n"))), "mismatched_model");
  EXPECT_EQ(code_of(R"({"custom_id":"a","method":"POST","url":"/v1/responses","body":{}})"),
            "mismatched_url");
  EXPECT_EQ(code_of(Lines(40)), "token_limit_exceeded");
  OpenAi("POST", "/v1/batches",
         R"({"input_file_id":"file-x","endpoint":"/v1/responses",)"
         R"("completion_window":"24h"})",
         404);
  OpenAi("POST", "/v1/batches", "{}", 400);
  OpenAi("GET", "/v1/batches/nothing", "", 404);
  OpenAi("PATCH", "/v1/batches", "", 405);
}

TEST_F(BatchesTest, ListsTheNewestFirstAndOnlyWhatCanBeSeen) {
  config_.mutable_batches()->mutable_visibility_lag()->set_seconds(5);
  Serve();
  const std::string file = Upload(Lines(1));
  OpenAi("GET", "/v1/files/" + file, "", 404);
  clock_.Advance(seconds{5});
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(Create(file));
  EXPECT_TRUE(OpenAi("GET", "/v1/batches").at("data").as_array().empty());
  clock_.Advance(seconds{5});
  json::value page = OpenAi("GET", "/v1/batches?limit=2");
  EXPECT_EQ(page.at("data").at(0).at("id"), json::value(ids[2]));
  EXPECT_EQ(page.at("has_more"), true);
  page = OpenAi("GET", "/v1/batches?limit=2&after=" + ids[1]);
  EXPECT_EQ(page.at("data").as_array().size(), 1U);
  EXPECT_EQ(page.at("last_id"), json::value(ids[0]));
  EXPECT_EQ(page.at("has_more"), false);
  EXPECT_EQ(OpenAi("GET", "/v1/files").at("data").at(0).at("id"), json::value(file));
  EXPECT_EQ(OpenAi("DELETE", "/v1/files/" + file).at("deleted"), true);
}

TEST_F(BatchesTest, AnthropicGoesThroughItsStates) {
  Serve();
  const std::string bad_line =
      R"(,{"custom_id":"bad","params":{"model":"m","messages":[{"role":"user","content":"x"}]}})";
  json::value batch = Anthropic("POST", "/v1/messages/batches", MessageBatch(4, bad_line));
  const std::string id = batch.at("id").as_string().c_str();
  EXPECT_EQ(batch.at("processing_status"), "in_progress");
  EXPECT_EQ(batch.at("request_counts").at("processing"), 5);
  EXPECT_TRUE(batch.at("results_url").is_null());
  Anthropic("GET", "/v1/messages/batches/" + id + "/results", "", 404);
  clock_.Advance(seconds{100});
  batch = Anthropic("GET", "/v1/messages/batches/" + id);
  EXPECT_EQ(batch.at("processing_status"), "ended");
  EXPECT_EQ(batch.at("request_counts"), json::parse(R"({"processing":0,"succeeded":4,"errored":1,
                                                        "canceled":0,"expired":0})"));
  EXPECT_EQ(batch.at("results_url"),
            json::value("http://here:1/v1/messages/batches/" + id + "/results"));
  const auto rows = RowsOf(Ask("GET", "/v1/messages/batches/" + id + "/results", "",
                               {{"anthropic-version", "2023-06-01"}})
                               .body);
  ASSERT_EQ(rows.size(), 5U);
  const json::value& error = rows.at("bad").at("result");
  EXPECT_EQ(error.at("type"), "errored");
  EXPECT_EQ(error.at("error").at("type"), "error");
  EXPECT_EQ(error.at("error").at("error").at("message"), "max_tokens: Field required");
  for (int i = 0; i < 4; ++i) {
    const net::HttpHeaders headers{{"anthropic-version", "2023-06-01"}};
    const std::string body = MessageBody(i);
    const Answer live = service_->Handle(
        {.dialect = DialectKind::kAnthropic, .body = body, .headers = &headers}, "live");
    service_->Finish(live);
    const json::value& result = rows.at(fmt::format("c-{}", i)).at("result");
    EXPECT_EQ(result.at("type"), "succeeded");
    EXPECT_EQ(result.at("message").at("content"), json::parse(live.response.body).at("content"));
  }
  EXPECT_EQ(json::parse(service_->ledger().Summary()).at("batches").at("anthropic"), 1);
}

TEST_F(BatchesTest, AnthropicCancelsListsAndDeletes) {
  Serve();
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.emplace_back(
        Anthropic("POST", "/v1/messages/batches", MessageBatch(10)).at("id").as_string().c_str());
  }
  clock_.Advance(seconds{30});
  EXPECT_EQ(Anthropic("POST", "/v1/messages/batches/" + ids[1] + "/cancel").at("processing_status"),
            "canceling");
  clock_.Advance(seconds{10});
  const json::value cancelled = Anthropic("GET", "/v1/messages/batches/" + ids[1]);
  EXPECT_EQ(cancelled.at("processing_status"), "ended");
  EXPECT_EQ(cancelled.at("request_counts").at("succeeded"), 2);
  EXPECT_EQ(cancelled.at("request_counts").at("canceled"), 8);
  json::value page = Anthropic("GET", "/v1/messages/batches?limit=2");
  EXPECT_EQ(page.at("first_id"), json::value(ids[2]));
  EXPECT_EQ(page.at("has_more"), true);
  page = Anthropic("GET", "/v1/messages/batches?after_id=" + ids[1]);
  EXPECT_EQ(page.at("data").as_array().size(), 1U);
  page = Anthropic("GET", "/v1/messages/batches?before_id=" + ids[1]);
  EXPECT_EQ(page.at("last_id"), json::value(ids[2]));
  Anthropic("DELETE", "/v1/messages/batches/" + ids[0], "", 400);
  Anthropic("DELETE", "/v1/messages/batches/" + ids[1]);
  Anthropic("GET", "/v1/messages/batches/" + ids[1], "", 404);
}

TEST_F(BatchesTest, AnthropicRefusesWhatMakesNoSense) {
  Serve();
  for (const auto& [body, message] :
       {std::pair{"{", "not valid JSON"},
        {"{}", "requests: Field required"},
        {R"({"requests":[]})", "at least 1 item"},
        {R"({"requests":[{"custom_id":"a b","params":{}}]})", "should match pattern"},
        {R"({"requests":[{"custom_id":"a"}]})", "params: Field required"},
        {R"({"requests":[{"custom_id":"a","params":{}},{"custom_id":"a","params":{}}]})",
         "must be unique"}}) {
    const json::value error = Anthropic("POST", "/v1/messages/batches", body, 400);
    EXPECT_THAT(error.at("error").at("message").as_string().c_str(), HasSubstr(message));
  }
  EXPECT_EQ(Ask("GET", "/v1/messages/batches").status, 400);
}

TEST(BatchSettings, NameWhatIsWrong) {
  v1::SimulatedBatches batches;
  batches.set_line_error_rate(0.8);
  batches.set_line_expiry_rate(0.8);
  EXPECT_THAT(Message(MakeBatchSettings(batches).status()), HasSubstr("line_expiry_rate 0.8"));
}

}  // namespace
}  // namespace candor::simulator
