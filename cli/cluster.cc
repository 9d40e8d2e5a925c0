// candor workers, drain, limits, status
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "common/base/json_proto.h"

#include <CLI/CLI.hpp>
#include <google/protobuf/duration.pb.h>

#include <memory>
#include <optional>
#include <ostream>

namespace candor::cli {
namespace {

std::string Prefixed(const char* prefix, const std::string& text) {
  return text.rfind(prefix, 0) == 0 ? text : prefix + text;
}

std::string Endpoints(const v1::Worker& worker) {
  std::string text;
  for (const v1::Worker::EndpointService& endpoint : worker.endpoints()) {
    if (!text.empty()) text += ", ";
    text += endpoint.endpoint();
    if (!endpoint.served()) text += " (not served: " + Printable(endpoint.reason()) + ")";
  }
  return text.empty() ? "-" : text;
}

StatusOr<int> ListWorkers(bool json, Context& context) {
  v1::ListWorkersRequest request;
  request.set_page_size(1000);
  v1::ListWorkersResponse all;
  do {
    v1::ListWorkersResponse page;
    CANDOR_RETURN_IF_ERROR(
        context.client.Call(context.client.cluster(), &Cluster::ListWorkers, request, &page));
    all.mutable_workers()->MergeFrom(page.workers());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (json) {
    context.out << PrintJson(all) << '\n';
    return 0;
  }
  Table table(
      {"NAME", "STATE", ">SLOTS", ">TAKEN", ">OUTCOMES", "SINCE (UTC)", "VERSION", "ENDPOINTS"});
  for (const v1::Worker& worker : all.workers()) {
    const char* state = !worker.connected() ? "lost" : worker.draining() ? "draining" : "connected";
    table.Add({worker.name(), state, WithCommas(worker.slots()), WithCommas(worker.slots_taken()),
               WithCommas(worker.outcomes()), Moment(worker.connect_time()), worker.version(),
               Endpoints(worker)});
  }
  context.out << (table.empty() ? "No workers. Start one with candor-worker.\n" : table.Text());
  return 0;
}

// "412/60,000", or "412" without a limit.
std::string Used(std::int64_t used, std::int64_t limit) {
  return limit > 0 ? WithCommas(used) + "/" + WithCommas(limit) : WithCommas(used);
}

void AddRow(const v1::LimitGroup& group, Table* table) {
  table->Add({group.name(),
              Used(group.requests_last_minute(), group.limits().requests_per_minute()),
              Used(group.tokens_last_minute(), group.limits().tokens_per_minute()),
              Used(group.in_flight(), group.limits().in_flight()), WithCommas(group.waiting()),
              group.has_blocked_until() ? Moment(group.blocked_until()) : "-",
              group.waiting_for().empty() ? "-" : Printable(group.waiting_for())});
}

Table LimitTable() {
  return Table({"GROUP", ">REQUESTS/MIN", ">TOKENS/MIN", ">IN FLIGHT", ">WAITING",
                "BLOCKED UNTIL (UTC)", "HELD BACK BY"});
}

StatusOr<int> ListLimits(bool json, Context& context) {
  v1::ListLimitGroupsRequest request;
  request.set_page_size(1000);
  v1::ListLimitGroupsResponse all;
  do {
    v1::ListLimitGroupsResponse page;
    CANDOR_RETURN_IF_ERROR(
        context.client.Call(context.client.cluster(), &Cluster::ListLimitGroups, request, &page));
    all.mutable_limit_groups()->MergeFrom(page.limit_groups());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (json) {
    context.out << PrintJson(all) << '\n';
    return 0;
  }
  Table table = LimitTable();
  for (const v1::LimitGroup& group : all.limit_groups()) AddRow(group, &table);
  context.out << (table.empty()
                      ? "No limit groups: the coordinator's configuration has no endpoints.\n"
                      : table.Text());
  return 0;
}

struct NewLimits {
  std::string group;
  std::optional<std::int64_t> requests;
  std::optional<std::int64_t> tokens;
  std::optional<std::int64_t> in_flight;
};

StatusOr<int> SetLimits(const NewLimits& limits, Context& context) {
  v1::UpdateLimitGroupRequest request;
  request.mutable_limit_group()->set_name(Prefixed("limitGroups/", limits.group));
  v1::Limits& wanted = *request.mutable_limit_group()->mutable_limits();
  if (limits.requests) {
    wanted.set_requests_per_minute(*limits.requests);
    request.mutable_update_mask()->add_paths("limits.requests_per_minute");
  }
  if (limits.tokens) {
    wanted.set_tokens_per_minute(*limits.tokens);
    request.mutable_update_mask()->add_paths("limits.tokens_per_minute");
  }
  if (limits.in_flight) {
    wanted.set_in_flight(*limits.in_flight);
    request.mutable_update_mask()->add_paths("limits.in_flight");
  }
  // An empty mask would change all of them to no limit.
  if (request.update_mask().paths().empty()) {
    return InvalidArgument(
        "give at least one of --requests-per-minute, --tokens-per-minute and --in-flight");
  }
  v1::LimitGroup group;
  CANDOR_RETURN_IF_ERROR(
      context.client.Call(context.client.cluster(), &Cluster::UpdateLimitGroup, request, &group));
  Table table = LimitTable();
  AddRow(group, &table);
  context.out << table.Text();
  return 0;
}

StatusOr<int> Drain(const std::string& name, Context& context) {
  v1::DrainWorkerRequest request;
  request.set_name(Prefixed("workers/", name));
  v1::Worker worker;
  CANDOR_RETURN_IF_ERROR(
      context.client.Call(context.client.cluster(), &Cluster::DrainWorker, request, &worker));
  context.out << fmt::format("{} finishes its {} calls and ends\n", worker.name(),
                             worker.slots_taken());
  return 0;
}

StatusOr<int> ShowStatus(bool json, Context& context) {
  v1::ClusterStatus status;
  CANDOR_RETURN_IF_ERROR(context.client.Call(context.client.cluster(), &Cluster::GetStatus,
                                             v1::GetStatusRequest(), &status));
  if (json) {
    context.out << PrintJson(status) << '\n';
    return 0;
  }
  context.out << fmt::format("coordinator  {} at {}, term {}, up {}\n", status.version(),
                             context.client.address(), status.term(), Span(status.uptime()));
  context.out << fmt::format("workers      {} with {} slots, {} taken\n", status.workers(),
                             WithCommas(status.slots()), WithCommas(status.slots_taken()));
  context.out << fmt::format("active jobs  {}\n", status.active_jobs());
  context.out << fmt::format(
      "endpoints    {}\n",
      status.endpoints().empty() ? "none" : fmt::format("{}", fmt::join(status.endpoints(), ", ")));
  return 0;
}

}  // namespace

void AddClusterCommands(CLI::App& app, Action* action) {
  auto json = std::make_shared<bool>(false);

  CLI::App* workers = app.add_subcommand("workers", "List the workers");
  workers->add_flag("--json", *json, "Print JSON");
  workers->callback(
      [=] { *action = [=](Context& context) { return ListWorkers(*json, context); }; });

  CLI::App* drain = app.add_subcommand("drain", "Let a worker finish its calls and end");
  auto name = std::make_shared<std::string>();
  drain->add_option("WORKER", *name, "workers/x, or x")->required();
  drain->callback([=] { *action = [=](Context& context) { return Drain(*name, context); }; });

  CLI::App* limits =
      app.add_subcommand("limits", "List the limit groups, or set their limits while they run");
  limits->require_subcommand(0, 1);
  limits->add_flag("--json", *json, "Print JSON");
  CLI::App* set = limits->add_subcommand(
      "set", "Change limits until the coordinator starts again; 0 means no limit");
  auto wanted = std::make_shared<NewLimits>();
  set->add_option("GROUP", wanted->group, "limitGroups/x, or x")->required();
  set->add_option("--requests-per-minute", wanted->requests, "Requests in any 60 s")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  set->add_option("--tokens-per-minute", wanted->tokens, "Tokens in any 60 s")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  set->add_option("--in-flight", wanted->in_flight, "Calls at the same time")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  limits->callback([=] {
    const bool setting = set->parsed();
    *action = [=](Context& context) {
      return setting ? SetLimits(*wanted, context) : ListLimits(*json, context);
    };
  });

  CLI::App* status = app.add_subcommand("status", "Say how the coordinator is");
  status->add_flag("--json", *json, "Print JSON");
  status->callback([=] { *action = [=](Context& context) { return ShowStatus(*json, context); }; });
}

}  // namespace candor::cli
