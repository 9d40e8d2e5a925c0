#include "tests/integration/cluster.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace candor::integration {
namespace {

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// Sum of a field over all entries and kinds; grpcurl prints int64 as text.
std::int64_t SumOverKinds(const boost::json::value& job, const char* field) {
  std::int64_t sum = 0;
  const auto* progress = job.as_object().if_contains("progress");
  if (progress == nullptr) return 0;
  for (const auto& entry : progress->as_array()) {
    const auto* kinds = entry.as_object().if_contains("kinds");
    if (kinds == nullptr) continue;
    for (const auto& kind : kinds->as_array()) {
      if (const auto* value = kind.as_object().if_contains(field))
        sum += std::stoll(value->as_string().c_str());
    }
  }
  return sum;
}

bool IsTerminal(std::string_view state) {
  return state == "SUCCEEDED" || state == "FAILED" || state == "CANCELLED" ||
         state == "BUDGET_EXHAUSTED";
}

// Starts a server and returns what its ready file says.
boost::json::object StartServer(std::unique_ptr<Process>& process, const std::string& name,
                                const std::string& directory, std::vector<std::string> command,
                                const std::map<std::string, std::string>& environment = {}) {
  const std::string ready = directory + "/" + name + ".json";
  const std::string log = directory + "/" + name + ".log";
  std::filesystem::remove(ready);
  command.insert(command.end(), {"--ready-file", ready});
  process = std::make_unique<Process>(
      Process::Options{.command = std::move(command), .environment = environment, .log_file = log});
  if (!WaitForFile(ready, *process))
    throw std::runtime_error(name + " ended before it served: " + ReadWhole(log));
  return boost::json::parse(ReadWhole(ready)).as_object();
}

// Below the test's own, because a test may have several clusters.
std::string NewDirectory() {
  static int clusters = 0;
  const std::string path = TestDirectory() + "/cluster-" + std::to_string(++clusters);
  std::filesystem::create_directories(path);
  return path;
}

}  // namespace

std::string Tool(const std::string& name) {
  const std::string installed = std::string(CANDOR_SOURCE_DIR) + "/build/tools/" + name;
  return std::filesystem::exists(installed) ? installed : name;
}

std::string Bin(const std::string& program) {
  return std::string(CANDOR_BINARY_DIR) + "/bin/" + program;
}

boost::json::value ParseJsonText(std::string_view text) {
  boost::system::error_code error;
  auto value = boost::json::parse({text.data(), text.size()}, error);
  if (error) throw std::runtime_error("no JSON: " + std::string(text));
  return value;
}

std::vector<boost::json::value> ParseJsonLines(std::string_view text) {
  std::vector<boost::json::value> values;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end != 0) values.push_back(ParseJsonText(text.substr(0, end)));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return values;
}

Cluster::Cluster()
    : directory_(NewDirectory()), endpoints_({{"local", "    base_url: \"{base_url}\""}}) {}

void Cluster::StartSimulator(const std::string& config) {
  WriteWhole(directory_ + "/simulator.yaml", config);
  std::vector<std::string> command = {Bin("candor-simulator"), "--listen",
                                      simulator_http_.empty() ? "127.0.0.1:0" : simulator_http_};
  if (!config.empty()) command.insert(command.end(), {"--config", directory_ + "/simulator.yaml"});
  const auto ready = StartServer(simulator_, "simulator", directory_, command);
  simulator_http_ = ready.at("http").as_string().c_str();
}

void Cluster::WriteConfig() const {
  std::string text = "endpoints:\n";
  for (const auto& [name, lines] : endpoints_) {
    text += "  - name: " + name + "\n";
    if (lines.find("dialect:") == std::string::npos) text += "    dialect: openai\n";
    text += Replace(lines, "{base_url}", "http://" + simulator_http_ + "/v1") + "\n";
  }
  WriteWhole(directory_ + "/candor.yaml", text);
}

void Cluster::StartCoordinator(const std::vector<std::string>& flags) {
  WriteConfig();
  coordinator_flags_ = flags;
  std::vector<std::string> command = {Bin("candor-coordinator"),
                                      "--config",
                                      directory_ + "/candor.yaml",
                                      "--listen",
                                      grpc_,
                                      "--http",
                                      http_,
                                      "--data",
                                      directory_ + "/data"};
  command.insert(command.end(), flags.begin(), flags.end());
  const auto ready = StartServer(coordinator_, "coordinator", directory_, command);
  grpc_ = ready.at("grpc").as_string().c_str();
  http_ = ready.at("http").as_string().c_str();
}

void Cluster::KillAndRestartCoordinator() {
  coordinator_->Stop(SIGKILL);
  StartCoordinator(coordinator_flags_);
}

void Cluster::StartWorker(const std::string& name, const std::vector<std::string>& flags,
                          const std::map<std::string, std::string>& environment, bool wait) {
  std::vector<std::string> command = {Bin("candor-worker"), "--config", directory_ + "/candor.yaml",
                                      "--coordinator", grpc_};
  command.insert(command.end(), flags.begin(), flags.end());
  if (wait) {
    StartServer(workers_[name], name, directory_, command, environment);
  } else {
    workers_[name] =
        std::make_unique<Process>(Process::Options{.command = command,
                                                   .environment = environment,
                                                   .log_file = directory_ + "/" + name + ".log"});
  }
}

Finished Cluster::Grpcurl(const std::string& method, const std::string& request,
                          const std::vector<std::string>& flags) const {
  std::vector<std::string> command = {Tool("grpcurl"), "-plaintext", "-format", "json"};
  command.insert(command.end(), flags.begin(), flags.end());
  command.insert(command.end(), {"-d", "@", grpc_, "candor.v1." + method});
  return RunCommand(command, request);
}

boost::json::value Cluster::Call(const std::string& method, const std::string& request) const {
  const Finished finished = Grpcurl(method, request);
  if (finished.exit_code != 0) throw std::runtime_error(method + ": " + finished.err);
  return ParseJsonText(finished.out);
}

Finished Cluster::Candor(const std::vector<std::string>& arguments,
                         const std::string& input) const {
  std::vector<std::string> command = {Bin("candor")};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunCommand(command, input, {{"CANDOR_COORDINATOR", grpc_}});
}

std::string Cluster::CreateJob(const std::string& request) const {
  return Call("EvaluationService/CreateJob", request).at("job").at("name").as_string().c_str();
}

std::string Cluster::WaitForEnd(const std::string& job) const {
  const Finished finished = Grpcurl("EvaluationService/WatchJob", R"({"name": ")" + job + R"("})");
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  return GetJob(job).at("state").as_string().c_str();
}

void Cluster::WaitForDone(const std::string& job, std::int64_t done) const {
  WaitForSum(job, "done", done);
}

void Cluster::WaitForUnknown(const std::string& job, std::int64_t attempts) const {
  WaitForSum(job, "unknown_attempts", attempts);
}

void Cluster::WaitForSum(const std::string& job, const char* field, std::int64_t least) const {
  Process watch({.command = {Tool("grpcurl"), "-plaintext", "-d", R"({"name": ")" + job + R"("})",
                             grpc_, "candor.v1.EvaluationService/WatchJob"},
                 .log_file = directory_ + "/watch.log",
                 .read_output = true});
  std::string message;
  // grpcurl prints one indented object a message: it ends with a lone brace.
  while (const auto line = watch.ReadLine()) {
    message += *line + "\n";
    if (*line != "}") continue;
    const auto value = ParseJsonText(message);
    message.clear();
    const auto* state = value.at("job").as_object().if_contains("state");
    if (state != nullptr && IsTerminal(state->as_string().c_str())) return;
    if (SumOverKinds(value.at("job"), field) >= least) return;
  }
}

boost::json::value Cluster::GetJob(const std::string& job) const {
  return Call("EvaluationService/GetJob", R"({"name": ")" + job + R"("})");
}

std::string Cluster::Export(const std::string& job, const std::string& name) const {
  const std::string path = directory_ + "/" + name;
  const Finished finished = Candor({"export", job, "--out", path});
  if (finished.exit_code != 0) throw std::runtime_error("export: " + finished.err);
  return path;
}

std::vector<boost::json::value> Cluster::Ledger() const {
  return ParseJsonLines(RunCommand({"curl", "-sS", "--noproxy", "*",
                                    "http://" + simulator_http_ + "/_simulator/ledger"})
                            .out);
}

}  // namespace candor::integration
