// The simulated provider without its sockets: a call in, what is to be done about it out.
//
//   CANDOR_ASSIGN_OR_RETURN(auto service,
//                           ProviderService::Create(config, std::move(ranges), clock));
//   Answer answer = service->Handle({.dialect = DialectKind::kChat, .body = body}, attempt_id);
//   ... after answer.delay do as answer.delivery says, then ...
//   service->Finish(answer);
//
// What a model answers is a function of the configuration and the request body; what goes wrong
// depends on how often that body has arrived too, and on the limits. The attempt id reaches the
// ledger and nothing else.
//
// Everything may be called by any number of threads.
#pragma once

#include "candor/v1/simulator.pb.h"
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/status.h"
#include "simulator/decision_model.h"
#include "simulator/delivery.h"
#include "simulator/dialect.h"
#include "simulator/faults.h"
#include "simulator/ledger.h"
#include "simulator/limit_book.h"
#include "simulator/prompt_cache.h"
#include "simulator/scenario_ranges.h"

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::simulator {

struct Decision;

class ProviderService {
 public:
  // INVALID_ARGUMENT, naming the field, for a configuration that makes no sense. UNAVAILABLE when
  // the ledger's file cannot be opened. `clock` outlives the service.
  static StatusOr<std::unique_ptr<ProviderService>> Create(const v1::SimulatorConfig& config,
                                                           ScenarioRanges ranges,
                                                           const Clock& clock);

  // Takes a call.
  Answer Handle(const ApiCall& call, std::string_view attempt_id);
  // To be called when the answer is given, for every one (for one that is never given too: a call
  // that hangs is not counted as in flight any more, because nobody tells when its client gave up).
  void Finish(const Answer& answer);
  // A line of a batch: the answer that the same body gets live, without limits and the faults of
  // transports, and entered in the ledger. `fail`: a server error instead.
  struct LineAnswer {
    int status = 200;
    std::string body;
    std::string request_id;
  };
  LineAnswer HandleLine(const ApiCall& call, std::string_view custom_id, bool fail);

  // Whether the call brings the key; the error that it gets otherwise.
  std::optional<ApiError> CheckKey(const ApiCall& call) const;
  // The body of GET .../models: the names that are configured without a *.
  std::string Models() const;
  Status ChangeLimits(const v1::LimitRule& rule);
  std::string Limits() const;
  Ledger& ledger() { return ledger_; }
  const Clock& clock() const { return clock_; }

 private:
  struct Model {
    Traits traits;
    Limiter* limiter = nullptr;
    std::uint64_t limits_version = 0;
  };

  ProviderService(const v1::SimulatorConfig& config, ScenarioRanges ranges, FaultPlan faults,
                  LimitBook limits, const Clock& clock);

  Model& FindModel(std::string_view name);
  // What the model refuses, whatever the limits.
  std::optional<ApiError> CheckTraits(const ApiCall& call, const ApiRequest& request,
                                      const Traits& traits) const;
  std::optional<ApiError> Admit(const ApiCall& call, const ApiRequest& request, Limiter* limiter,
                                HeaderLie lie, LedgerEntry* entry, net::HttpHeaders* headers);
  void Complete(const ApiCall& call, const ApiRequest& request, const Traits& traits,
                const LedgerEntry& entry, std::uint64_t body_key, Answer* answer) const;

  const Clock& clock_;
  const ScenarioRanges ranges_;
  const FaultPlan faults_;
  const std::string key_;
  const v1::SimulatorConfig::LimitHeaders limit_headers_;
  const v1::ScriptedFault::RetryAfterFormat retry_after_format_;
  // Pattern and what it plays; the last one fits all.
  std::vector<std::pair<std::string, Traits>> patterns_;
  Ledger ledger_;

  // Guards what follows.
  mutable std::mutex mutex_;
  LimitBook limits_;
  PromptCache cache_;
  absl::flat_hash_map<std::string, std::unique_ptr<Model>> models_;
  // How often a body has arrived, by the first 64 bits of its hash.
  absl::flat_hash_map<std::uint64_t, std::uint32_t> arrivals_;
};

// What a configured model plays; INVALID_ARGUMENT, naming the field below `path`, for numbers that
// make no sense.
StatusOr<Traits> MakeTraits(const v1::SimulatedModel& model, std::string_view path);

}  // namespace candor::simulator
