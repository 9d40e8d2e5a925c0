// candor scenarios list, show, validate, import, create, delete
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/job_file.h"
#include "cli/text.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/import.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <ostream>

namespace candor::cli {
namespace {

constexpr std::string_view kPrefix = "scenarioSets/";
// What CreateScenarioSet takes; larger sets go in pieces of this size.
constexpr std::size_t kMaxCreateBytes = std::size_t{4} << 20U;
constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

std::string FullName(const std::string& text) {
  return text.substr(0, kPrefix.size()) == kPrefix ? text : std::string(kPrefix) + text;
}

StatusOr<int> List(bool json, Context& context) {
  Table table({"NAME", ">SCENARIOS", "CREATED (UTC)", "DISPLAY NAME"});
  v1::ListScenarioSetsRequest request;
  request.set_page_size(1000);
  v1::ListScenarioSetsResponse all;
  do {
    v1::ListScenarioSetsResponse page;
    CANDOR_RETURN_IF_ERROR(context.client.Call(context.client.scenarios(),
                                               &Scenarios::ListScenarioSets, request, &page));
    all.mutable_scenario_sets()->MergeFrom(page.scenario_sets());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (json) {
    context.out << PrintJson(all) << '\n';
    return 0;
  }
  for (const v1::ScenarioSet& set : all.scenario_sets()) {
    table.Add({set.name(), WithCommas(set.scenario_count()),
               set.built_in() ? "built in" : Moment(set.create_time()),
               Printable(set.display_name())});
  }
  context.out << table.Text();
  return 0;
}

StatusOr<int> Show(const std::string& name, Context& context) {
  v1::GetScenarioSetRequest request;
  request.set_name(FullName(name));
  v1::ScenarioSet set;
  CANDOR_RETURN_IF_ERROR(
      context.client.Call(context.client.scenarios(), &Scenarios::GetScenarioSet, request, &set));
  context.out << scenario::PrintScenarioSet(set);
  return 0;
}

// What a set holds, in a line.
std::string Summary(const v1::ScenarioSet& set) {
  int least = 0;
  int most = 0;
  for (const v1::Scenario& one : set.scenarios()) {
    least = least == 0 ? one.attributes_size() : std::min(least, one.attributes_size());
    most = std::max(most, one.attributes_size());
  }
  return fmt::format("{} scenarios of {} to {} attributes", WithCommas(set.scenarios_size()), least,
                     most);
}

StatusOr<v1::ScenarioSet> ReadSet(const std::string& path, const std::string& roles_path, int limit,
                                  Context& context) {
  CANDOR_ASSIGN_OR_RETURN(const std::string text, ReadInput(path, context.in));
  std::string roles;
  if (!roles_path.empty()) {
    CANDOR_ASSIGN_OR_RETURN(roles, ReadFile(roles_path));
  }
  StatusOr<v1::ScenarioSet> set = scenario::ImportScenarios(text, roles);
  if (!set.ok()) return Annotate(set.status(), path);
  if (limit > 0 && set->scenarios_size() > limit) {
    set->mutable_scenarios()->DeleteSubrange(limit, set->scenarios_size() - limit);
  }
  return set;
}

Status Upload(const std::string& id, const v1::ScenarioSet& set, Client& client,
              v1::ScenarioSet* created) {
  grpc::ClientContext call;
  call.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(2));
  const Interrupt::Scope scope(client.interrupt(), [&] { call.TryCancel(); });
  const auto writer = client.scenarios().UploadScenarioSet(&call, created);
  v1::UploadScenarioSetRequest piece;
  piece.set_scenario_set_id(id);
  piece.set_display_name(set.display_name());
  std::size_t bytes = 0;
  bool open = true;
  for (const v1::Scenario& one : set.scenarios()) {
    if (bytes > 0 && bytes + one.ByteSizeLong() > kPieceBytes) {
      open = writer->Write(piece);
      if (!open) break;
      piece.Clear();
      bytes = 0;
    }
    *piece.add_scenarios() = one;
    bytes += one.ByteSizeLong();
  }
  if (open) writer->Write(piece);
  writer->WritesDone();
  return client.Translate(writer->Finish());
}

Status CreateSet(const std::string& id, const v1::ScenarioSet& set, Context& context) {
  v1::ScenarioSet created;
  v1::CreateScenarioSetRequest request;
  request.set_scenario_set_id(id);
  *request.mutable_scenario_set() = set;
  if (request.ByteSizeLong() <= kMaxCreateBytes) {
    CANDOR_RETURN_IF_ERROR(context.client.Call(context.client.scenarios(),
                                               &Scenarios::CreateScenarioSet, request, &created));
  } else {
    CANDOR_RETURN_IF_ERROR(Upload(id, set, context.client, &created));
  }
  context.out << created.name() << '\n';
  context.err << Summary(set) << '\n';
  return absl::OkStatus();
}

struct ImportOptions {
  std::string candidates;
  std::string roles;
  std::string id;
  std::string out;
  int limit = 0;
};

StatusOr<int> Import(const ImportOptions& options, Context& context) {
  if (options.id.empty() == options.out.empty()) {
    return InvalidArgument(
        "give --id ID to create a set at the coordinator, or --out FILE to write one");
  }
  CANDOR_ASSIGN_OR_RETURN(const v1::ScenarioSet set,
                          ReadSet(options.candidates, options.roles, options.limit, context));
  if (!options.id.empty()) {
    CANDOR_RETURN_IF_ERROR(CreateSet(options.id, set, context));
    return 0;
  }
  const std::string text = scenario::PrintScenarioSet(set);
  if (options.out == "-") {
    context.out << text;
    return 0;
  }
  CANDOR_RETURN_IF_ERROR(WriteFileAtomically(options.out, text));
  context.err << fmt::format("{}: {}\n", options.out, Summary(set));
  return 0;
}

}  // namespace

void AddScenarioCommands(CLI::App& app, Action* action) {
  CLI::App* group = app.add_subcommand(
      "scenarios", "Scenario sets: list, show, validate, import, create, delete");
  group->require_subcommand(1);
  auto name = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();

  CLI::App* list = group->add_subcommand("list", "List the sets of the coordinator");
  auto json = std::make_shared<bool>(false);
  list->add_flag("--json", *json, "Print JSON");
  list->callback([=] { *action = [=](Context& context) { return List(*json, context); }; });

  CLI::App* show = group->add_subcommand("show", "Print a set of the coordinator as JSON");
  show->add_option("SET", *name, "scenarioSets/x, or x")->required();
  show->callback([=] { *action = [=](Context& context) { return Show(*name, context); }; });

  CLI::App* validate = group->add_subcommand("validate", "Check a file; needs no coordinator");
  validate->add_option("FILE", *file, "A scenario set as JSON; - reads standard input")->required();
  validate->callback([=] {
    *action = [=](Context& context) -> StatusOr<int> {
      CANDOR_ASSIGN_OR_RETURN(const v1::ScenarioSet set, ReadSet(*file, "", 0, context));
      context.out << *file << ": " << Summary(set) << '\n';
      return 0;
    };
  });

  CLI::App* import = group->add_subcommand(
      "import", "Turn others' scenarios into a set, at the coordinator or in a file");
  auto options = std::make_shared<ImportOptions>();
  import
      ->add_option("--candidates", options->candidates,
                   "candidate_scenarios.json, or scenarios in our own format")
      ->option_text("FILE")
      ->required();
  import->add_option("--roles", options->roles, "roles.csv: a role a line")->option_text("FILE");
  import->add_option("--limit", options->limit, "Keep the first N; 0 keeps all")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  import->add_option("--id", options->id, "Create this set at the coordinator")->option_text("ID");
  import->add_option("--out", options->out, "Write this file; - writes to standard output")
      ->option_text("FILE");
  import->callback([=] { *action = [=](Context& context) { return Import(*options, context);
};
}  // namespace candor::cli
);

CLI::App* create = group->add_subcommand("create", "Create a set at the coordinator from a file");
create->add_option("FILE", *file, "A scenario set as JSON; - reads standard input")->required();
create
    ->add_option("--id", *name,
                 "Its name: lower-case letters, digits and hyphens; left out: the file's own")
    ->option_text("ID");
create->callback([=] {
  *action = [=](Context& context) -> StatusOr<int> {
    CANDOR_ASSIGN_OR_RETURN(const v1::ScenarioSet set, ReadSet(*file, "", 0, context));
    std::string id = *name;
    if (id.empty() && set.name().size() > kPrefix.size()) id = set.name().substr(kPrefix.size());
    if (id.empty()) return InvalidArgument("{} has no name; give one with --id", *file);
    CANDOR_RETURN_IF_ERROR(CreateSet(id, set, context));
    return 0;
  };
});

CLI::App* remove =
    group->add_subcommand("delete", "Delete a set; jobs made from it keep their scenarios");
remove->add_option("SET", *name, "scenarioSets/x, or x")->required();
remove->callback([=] {
  *action = [=](Context& context) -> StatusOr<int> {
    v1::DeleteScenarioSetRequest request;
    request.set_name(FullName(*name));
    google::protobuf::Empty nothing;
    CANDOR_RETURN_IF_ERROR(context.client.Call(context.client.scenarios(),
                                               &Scenarios::DeleteScenarioSet, request, &nothing));
    context.out << request.name() << " deleted\n";
    return 0;
  };
});
}

}  // namespace candor::cli
