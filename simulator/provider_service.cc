#include "simulator/chat_service.h"

#include "common/base/config.h"
#include "common/base/json_writer.h"
#include "simulator/chat_response.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace candor::simulator {
namespace {

constexpr std::string_view kDefaultModelName = "simulated";
// Names that begin so are not there.
constexpr std::string_view kMissingModel = "missing";

Duration ToDuration(const google::protobuf::Duration& duration) {
  return std::chrono::seconds{duration.seconds()} + Duration{duration.nanos() / 1'000};
}

std::uint64_t KeyOf(const Digest& digest) {
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key |= std::uint64_t{digest[i]} << (8 * i);
  return key;
}

// Compares in a time that does not depend on where the texts differ.
bool SameText(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

void AddRetryAfter(Duration wait, net::HttpHeaders* headers) {
  // Whole seconds, rounded up, and the exact time beside them.
  constexpr std::int64_t kSecond = 1'000'000;
  headers->Add("retry-after", fmt::format("{}", (wait.count() + kSecond - 1) / kSecond));
  headers->Add("retry-after-ms", fmt::format("{}", (wait.count() + 999) / 1'000));
}

ApiError LimitError(const Admission& admission, std::string_view model) {
  std::string what;
  std::string type = "requests";
  switch (admission.verdict) {
    case Verdict::kTokens:
      type = "tokens";
      what = "on tokens per min (TPM)";
      break;
    case Verdict::kInFlight:
      what = "on concurrent requests";
      break;
    default:
      what = "on requests per min (RPM)";
  }
  if (admission.retry_after.count() == 0) {
    return {429,
            fmt::format("Request too large for {} {}: Limit {}, Requested {}. The input or output "
                        "tokens must be reduced in order to run successfully.",
                        model, what, admission.limit, admission.requested),
            type,
            {},
            "rate_limit_exceeded"};
  }
  return {429,
          fmt::format("Rate limit reached for {} {}: Limit {}, Used {}, Requested {}. Please try "
                      "again in {}.",
                      model, what, admission.limit, admission.used, admission.requested,
                      GoDuration(admission.retry_after)),
          type,
          {},
          "rate_limit_exceeded"};
}

Status CheckLimits(const v1::Limits& limits) {
  const std::pair<const char*, std::int64_t> fields[] = {
      {"requests_per_minute", limits.requests_per_minute()},
      {"tokens_per_minute", limits.tokens_per_minute()},
      {"in_flight", limits.in_flight()}};
  for (const auto& [name, value] : fields) {
    if (value < 0) {
      return InvalidArgument("limits.{}: {} is negative; give a positive number, or 0 for no limit",
                             name, value);
    }
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<Traits> MakeTraits(const v1::SimulatedModel& model, std::string_view path) {
  Traits traits;
  traits.seed = model.seed();
  if (model.has_decisiveness()) traits.decisiveness = model.decisiveness();
  traits.position_bias = model.position_bias();
  if (model.has_self_knowledge()) traits.self_knowledge = model.self_knowledge();
  traits.malformed_rate =
      model.has_malformed_rate() ? model.malformed_rate() : 0.1 * (1 - traits.self_knowledge);
  traits.latency = ToDuration(model.latency());
  traits.latency_sigma = model.latency_sigma();

  const auto share = [](double value) { return value >= 0 && value <= 1; };
  if (!std::isfinite(traits.decisiveness) || !std::isfinite(traits.position_bias)) {
    return InvalidArgument("{}: decisiveness and position_bias must be finite numbers", path);
  }
  if (!share(traits.self_knowledge)) {
    return InvalidArgument("{}.self_knowledge: {} is not from 0 to 1", path, traits.self_knowledge);
  }
  if (!share(traits.malformed_rate)) {
    return InvalidArgument("{}.malformed_rate: {} is not from 0 to 1", path, traits.malformed_rate);
  }
  if (traits.latency.count() < 0) {
    return InvalidArgument("{}.latency must not be negative", path);
  }
  if (!(traits.latency_sigma >= 0 && traits.latency_sigma <= 5)) {
    return InvalidArgument("{}.latency_sigma: {} is not from 0 to 5", path, traits.latency_sigma);
  }
  return traits;
}

StatusOr<std::unique_ptr<ChatService>> ChatService::Create(const v1::SimulatorConfig& config,
                                                           ScenarioRanges ranges,
                                                           const Clock& clock) {
  CANDOR_ASSIGN_OR_RETURN(FaultPlan faults, FaultPlan::Create(config));
  CANDOR_RETURN_IF_ERROR(CheckLimits(config.limits()));
  std::unique_ptr<ChatService> service(
      new ChatService(config, std::move(ranges), std::move(faults), clock));
  for (int i = 0; i < config.models_size(); ++i) {
    const v1::SimulatedModel& model = config.models(i);
    const std::string path = fmt::format("models[{}]", i);
    if (model.match().empty()) {
      return InvalidArgument(
          "{}.match is missing; give a model name, in which * stands for any "
          "characters",
          path);
    }
    CANDOR_ASSIGN_OR_RETURN(Traits traits, MakeTraits(model, path));
    service->patterns_.emplace_back(model.match(), traits);
  }
  CANDOR_ASSIGN_OR_RETURN(Traits traits, MakeTraits(config.default_model(), "default_model"));
  service->patterns_.emplace_back("*", traits);
  if (!config.ledger_file().empty()) {
    CANDOR_RETURN_IF_ERROR(service->ledger_.OpenFile(config.ledger_file()));
  }
  return service;
}

ChatService::ChatService(const v1::SimulatorConfig& config, ScenarioRanges ranges, FaultPlan faults,
                         const Clock& clock)
    : clock_(clock),
      ranges_(std::move(ranges)),
      faults_(std::move(faults)),
      authorization_(config.api_key().empty() ? "" : "Bearer " + config.api_key()),
      limits_{config.limits().requests_per_minute(), config.limits().tokens_per_minute(),
              config.limits().in_flight(), config.count_rejected()},
      // So that two runs do not give out the same ids.
      ledger_(fmt::format("{:x}", clock.WallNow().time_since_epoch().count())) {}

ChatService::Model& ChatService::FindModel(std::string_view name) {
  std::unique_ptr<Model>& model = models_[std::string(name)];
  if (model == nullptr) {
    const auto fits = std::find_if(patterns_.begin(), patterns_.end() - 1, [&](const auto& item) {
      return MatchesModel(item.first, name);
    });
    model = std::make_unique<Model>(fits->second, limits_);
  }
  return *model;
}

std::optional<ApiError> ChatService::CheckKey(std::string_view authorization) const {
  if (authorization_.empty() || SameText(authorization, authorization_)) return std::nullopt;
  if (authorization.empty()) {
    return ApiError{401,
                    "You didn't provide an API key. You need to provide your API key in an "
                    "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
                    "invalid_request_error",
                    {},
                    {}};
  }
  return ApiError{
      401, "Incorrect API key provided.", "invalid_request_error", {}, "invalid_api_key"};
}

std::optional<ApiError> ChatService::Admit(const ChatRequest& request, Model* model,
                                           LedgerEntry* entry, net::HttpHeaders* headers) {
  const Admission admission = model->limiter.Admit(entry->arrived, request.counted_tokens());
  entry->verdict = admission.verdict;
  entry->in_flight = static_cast<std::uint32_t>(admission.in_flight);
  entry->admitted = admission.verdict == Verdict::kAdmitted;
  if (entry->admitted) {
    entry->counted_tokens = static_cast<std::uint32_t>(request.counted_tokens());
  }
  AddLimitHeaders(model, entry->arrived, headers);
  if (entry->admitted) return std::nullopt;
  if (admission.retry_after.count() > 0) AddRetryAfter(admission.retry_after, headers);
  return LimitError(admission, request.model());
}

void ChatService::AddLimitHeaders(Model* model, TimePoint now, net::HttpHeaders* headers) const {
  if (limits_.requests_per_minute == 0 && limits_.tokens_per_minute == 0) return;
  const LimitState state = model->limiter.State(now);
  const auto add = [&](std::string_view kind, std::int64_t limit, std::int64_t remaining,
                       Duration reset) {
    if (limit == 0) return;
    headers->Add(fmt::format("x-ratelimit-limit-{}", kind), fmt::format("{}", limit));
    headers->Add(fmt::format("x-ratelimit-remaining-{}", kind), fmt::format("{}", remaining));
    headers->Add(fmt::format("x-ratelimit-reset-{}", kind), GoDuration(reset));
  };
  add("requests", limits_.requests_per_minute, state.remaining_requests, state.reset_requests);
  add("tokens", limits_.tokens_per_minute, state.remaining_tokens, state.reset_tokens);
}

void ChatService::Refuse(const ApiError& error, Answer* answer) {
  answer->response.status = error.status;
  answer->response.content_type = "application/json";
  answer->response.body = WriteError(error);
  answer->end.status = error.status;
}

ChatService::Answer ChatService::Chat(const Call& call) {
  Answer answer;
  LedgerEntry entry;
  entry.body = Sha256(call.body);
  const std::uint64_t body_key = KeyOf(entry.body);

  ChatRequest request;
  std::optional<ApiError> error = CheckKey(call.authorization);
  if (!error) error = request.Parse(call.body);
  if (!error && request.model().starts_with(kMissingModel)) {
    error = ApiError{404,
                     fmt::format("The model `{}` does not exist or you do not have access to it.",
                                 request.model()),
                     "invalid_request_error",
                     {},
                     "model_not_found"};
  }
  entry.prompt_tokens = static_cast<std::uint32_t>(request.prompt_tokens());

  Fault fault;
  {
    const std::lock_guard lock(mutex_);
    entry.arrived = clock_.Now();
    entry.arrived_wall = clock_.WallNow();
    entry.body_arrival = ++arrivals_[body_key];
    if (!error) {
      Model& model = FindModel(request.model());
      error = Admit(request, &model, &entry, &answer.response.headers);
      if (!error) {
        answer.model = &model;
        fault = faults_.Draw(call.body, body_key, entry.body_arrival);
        entry.fault = fault.kind;
      }
    }
    answer.call = ledger_.Begin(entry, call.attempt_id, request.model());
  }
  answer.response.headers.Add("x-request-id", ledger_.RequestId(answer.call));
  if (error) {
    Refuse(*error, &answer);
    return answer;
  }
  // The model lives, unchanged but for its limiter, as long as the service.
  const Traits& traits = answer.model->traits;
  Complete(request, traits, entry, body_key, &answer);
  Break(fault, request.model(), &answer);
  return answer;
}

void ChatService::Complete(const ChatRequest& request, const Traits& traits,
                           const LedgerEntry& entry, std::uint64_t body_key, Answer* answer) const {
  const Task task = ReadTask(request.messages());
  const std::vector<double> x = ranges_.Differences(task, request.messages());
  const Reply reply =
      WriteReply(traits, task, x, request.format(), request.schema_names(), body_key);

  const std::string id = fmt::format("chatcmpl-{:016x}{:08x}", body_key, entry.body_arrival);
  const std::string fingerprint = fmt::format("fp_{:010x}", traits.seed & 0xFFFFFFFFFFU);
  Completion completion;
  completion.id = id;
  completion.created =
      std::chrono::duration_cast<std::chrono::seconds>(entry.arrived_wall.time_since_epoch())
          .count();
  completion.model = request.model();
  completion.system_fingerprint = fingerprint;
  completion.text = reply.text;
  completion.completion_tokens = CountTokens(reply.text);
  if (request.max_tokens() && completion.completion_tokens > *request.max_tokens()) {
    completion.text = TakeTokens(reply.text, *request.max_tokens());
    completion.completion_tokens = *request.max_tokens();
    completion.cut = true;
  }
  completion.prompt_tokens = request.prompt_tokens();
  completion.log_probabilities = request.log_probabilities();
  completion.top_log_probabilities = request.top_log_probabilities();
  completion.log_odds_a = reply.log_odds_a;

  answer->delay = DrawLatency(traits, body_key);
  answer->end = {200, task.kind, reply.shape,
                 static_cast<std::uint32_t>(completion.completion_tokens)};
  if (request.stream()) {
    answer->response.content_type = "text/event-stream";
    answer->response.body = WriteCompletionEvents(completion, request.stream_usage());
  } else {
    answer->response.body = WriteCompletion(completion);
  }
}

void ChatService::Break(const Fault& fault, std::string_view model, Answer* answer) {
  ApiError error;
  switch (fault.kind) {
    case FaultKind::kNone:
      return;
    case FaultKind::kHang:
      answer->action = Action::kIgnore;
      answer->delay = Duration{0};
      answer->end = {};
      return;
    case FaultKind::kReset:
      answer->action = Action::kReset;
      answer->end = {};
      return;
    case FaultKind::kTruncated:
      answer->action = Action::kSendTruncated;
      answer->body_bytes_sent = answer->response.body.size() / 2;
      return;
    case FaultKind::kWrongJson:
      answer->response.body =
          "<html>\n<head><title>upstream error</title></head>\n<body>upstream error</body>\n"
          "</html>\n";
      return;
    case FaultKind::kTooManyRequests:
      error = {429,
               fmt::format("Rate limit reached for {}: there are too many requests at the moment. "
                           "Please try again in {}.",
                           model, GoDuration(fault.retry_after.value_or(Duration{0}))),
               "requests",
               {},
               "rate_limit_exceeded"};
      break;
    case FaultKind::kQuota:
      error = {429,
               "You exceeded your current quota, please check your plan and billing details.",
               "insufficient_quota",
               {},
               "insufficient_quota"};
      break;
    case FaultKind::kServerError:
      error = {500,
               "The server had an error while processing your request. Sorry about that!",
               "server_error",
               {},
               {}};
      break;
    case FaultKind::kUnavailable:
      error = {503,
               "The engine is currently overloaded, please try again later",
               "service_unavailable",
               {},
               {}};
      break;
    case FaultKind::kOverloaded:
      error = {529, "Overloaded", "overloaded_error", {}, {}};
      break;
    case FaultKind::kBadRequest:
      error = {400,
               "Unsupported parameter: a script of the simulator refuses this request.",
               "invalid_request_error",
               {},
               "unsupported_parameter"};
      break;
    case FaultKind::kUnauthorized:
      error = {401, "Incorrect API key provided.", "invalid_request_error", {}, "invalid_api_key"};
      break;
    case FaultKind::kNotFound:
      error = {404,
               fmt::format("The model `{}` does not exist or you do not have access to it.", model),
               "invalid_request_error",
               {},
               "model_not_found"};
      break;
  }
  answer->end = {};
  // A server that refuses does so at once; one that breaks has tried.
  if (error.status < 500) answer->delay = Duration{0};
  if (fault.retry_after) AddRetryAfter(*fault.retry_after, &answer->response.headers);
  Refuse(error, answer);
}

void ChatService::Finish(const Answer& answer) {
  if (answer.model != nullptr) {
    const std::lock_guard lock(mutex_);
    answer.model->limiter.Release();
  }
  // A hanging call never ends.
  if (answer.action != Action::kIgnore) ledger_.End(answer.call, clock_.Now(), answer.end);
}

std::string ChatService::Models() const {
  JsonWriter writer(2);
  writer.BeginObject().Key("object").String("list").Key("data").BeginArray();
  bool any = false;
  const auto add = [&](std::string_view name) {
    writer.BeginObject().Key("id").String(name).Key("object").String("model");
    writer.Key("created").Number(std::int64_t{0}).Key("owned_by").String("candor-simulator");
    writer.EndObject();
    any = true;
  };
  for (const auto& [pattern, traits] : patterns_) {
    if (pattern.find('*') == std::string::npos) add(pattern);
  }
  if (!any) add(kDefaultModelName);
  writer.EndArray().EndObject();
  return writer.Take() + "\n";
}

}  // namespace candor::simulator
