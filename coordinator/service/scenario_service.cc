#include "coordinator/service/scenario_service.h"

#include "common/base/time_proto.h"
#include "common/base/violations.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/resolve.h"
#include "common/scenario/validate.h"
#include "coordinator/service/grpc_status.h"
#include "coordinator/service/paging.h"
#include "coordinator/service/scenario_sets.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>

namespace candor::service {
namespace {

constexpr std::string_view kCollection = "scenarioSets/";
constexpr std::size_t kMaxIdLength = 63;
// GetScenarioSet returns a set in one message, whose limit is 16 MB.
constexpr std::size_t kMaxUploadBytes = std::size_t{12} << 20U;

bool IsSetId(std::string_view id) {
  if (id.empty() || id.size() > kMaxIdLength || id[0] < 'a' || id[0] > 'z') return false;
  return id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

// Puts the pieces of an upload together and stores them at its end. Lives until gRPC is done with
// it.
class Upload final : public grpc::ServerReadReactor<v1::UploadScenarioSetRequest> {
 public:
  Upload(ScenarioService& service, EngineHost& host, v1::ScenarioSet* response)
      : service_(service), host_(host), response_(response) {
    StartRead(&piece_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      return host_.PostToReaders([this] {
        if (cancelled_) return Finish(grpc::Status::CANCELLED);
        Finish(service_.Store(id_, "scenarios", std::move(set_), response_));
      });
    }
    if (set_.scenarios().empty() && id_.empty()) {
      id_ = piece_.scenario_set_id();
      set_.set_display_name(piece_.display_name());
    }
    bytes_ += piece_.ByteSizeLong();
    if (bytes_ > kMaxUploadBytes) {
      return Finish(InvalidField(
          "scenarios", fmt::format("are larger than {} MB altogether, the most that a set may "
                                   "have; split the set",
                                   kMaxUploadBytes >> 20U)));
    }
    for (v1::Scenario& scenario : *piece_.mutable_scenarios())
      *set_.add_scenarios() = std::move(scenario);
    StartRead(&piece_);
  }
  // The read that is pending fails, and ends the upload.
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

 private:
  ScenarioService& service_;
  EngineHost& host_;
  v1::ScenarioSet* response_;
  v1::UploadScenarioSetRequest piece_;
  v1::ScenarioSet set_;
  std::string id_;
  std::size_t bytes_ = 0;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace

grpc::Status ScenarioService::Store(const std::string& id, std::string_view field,
                                    v1::ScenarioSet set, v1::ScenarioSet* response) {
  FieldViolations violations;
  if (!IsSetId(id)) {
    violations.push_back(
        {"scenario_set_id",
         fmt::format(
             "\"{}\" is no id; give lower-case letters, digits and hyphens, beginning with a "
             "letter, at most {}",
             id.substr(0, kMaxIdLength + 1), kMaxIdLength)});
  }
  scenario::ValidateScenarios(set.scenarios(), field, violations);
  if (!violations.empty()) return ToGrpc(violations);
  set.set_name(std::string(kCollection) + id);
  if (set.name() == kBuiltinScenarioSet) {
    return ToGrpc(
        AlreadyExists("{} ships with Candor; choose another scenario_set_id", kBuiltinScenarioSet));
  }
  set.set_scenario_count(set.scenarios_size());
  set.set_built_in(false);
  set.set_content_hash(scenario::ContentHash(set.scenarios()));
  *set.mutable_create_time() = ToProto(clock_.WallNow());
  if (const Status status = host_.store().PutScenarioSet(set); !status.ok()) return ToGrpc(status);
  set.clear_scenarios();
  *response = std::move(set);
  return grpc::Status::OK;
}

grpc::ServerUnaryReactor* ScenarioService::CreateScenarioSet(
    grpc::CallbackServerContext* context, const v1::CreateScenarioSetRequest* request,
    v1::ScenarioSet* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  host_.PostToReaders([this, request, response, reactor] {
    if (request->scenario_set().ByteSizeLong() > scenario::kMaxInlineBytes) {
      return reactor->Finish(InvalidField(
          "scenario_set",
          fmt::format(
              "is larger than {} MB; use UploadScenarioSet (`candor scenarios create` does)",
              scenario::kMaxInlineBytes >> 20U)));
    }
    reactor->Finish(Store(request->scenario_set_id(), "scenario_set.scenarios",
                          request->scenario_set(), response));
  });
  return reactor;
}

grpc::ServerReadReactor<v1::UploadScenarioSetRequest>* ScenarioService::UploadScenarioSet(
    grpc::CallbackServerContext* /*context*/, v1::ScenarioSet* response) {
  return new Upload(*this, host_, response);  // deletes itself in OnDone
}

grpc::ServerUnaryReactor* ScenarioService::GetScenarioSet(grpc::CallbackServerContext* context,
                                                          const v1::GetScenarioSetRequest* request,
                                                          v1::ScenarioSet* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  host_.PostToReaders([this, request, response, reactor] {
    auto set = LoadScenarioSet(host_.store(), request->name());
    if (set.ok()) *response = *std::move(set);
    reactor->Finish(ToGrpc(set.status()));
  });
  return reactor;
}

grpc::ServerUnaryReactor* ScenarioService::ListScenarioSets(
    grpc::CallbackServerContext* context, const v1::ListScenarioSetsRequest* request,
    v1::ListScenarioSetsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  host_.PostToReaders([this, request, response, reactor] {
    const auto page = ParsePage(*request, "scenarioSets");
    if (!page.ok()) return reactor->Finish(ToGrpc(page.status()));
    std::size_t room = static_cast<std::size_t>(page->size);
    if (page->after.empty()) {
      v1::ScenarioSet& builtin = *response->add_scenario_sets();
      builtin = scenario::BuiltinScenarioSet();
      builtin.clear_scenarios();
      --room;
    }
    // The built-in set is the whole of a page of one: what follows is asked for behind no name.
    const std::string after = page->after == kBuiltinScenarioSet ? "" : page->after;
    bool more = true;
    if (room > 0) {
      auto sets = host_.store().ListScenarioSets(after, room);
      if (!sets.ok()) return reactor->Finish(ToGrpc(sets.status()));
      for (v1::ScenarioSet& set : sets->sets) *response->add_scenario_sets() = std::move(set);
      more = sets->more;
    }
    if (more) {
      const auto& last = response->scenario_sets(response->scenario_sets_size() - 1);
      response->set_next_page_token(PrintCursor("scenarioSets", last.name()));
    }
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerUnaryReactor* ScenarioService::DeleteScenarioSet(
    grpc::CallbackServerContext* context, const v1::DeleteScenarioSetRequest* request,
    google::protobuf::Empty* /*response*/) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  host_.PostToReaders([this, request, reactor] {
    if (request->name() == kBuiltinScenarioSet) {
      return reactor->Finish(ToGrpc(
          FailedPrecondition("{} ships with Candor and cannot be deleted", kBuiltinScenarioSet)));
    }
    reactor->Finish(ToGrpc(host_.store().DeleteScenarioSet(request->name())));
  });
  return reactor;
}

}  // namespace candor::service
