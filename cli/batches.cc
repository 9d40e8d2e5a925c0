// candor batches: a job's batches at its providers.
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "common/base/json_proto.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <ostream>
#include <string>

namespace candor::cli {
namespace {

struct Request {
  std::string job;
  bool json = false;
};

const char* StateWord(v1::Batch::State state) {
  switch (state) {
    case v1::Batch::INTENDED:
      return "to be created";
    case v1::Batch::SUBMITTED:
      return "at the provider";
    case v1::Batch::COLLECTING:
      return "ended, being read";
    case v1::Batch::DONE:
      return "done";
    case v1::Batch::REFUSED:
      return "refused";
    default:
      return "-";
  }
}

StatusOr<v1::ListBatchesResponse> ReadAll(const std::string& job, Context& context) {
  v1::ListBatchesRequest request;
  CANDOR_ASSIGN_OR_RETURN(*request.mutable_name(), context.client.FindJob(job));
  request.set_page_size(1000);
  v1::ListBatchesResponse all;
  do {
    v1::ListBatchesResponse page;
    CANDOR_RETURN_IF_ERROR(
        context.client.Call(context.client.evaluation(), &Evaluation::ListBatches, request, &page));
    all.mutable_batches()->MergeFrom(page.batches());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

StatusOr<int> ListBatches(const Request& wanted, Context& context) {
  CANDOR_ASSIGN_OR_RETURN(const v1::ListBatchesResponse all, ReadAll(wanted.job, context));
  if (wanted.json) {
    context.out << PrintJson(all) << '\n';
    return 0;
  }
  Table table({"BATCH", "ENTRY", "STATE", ">LINES", ">DONE", ">HERE", "CREATED (UTC)",
               "LOOKED AT (UTC)", "AT THE PROVIDER"});
  for (const v1::Batch& batch : all.batches()) {
    std::string there = batch.provider_batch().empty() ? "-" : Printable(batch.provider_batch());
    if (!batch.provider_state().empty()) there += " " + Printable(batch.provider_state());
    table.Add({batch.name(), batch.entry(), StateWord(batch.state()), WithCommas(batch.lines()),
               WithCommas(batch.lines_done()), WithCommas(batch.lines_collected()),
               Moment(batch.create_time()), Moment(batch.poll_time()), there});
  }
  context.out << (table.empty() ? "No batches: its calls are made one by one.\n" : table.Text());
  for (const v1::Batch& batch : all.batches()) {
    if (batch.error_text().empty()) continue;
    context.out << batch.name() << ": " << Printable(batch.error_text()) << '\n';
  }
  return 0;
}

}  // namespace

void AddBatchesCommand(CLI::App& app, Action* action) {
  const auto wanted = std::make_shared<Request>();
  CLI::App* command =
      app.add_subcommand("batches", "List a job's batches at its providers, the newest first");
  command->add_option("JOB", wanted->job, "jobs/x, x, or its beginning")->required();
  command->add_flag("--json", wanted->json, "Print JSON");
  command->callback([wanted, action] {
    *action = [wanted](Context& context) { return ListBatches(*wanted, context); };
  });
}

}  // namespace candor::cli
