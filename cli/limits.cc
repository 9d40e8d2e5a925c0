// candor limits, limits set
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/limit_page.h"
#include "cli/screen.h"
#include "common/base/json_proto.h"
#include "common/base/max_limit.h"

#include <CLI/CLI.hpp>
#include <google/protobuf/descriptor.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace candor::cli {
namespace {

constexpr std::string_view kPrefix = "limitGroups/";

// "requests_per_minute" -> "--requests-per-minute".
std::string FlagOf(const std::string& field) {
  std::string flag = "--" + field;
  for (char& c : flag) c = c == '_' ? '-' : c;
  return flag;
}

const char* HelpOf(const std::string& field) {
  static const std::map<std::string, const char*> kHelp = {
      {"requests_per_minute", "Requests in any 60 s"},
      {"tokens_per_minute", "Tokens in any 60 s, input and output together"},
      {"in_flight", "Calls at the same time"},
      {"input_tokens_per_minute", "Tokens of prompts in any 60 s"},
      {"output_tokens_per_minute", "Tokens of replies in any 60 s"},
      {"requests_per_day", "Requests in any 24 h"},
      {"tokens_per_day", "Tokens in any 24 h"}};
  const auto found = kHelp.find(field);
  return found == kHelp.end() ? "" : found->second;
}

// What is wrong with a limit; empty when nothing is.
std::string CheckLimit(const std::string& text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (digits && text.size() <= std::size_t{kMaxLimitDigits}) return "";
  return fmt::format("\"{}\" is no limit; give a whole number of at most {} digits, 0 for none",
                     text, kMaxLimitDigits);
}

StatusOr<v1::ListLimitGroupsResponse> List(Context& context) {
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
  return all;
}

StatusOr<int> Show(bool json, Context& context) {
  CANDOR_ASSIGN_OR_RETURN(const v1::ListLimitGroupsResponse all, List(context));
  if (json) {
    context.out << PrintJson(all) << '\n';
    return 0;
  }
  for (const std::string& line : RenderLimits(all.limit_groups(), context.style)) {
    context.out << line << '\n';
  }
  return 0;
}

// Until Ctrl-C. In a terminal in its place, elsewhere one picture after the other.
StatusOr<int> Watch(std::chrono::milliseconds interval, Context& context) {
  Screen screen(context.out, context.height);
  do {
    CANDOR_ASSIGN_OR_RETURN(const v1::ListLimitGroupsResponse all, List(context));
    std::vector<std::string> lines = RenderLimits(all.limit_groups(), context.style);
    if (context.terminal) {
      screen.Draw(std::move(lines));
      continue;
    }
    for (const std::string& line : lines) context.out << line << '\n';
    context.out << '\n' << std::flush;
  } while (!context.client.interrupt().WaitFor(interval));
  return kExitInterrupted;
}

// By the name of the field of v1::Limits.
using NewLimits = std::map<std::string, std::optional<std::int64_t>>;

StatusOr<int> Set(const std::string& group_name, const NewLimits& limits, Context& context) {
  v1::UpdateLimitGroupRequest request;
  request.mutable_limit_group()->set_name(
      group_name.starts_with(kPrefix) ? group_name : std::string(kPrefix) + group_name);
  v1::Limits& wanted = *request.mutable_limit_group()->mutable_limits();
  std::vector<std::string> flags;
  for (const auto& [field, value] : limits) {
    flags.push_back(FlagOf(field));
    if (!value) continue;
    const auto* descriptor = v1::Limits::descriptor()->FindFieldByName(field);
    v1::Limits::GetReflection()->SetInt64(&wanted, descriptor, *value);
    request.mutable_update_mask()->add_paths("limits." + field);
  }
  // An empty mask would change all of them to no limit.
  if (request.update_mask().paths().empty()) {
    return InvalidArgument("nothing to change; give at least one of {}", fmt::join(flags, ", "));
  }
  v1::ListLimitGroupsResponse changed;
  CANDOR_RETURN_IF_ERROR(context.client.Call(context.client.cluster(), &Cluster::UpdateLimitGroup,
                                             request, changed.add_limit_groups()));
  for (const std::string& line : RenderLimits(changed.limit_groups(), context.style)) {
    context.out << line << '\n';
  }
  return 0;
}

}  // namespace

void AddLimitsCommand(CLI::App& app, Action* action) {
  CLI::App* limits = app.add_subcommand(
      "limits", "Show what each limit group may do, does and waits for, or set its limits");
  auto json = std::make_shared<bool>(false);
  auto watch = std::make_shared<bool>(false);
  auto interval = std::make_shared<double>(1.0);
  limits->require_subcommand(0, 1);
  CLI::Option* json_flag = limits->add_flag("--json", *json, "Print JSON");
  limits->add_flag("--watch", *watch, "Show it again and again, until Ctrl-C")->excludes(json_flag);
  limits->add_option("--interval", *interval, "Seconds between two pictures of --watch [1]")
      ->option_text("SECONDS")
      ->check(CLI::Range(0.1, 3600.0));

  CLI::App* set = limits->add_subcommand(
      "set", "Change limits until the coordinator starts again; 0 means no limit");
  auto group = std::make_shared<std::string>();
  auto wanted = std::make_shared<NewLimits>();
  set->add_option("GROUP", *group, "limitGroups/x, or x")->required();
  const auto* descriptor = v1::Limits::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const std::string& field = descriptor->field(i)->name();
    set->add_option(FlagOf(field), (*wanted)[field], HelpOf(field))
        ->option_text("N")
        ->check(CheckLimit);
  }
  limits->callback([=] {
    const bool setting = set->parsed();
    *action = [=](Context& context) -> StatusOr<int> {
      if (setting) return Set(*group, *wanted, context);
      if (!*watch) return Show(*json, context);
      return Watch(std::chrono::milliseconds(static_cast<std::int64_t>(*interval * 1000)), context);
    };
  });
}

}  // namespace candor::cli
