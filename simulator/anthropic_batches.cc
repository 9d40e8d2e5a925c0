#include "simulator/anthropic_batches.h"

#include "common/base/json_writer.h"
#include "simulator/anthropic_request.h"
#include "simulator/batch_run.h"
#include "simulator/dialects.h"
#include "simulator/durations.h"
#include "simulator/json_span.h"
#include "simulator/openai_fields.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace candor::simulator {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxRequests = 100'000;
constexpr std::size_t kMaxCustomId = 64;

struct Batch {
  std::string id;
  std::unique_ptr<BatchRun> run;
  bool deleted = false;
};

HttpReply Error(int status, const char* type, std::string message) {
  const ApiError error{status, std::move(message), type, {}, {}, {}};
  return {status, AnthropicDialect().WriteError(error), "application/json"};
}

HttpReply NotFound(std::string_view id) {
  return Error(404, "not_found_error",
               fmt::format("Message Batch with id {} not found.", id.substr(0, 100)));
}

bool IsCustomId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxCustomId &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

class AnthropicBatches final : public BatchApi {
 public:
  AnthropicBatches(const BatchSettings& settings, ProviderService& service, std::string_view scheme)
      : settings_(settings), service_(service), scheme_(scheme) {}

  HttpReply Handle(const Route& route, const net::HttpServerRequest& request) override {
    if (request.headers.Find("anthropic-version").value_or("").empty()) {
      return Error(400, "invalid_request_error", "anthropic-version: header is required");
    }
    const std::lock_guard lock(mutex_);
    now_ = service_.clock().Now();
    results_prefix_ = fmt::format("{}://{}{}/messages/batches/", scheme_,
                                  request.headers.Find("host").value_or("localhost"), route.prefix);
    const bool get = request.method == "GET";
    const bool post = request.method == "POST";
    switch (route.endpoint) {
      case Endpoint::kMessageBatches:
        if (post) return Create(request);
        if (get) return List(request);
        break;
      case Endpoint::kMessageBatch:
        if (get) return Get(route.id);
        if (request.method == "DELETE") return Delete(route.id);
        break;
      case Endpoint::kMessageBatchResults:
        if (get) return Results(route.id);
        break;
      case Endpoint::kMessageBatchCancel:
        if (post) return Cancel(route.id);
        break;
      default:
        break;
    }
    return Error(405, "invalid_request_error", "Method Not Allowed");
  }

  void Advance() override {
    const std::lock_guard lock(mutex_);
    now_ = service_.clock().Now();
    for (const auto& batch : batches_) batch->run->Advance(now_, service_);
  }

 private:
  HttpReply Create(const net::HttpServerRequest& request) {
    auto text = std::make_shared<const std::string>(request.body);
    boost::system::error_code error;
    const json::value document = json::parse(*text, error);
    const json::object* fields = error ? nullptr : document.if_object();
    const auto invalid = [](std::string message) {
      return Error(400, "invalid_request_error", std::move(message));
    };
    if (fields == nullptr) return invalid("The request body is not valid JSON.");
    const json::value* requests = Member(*fields, "requests");
    if (requests == nullptr) return invalid("requests: Field required");
    if (!requests->is_array()) return invalid("requests: Input should be a valid list");
    const json::array& items = requests->get_array();
    if (items.empty()) return invalid("requests: List should have at least 1 item");
    if (items.size() > kMaxRequests) {
      return invalid(fmt::format("requests: List should have at most {} items", kMaxRequests));
    }
    std::vector<BatchLine> lines;
    std::set<std::string_view> ids;
    const std::vector<std::string_view> texts = RawElements(RawMember(*text, "requests"));
    for (std::size_t i = 0; i < items.size(); ++i) {
      const json::object* item = items[i].if_object();
      if (item == nullptr || ObjectMember(*item, "params") == nullptr) {
        return invalid(fmt::format("requests.{}.params: Field required", i));
      }
      if (!IsCustomId(TextMember(*item, "custom_id"))) {
        return invalid(
            fmt::format("requests.{}.custom_id: String should match pattern "
                        "'^[a-zA-Z0-9_-]{{1,64}}$'",
                        i));
      }
      const std::string_view quoted = RawMember(texts[i], "custom_id");
      BatchLine line;
      line.custom_id = quoted.substr(1, quoted.size() - 2);
      line.body = RawMember(texts[i], "params");
      if (!ids.insert(line.custom_id).second) {
        return invalid(
            fmt::format("requests.{}.custom_id: custom_id must be unique within a "
                        "batch: {}",
                        i, line.custom_id));
      }
      lines.push_back(std::move(line));
    }
    auto batch = std::make_unique<Batch>();
    const int number = static_cast<int>(batches_.size()) + 1;
    const WallTime wall = service_.clock().WallNow();
    batch->id = fmt::format("msgbatch_{:x}{:06x}", wall.time_since_epoch().count(), number);
    batch->run = std::make_unique<BatchRun>(settings_, DialectKind::kAnthropic, number,
                                            std::move(text), std::move(lines), now_, wall);
    batches_.push_back(std::move(batch));
    service_.ledger().CountBatch(DialectKind::kAnthropic);
    return {200, Print(*batches_.back()), "application/json"};
  }

  Batch* Find(std::string_view id) {
    for (const auto& batch : batches_) {
      if (batch->id != id || batch->deleted || !batch->run->visible(now_)) continue;
      batch->run->Advance(now_, service_);
      return batch.get();
    }
    return nullptr;
  }

  HttpReply Get(std::string_view id) {
    const Batch* batch = Find(id);
    if (batch == nullptr) return NotFound(id);
    return {200, Print(*batch), "application/json"};
  }

  HttpReply Cancel(std::string_view id) {
    Batch* batch = Find(id);
    if (batch == nullptr) return NotFound(id);
    if (batch->run->phase() == BatchRun::Phase::kEnded) {
      return Error(400, "invalid_request_error",
                   fmt::format("Batch {} cannot be canceled because it has ended.", id));
    }
    batch->run->Cancel(now_);
    batch->run->Advance(now_, service_);
    return {200, Print(*batch), "application/json"};
  }

  HttpReply Delete(std::string_view id) {
    Batch* batch = Find(id);
    if (batch == nullptr) return NotFound(id);
    if (batch->run->phase() != BatchRun::Phase::kEnded) {
      return Error(400, "invalid_request_error",
                   fmt::format("Batch {} cannot be deleted while it is being processed.", id));
    }
    batch->deleted = true;
    return {200, fmt::format(R"({{"id":"{}","type":"message_batch_deleted"}})", id),
            "application/json"};
  }

  HttpReply List(const net::HttpServerRequest& request) {
    const std::string after = QueryValue(request.query, "after_id");
    const std::string before = QueryValue(request.query, "before_id");
    const std::string limit_text = QueryValue(request.query, "limit");
    std::size_t limit = 20;
    std::from_chars(limit_text.data(), limit_text.data() + limit_text.size(), limit);
    limit = std::clamp<std::size_t>(limit, 1, 1'000);
    // The newest first.
    std::vector<const Batch*> all;
    for (auto it = batches_.rbegin(); it != batches_.rend(); ++it) {
      Batch& batch = **it;
      if (batch.deleted || !batch.run->visible(now_)) continue;
      batch.run->Advance(now_, service_);
      all.push_back(&batch);
    }
    const auto place = [&](const std::string& id) {
      return static_cast<std::size_t>(
          std::find_if(all.begin(), all.end(),
                       [&](const Batch* batch) { return batch->id == id; }) -
          all.begin());
    };
    std::size_t begin = 0;
    std::size_t end = all.size();
    if (!after.empty()) begin = std::min(place(after) + 1, all.size());
    if (!before.empty()) end = place(before);
    bool has_more = false;
    if (end - std::min(begin, end) > limit) {
      has_more = true;
      // The page that adjoins what the caller has.
      if (before.empty()) {
        end = begin + limit;
      } else {
        begin = end - limit;
      }
    }
    std::string data;
    for (std::size_t i = begin; i < end; ++i) {
      if (i > begin) data += ',';
      data += Print(*all[i]);
    }
    const auto id_at = [&](std::size_t i) {
      return begin < end ? fmt::format("\"{}\"", all[i]->id) : "null";
    };
    return {200,
            fmt::format(R"({{"data":[{}],"has_more":{},"first_id":{},"last_id":{}}})", data,
                        has_more, id_at(begin), id_at(end == 0 ? 0 : end - 1)),
            "application/json"};
  }

  HttpReply Results(std::string_view id) {
    const Batch* batch = Find(id);
    if (batch == nullptr) return NotFound(id);
    if (batch->run->phase() != BatchRun::Phase::kEnded) {
      return Error(404, "not_found_error",
                   fmt::format("Batch {} has no available results: it has not ended yet.", id));
    }
    std::string out;
    const std::vector<BatchLine>& lines = batch->run->lines();
    // In another order than that of the requests.
    for (std::size_t i = lines.size(); i-- > 0;) {
      const BatchLine& line = lines[i];
      fmt::format_to(std::back_inserter(out), R"({{"custom_id":"{}","result":{{"type":)",
                     line.custom_id);
      switch (line.state) {
        case BatchLine::State::kSucceeded:
          out += R"("succeeded","message":)" + line.response;
          break;
        case BatchLine::State::kErrored:
          out += R"("errored","error":)" + line.response;
          break;
        case BatchLine::State::kCancelled:
          out += R"("canceled")";
          break;
        default:
          out += R"("expired")";
      }
      out += "}}\n";
    }
    return {200, std::move(out), "application/x-jsonl"};
  }

  std::string Print(const Batch& batch) const {
    const BatchRun& run = *batch.run;
    const BatchCounts counts = run.counts();
    const bool ended = run.phase() == BatchRun::Phase::kEnded;
    JsonWriter writer;
    const auto time = [&](const char* name, bool has_been, TimePoint at) {
      writer.Key(name);
      if (has_been) {
        writer.String(Rfc3339(run.At(at)));
      } else {
        writer.Null();
      }
    };
    writer.BeginObject().Key("id").String(batch.id).Key("type").String("message_batch");
    writer.Key("processing_status")
        .String(ended             ? "ended"
                : run.cancelled() ? "canceling"
                                  : "in_progress");
    writer.Key("request_counts").BeginObject();
    // Until the batch ends, all are in process.
    const auto count = [&](const char* name, std::int64_t value) {
      writer.Key(name).Number(ended ? value : 0);
    };
    writer.Key("processing").Number(ended ? 0 : static_cast<std::int64_t>(run.lines().size()));
    count("succeeded", counts.succeeded);
    count("errored", counts.errored);
    count("canceled", counts.cancelled);
    count("expired", counts.expired);
    writer.EndObject();
    time("ended_at", ended, run.ended_at());
    time("created_at", true, run.created_at());
    time("expires_at", true, run.expires_at());
    time("archived_at", false, {});
    time("cancel_initiated_at", run.cancelled(), run.cancel_at().value_or(TimePoint{}));
    writer.Key("results_url");
    if (ended) {
      writer.String(results_prefix_ + batch.id + "/results");
    } else {
      writer.Null();
    }
    writer.EndObject();
    return writer.Take();
  }

  const BatchSettings settings_;
  ProviderService& service_;
  const std::string scheme_;
  std::mutex mutex_;
  // Guarded by mutex_, as is what follows.
  std::vector<std::unique_ptr<Batch>> batches_;
  // Of the request that is being answered.
  TimePoint now_{};
  std::string results_prefix_;
};

}  // namespace

StatusOr<std::unique_ptr<BatchApi>> MakeAnthropicBatches(const v1::SimulatedBatches& settings,
                                                         ProviderService& service,
                                                         std::string_view scheme) {
  CANDOR_ASSIGN_OR_RETURN(const BatchSettings filled, MakeBatchSettings(settings));
  return StatusOr<std::unique_ptr<BatchApi>>(
      std::make_unique<AnthropicBatches>(filled, service, scheme));
}

}  // namespace candor::simulator
