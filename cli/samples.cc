// candor samples
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/export_rows.h"
#include "cli/text.h"
#include "common/base/json_writer.h"
#include "common/base/nearest.h"

#include <CLI/CLI.hpp>
#include <google/protobuf/descriptor.h>

#include <memory>
#include <ostream>

namespace candor::cli {
namespace {

struct Options {
  std::string job;
  std::vector<std::string> classes;
  std::vector<std::string> entries;
  std::vector<std::string> scenarios;
  std::vector<std::string> kinds;
  int count = 5;
  bool json = false;
};

// The number of an enum's word, in any case and with - for _.
StatusOr<int> Word(const google::protobuf::EnumDescriptor& type, const char* flag,
                   std::string text) {
  const std::string given = text;
  for (char& c : text)
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::vector<std::string> words;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() == 0) continue;
    if (type.value(i)->name() == text) return type.value(i)->number();
    words.push_back(type.value(i)->name());
  }
  return InvalidArgument("{}: \"{}\" is none of {}{}", flag, given, fmt::join(words, ", "),
                         DidYouMean(text, words));
}

void PrintOption(const char* letter,
                 const google::protobuf::RepeatedPtrField<v1::ShownValue>& values,
                 std::ostream& out) {
  out << "  " << letter << ": ";
  for (int i = 0; i < values.size(); ++i) {
    out << (i > 0 ? ", " : "") << Printable(values[i].attribute()) << ' '
        << ShortestNumber(values[i].value());
  }
  out << '\n';
}

void PrintOutcome(const v1::Outcome& outcome, std::ostream& out) {
  out << fmt::format("{}  {}  {} {}  {}", Printable(outcome.entry()), Printable(outcome.scenario()),
                     v1::Cell::Kind_Name(outcome.kind()), outcome.index(),
                     v1::Outcome::Class_Name(outcome.class_()));
  if (!outcome.repairs().empty()) out << fmt::format(" ({})", fmt::join(outcome.repairs(), ", "));
  if (outcome.choice() != v1::Outcome::CHOICE_UNSPECIFIED)
    out << "  chose " << v1::Outcome::Choice_Name(outcome.choice());
  if (!outcome.finish_reason().empty())
    out << "  finish reason " << Printable(outcome.finish_reason());
  out << '\n';
  PrintOption("A", outcome.option_a(), out);
  PrintOption("B", outcome.option_b(), out);
  const std::string text = Printable(outcome.raw_text(), /*lines=*/true);
  std::size_t begin = 0;
  do {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out << "  | " << text.substr(begin, end - begin) << '\n';
    begin = end + 1;
  } while (begin < text.size());
  out << '\n';
}

StatusOr<int> Samples(const Options& options, Context& context) {
  v1::StreamOutcomesRequest request;
  CANDOR_ASSIGN_OR_RETURN(*request.mutable_name(), context.client.FindJob(options.job));
  for (const std::string& word : options.classes) {
    CANDOR_ASSIGN_OR_RETURN(const int number,
                            Word(*v1::Outcome::Class_descriptor(), "--class", word));
    request.add_classes(static_cast<v1::Outcome::Class>(number));
  }
  for (const std::string& word : options.kinds) {
    CANDOR_ASSIGN_OR_RETURN(const int number, Word(*v1::Cell::Kind_descriptor(), "--kind", word));
    request.add_kinds(static_cast<v1::Cell::Kind>(number));
  }
  for (const std::string& entry : options.entries) request.add_entries(entry);
  for (const std::string& scenario : options.scenarios) request.add_scenarios(scenario);
  int left = options.count;
  CANDOR_RETURN_IF_ERROR(
      (context.client.Read<v1::StreamOutcomesRequest, v1::StreamOutcomesResponse>(
          request,
          [&](grpc::ClientContext* call, const v1::StreamOutcomesRequest& from) {
            return context.client.evaluation().StreamOutcomes(call, from);
          },
          {},
          [&](const v1::StreamOutcomesResponse& response) -> StatusOr<bool> {
            for (const v1::Outcome& outcome : response.outcomes()) {
              if (options.json) {
                context.out << OutcomeJson(outcome) << '\n';
              } else {
                PrintOutcome(outcome, context.out);
              }
              if (--left == 0) return false;
            }
            return true;
          })));
  if (left == options.count) context.err << "No outcome fits.\n";
  return 0;
}

}  // namespace

void AddSamplesCommand(CLI::App& app, Action* action) {
  CLI::App* command =
      app.add_subcommand("samples", "Show some outcomes of a job with the models' own words");
  auto options = std::make_shared<Options>();
  command->add_option("JOB", options->job, "jobs/x, x, or its beginning")->required();
  command->add_option("--class", options->classes, "Only of this class, such as NOT_JSON")
      ->option_text("CLASS");
  command->add_option("--entry", options->entries, "Only of this entry")->option_text("NAME");
  command->add_option("--scenario", options->scenarios, "Only of this scenario")->option_text("ID");
  command->add_option("--kind", options->kinds, "choice or self_report")->option_text("KIND");
  command->add_option("-n", options->count, "How many at most [5]")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  command->add_flag("--json", options->json, "Print lines as in outcomes.jsonl");
  command->callback(
      [=] { *action = [=](Context& context) { return Samples(*options, context); }; });
}

}  // namespace candor::cli
