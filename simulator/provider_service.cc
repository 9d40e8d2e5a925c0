#include "simulator/provider_service.h"

#include "common/base/config.h"
#include "common/base/json_writer.h"
#include "simulator/answer.h"
#include "simulator/breakage.h"
#include "simulator/limit_headers.h"

#include <fmt/format.h>

#include <algorithm>

namespace candor::simulator {
namespace {

using v1::ScriptedFault;
using v1::SimulatorConfig;

constexpr std::string_view kDefaultModelName = "simulated";
// Names that begin so are not there.
constexpr std::string_view kMissingModel = "missing";
constexpr std::int64_t kDefaultCacheMinimum = 1024;

std::uint64_t KeyOf(const Digest& digest) {
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key |= std::uint64_t{digest[i]} << (8 * i);
  return key;
}

// A body that does not name its model is another one for each model.
std::uint64_t BodyKey(const Digest& digest, const ApiCall& call) {
  const std::uint64_t key = KeyOf(digest);
  return call.path_model.empty() ? key : key ^ KeyOf(Sha256(call.path_model));
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

std::optional<ApiError> CheckName(const ApiCall& call, const ApiRequest& request) {
  if (!request.model.starts_with(kMissingModel)) return std::nullopt;
  RefusalFacts facts;
  facts.model = request.model;
  return DialectOf(call.dialect).Refuse(Refusal::kNoSuchModel, facts);
}

std::string_view RequestIdHeader(DialectKind dialect) {
  return dialect == DialectKind::kAnthropic ? "request-id" : "x-request-id";
}

}  // namespace

StatusOr<std::unique_ptr<ProviderService>> ProviderService::Create(const SimulatorConfig& config,
                                                                   ScenarioRanges ranges,
                                                                   const Clock& clock) {
  CANDOR_ASSIGN_OR_RETURN(FaultPlan faults, FaultPlan::Create(config));
  CANDOR_ASSIGN_OR_RETURN(LimitBook limits, LimitBook::Create(config));
  std::unique_ptr<ProviderService> service(
      new ProviderService(config, std::move(ranges), std::move(faults), std::move(limits), clock));
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

ProviderService::ProviderService(const SimulatorConfig& config, ScenarioRanges ranges,
                                 FaultPlan faults, LimitBook limits, const Clock& clock)
    : clock_(clock),
      ranges_(std::move(ranges)),
      faults_(std::move(faults)),
      key_(config.api_key()),
      limit_headers_(config.limit_headers()),
      retry_after_format_(config.retry_after_format()),
      // So that two runs do not give out the same ids.
      ledger_(fmt::format("{:x}", clock.WallNow().time_since_epoch().count())),
      limits_(std::move(limits)),
      cache_(config.cache_minimum_tokens() > 0 ? config.cache_minimum_tokens()
                                               : kDefaultCacheMinimum) {}

ProviderService::Model& ProviderService::FindModel(std::string_view name) {
  std::unique_ptr<Model>& model = models_[std::string(name)];
  if (model == nullptr) {
    const auto fits = std::find_if(patterns_.begin(), patterns_.end() - 1, [&](const auto& item) {
      return MatchesModel(item.first, name);
    });
    model = std::make_unique<Model>();
    model->traits = fits->second;
  }
  if (model->limits_version != limits_.version()) {
    model->limiter = &limits_.Find(name);
    model->limits_version = limits_.version();
  }
  return *model;
}

std::optional<ApiError> ProviderService::CheckKey(const ApiCall& call) const {
  if (key_.empty()) return std::nullopt;
  const Dialect& dialect = DialectOf(call.dialect);
  const std::string_view key = dialect.KeyOf(call);
  if (SameText(key, key_)) return std::nullopt;
  return dialect.Refuse(key.empty() ? Refusal::kNoKey : Refusal::kWrongKey, {});
}

std::optional<ApiError> ProviderService::CheckTraits(const ApiCall& call, const ApiRequest& request,
                                                     const Traits& traits) const {
  const Dialect& dialect = DialectOf(call.dialect);
  if (traits.strict_parameters && !request.newer_models_refuse.empty()) {
    return dialect.RefuseParameter(request.newer_models_refuse);
  }
  if (traits.refuses_log_probabilities && request.log_probabilities) {
    return dialect.RefuseLogProbabilities();
  }
  if (traits.streams_only && !request.stream) {
    return dialect.Refuse(Refusal::kStreamOnly, {});
  }
  if (!traits.refuses_system) return std::nullopt;
  const bool any =
      std::any_of(request.messages.begin(), request.messages.end(), [](const ChatMessage& message) {
        return message.role == "system" || message.role == "developer";
      });
  return any ? std::optional(dialect.RefuseSystem()) : std::nullopt;
}

std::optional<ApiError> ProviderService::Admit(const ApiCall& call, const ApiRequest& request,
                                               Limiter* limiter, HeaderLie lie, LedgerEntry* entry,
                                               net::HttpHeaders* headers) {
  const Dialect& dialect = DialectOf(call.dialect);
  const Charge charge = dialect.ChargeAtBegin(request);
  const Admission admission = limiter->Admit(entry->arrived, charge);
  entry->verdict = admission.verdict;
  entry->in_flight = static_cast<std::uint32_t>(admission.in_flight);
  entry->admitted = admission.verdict == Verdict::kAdmitted;
  if (entry->admitted) {
    entry->counted_tokens = static_cast<std::uint32_t>(charge.tokens);
    entry->counted_input_tokens = static_cast<std::uint32_t>(charge.input_tokens);
  }
  const auto style = limit_headers_ == SimulatorConfig::LIMIT_HEADERS_UNSPECIFIED
                         ? OwnLimitHeaders(call.dialect)
                         : limit_headers_;
  if (style != SimulatorConfig::NONE) {
    AddLimitHeaders(style, limiter->State(entry->arrived), entry->arrived_wall, lie, headers);
  }
  if (entry->admitted) return std::nullopt;
  if (admission.retry_after.count() > 0) {
    AddRetryAfter(retry_after_format_, call.dialect, admission.retry_after, entry->arrived_wall,
                  headers);
  }
  const bool own = retry_after_format_ == ScriptedFault::RETRY_AFTER_FORMAT_UNSPECIFIED;
  return dialect.Refuse(
      Refusal::kRateLimit,
      {request.model, admission.verdict, admission.limit, admission.used, admission.requested,
       admission.retry_after, own || retry_after_format_ == ScriptedFault::RETRY_INFO,
       entry->arrived_wall});
}

Answer ProviderService::Handle(const ApiCall& call, std::string_view attempt_id) {
  const Dialect& dialect = DialectOf(call.dialect);
  Answer answer;
  LedgerEntry entry;
  entry.dialect = call.dialect;
  entry.body = Sha256(call.body);
  const std::uint64_t body_key = BodyKey(entry.body, call);

  ApiRequest request;
  std::optional<ApiError> error = CheckKey(call);
  if (!error) error = dialect.Read(call, &request);
  if (!error) error = CheckName(call, request);
  entry.prompt_tokens = static_cast<std::uint32_t>(request.prompt_tokens);

  Fault fault;
  const Traits* traits = nullptr;
  {
    const std::lock_guard lock(mutex_);
    entry.arrived = clock_.Now();
    entry.arrived_wall = clock_.WallNow();
    entry.body_arrival = ++arrivals_[body_key];
    if (!error) {
      Model& model = FindModel(request.model);
      // The model lives, its traits unchanged, as long as the service.
      traits = &model.traits;
      error = CheckTraits(call, request, *traits);
      if (!error) {
        const Fault drawn = faults_.Draw(call.body, body_key, entry.body_arrival);
        cache_.Look(entry.arrived, &request);
        error = Admit(call, request, model.limiter, LieOf(drawn.kind), &entry,
                      &answer.response.headers);
        if (!error) {
          answer.limiter = model.limiter;
          fault = drawn;
          entry.fault = drawn.kind;
        }
      }
    }
    answer.call = ledger_.Begin(entry, attempt_id, request.model);
  }
  const std::string request_id = ledger_.RequestId(answer.call);
  answer.response.headers.Add(RequestIdHeader(call.dialect), request_id);
  if (error) {
    Refuse(dialect, *std::move(error), request_id, &answer);
    return answer;
  }
  Complete(call, request, *traits, entry, body_key, &answer);
  if (fault.kind != FaultKind::kNone) {
    BreakFacts facts{call.dialect, {}, retry_after_format_, request_id};
    facts.refusal.model = request.model;
    facts.refusal.now = entry.arrived_wall;
    Break(fault, facts, &answer);
  }
  return answer;
}

void ProviderService::Complete(const ApiCall& call, const ApiRequest& request, const Traits& traits,
                               const LedgerEntry& entry, std::uint64_t body_key,
                               Answer* answer) const {
  const Dialect& dialect = DialectOf(call.dialect);
  Decision decision;
  Decide(request, traits, ranges_, body_key, &decision);
  answer->delay = DrawLatency(traits, body_key);
  if (decision.exhausted && traits.exhausted_is_error) {
    return Refuse(dialect, dialect.RefuseExhausted(), ledger_.RequestId(answer->call), answer);
  }
  Completion& completion = decision.completion;
  const std::string id =
      fmt::format("{}{:016x}{:08x}", dialect.IdPrefix(), body_key, entry.body_arrival);
  const std::string fingerprint = fmt::format("fp_{:010x}", traits.seed & 0xFFFFFFFFFFU);
  completion.id = id;
  completion.created =
      std::chrono::duration_cast<std::chrono::seconds>(entry.arrived_wall.time_since_epoch())
          .count();
  completion.system_fingerprint = fingerprint;

  answer->charge = dialect.ChargeAtEnd(completion);
  answer->end = {200,
                 decision.kind,
                 decision.reply.shape,
                 static_cast<std::uint32_t>(completion.completion_tokens),
                 static_cast<std::uint32_t>(completion.reasoning_tokens),
                 static_cast<std::uint32_t>(answer->charge.tokens)};
  if (!request.stream) {
    answer->response.body = dialect.Write(completion);
    return;
  }
  answer->delivery = Delivery::kPieces;
  answer->response.content_type = call.events ? "text/event-stream" : "application/json";
  answer->response.body =
      dialect.WriteStream(completion, !call.events           ? StreamForm::kArray
                                      : request.stream_usage ? StreamForm::kEventsWithUsage
                                                             : StreamForm::kEvents);
}

void ProviderService::Finish(const Answer& answer) {
  const TimePoint now = clock_.Now();
  if (answer.limiter != nullptr) {
    const std::lock_guard lock(mutex_);
    answer.limiter->Release(now, answer.charge);
  }
  // A hanging call never ends.
  if (answer.delivery != Delivery::kIgnored) ledger_.End(answer.call, now, answer.end);
}

ProviderService::LineAnswer ProviderService::HandleLine(const ApiCall& call,
                                                        std::string_view custom_id, bool fail) {
  const Dialect& dialect = DialectOf(call.dialect);
  LedgerEntry entry;
  entry.dialect = call.dialect;
  entry.batch = true;
  entry.admitted = true;
  entry.body = Sha256(call.body);
  const std::uint64_t body_key = BodyKey(entry.body, call);
  ApiRequest request;
  std::optional<ApiError> error = dialect.Read(call, &request);
  if (!error) error = CheckName(call, request);
  if (!error && request.stream) error = dialect.RefuseParameter("stream");
  entry.prompt_tokens = static_cast<std::uint32_t>(request.prompt_tokens);
  const Traits* traits = nullptr;
  Fault fault;
  {
    const std::lock_guard lock(mutex_);
    entry.arrived = clock_.Now();
    entry.arrived_wall = clock_.WallNow();
    entry.body_arrival = ++arrivals_[body_key];
    if (!error) {
      traits = &FindModel(request.model).traits;
      error = CheckTraits(call, request, *traits);
      fault = faults_.Draw(call.body, body_key, entry.body_arrival);
    }
  }
  if (fail) fault.kind = FaultKind::kServerError;
  Answer answer;
  answer.call = ledger_.Begin(entry, custom_id, request.model);
  const std::string request_id = ledger_.RequestId(answer.call);
  if (error) {
    Refuse(dialect, *std::move(error), request_id, &answer);
  } else {
    Complete(call, request, *traits, entry, body_key, &answer);
    BreakFacts facts{call.dialect, {}, retry_after_format_, request_id};
    facts.refusal.model = request.model;
    facts.refusal.now = entry.arrived_wall;
    // Of the faults only refusals: a line has no transport of its own.
    Answer broken = answer;
    Break(fault, facts, &broken);
    if (broken.end.status >= 400) answer = std::move(broken);
  }
  ledger_.End(answer.call, clock_.Now(), answer.end);
  return {answer.response.status, std::move(answer.response.body), request_id};
}

std::string ProviderService::Models() const {
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

Status ProviderService::ChangeLimits(const v1::LimitRule& rule) {
  const std::lock_guard lock(mutex_);
  return limits_.Change(rule);
}

std::string ProviderService::Limits() const {
  const std::lock_guard lock(mutex_);
  return limits_.Print();
}

}  // namespace candor::simulator
