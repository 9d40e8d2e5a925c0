// candor-simulator: a model provider to run against.

#include "candor/v1/simulator.pb.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"
#include "common/base/logging.h"
#include "common/base/program.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/import.h"
#include "simulator/batch_run.h"
#include "simulator/provider_service.h"
#include "simulator/simulator_server.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace candor::simulator {
namespace {

constexpr std::chrono::seconds kGrace{5};

StatusOr<ScenarioRanges> KnownScenarios(const v1::SimulatorConfig& config) {
  ScenarioRanges ranges;
  ranges.Add(scenario::BuiltinScenarioSet());
  for (const std::string& path : config.scenario_files()) {
    CANDOR_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    StatusOr<v1::ScenarioSet> set = scenario::ImportScenarios(text);
    if (!set.ok()) return Annotate(set.status(), path);
    ranges.Add(*set);
  }
  return ranges;
}

void BindFlags(Program* program) {
  program->Bind(
      {"--listen", "listen", "ADDRESS", "HTTP address; port 0 picks a free one", "127.0.0.1:8080"});
  program->Bind({"--threads", "threads", "N", "Threads that serve", "1"});
  program->Bind({"--scenarios", "scenario_files", "FILE,...",
                 "Scenario files beside the built-in catalogue, for the ranges of attributes", ""});
  program->Bind({"--ledger-file", "ledger_file", "FILE", "Append a JSON line a call", ""});
  program->Bind({"--requests-per-minute", "limits.requests_per_minute", "N",
                 "Requests of a model in any 60 s; 0: no limit", ""});
  program->Bind({"--tokens-per-minute", "limits.tokens_per_minute", "N",
                 "Tokens of a model in any 60 s; 0: no limit", ""});
  program->Bind({"--in-flight", "limits.in_flight", "N",
                 "Calls of a model at the same time; 0: no limit", ""});
  program->Bind({"--seed", "default_model.seed", "N", "Seed of the true weights", ""});
  program->Bind({"--self-knowledge", "default_model.self_knowledge", "SHARE",
                 "0: self-reports have nothing to do with the weights; 1: they are the weights",
                 ""});
  program->Bind({"--malformed-rate", "default_model.malformed_rate", "SHARE",
                 "Share of replies that are not what was asked for", ""});
  program->Bind({"--latency", "default_model.latency", "TIME", "Median time to answer: 50ms", ""});
  program->Bind({"--latency-sigma", "default_model.latency_sigma", "NUMBER",
                 "Sigma of the latency's log-normal distribution", ""});
}

// --fault-rate name=0.05, for every rate of the configuration's `faults`.
Status ApplyFaultRates(const std::vector<std::string>& items, v1::SimulatorConfig* config) {
  for (const std::string& item : items) {
    const auto equals = item.find('=');
    if (equals == std::string::npos) {
      return InvalidArgument("--fault-rate: '{}' is not NAME=SHARE, such as server_error=0.05",
                             item);
    }
    if (Status set = SetField(config, "faults." + item.substr(0, equals), item.substr(equals + 1));
        !set.ok()) {
      return InvalidArgument(
          "--fault-rate: {}; the rates are too_many_requests, server_error, unavailable, hang, "
          "reset, truncated_body, wrong_json, overloaded, slow_first_byte, stalled_body, "
          "half_json, "
          "html, error_200, broken_stream and lying_headers",
          Message(set));
    }
  }
  return absl::OkStatus();
}

// --api-key-env NAME: a key on the command line would be seen by everybody on the machine.
Status ApplyKey(const std::string& variable, v1::SimulatorConfig* config) {
  if (variable.empty()) return absl::OkStatus();
  const char* const key = std::getenv(variable.c_str());
  if (key == nullptr || *key == '\0') {
    return InvalidArgument("--api-key-env: the environment variable {} is not set", variable);
  }
  config->set_api_key(key);
  return absl::OkStatus();
}

int Serve(const Program& program, const v1::SimulatorConfig& config) {
  std::promise<void> signalled;
  bool stopping = false;
  const ShutdownSignal shutdown([&](int) {
    if (!std::exchange(stopping, true)) signalled.set_value();
  });
  const SystemClock clock;
  StatusOr<ScenarioRanges> ranges = KnownScenarios(config);
  if (!ranges.ok()) return program.Fail(ranges.status());
  const std::size_t scenarios = ranges->size();
  auto service = ProviderService::Create(config, *std::move(ranges), clock);
  if (!service.ok()) return program.Fail(service.status());
  auto server = SimulatorServer::Start({config.listen(), config.threads(), config.batches(),
                                        config.certificate_file(), config.key_file()},
                                       **service);
  if (!server.ok()) return program.Fail(server.status());
  const std::string address = (*server)->address();
  Log()
      .With("threads", config.threads())
      .With("scenarios", scenarios)
      .Info("serving on http://{}", address);
  auto ready = program.WriteReady({{"http", address}});
  if (!ready.ok()) return program.Fail(ready.status());
  signalled.get_future().wait();
  Log().Info("stopping; calls in flight have {} s", kGrace.count());
  (*server)->Stop(kGrace);
  return kExitSuccess;
}

int Main(int argc, char** argv) {
  v1::SimulatorConfig config;
  std::vector<std::string> fault_rates;
  std::string key_variable;
  // A configuration that makes no sense is refused before anything is printed or served.
  const auto validate = [&]() -> Status {
    CANDOR_RETURN_IF_ERROR(ApplyFaultRates(fault_rates, &config));
    CANDOR_RETURN_IF_ERROR(ApplyKey(key_variable, &config));
    v1::SimulatorConfig without_file = config;
    without_file.clear_ledger_file();
    const SystemClock clock;
    CANDOR_RETURN_IF_ERROR(MakeBatchSettings(config.batches()).status());
    return ProviderService::Create(without_file, {}, clock).status();
  };
  Program program({.name = "candor-simulator",
                   .version = CANDOR_VERSION,
                   .summary = "A model provider to run against: chat completions, Responses, "
                              "Messages, generateContent and batches with models that decide, "
                              "limits, faults, and a ledger of every call.",
                   .config = &config,
                   .section = "",
                   .validate = validate});
  BindFlags(&program);
  program.app()
      .add_option("--api-key-env", key_variable,
                  "Environment variable with the key that calls must bring; none: open to all")
      ->type_name("NAME");
  program.app()
      .add_option("--fault-rate", fault_rates,
                  "Share of calls that go wrong, such as server_error=0.05; the names are those of "
                  "`faults` in the configuration. May be given several times")
      ->type_name("NAME=SHARE");
  if (const auto exit_code = program.Parse(argc, argv)) return *exit_code;
  return Serve(program, config);
}

}  // namespace
}  // namespace candor::simulator

int main(int argc, char** argv) { return candor::simulator::Main(argc, argv); }
