#include "coordinator/service/cluster_service.h"

#include "common/base/max_limit.h"
#include "common/base/nearest.h"
#include "common/base/time_proto.h"
#include "common/base/violations.h"
#include "coordinator/service/grpc_status.h"
#include "coordinator/service/paging.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace candor::service {
namespace {

constexpr PageLimits kPages{.default_size = 1000, .max_size = 1000};

// One page of `items`, which have names; the token of the next page, or nothing.
template <typename Item, typename Field>
std::string TakePage(std::vector<Item> items, const Page& page, Field& field) {
  std::sort(items.begin(), items.end(),
            [](const Item& a, const Item& b) { return a.name() < b.name(); });
  for (Item& item : items) {
    if (item.name() <= page.after) continue;
    if (field.size() == page.size) return field.Get(field.size() - 1).name();
    *field.Add() = std::move(item);
  }
  return "";
}

std::optional<v1::LimitGroup> FindGroup(const engine::Engine& engine, const engine::Instant& now,
                                        const std::string& name) {
  for (v1::LimitGroup& group : engine.LimitGroups(now)) {
    if (group.name() == name) return std::move(group);
  }
  return std::nullopt;
}

// `limits` changed as the mask says. Adds what is wrong to `violations`.
v1::Limits ApplyMask(v1::Limits limits, const v1::UpdateLimitGroupRequest& request,
                     FieldViolations& violations) {
  const v1::Limits& wanted = request.limit_group().limits();
  const auto* descriptor = v1::Limits::descriptor();
  const auto* reflection = v1::Limits::GetReflection();
  std::vector<std::string> paths(request.update_mask().paths().begin(),
                                 request.update_mask().paths().end());
  if (paths.empty()) {
    paths.emplace_back("limits");
    // A slip must not leave an account without any limit.
    if (!request.limit_group().has_limits()) {
      violations.push_back(
          {"limit_group.limits",
           "is missing; give the new limits, or name in update_mask those that are "
           "to be none"});
    }
  }
  for (const std::string& path : paths) {
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    std::vector<std::string> known = {"limits"};
    for (int i = 0; i < descriptor->field_count(); ++i) {
      known.push_back("limits." + descriptor->field(i)->name());
      if (path == "limits" || path == known.back()) fields.push_back(descriptor->field(i));
    }
    if (fields.empty()) {
      violations.push_back(
          {"update_mask", fmt::format("\"{}\" cannot be changed; give any of {}{}", path,
                                      fmt::join(known, ", "), DidYouMean(path, known))});
    }
    for (const auto* field : fields) {
      const std::int64_t value = reflection->GetInt64(wanted, field);
      if (value < 0 || value > kMaxLimit) {
        violations.push_back(
            {"limit_group.limits." + field->name(),
             fmt::format("is {}; give 1 to {}, or 0 for no limit", value, kMaxLimit)});
      }
      reflection->SetInt64(&limits, field, value);
    }
  }
  return limits;
}

}  // namespace

grpc::ServerUnaryReactor* ClusterService::ListWorkers(grpc::CallbackServerContext* context,
                                                      const v1::ListWorkersRequest* request,
                                                      v1::ListWorkersResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  host_.Post([this, request, response, reactor] {
    const auto page = ParsePage(*request, "workers", kPages);
    if (!page.ok()) return reactor->Finish(ToGrpc(page.status()));
    const std::string last =
        TakePage(host_.engine().Workers(), *page, *response->mutable_workers());
    if (!last.empty()) response->set_next_page_token(PrintCursor("workers", last));
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerUnaryReactor* ClusterService::DrainWorker(grpc::CallbackServerContext* context,
                                                      const v1::DrainWorkerRequest* request,
                                                      v1::Worker* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  host_.Post([this, request, response, reactor] {
    if (!host_.engine().FindWorker(request->name())) {
      return reactor->Finish(
          ToGrpc(NotFound("there is no worker \"{}\"; ListWorkers lists them", request->name())));
    }
    host_.Handle(engine::WorkerDrained{request->name()});
    if (auto worker = host_.engine().FindWorker(request->name())) *response = *std::move(worker);
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerUnaryReactor* ClusterService::ListLimitGroups(grpc::CallbackServerContext* context,
                                                          const v1::ListLimitGroupsRequest* request,
                                                          v1::ListLimitGroupsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  host_.Post([this, request, response, reactor] {
    const auto page = ParsePage(*request, "limitGroups", kPages);
    if (!page.ok()) return reactor->Finish(ToGrpc(page.status()));
    const std::string last =
        TakePage(host_.engine().LimitGroups(host_.Now()), *page, *response->mutable_limit_groups());
    if (!last.empty()) response->set_next_page_token(PrintCursor("limitGroups", last));
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerUnaryReactor* ClusterService::UpdateLimitGroup(
    grpc::CallbackServerContext* context, const v1::UpdateLimitGroupRequest* request,
    v1::LimitGroup* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  host_.Post([this, request, response, reactor] {
    const std::string& name = request->limit_group().name();
    const auto group = FindGroup(host_.engine(), host_.Now(), name);
    if (!group) {
      return reactor->Finish(
          ToGrpc(NotFound("there is no limit group \"{}\"; ListLimitGroups lists them", name)));
    }
    FieldViolations violations;
    const v1::Limits limits = ApplyMask(group->configured(), *request, violations);
    if (!violations.empty()) return reactor->Finish(ToGrpc(violations));
    host_.Handle(engine::LimitsChanged{.limit_group = name, .limits = limits});
    *response = *FindGroup(host_.engine(), host_.Now(), name);
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerUnaryReactor* ClusterService::GetStatus(grpc::CallbackServerContext* context,
                                                    const v1::GetStatusRequest* /*request*/,
                                                    v1::ClusterStatus* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  host_.Post([this, response, reactor] {
    const engine::Engine& engine = host_.engine();
    response->set_version(version_);
    response->set_term(engine.term());
    *response->mutable_uptime() = ToProto(host_.uptime());
    for (const v1::Worker& worker : engine.Workers()) {
      if (!worker.connected()) continue;
      response->set_workers(response->workers() + 1);
      response->set_slots(response->slots() + worker.slots());
      response->set_slots_taken(response->slots_taken() + worker.slots_taken());
    }
    const engine::Overview overview = engine.GetOverview(host_.Now());
    response->set_active_jobs(static_cast<std::int32_t>(overview.jobs[v1::Job::QUEUED] +
                                                        overview.jobs[v1::Job::RUNNING]));
    for (const v1::Endpoint& endpoint : host_.options().engine.config.endpoints()) {
      response->add_endpoints(endpoint.name());
    }
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

}  // namespace candor::service
