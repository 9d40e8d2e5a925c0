// POST /responses, of OpenAI's API.
#include "common/base/json_writer.h"
#include "simulator/dialects.h"
#include "simulator/openai_errors.h"
#include "simulator/openai_fields.h"
#include "simulator/responses_request.h"
#include "simulator/token_chances.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace candor::simulator {
namespace {

using openai::Invalid;

enum class Stage { kBegun, kDone };

std::string_view Status(const Completion& completion, Stage stage) {
  if (stage == Stage::kBegun) return "in_progress";
  return completion.cut ? "incomplete" : "completed";
}

void AppendPart(const Completion& completion, std::string* out) {
  if (completion.filtered) {
    *out += R"({"type":"refusal","refusal":"I'm sorry, but I can't help with that."})";
    return;
  }
  *out += R"({"type":"output_text","annotations":[],"logprobs":[)";
  if (completion.log_probabilities) AppendOpenAiTokens(completion, out);
  *out += R"(],"text":)";
  AppendJsonString(completion.text, out);
  *out += '}';
}

// The item of the model's thinking, which nobody is shown.
void AppendReasoning(const Completion& completion, std::string* out) {
  fmt::format_to(std::back_inserter(*out), R"({{"id":"rs_{}","type":"reasoning","summary":[]}})",
                 completion.id.substr(5));
}

void AppendMessage(const Completion& completion, Stage stage, std::string* out) {
  fmt::format_to(std::back_inserter(*out), R"({{"id":"msg_{}","type":"message","status":"{}",)",
                 completion.id.substr(5), Status(completion, stage));
  *out += R"("content":[)";
  if (stage == Stage::kDone) AppendPart(completion, out);
  *out += R"(],"role":"assistant"})";
}

// A cap that was spent on thinking leaves no message at all.
bool HasMessage(const Completion& completion) {
  return !completion.cut || !completion.text.empty() || completion.reasoning_tokens == 0;
}

void AppendResponse(const Completion& completion, Stage stage, std::string* out) {
  const bool done = stage == Stage::kDone;
  fmt::format_to(std::back_inserter(*out),
                 R"({{"id":"{}","object":"response","created_at":{},"status":"{}",)"
                 R"("background":false,"error":null,"incomplete_details":{},"instructions":null,)"
                 R"("max_output_tokens":null,"model":)",
                 completion.id, completion.created, Status(completion, stage),
                 done && completion.cut ? R"({"reason":"max_output_tokens"})" : "null");
  AppendJsonString(completion.model, out);
  *out += R"(,"output":[)";
  if (done && completion.reasoning_tokens > 0) {
    AppendReasoning(completion, out);
    if (HasMessage(completion)) *out += ',';
  }
  if (done && HasMessage(completion)) AppendMessage(completion, stage, out);
  *out += R"(],"parallel_tool_calls":true,"previous_response_id":null,"reasoning":)"
          R"({"effort":null,"summary":null},"service_tier":"default","store":true,)"
          R"("temperature":1.0,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],)"
          R"("top_p":1.0,"truncation":"disabled","usage":)";
  if (done) {
    fmt::format_to(std::back_inserter(*out),
                   R"({{"input_tokens":{},"input_tokens_details":{{"cached_tokens":{}}},)"
                   R"("output_tokens":{},"output_tokens_details":{{"reasoning_tokens":{}}},)"
                   R"("total_tokens":{}}})",
                   completion.prompt_tokens, completion.cached_tokens, completion.completion_tokens,
                   completion.reasoning_tokens,
                   completion.prompt_tokens + completion.completion_tokens);
  } else {
    *out += "null";
  }
  *out += R"(,"user":null,"metadata":{}})";
}

// Events in order, each with its number.
class EventWriter {
 public:
  explicit EventWriter(std::string* out) : out_(out) {}
  // `write` appends the members that follow the type.
  template <typename Write>
  void Add(std::string_view type, Write write) {
    fmt::format_to(std::back_inserter(*out_),
                   "event: {}\ndata: {{\"type\":\"{}\",\"sequence_number\":{}", type, type,
                   number_++);
    write();
    *out_ += "}\n\n";
  }

 private:
  std::string* out_;
  int number_ = 0;
};

class Responses final : public Dialect {
 public:
  std::string_view KeyOf(const ApiCall& call) const override { return openai::KeyOf(call); }

  std::optional<ApiError> Read(const ApiCall& call, ApiRequest* request) const override {
    return responses::ReadRequest(call, request);
  }

  ApiError Refuse(Refusal refusal, const RefusalFacts& facts) const override {
    return openai::Refuse(refusal, facts);
  }
  ApiError RefuseSystem() const override {
    return Invalid("System messages are not supported with this model.", "input",
                   "unsupported_value");
  }
  ApiError RefuseExhausted() const override {
    return Invalid(
        "Could not finish the message because max_output_tokens or model output limit "
        "was reached. Please try again with higher max_output_tokens.",
        "max_output_tokens");
  }
  ApiError RefuseLogProbabilities() const override { return RefuseParameter("include"); }
  ApiError RefuseParameter(std::string_view name) const override {
    if (name != "include") return openai::RefuseParameter(name);
    return Invalid("logprobs are not supported with reasoning models.", "include",
                   "unsupported_parameter");
  }

  std::string Write(const Completion& completion) const override {
    std::string out;
    out.reserve(1200 + completion.text.size());
    AppendResponse(completion, Stage::kDone, &out);
    return out;
  }

  std::string WriteStream(const Completion& completion, StreamForm /*form*/) const override {
    std::string out;
    out.reserve(6'000 + 4 * completion.text.size());
    EventWriter events(&out);
    const auto whole = [&](std::string_view type, Stage stage) {
      events.Add(type, [&] {
        out += R"(,"response":)";
        AppendResponse(completion, stage, &out);
      });
    };
    whole("response.created", Stage::kBegun);
    whole("response.in_progress", Stage::kBegun);
    int index = 0;
    if (completion.reasoning_tokens > 0) {
      for (const std::string_view type :
           {"response.output_item.added", "response.output_item.done"}) {
        events.Add(type, [&] {
          out += R"(,"output_index":0,"item":)";
          AppendReasoning(completion, &out);
        });
      }
      ++index;
    }
    if (HasMessage(completion)) WriteMessageEvents(completion, index, &events, &out);
    whole(completion.cut ? "response.incomplete" : "response.completed", Stage::kDone);
    return out;
  }

  std::string WriteError(const ApiError& error) const override { return openai::WriteError(error); }

  std::string WriteErrorEvent(const ApiError& error) const override {
    std::string out = R"(event: error
data: {"type":"error","code":)";
    AppendJsonString(error.code.empty() ? error.type : error.code, &out);
    out += R"(,"message":)";
    AppendJsonString(error.message, &out);
    return out + ",\"param\":null,\"sequence_number\":2}\n\n";
  }

  std::string_view IdPrefix() const override { return "resp_"; }

  Charge ChargeAtBegin(const ApiRequest& request) const override {
    return {request.reserved_tokens(), request.estimated_tokens(), 0};
  }
  Charge ChargeAtEnd(const Completion& completion) const override {
    return {0, 0, completion.completion_tokens};
  }

 private:
  static void WriteMessageEvents(const Completion& completion, int index, EventWriter* events,
                                 std::string* out) {
    const auto place = [&] {
      fmt::format_to(std::back_inserter(*out),
                     R"(,"item_id":"msg_{}","output_index":{},"content_index":0)",
                     completion.id.substr(5), index);
    };
    const auto item = [&](std::string_view type, Stage stage) {
      events->Add(type, [&] {
        fmt::format_to(std::back_inserter(*out), R"(,"output_index":{},"item":)", index);
        AppendMessage(completion, stage, out);
      });
    };
    item("response.output_item.added", Stage::kBegun);
    events->Add("response.content_part.added", [&] {
      place();
      Completion empty = completion;
      empty.text = {};
      *out += R"(,"part":)";
      AppendPart(empty, out);
    });
    if (completion.filtered) {
      for (const auto& [type, name] :
           {std::pair{"response.refusal.delta", "delta"}, {"response.refusal.done", "refusal"}}) {
        events->Add(type, [&, name = name] {
          place();
          fmt::format_to(std::back_inserter(*out),
                         R"(,"{}":"I'm sorry, but I can't help with that.")", name);
        });
      }
    } else {
      // In two pieces, as a client must put together what it gets.
      const std::string_view first =
          TakeTokens(completion.text, (CountTokens(completion.text) + 1) / 2);
      for (const std::string_view piece : {first, completion.text.substr(first.size())}) {
        if (piece.empty()) continue;
        events->Add("response.output_text.delta", [&] {
          place();
          *out += R"(,"delta":)";
          AppendJsonString(piece, out);
          *out += R"(,"logprobs":[])";
        });
      }
      events->Add("response.output_text.done", [&] {
        place();
        *out += R"(,"text":)";
        AppendJsonString(completion.text, out);
        *out += R"(,"logprobs":[])";
      });
    }
    events->Add("response.content_part.done", [&] {
      place();
      *out += R"(,"part":)";
      AppendPart(completion, out);
    });
    item("response.output_item.done", Stage::kDone);
  }
};

}  // namespace

const Dialect& ResponsesDialect() {
  static const Responses kDialect;
  return kDialect;
}

}  // namespace candor::simulator
