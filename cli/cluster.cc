// candor workers, drain, status
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "common/base/json_proto.h"

#include <CLI/CLI.hpp>
#include <google/protobuf/duration.pb.h>

#include <memory>
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

  CLI::App* status = app.add_subcommand("status", "Say how the coordinator is");
  status->add_flag("--json", *json, "Print JSON");
  status->callback([=] { *action = [=](Context& context) { return ShowStatus(*json, context); }; });
}

}  // namespace candor::cli
