#include "simulator/openai_batches.h"

#include "simulator/batch_run.h"
#include "simulator/json_span.h"
#include "simulator/openai_batch.h"
#include "simulator/openai_batch_input.h"
#include "simulator/openai_fields.h"
#include "simulator/openai_files.h"

#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <utility>
#include <vector>

namespace candor::simulator {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxMetadata = 16;

class OpenAiBatches final : public BatchApi {
 public:
  OpenAiBatches(const BatchSettings& settings, ProviderService& service)
      : settings_(settings), service_(service), files_(settings.visibility_lag) {}

  HttpReply Handle(const Route& route, const net::HttpServerRequest& request) override {
    const std::lock_guard lock(mutex_);
    now_ = service_.clock().Now();
    wall_ = service_.clock().WallNow();
    const bool get = request.method == "GET";
    const bool post = request.method == "POST";
    switch (route.endpoint) {
      case Endpoint::kFiles:
        if (post) return files_.Upload(request, now_, wall_);
        if (get) return AdvanceAll(), files_.List(request, now_);
        break;
      case Endpoint::kFile:
        if (get) return AdvanceAll(), files_.Get(route.id, now_);
        if (request.method == "DELETE") return files_.Delete(route.id, now_);
        break;
      case Endpoint::kFileContent:
        if (get) return AdvanceAll(), files_.Content(route.id, now_);
        break;
      case Endpoint::kBatches:
        if (post) return Create(request);
        if (get) return List(request);
        break;
      case Endpoint::kBatch:
        if (get) return Get(route.id);
        break;
      case Endpoint::kBatchCancel:
        if (post) return Cancel(route.id);
        break;
      default:
        break;
    }
    return OpenAiError(405, fmt::format("Not allowed to {} on {}.", request.method, request.path),
                       {}, "method_not_supported");
  }

  void Advance() override {
    const std::lock_guard lock(mutex_);
    now_ = service_.clock().Now();
    wall_ = service_.clock().WallNow();
    AdvanceAll();
  }

 private:
  void AdvanceAll() {
    for (const auto& batch : batches_) AdvanceOne(batch.get());
  }

  void AdvanceOne(OpenAiBatch* batch) {
    if (batch->files_written) return;
    if (batch->errors.empty()) {
      batch->run->Advance(now_, service_);
    } else {
      batch->run->AdvanceValidation(now_);
    }
    if (!batch->ended()) return;
    batch->files_written = true;
    batch->enqueued_tokens = 0;
    if (batch->errors.empty()) WriteFiles(batch);
  }

  // Output and error file; in another order than that of the input.
  void WriteFiles(OpenAiBatch* batch) {
    std::string output;
    std::string errors;
    const std::vector<BatchLine>& lines = batch->run->lines();
    for (std::size_t i = lines.size(); i-- > 0;) {
      const BatchLine& line = lines[i];
      std::string* out = line.state == BatchLine::State::kSucceeded ? &output : &errors;
      fmt::format_to(std::back_inserter(*out), R"({{"id":"batch_req_{}_{:05}","custom_id":"{}",)",
                     batch->id.substr(6), i, line.custom_id);
      const bool answered =
          line.state == BatchLine::State::kSucceeded || line.state == BatchLine::State::kErrored;
      if (answered) {
        fmt::format_to(std::back_inserter(*out),
                       R"("response":{{"status_code":{},"request_id":"{}","body":)", line.status,
                       line.request_id);
        // On one line.
        std::copy_if(line.response.begin(), line.response.end(), std::back_inserter(*out),
                     [](char c) { return c != '\n'; });
        *out += R"(},"error":null})";
      } else if (line.state == BatchLine::State::kCancelled) {
        *out += R"("response":null,"error":{"code":"batch_cancelled","message":)"
                R"("This request was not executed because the batch was cancelled."}})";
      } else {
        *out += R"("response":null,"error":{"code":"batch_expired","message":)"
                R"("This request could not be executed before the completion window expired."}})";
      }
      *out += '\n';
    }
    if (!output.empty()) {
      batch->output_file =
          files_.Add(batch->id + "_output.jsonl", "batch_output", std::move(output), now_, wall_)
              .id;
    }
    if (!errors.empty()) {
      batch->error_file =
          files_.Add(batch->id + "_error.jsonl", "batch_output", std::move(errors), now_, wall_).id;
    }
  }

  HttpReply Create(const net::HttpServerRequest& request) {
    boost::system::error_code error;
    const json::value document = json::parse(request.body, error);
    const json::object* fields = error ? nullptr : document.if_object();
    if (fields == nullptr) return OpenAiError(400, openai::NotJson().message);
    auto batch = std::make_unique<OpenAiBatch>();
    for (const auto& [name, value] : {std::pair{"input_file_id", &batch->input_file},
                                      {"endpoint", &batch->endpoint},
                                      {"completion_window", &batch->window}}) {
      *value = TextMember(*fields, name);
      if (value->empty()) {
        return OpenAiError(400, fmt::format("Missing required parameter: '{}'.", name), name,
                           "missing_required_parameter");
      }
    }
    if (!batch->endpoint.ends_with("/chat/completions") &&
        !batch->endpoint.ends_with("/responses")) {
      return OpenAiError(400,
                         fmt::format("Invalid value: '{}'. Supported values are: "
                                     "'/v1/chat/completions' and '/v1/responses'.",
                                     batch->endpoint.substr(0, 100)),
                         "endpoint", "invalid_value");
    }
    if (batch->window != "24h") {
      return OpenAiError(400,
                         fmt::format("Invalid value: '{}'. Supported values are: '24h'.",
                                     batch->window.substr(0, 100)),
                         "completion_window", "invalid_value");
    }
    if (const json::value* metadata = Member(*fields, "metadata")) {
      const json::object* pairs = metadata->if_object();
      if (pairs == nullptr || pairs->size() > kMaxMetadata) {
        return OpenAiError(400, "Invalid 'metadata': expected an object of at most 16 pairs.",
                           "metadata", "invalid_type");
      }
      batch->metadata = RawMember(request.body, "metadata");
    }
    const StoredFile* file = files_.Find(batch->input_file, now_);
    if (file == nullptr) {
      return OpenAiError(404, fmt::format("No such File object: {}", batch->input_file),
                         "input_file_id");
    }
    Enqueue(*file, batch.get());
    batches_.push_back(std::move(batch));
    service_.ledger().CountBatch(DialectKind::kChat);
    return {200, PrintBatch(*batches_.back()), "application/json"};
  }

  void Enqueue(const StoredFile& file, OpenAiBatch* batch) {
    const int number = static_cast<int>(batches_.size()) + 1;
    batch->id = fmt::format("batch_{:x}{:06x}", wall_.time_since_epoch().count(), number);
    BatchInput input = ReadBatchInput(*file.content, batch->endpoint);
    batch->errors = std::move(input.errors);
    batch->model = input.model;
    AdvanceAll();
    std::int64_t enqueued = input.tokens;
    for (const auto& other : batches_) {
      if (other->model == batch->model) enqueued += other->enqueued_tokens;
    }
    if (batch->errors.empty() && settings_.queue_tokens > 0 && enqueued > settings_.queue_tokens) {
      batch->errors.push_back(
          {"token_limit_exceeded",
           fmt::format("Enqueued token limit reached for {} in organization org-simulated. Limit: "
                       "{} enqueued tokens. Please try again once some in_progress batches have "
                       "been completed.",
                       batch->model, settings_.queue_tokens),
           "", 0});
    } else if (batch->errors.empty() && number <= settings_.fail_first) {
      batch->errors.push_back(
          {"server_error", "The batch could not be validated. Please try again.", "", 0});
    } else if (batch->errors.empty()) {
      batch->enqueued_tokens = input.tokens;
    }
    const DialectKind dialect =
        batch->endpoint.ends_with("/responses") ? DialectKind::kResponses : DialectKind::kChat;
    batch->run = std::make_unique<BatchRun>(settings_, dialect, number, file.content,
                                            std::move(input.lines), now_, wall_);
  }

  OpenAiBatch* Find(std::string_view id) {
    for (const auto& batch : batches_) {
      if (batch->id != id) continue;
      if (!batch->run->visible(now_)) return nullptr;
      AdvanceOne(batch.get());
      return batch.get();
    }
    return nullptr;
  }

  static HttpReply NoSuchBatch(std::string_view id) {
    return OpenAiError(404, fmt::format("No batch found with id '{}'.", id.substr(0, 100)), "id");
  }

  HttpReply Get(std::string_view id) {
    const OpenAiBatch* batch = Find(id);
    if (batch == nullptr) return NoSuchBatch(id);
    return {200, PrintBatch(*batch), "application/json"};
  }

  HttpReply Cancel(std::string_view id) {
    OpenAiBatch* batch = Find(id);
    if (batch == nullptr) return NoSuchBatch(id);
    if (batch->ended()) {
      return OpenAiError(409,
                         fmt::format("Cannot cancel a batch with status '{}'.", StatusOf(*batch)));
    }
    batch->run->Cancel(now_);
    AdvanceOne(batch);
    return {200, PrintBatch(*batch), "application/json"};
  }

  HttpReply List(const net::HttpServerRequest& request) {
    AdvanceAll();
    const std::string after = QueryValue(request.query, "after");
    const std::string limit_text = QueryValue(request.query, "limit");
    std::size_t limit = 20;
    std::from_chars(limit_text.data(), limit_text.data() + limit_text.size(), limit);
    limit = std::clamp<std::size_t>(limit, 1, 100);
    std::string data;
    std::string first = "null";
    std::string last = "null";
    bool begun = after.empty();
    bool has_more = false;
    std::size_t count = 0;
    // The newest first.
    for (auto it = batches_.rbegin(); it != batches_.rend(); ++it) {
      const OpenAiBatch& batch = **it;
      if (!begun) {
        begun = batch.id == after;
        continue;
      }
      if (!batch.run->visible(now_)) continue;
      if (count == limit) {
        has_more = true;
        break;
      }
      last = fmt::format("\"{}\"", batch.id);
      if (count++ == 0) {
        first = last;
      } else {
        data += ',';
      }
      data += PrintBatch(batch);
    }
    return {200,
            fmt::format(R"({{"object":"list","data":[{}],"first_id":{},"last_id":{},)"
                        R"("has_more":{}}})",
                        data, first, last, has_more),
            "application/json"};
  }

  const BatchSettings settings_;
  ProviderService& service_;
  std::mutex mutex_;
  // Guarded by mutex_, as are the next two.
  OpenAiFiles files_;
  std::vector<std::unique_ptr<OpenAiBatch>> batches_;
  // Of the request that is being answered.
  TimePoint now_{};
  WallTime wall_{};
};

}  // namespace

StatusOr<std::unique_ptr<BatchApi>> MakeOpenAiBatches(const v1::SimulatedBatches& settings,
                                                      ProviderService& service) {
  CANDOR_ASSIGN_OR_RETURN(const BatchSettings filled, MakeBatchSettings(settings));
  return StatusOr<std::unique_ptr<BatchApi>>(std::make_unique<OpenAiBatches>(filled, service));
}

}  // namespace candor::simulator
