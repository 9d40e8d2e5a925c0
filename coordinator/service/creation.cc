#include "coordinator/service/creation.h"

#include "common/base/config.h"
#include "common/base/nearest.h"
#include "common/dialect/check.h"
#include "common/scenario/analysis_plan.h"
#include "common/scenario/resolve.h"
#include "coordinator/service/scenario_sets.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::service {
namespace {

constexpr std::size_t kMaxRequestIdBytes = 128;
constexpr std::string_view kImportedEndpoint = "imported";

// What the caller may set of a job: output-only fields are dropped, so that equal requests stay
// equal.
v1::Job SpecifiedPart(v1::Job job) {
  job.clear_name();
  job.clear_state();
  job.clear_state_reason();
  job.clear_specification_hash();
  job.clear_progress();
  job.clear_create_time();
  job.clear_start_time();
  job.clear_end_time();
  job.clear_analysis_hash();
  job.clear_imported();
  job.clear_import_hash();
  if (job.scenario_set().empty() && !job.has_inline_scenarios()) {
    job.set_scenario_set(std::string(kBuiltinScenarioSet));
  }
  return job;
}

void CheckEndpoints(const v1::Job& job, const v1::Config& config, FieldViolations& violations) {
  std::vector<std::string> known;
  for (const v1::Endpoint& endpoint : config.endpoints()) known.push_back(endpoint.name());
  for (int i = 0; i < job.models_size(); ++i) {
    const std::string& name = job.models(i).endpoint();
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    violations.push_back(
        {fmt::format("job.models[{}].endpoint", i),
         known.empty()
             ? fmt::format(
                   "\"{}\" is no endpoint: the coordinator's configuration has none; start it with "
                   "--config and a file that has `endpoints`",
                   name)
             : fmt::format(
                   "\"{}\" is no endpoint of the coordinator's configuration, which has {}{}", name,
                   fmt::join(known, ", "), DidYouMean(name, known))});
  }
}

// Who asks for batches gets batches, or is told why not. AUTO takes what there is.
void CheckBatches(const v1::Job& job, const v1::JobSpecification& specification,
                  const v1::Config& config, FieldViolations& violations) {
  if (job.mode() != v1::Job::BATCH) return;
  for (int i = 0; i < specification.entries_size(); ++i) {
    const v1::ResolvedEntry& entry = specification.entries(i);
    const v1::Endpoint* endpoint = FindEndpoint(config, entry.endpoint());
    if (endpoint != nullptr && !HasBatches(endpoint->dialect())) {
      violations.push_back(
          {"job.mode", fmt::format("is BATCH, but the dialect of endpoint \"{}\" (entry \"{}\"), "
                                   "{}, has no batches; openai, openai-responses and anthropic "
                                   "have them. AUTO asks such entries one by one",
                                   entry.endpoint(), entry.name(), endpoint->dialect())});
    }
    if (entry.choices().design() == v1::Choices::ADAPTIVE &&
        entry.choices().trials_per_scenario() > 0) {
      violations.push_back(
          {"job.mode", fmt::format("is BATCH, but the design of entry \"{}\" is ADAPTIVE, where "
                                   "each choice waits for the one before; give design RANDOM, or "
                                   "mode AUTO, which asks such choices one by one",
                                   entry.name())});
    }
  }
}

}  // namespace

StatusOr<Creation> PrepareCreation(const v1::Job& job, const std::string& request_id,
                                   Endpoints endpoints, EngineHost& host, std::string job_name,
                                   FieldViolations& violations) {
  Creation creation{.request_id = request_id,
                    .job = std::make_shared<v1::Job>(SpecifiedPart(job)),
                    .specification = std::make_shared<v1::JobSpecification>()};
  if (request_id.size() > kMaxRequestIdBytes) {
    violations.push_back({"request_id", fmt::format("has {} bytes; at most {} are allowed",
                                                    request_id.size(), kMaxRequestIdBytes)});
  }
  v1::ScenarioSet set;
  if (!creation.job->has_inline_scenarios()) {
    auto found = LoadScenarioSet(host.store(), creation.job->scenario_set());
    if (absl::IsNotFound(found.status())) {
      violations.push_back({"job.scenario_set", Message(found.status())});
      return creation;
    }
    if (!found.ok()) return found.status();
    set = *std::move(found);
  }
  if (endpoints == Endpoints::kAny) {
    for (v1::Entry& entry : *creation.job->mutable_models())
      if (entry.endpoint().empty()) entry.set_endpoint(std::string(kImportedEndpoint));
  }
  creation.job->set_name(std::move(job_name));
  FieldViolations in_job =
      scenario::ResolveJob(*creation.job, set.scenarios(), creation.specification.get());
  violations.insert(violations.end(), in_job.begin(), in_job.end());
  if (endpoints == Endpoints::kConfigured) {
    const v1::Config& config = host.options().engine.config;
    CheckEndpoints(*creation.job, config, violations);
    // A specification that could not be resolved is not there to be looked at.
    if (in_job.empty()) {
      dialect::CheckJob(*creation.job, *creation.specification, config, &violations);
      CheckBatches(*creation.job, *creation.specification, config, violations);
    }
  }
  creation.job->set_specification_hash(scenario::SpecificationHash(*creation.job));
  if (creation.job->has_analysis()) {
    creation.job->set_analysis_hash(scenario::AnalysisPlanHash(creation.job->analysis()));
  }
  return creation;
}

Status OtherRequest(const std::string& request_id, const std::string& job_name) {
  return AlreadyExists(
      "request_id \"{}\" created {} from another job; send the same job again, or use a new "
      "request_id",
      request_id, job_name);
}

}  // namespace candor::service
