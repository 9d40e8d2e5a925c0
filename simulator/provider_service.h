// The simulated provider without its sockets: a call in, what is to be done about it out.
//
//   CANDOR_ASSIGN_OR_RETURN(auto service, ChatService::Create(config, std::move(ranges), clock));
//   ChatService::Answer answer = service->Chat({body, attempt_id, authorization});
//   ... after answer.delay do as answer.action says, then ...
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
#include "common/net/http_server.h"
#include "simulator/chat_request.h"
#include "simulator/decision_model.h"
#include "simulator/faults.h"
#include "simulator/ledger.h"
#include "simulator/limiter.h"
#include "simulator/scenario_ranges.h"

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::simulator {

class ChatService {
  struct Model;

 public:
  struct Call {
    std::string_view body;
    // X-Client-Request-Id.
    std::string_view attempt_id;
    // The whole header: "Bearer ...".
    std::string_view authorization;
  };

  enum class Action { kSend, kSendTruncated, kReset, kIgnore };

  struct Answer {
    Action action = Action::kSend;
    net::HttpServerResponse response;
    // With kSendTruncated: how much of the body.
    std::size_t body_bytes_sent = 0;
    Duration delay{0};

    // For Finish.
    std::uint64_t call = 0;
    LedgerEnd end;
    // Null for a call that was not admitted.
    Model* model = nullptr;
  };

  // INVALID_ARGUMENT, naming the field, for a configuration that makes no sense. UNAVAILABLE when
  // the ledger's file cannot be opened. `clock` outlives the service.
  static StatusOr<std::unique_ptr<ChatService>> Create(const v1::SimulatorConfig& config,
                                                       ScenarioRanges ranges, const Clock& clock);

  // Takes a call to .../chat/completions.
  Answer Chat(const Call& call);
  // To be called when the answer has been given, for every one (with kIgnore too: a call that hangs
  // is not counted as in flight any more, because nobody tells when its client gave up).
  void Finish(const Answer& answer);

  // The body of GET .../models: the names that are configured without a *.
  std::string Models() const;
  Ledger& ledger() { return ledger_; }

 private:
  struct Model {
    Model(Traits model_traits, LimitSettings limits) : traits(model_traits), limiter(limits) {}
    Traits traits;
    Limiter limiter;
  };

  ChatService(const v1::SimulatorConfig& config, ScenarioRanges ranges, FaultPlan faults,
              const Clock& clock);

  Model& FindModel(std::string_view name);
  std::optional<ApiError> CheckKey(std::string_view authorization) const;
  std::optional<ApiError> Admit(const ChatRequest& request, Model* model, LedgerEntry* entry,
                                net::HttpHeaders* headers);
  void AddLimitHeaders(Model* model, TimePoint now, net::HttpHeaders* headers) const;
  void Complete(const ChatRequest& request, const Traits& traits, const LedgerEntry& entry,
                std::uint64_t body_key, Answer* answer) const;
  static void Refuse(const ApiError& error, Answer* answer);
  static void Break(const Fault& fault, std::string_view model, Answer* answer);

  const Clock& clock_;
  const ScenarioRanges ranges_;
  const FaultPlan faults_;
  const std::string authorization_;
  const LimitSettings limits_;
  // Pattern and what it plays; the last one fits all.
  std::vector<std::pair<std::string, Traits>> patterns_;
  Ledger ledger_;

  // Guards what follows.
  std::mutex mutex_;
  absl::flat_hash_map<std::string, std::unique_ptr<Model>> models_;
  // How often a body has arrived, by the first 64 bits of its hash.
  absl::flat_hash_map<std::uint64_t, std::uint32_t> arrivals_;
};

// What a configured model plays; INVALID_ARGUMENT, naming the field below `path`, for numbers that
// make no sense.
StatusOr<Traits> MakeTraits(const v1::SimulatedModel& model, std::string_view path);

}  // namespace candor::simulator
