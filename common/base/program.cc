#include "common/base/program.h"

#include "candor/v1/config.pb.h"
#include "common/base/config.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"
#include "common/base/json_writer.h"
#include "common/base/logging.h"
#include "common/base/nearest.h"

#include <CLI/CLI.hpp>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

namespace candor {
namespace {

namespace pb = google::protobuf;

// "--log-level" -> "CANDOR_LOG_LEVEL".
std::string EnvironmentName(const std::string& flag) {
  std::string name = "CANDOR_";
  for (const char c : flag.substr(2)) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string FromEnvironment(const std::string& flag) {
  const char* value = std::getenv(EnvironmentName(flag).c_str());
  return value == nullptr ? "" : value;
}

// The field at a dotted path, null when there is none.
const pb::FieldDescriptor* FindField(const pb::Message& message, const std::string& path) {
  const pb::Descriptor* type = message.GetDescriptor();
  const pb::FieldDescriptor* field = nullptr;
  for (std::size_t begin = 0; begin <= path.size() && type != nullptr;) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    field = type->FindFieldByName(path.substr(begin, end - begin));
    type = field != nullptr ? field->message_type() : nullptr;
    begin = end + 1;
    if (field == nullptr) return nullptr;
  }
  return field;
}

// Names of all options of an app and of the subcommands given.
void AddOptionNames(const CLI::App& app, std::vector<std::string>* names) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names->push_back("--" + name);
  }
  for (const CLI::App* chosen : app.get_subcommands()) AddOptionNames(*chosen, names);
}

}  // namespace

struct Program::Impl {
  explicit Impl(Options given) : options(std::move(given)), app(options.summary, options.name) {}

  std::string Usage(const std::string& message) const {
    const char* stop = !message.empty() && message.back() == '?' ? "" : ".";
    return fmt::format("{}: {}{} Run `{} --help` for what there is.\n", options.name, message, stop,
                       options.name);
  }

  // The words that no option or subcommand took.
  std::string Unknown(const std::vector<std::string>& words) const {
    const std::string word = words.empty() ? "" : words.front().substr(0, words.front().find('='));
    std::vector<std::string> names;
    AddOptionNames(app, &names);
    if (word.substr(0, 1) != "-") {
      names.clear();
      for (const CLI::App* command : app.get_subcommands(nullptr))
        names.push_back(command->get_name());
      return fmt::format("unexpected \"{}\"{}", word, DidYouMean(word, names));
    }
    return fmt::format("unknown flag {}{}", word, DidYouMean(word, names));
  }

  // A message of CLI11, without its full stop or line end.
  static std::string Trimmed(std::string text) {
    const std::size_t end = text.find_last_not_of(" .\n");
    text.resize(end == std::string::npos ? 0 : end + 1);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
  }

  Status Settle() {
    if (config_path.empty()) config_path = FromEnvironment("--config");
    if (options.config == nullptr) return absl::OkStatus();
    if (!config_path.empty()) CANDOR_RETURN_IF_ERROR(ParseFile(config_path, options.config));
    for (const auto& [flag, option] : bound) {
      std::string value;
      std::string source;
      if (option->count() > 0) {
        value = option->get_expected_min() == 0 ? "true" : option->results().back();
        source = flag.flag;
      } else if (value = FromEnvironment(flag.flag); !value.empty()) {
        source = EnvironmentName(flag.flag);
      } else if (!flag.fallback.empty() && GetField(*options.config, flag.field).empty()) {
        value = flag.fallback;
        source = flag.flag;
      } else {
        continue;
      }
      const Status set = SetField(options.config, flag.field, value);
      if (!set.ok()) {
        // "slots: ..." -> "--slots: ...".
        const std::string message = Message(set);
        return InvalidArgument("{}{}", source,
                               message.substr(std::min(message.find(": "), message.size())));
      }
    }
    if (options.validate) return options.validate();
    if (const auto* config = dynamic_cast<const v1::Config*>(options.config); config != nullptr) {
      FieldViolations violations;
      Validate(*config, &violations);
      const Status valid = ToStatus(violations);
      return config_path.empty() ? valid : Annotate(valid, config_path);
    }
    return absl::OkStatus();
  }

  Status Log() const {
    LogOptions log;
    if (options.config == nullptr) return absl::OkStatus();
    const std::string prefix = options.section.empty() ? "" : options.section + ".";
    const std::string level = GetField(*options.config, prefix + "log_level");
    const std::string format = GetField(*options.config, prefix + "log_format");
    if (!level.empty()) {
      CANDOR_ASSIGN_OR_RETURN(log.level, ParseLogLevel(level));
    }
    if (!format.empty()) {
      CANDOR_ASSIGN_OR_RETURN(log.format, ParseLogFormat(format));
    }
    StartLogging(log);
    return absl::OkStatus();
  }

  Options options;
  CLI::App app;
  std::vector<std::pair<BoundFlag, CLI::Option*>> bound;
  std::string config_path;
  std::string ready_path;
  bool print_config = false;
};

ReadyFile::~ReadyFile() {
  if (!path_.empty()) unlink(path_.c_str());
}

StatusOr<ReadyFile> WriteReadyFile(const std::string& path, const Addresses& addresses) {
  if (path.empty()) return ReadyFile();
  JsonWriter json;
  json.BeginObject();
  for (const auto& [name, address] : addresses) json.Key(name).String(address);
  json.EndObject();
  CANDOR_RETURN_IF_ERROR(WriteFileAtomically(path, json.Take() + "\n"));
  return ReadyFile(path);
}

Program::Program(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {
  CLI::App& app = impl_->app;
  app.set_version_flag("--version", impl_->options.name + " " + impl_->options.version);
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.fallthrough();
  if (impl_->options.config != nullptr) {
    app.add_option("--config", impl_->config_path,
                   "Configuration: YAML, JSON or textproto (environment: CANDOR_CONFIG)")
        ->option_text("FILE");
    app.add_flag("--print-config", impl_->print_config,
                 "Print the effective configuration, secrets left out, and exit");
    const std::string prefix = impl_->options.section.empty() ? "" : impl_->options.section + ".";
    if (FindField(*impl_->options.config, prefix + "log_level") != nullptr) {
      Bind({"--log-level", prefix + "log_level", "LEVEL", "trace, debug, info, warn or error",
            "info"});
    }
    if (FindField(*impl_->options.config, prefix + "log_format") != nullptr) {
      Bind({"--log-format", prefix + "log_format", "FORMAT", "text or json", "text"});
    }
  }
  if (impl_->options.ready_file) {
    app.add_option("--ready-file", impl_->ready_path,
                   "Written, as JSON with the addresses, once the program serves")
        ->option_text("FILE");
  }
}

Program::~Program() = default;

void Program::Bind(BoundFlag flag) {
  const pb::FieldDescriptor* field = FindField(*impl_->options.config, flag.field);
  // A flag for a field that does not exist is a mistake in the program.
  if (field == nullptr) std::abort();
  // Const: CLI11 takes a string that may be written to for the variable to fill.
  const std::string help = fmt::format(
      "{}{} (environment: {})", flag.help,
      flag.fallback.empty() ? "" : fmt::format(" [{}]", flag.fallback), EnvironmentName(flag.flag));
  CLI::Option* option = nullptr;
  if (field->cpp_type() == pb::FieldDescriptor::CPPTYPE_BOOL) {
    option = impl_->app.add_flag(flag.flag, help);
  } else {
    option = impl_->app.add_option(flag.flag, help)->expected(1)->option_text(flag.placeholder);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  impl_->bound.emplace_back(std::move(flag), option);
}

CLI::App& Program::app() { return impl_->app; }

std::optional<int> Program::Parse(int argc, const char* const* argv) {
  const auto usage = [&](const std::string& message) {
    std::fputs(impl_->Usage(message).c_str(), stderr);
    return kExitUsage;
  };
  try {
    impl_->app.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    return usage(impl_->Unknown(impl_->app.remaining(/*recurse=*/true)));
  } catch (const CLI::ParseError& error) {
    // Help and version arrive here too, and print to standard output.
    if (error.get_exit_code() == 0) return impl_->app.exit(error);
    return usage(Impl::Trimmed(error.what()));
  } catch (const std::exception& error) {
    return usage(Impl::Trimmed(error.what()));
  }
  if (const Status settled = impl_->Settle(); !settled.ok()) return Fail(settled);
  if (impl_->print_config) {
    std::unique_ptr<pb::Message> shown(impl_->options.config->New());
    shown->CopyFrom(*impl_->options.config);
    LeaveOutSecrets(shown.get());
    std::fputs((PrintJson(*shown) + "\n").c_str(), stdout);
    return kExitSuccess;
  }
  if (const Status logging = impl_->Log(); !logging.ok()) return Fail(logging);
  return std::nullopt;
}

StatusOr<ReadyFile> Program::WriteReady(const Addresses& addresses) const {
  return WriteReadyFile(impl_->ready_path, addresses);
}

const std::string& Program::config_path() const { return impl_->config_path; }

int Program::Fail(const Status& status, int exit_code) const {
  std::fputs(fmt::format("{}: {}\n", impl_->options.name, Message(status)).c_str(), stderr);
  return exit_code;
}

}  // namespace candor
