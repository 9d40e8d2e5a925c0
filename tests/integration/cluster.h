// A real cluster on loopback ports: the simulator, a coordinator, workers, and the clients that
// users have.
//
//   Cluster cluster;
//   cluster.StartSimulator();
//   cluster.StartCoordinator();
//   cluster.StartWorker("w1");
//   std::string job = cluster.CreateJob(R"({"job": {...}})");
//   EXPECT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");
#pragma once

#include "tests/integration/process.h"

#include <boost/json/value.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::integration {

// JSON from text, or a failure of the test.
boost::json::value ParseJsonText(std::string_view text);
// One value a line.
std::vector<boost::json::value> ParseJsonLines(std::string_view text);

class Cluster {
 public:
  // What the endpoints of candor.yaml are: name -> lines of YAML below `- name: ...`, in which
  // {base_url} stands for the simulator's URL. The dialect is openai where they name no other. By
  // default one, "local", without limits.
  using Endpoints = std::map<std::string, std::string>;

  Cluster();

  const std::string& directory() const { return directory_; }
  void SetEndpoints(Endpoints endpoints) { endpoints_ = std::move(endpoints); }

  // `config` is YAML of proto/candor/v1/simulator.proto.
  void StartSimulator(const std::string& config = "");
  void StartCoordinator(const std::vector<std::string>& flags = {});
  void StartWorker(const std::string& name, const std::vector<std::string>& flags = {},
                   const std::map<std::string, std::string>& environment = {}, bool wait = true);

  Process& coordinator() { return *coordinator_; }
  Process& worker(const std::string& name) { return *workers_.at(name); }
  bool HasWorker(const std::string& name) const { return workers_.count(name) != 0; }
  void ForgetWorker(const std::string& name) { workers_.erase(name); }
  // SIGKILL, then a new one on the same ports and store.
  void KillAndRestartCoordinator();

  // "127.0.0.1:PORT".
  const std::string& grpc_address() const { return grpc_; }
  const std::string& http_address() const { return http_; }
  const std::string& simulator_address() const { return simulator_http_; }

  // grpcurl METHOD with a request; METHOD without "candor.v1.".
  Finished Grpcurl(const std::string& method, const std::string& request = "{}",
                   const std::vector<std::string>& flags = {}) const;
  // The same for calls that must succeed: the response.
  boost::json::value Call(const std::string& method, const std::string& request = "{}") const;
  // The client program `candor`.
  Finished Candor(const std::vector<std::string>& arguments, const std::string& input = {}) const;

  // The name of the job created from a CreateJobRequest.
  std::string CreateJob(const std::string& request) const;
  // Watches the job to its end and returns its state.
  std::string WaitForEnd(const std::string& job) const;
  // Watches until `done` of all kinds and entries together is at least so much, or the job has
  // ended.
  void WaitForDone(const std::string& job, std::int64_t done) const;
  // Watches until so many attempts of the job are UNKNOWN, or the job has ended.
  void WaitForUnknown(const std::string& job, std::int64_t attempts) const;
  boost::json::value GetJob(const std::string& job) const;

  // Exports into a new directory below directory() and returns its path.
  std::string Export(const std::string& job, const std::string& name = "export") const;
  // The simulator's ledger.
  std::vector<boost::json::value> Ledger() const;

 private:
  // Watches until the sum of a field over all entries and kinds is at least so much.
  void WaitForSum(const std::string& job, const char* field, std::int64_t least) const;
  void WriteConfig() const;

  std::string directory_;
  Endpoints endpoints_;
  std::string grpc_ = "127.0.0.1:0";
  std::string http_ = "127.0.0.1:0";
  std::string simulator_http_;
  std::vector<std::string> coordinator_flags_;
  std::unique_ptr<Process> simulator_;
  std::unique_ptr<Process> coordinator_;
  std::map<std::string, std::unique_ptr<Process>> workers_;
};

// A program under test, and a tool that ./check has installed (or the one on the path).
std::string Tool(const std::string& name);
std::string Bin(const std::string& program);

}  // namespace candor::integration
