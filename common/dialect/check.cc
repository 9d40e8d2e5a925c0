#include "common/dialect/check.h"

#include "common/base/config.h"
#include "common/dialect/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace candor::dialect {
namespace {

// One entry and kind.
class PartChecker {
 public:
  PartChecker(const Dialect& dialect, const v1::ModelRule& rule, std::string model,
              const v1::Sampling& sampling, std::string path, FieldViolations* violations)
      : dialect_(dialect),
        can_(dialect.capabilities()),
        rule_(rule),
        model_(std::move(model)),
        sampling_(sampling),
        path_(std::move(path)),
        violations_(violations) {}

  void Check(bool choices) {
    CheckOutputLimit();
    if (choices && sampling_.has_log_probabilities()) CheckLogProbabilities();
    if (sampling_.has_temperature() && sampling_.temperature() > can_.max_temperature) {
      Add("temperature", "is {}; {} takes 0 to {}; give one of these, or leave it out",
          sampling_.temperature(), dialect_.name(), can_.max_temperature);
    }
    if (sampling_.has_seed() && !can_.seed) {
      Add("seed", "is {}; {} has no sampling seed; leave it out", sampling_.seed(),
          dialect_.name());
    }
    if (sampling_.has_reasoning_effort() && !can_.reasoning_effort) {
      Add("reasoning_effort", "is \"{}\"; {} has no such thing; leave it out",
          sampling_.reasoning_effort(), dialect_.name());
    }
    const bool schema = !choices && sampling_.response_schema() == v1::Sampling::SCHEMA;
    if (schema && rule_.has_response_schema() && !rule_.response_schema()) {
      Add("response_schema",
          "is SCHEMA; {} cannot be held to a schema (its rule in candor.yaml says response_schema: "
          "false); give NONE",
          model_);
    }
  }

 private:
  template <typename... Args>
  void Add(std::string_view field, fmt::format_string<Args...> format, Args&&... args) {
    violations_->push_back({fmt::format("{}.sampling.{}", path_, field),
                            fmt::format(format, std::forward<Args>(args)...)});
  }

  void CheckOutputLimit() {
    const int least = MinOutputTokens(dialect_, rule_);
    if (!sampling_.has_max_output_tokens()) {
      if (can_.needs_output_limit) {
        Add("max_output_tokens", "is missing; {} requires an output limit; give {} or more",
            dialect_.name(), least);
      }
      return;
    }
    if (sampling_.max_output_tokens() >= least) return;
    std::string reason;
    if (rule_.min_output_tokens() > 0) {
      reason = fmt::format(
          "{} takes no less than {} (min_output_tokens of its rule in candor.yaml)", model_, least);
    } else if (rule_.reasoning()) {
      reason = fmt::format(
          "{} thinks before it answers (its rule in candor.yaml says so), and what it thinks "
          "counts "
          "against the limit: below {} it may say nothing",
          model_, least);
    } else {
      reason = fmt::format("{} takes no less than {}", dialect_.name(), least);
    }
    Add("max_output_tokens", "is {}; {}; give {} or more", sampling_.max_output_tokens(), reason,
        least);
  }

  void CheckLogProbabilities() {
    const int wanted = sampling_.log_probabilities();
    if (can_.max_log_probabilities == 0) {
      Add("log_probabilities", "is {}; {} has no log-probabilities; leave it out", wanted,
          dialect_.name());
    } else if (rule_.has_log_probabilities() && !rule_.log_probabilities()) {
      Add("log_probabilities",
          "is {}; {} has no log-probabilities (its rule in candor.yaml says log_probabilities: "
          "false); leave it out",
          wanted, model_);
    } else if (wanted > can_.max_log_probabilities) {
      Add("log_probabilities", "is {}; {} gives at most {}", wanted, dialect_.name(),
          can_.max_log_probabilities);
    }
  }

  const Dialect& dialect_;
  const Capabilities& can_;
  const v1::ModelRule& rule_;
  const std::string model_;
  const v1::Sampling& sampling_;
  const std::string path_;
  FieldViolations* violations_;
};

// Renders the first cell, if there is one, and reports what the dialect refuses to say.
void RenderFirst(const JobRenderer& renderer, int entry_index, v1::Cell::Kind kind,
                 const Dialect& dialect, const v1::ModelRule& rule, const std::string& path,
                 FieldViolations* violations) {
  v1::Cell cell;
  cell.set_entry_index(entry_index);
  cell.set_kind(kind);
  RenderedCell rendered;
  const Status status = renderer.Render(cell, nullptr, dialect, rule, &rendered);
  if (!status.ok()) violations->push_back({path + ".sampling", std::string(Message(status))});
}

}  // namespace

int MinOutputTokens(const Dialect& dialect, const v1::ModelRule& rule) {
  int least = rule.reasoning() ? kLeastReasoningTokens : 1;
  if (rule.min_output_tokens() > 0) least = rule.min_output_tokens();
  return std::max(least, dialect.capabilities().min_output_tokens);
}

void CheckJob(const v1::Job& job, const v1::JobSpecification& specification,
              const v1::Config& config, FieldViolations* violations) {
  // Made for the first entry that needs it: it copies the specification.
  std::shared_ptr<const JobRenderer> renderer;
  for (int i = 0; i < specification.entries_size() && i < job.models_size(); ++i) {
    const v1::ResolvedEntry& entry = specification.entries(i);
    const v1::Endpoint* endpoint = FindEndpoint(config, entry.endpoint());
    if (endpoint == nullptr) continue;
    const auto dialect = FindDialect(endpoint->dialect());
    if (!dialect.ok()) continue;
    const v1::ModelRule& rule = FindModelRule(*endpoint, entry.model());
    const std::string model = fmt::format("model \"{}\"", entry.model());
    for (const v1::Cell::Kind kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
      const bool choices = kind == v1::Cell::CHOICE;
      const bool asked = choices ? entry.choices().trials_per_scenario() > 0
                                 : entry.self_reports().reports_per_scenario() > 0;
      if (!asked || entry.scenario_indexes().empty()) continue;
      const bool own = choices ? job.models(i).has_choices() : job.models(i).has_self_reports();
      const std::string path = fmt::format("job{}.{}", own ? fmt::format(".models[{}]", i) : "",
                                           choices ? "choices" : "self_reports");
      const std::size_t before = violations->size();
      PartChecker(**dialect, rule, model,
                  choices ? entry.choices().sampling() : entry.self_reports().sampling(), path,
                  violations)
          .Check(choices);
      if (violations->size() > before) continue;
      if (renderer == nullptr) {
        auto made = JobRenderer::Create(specification);
        // What is wrong with the specification is not this function's to say.
        if (!made.ok()) return;
        renderer = *std::move(made);
      }
      RenderFirst(*renderer, i, kind, **dialect, rule, path, violations);
    }
  }
}

}  // namespace candor::dialect
