#include "cli/numbers.h"

#include "common/base/quoted.h"
#include "common/base/scalar_text.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

namespace candor::cli {
namespace {

// The number in plain decimal digits, which CLI11 reads as everybody does. What is wrong with it;
// empty: nothing.
template <typename Number>
std::string Read(std::optional<Number> number, std::string& text) {
  if (!number) return fmt::format("is {}; give a whole number, in decimal digits", Quoted(text));
  text = fmt::to_string(*number);
  return {};
}

std::string CheckReal(const std::string& text) {
  if (ReadDouble(text)) return {};
  return fmt::format("is {}; give a number, in decimal digits", Quoted(text));
}

void ReadInDecimal(CLI::Option& option) {
  // "INT:POSITIVE": behind the type stand its checks.
  const std::string name = option.get_type_name();
  const std::string_view type = std::string_view(name).substr(0, name.find(':'));
  std::string (*read)(std::string&) = nullptr;
  if (type == "INT") read = [](std::string& text) { return Read(ReadInt64(text), text); };
  if (type == "UINT") read = [](std::string& text) { return Read(ReadUint64(text), text); };
  if (type == "FLOAT") read = [](std::string& text) { return CheckReal(text); };
  // Before the checks of its own, which see what it stands for.
  if (read != nullptr) option.transform(CLI::Validator(read, ""));
}

}  // namespace

void ReadNumbersInDecimal(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) ReadInDecimal(*option);
  const auto all = [](const CLI::App*) { return true; };
  for (CLI::App* command : app.get_subcommands(all)) ReadNumbersInDecimal(*command);
}

}  // namespace candor::cli
