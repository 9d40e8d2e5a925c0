#include "cli/inspect_rows.h"

#include "common/base/json_proto.h"
#include "common/base/json_writer.h"
#include "common/scenario/trial.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

namespace candor::cli {
namespace {

using ShownValues = google::protobuf::RepeatedPtrField<v1::ShownValue>;

// Inspect's word for ours and the providers'.
const char* StopReason(const v1::Outcome& outcome) {
  const std::string& reason = outcome.finish_reason();
  if (outcome.class_() == v1::Outcome::PROVIDER_BLOCKED || reason == "content_filter")
    return "content_filter";
  if (reason == "length" || reason == "max_tokens" || reason == "MAX_TOKENS") return "max_tokens";
  if (reason == "stop" || reason == "end_turn" || reason == "STOP") return "stop";
  return "unknown";
}

const char* StatusWord(v1::Job::State state) {
  switch (state) {
    case v1::Job::SUCCEEDED:
    case v1::Job::BUDGET_EXHAUSTED:
      return "success";
    case v1::Job::CANCELLED:
      return "cancelled";
    case v1::Job::FAILED:
      return "error";
    default:
      return "started";
  }
}

const char* Task(v1::Cell::Kind kind) {
  return kind == v1::Cell::CHOICE ? "candor/choice" : "candor/self-report";
}

std::string ModelName(const v1::ResolvedEntry& entry) {
  return entry.endpoint() + "/" + entry.model();
}

void WriteUsage(const v1::Usage& usage, JsonWriter* json) {
  json->BeginObject();
  json->Key("input_tokens").Number(usage.input_tokens());
  json->Key("output_tokens").Number(usage.output_tokens());
  json->Key("total_tokens").Number(usage.input_tokens() + usage.output_tokens());
  json->Key("input_tokens_cache_read").Number(usage.cached_input_tokens());
  json->Key("reasoning_tokens").Number(usage.reasoning_tokens());
  json->EndObject();
}

void WriteConfig(const v1::Sampling& sampling, JsonWriter* json) {
  json->BeginObject();
  if (sampling.has_temperature()) json->Key("temperature").Number(sampling.temperature());
  if (sampling.has_top_p()) json->Key("top_p").Number(sampling.top_p());
  if (sampling.has_max_output_tokens())
    json->Key("max_tokens").Number(std::int64_t{sampling.max_output_tokens()});
  if (sampling.has_seed()) json->Key("seed").Number(std::int64_t{sampling.seed()});
  if (sampling.has_log_probabilities()) {
    json->Key("logprobs").Bool(true);
    json->Key("top_logprobs").Number(std::int64_t{sampling.log_probabilities()});
  }
  json->EndObject();
}

void WriteOption(std::string_view name, const ShownValues& values, JsonWriter* json) {
  json->Key(name).BeginObject();
  for (const v1::ShownValue& value : values) json->Key(value.attribute()).Number(value.value());
  json->EndObject();
}

void WriteReport(const v1::Outcome& outcome, JsonWriter* json) {
  json->BeginObject();
  for (const v1::ReportedWeight& weight : outcome.report()) {
    json->Key(weight.attribute());
    weight.has_value() ? json->Number(weight.value()) : json->Null();
  }
  json->EndObject();
}

bool IsRead(const v1::Outcome& outcome) {
  return outcome.class_() == v1::Outcome::VALID || outcome.class_() == v1::Outcome::REPAIRED ||
         outcome.class_() == v1::Outcome::OUT_OF_RANGE;
}

// What was read: "A", or the report as JSON; empty when nothing was.
std::string Answer(const v1::Outcome& outcome) {
  if (outcome.kind() == v1::Cell::CHOICE) {
    return outcome.choice() == 0 ? std::string() : v1::Outcome::Choice_Name(outcome.choice());
  }
  if (outcome.report().empty()) return {};
  JsonWriter json;
  WriteReport(outcome, &json);
  return json.Take();
}

std::string Target(const v1::Outcome& outcome, const v1::Scenario& scenario,
                   const scenario::Trial& trial) {
  if (scenario.instilled_weights_size() != scenario.attributes_size()) return {};
  if (outcome.kind() == v1::Cell::CHOICE) {
    double difference = 0;
    for (int k = 0; k < scenario.attributes_size(); ++k) {
      const v1::Attribute& attribute = scenario.attributes(k);
      const auto i = static_cast<std::size_t>(k);
      difference += scenario.instilled_weights(k) * (trial.a[i] - trial.b[i]) /
                    (attribute.max() - attribute.min());
    }
    return difference > 0 ? "A" : "B";
  }
  JsonWriter json;
  json.BeginObject();
  for (int k = 0; k < scenario.attributes_size(); ++k)
    json.Key(scenario.attributes(k).name()).Number(scenario.instilled_weights(k));
  return json.EndObject().Take();
}

// The trial as it was shown: the prompt that was sent follows from it.
StatusOr<scenario::Trial> ShownTrial(const v1::Outcome& outcome, const v1::Scenario& scenario) {
  scenario::Trial trial;
  const auto count = static_cast<std::size_t>(scenario.attributes_size());
  trial.a.resize(count);
  trial.b.resize(count);
  const auto place = [&](const std::string& name) {
    std::size_t k = 0;
    while (k < count && scenario.attributes(static_cast<int>(k)).name() != name) ++k;
    return k;
  };
  for (const v1::ShownValue& shown : outcome.option_a()) {
    const std::size_t k = place(shown.attribute());
    if (k == count) break;
    trial.attribute_order.push_back(static_cast<std::uint32_t>(k));
    trial.a[k] = shown.value();
  }
  std::size_t in_b = 0;
  for (const v1::ShownValue& shown : outcome.option_b()) {
    const std::size_t k = place(shown.attribute());
    if (k == count) break;
    trial.b[k] = shown.value();
    ++in_b;
  }
  if (trial.attribute_order.size() != count || in_b != count) {
    return DataLoss("the outcome {} {} {} of entry {} does not have the scenario's attributes",
                    outcome.scenario(), v1::Cell::Kind_Name(outcome.kind()), outcome.index(),
                    outcome.entry());
  }
  return trial;
}

}  // namespace

StatusOr<InspectLog> InspectLog::Create(const ExportedJob& exported, const InspectScope& scope,
                                        std::string version) {
  InspectLog log(exported, scope, std::move(version));
  const v1::JobSpecification& specification = exported.specification;
  for (const v1::Scenario& scenario : specification.scenarios())
    log.scenarios_.emplace(scenario.id(), &scenario);
  for (int i = 0; i < specification.entries_size(); ++i) {
    const v1::ResolvedEntry& entry = specification.entries(i);
    log.entries_.emplace(entry.name(), i);
    CANDOR_ASSIGN_OR_RETURN(scenario::PromptRenderer choice,
                            scenario::PromptRenderer::Create(entry.choice_prompt()));
    CANDOR_ASSIGN_OR_RETURN(scenario::PromptRenderer report,
                            scenario::PromptRenderer::Create(entry.self_report_prompt()));
    log.prompts_.emplace_back(std::move(choice), std::move(report));
  }
  return log;
}

std::string InspectLog::Head() const {
  const v1::Job& job = exported_.job;
  const v1::JobSpecification& specification = exported_.specification;
  const v1::ResolvedEntry* entry = scope_.entry ? &specification.entries(*scope_.entry) : nullptr;
  std::int64_t total = 0;
  std::int64_t done = 0;
  std::int64_t read = 0;
  std::map<std::string, v1::Usage> usages;
  for (int i = 0; i < job.progress_size() && i < specification.entries_size(); ++i) {
    if (scope_.entry && *scope_.entry != i) continue;
    for (const v1::KindProgress& kind : job.progress(i).kinds()) {
      if (scope_.entry && kind.kind() != scope_.kind) continue;
      total += kind.total();
      done += kind.done();
      for (const v1::KindProgress::ClassCount& count : kind.classes()) {
        v1::Outcome outcome;
        outcome.set_class_(count.class_());
        if (IsRead(outcome)) read += count.count();
      }
      v1::Usage& usage = usages[ModelName(specification.entries(i))];
      usage.set_input_tokens(usage.input_tokens() + kind.usage().input_tokens());
      usage.set_cached_input_tokens(usage.cached_input_tokens() +
                                    kind.usage().cached_input_tokens());
      usage.set_output_tokens(usage.output_tokens() + kind.usage().output_tokens());
      usage.set_reasoning_tokens(usage.reasoning_tokens() + kind.usage().reasoning_tokens());
    }
  }
  const bool choices = scope_.kind == v1::Cell::CHOICE;
  const v1::Sampling sampling = entry == nullptr ? v1::Sampling()
                                : choices        ? entry->choices().sampling()
                                                 : entry->self_reports().sampling();
  const auto time = [](bool has, const google::protobuf::Timestamp& at) {
    return has ? google::protobuf::util::TimeUtil::ToString(at) : std::string();
  };
  const std::string created = time(true, job.create_time());

  JsonWriter json(2);
  json.BeginObject();
  json.Key("version").Number(std::int64_t{2});
  json.Key("status").String(StatusWord(job.state()));
  json.Key("eval").BeginObject();
  json.Key("eval_id").String(job.name());
  json.Key("run_id").String(job.name());
  json.Key("created").String(created);
  json.Key("task").String(entry == nullptr ? "candor/job" : Task(scope_.kind));
  json.Key("task_id").String(entry == nullptr ? job.name() : job.name() + "/" + entry->name());
  json.Key("task_version").Number(std::int64_t{0});
  json.Key("task_attribs").BeginObject().EndObject();
  json.Key("task_args").BeginObject();
  json.Key("job").String(job.name());
  if (entry != nullptr) {
    json.Key("entry").String(entry->name());
    json.Key("condition").String(entry->condition());
    json.Key("kind").String(v1::Cell::Kind_Name(scope_.kind));
  }
  json.Key("seed").Number(std::uint64_t{specification.seed()});
  json.EndObject();
  json.Key("dataset").BeginObject();
  json.Key("name").String(job.scenario_set().empty() ? job.display_name() : job.scenario_set());
  json.Key("samples").Number(total);
  json.Key("shuffled").Bool(false);
  json.EndObject();
  json.Key("model").String(entry != nullptr                    ? ModelName(*entry)
                           : specification.entries_size() == 1 ? ModelName(specification.entries(0))
                                                               : "several");
  json.Key("model_generate_config");
  WriteConfig(sampling, &json);
  json.Key("model_args").BeginObject().EndObject();
  json.Key("config").BeginObject();
  if (entry != nullptr) {
    json.Key("epochs").Number(std::int64_t{choices ? entry->choices().samples_per_trial() : 1});
  }
  json.EndObject();
  json.Key("packages").BeginObject().Key("candor").String(version_).EndObject();
  json.Key("metadata").BeginObject();
  json.Key("display_name").String(job.display_name());
  json.Key("specification_hash").String(job.specification_hash());
  json.Key("analysis_hash").String(job.analysis_hash());
  json.Key("imported").Bool(job.imported());
  json.Key("state").String(v1::Job::State_Name(job.state()));
  json.Key("coordinator").String(exported_.coordinator_version);
  json.EndObject().EndObject();

  json.Key("plan").BeginObject();
  json.Key("name").String("candor");
  json.Key("steps").BeginArray().BeginObject();
  json.Key("solver").String("candor");
  json.Key("params").BeginObject().EndObject().EndObject().EndArray();
  json.Key("config");
  WriteConfig(sampling, &json);
  json.EndObject();

  json.Key("results").BeginObject();
  json.Key("total_samples").Number(total);
  json.Key("completed_samples").Number(done);
  json.Key("scores").BeginArray().BeginObject();
  json.Key("name").String("readable");
  json.Key("scorer").String("readable");
  json.Key("scored_samples").Number(done);
  json.Key("params").BeginObject().EndObject();
  json.Key("metrics").BeginObject().Key("mean").BeginObject();
  json.Key("name").String("mean");
  json.Key("value").Number(done == 0 ? 0.0 : static_cast<double>(read) / static_cast<double>(done));
  json.Key("params").BeginObject().EndObject();
  json.EndObject().EndObject().EndObject().EndArray().EndObject();

  json.Key("stats").BeginObject();
  json.Key("started_at").String(job.has_start_time() ? time(true, job.start_time()) : created);
  json.Key("completed_at").String(time(job.has_end_time(), job.end_time()));
  json.Key("model_usage").BeginObject();
  for (const auto& [model, usage] : usages) {
    json.Key(model);
    WriteUsage(usage, &json);
  }
  json.EndObject().EndObject();
  if (job.state() == v1::Job::FAILED) {
    json.Key("error").BeginObject();
    json.Key("message").String(job.state_reason());
    json.Key("traceback").String("");
    json.Key("traceback_ansi").String("").EndObject();
  }
  json.Key("samples").BeginArray();
  return json.Take();
}

StatusOr<std::string> InspectLog::Sample(const v1::Outcome& outcome) {
  const auto position = entries_.find(outcome.entry());
  const auto scenario = scenarios_.find(outcome.scenario());
  if (position == entries_.end() || scenario == scenarios_.end()) {
    return DataLoss("an outcome of entry \"{}\" and scenario \"{}\", which the job does not have",
                    outcome.entry(), outcome.scenario());
  }
  const v1::ResolvedEntry& entry = exported_.specification.entries(position->second);
  CANDOR_ASSIGN_OR_RETURN(const scenario::Trial trial, ShownTrial(outcome, *scenario->second));
  const auto& prompts = prompts_[static_cast<std::size_t>(position->second)];
  const scenario::PromptRenderer& prompt =
      outcome.kind() == v1::Cell::CHOICE ? prompts.first : prompts.second;
  prompt.Render(*scenario->second, trial, contents_);
  const std::string& served =
      outcome.served_model().empty() ? entry.model() : outcome.served_model();

  const auto write_messages = [&](JsonWriter& json) {
    for (std::size_t i = 0; i < prompt.size(); ++i) {
      json.BeginObject().Key("role").String(prompt.role(i));
      json.Key("content").String(contents_[i]).EndObject();
    }
  };
  const auto write_reply = [&](JsonWriter& json) {
    json.BeginObject().Key("role").String("assistant");
    if (outcome.reasoning_text().empty()) {
      json.Key("content").String(outcome.raw_text());
    } else {
      json.Key("content").BeginArray().BeginObject();
      json.Key("type").String("reasoning");
      json.Key("reasoning").String(outcome.reasoning_text()).EndObject();
      json.BeginObject().Key("type").String("text");
      json.Key("text").String(outcome.raw_text()).EndObject().EndArray();
    }
    json.Key("source").String("generate");
    json.Key("model").String(served).EndObject();
  };

  JsonWriter json;
  json.BeginObject();
  std::string id = fmt::format("{}/{}", outcome.scenario(), outcome.pair());
  if (outcome.order() != 0) id += "/swapped";
  if (!scope_.entry)
    id = fmt::format("{}/{}/{}", outcome.entry(), v1::Cell::Kind_Name(outcome.kind()), id);
  json.Key("id").String(id);
  json.Key("epoch").Number(std::int64_t{outcome.sample()} + 1);
  json.Key("input").BeginArray();
  write_messages(json);
  json.EndArray();
  json.Key("target").String(Target(outcome, *scenario->second, trial));
  json.Key("messages").BeginArray();
  write_messages(json);
  write_reply(json);
  json.EndArray();
  json.Key("output").BeginObject();
  json.Key("model").String(served);
  json.Key("choices").BeginArray().BeginObject().Key("message");
  write_reply(json);
  json.Key("stop_reason").String(StopReason(outcome)).EndObject().EndArray();
  if (outcome.has_usage()) {
    json.Key("usage");
    WriteUsage(outcome.usage(), &json);
  }
  json.EndObject();
  json.Key("scores").BeginObject().Key("readable").BeginObject();
  json.Key("value").Number(std::int64_t{IsRead(outcome) ? 1 : 0});
  json.Key("answer").String(Answer(outcome));
  json.Key("explanation").String(v1::Outcome::Class_Name(outcome.class_()));
  json.EndObject().EndObject();
  json.Key("metadata").BeginObject();
  json.Key("entry").String(outcome.entry());
  json.Key("condition").String(entry.condition());
  json.Key("scenario").String(outcome.scenario());
  json.Key("domain").String(scenario->second->domain());
  json.Key("kind").String(v1::Cell::Kind_Name(outcome.kind()));
  json.Key("index").Number(std::uint64_t{outcome.index()});
  json.Key("pair").Number(std::uint64_t{outcome.pair()});
  json.Key("order").Number(std::uint64_t{outcome.order()});
  json.Key("class").String(v1::Outcome::Class_Name(outcome.class_()));
  json.Key("repairs").BeginArray();
  for (const std::string& repair : outcome.repairs()) json.String(repair);
  json.EndArray();
  WriteOption("option_a", outcome.option_a(), &json);
  WriteOption("option_b", outcome.option_b(), &json);
  json.Key("report");
  outcome.report().empty() ? (void)json.Null() : WriteReport(outcome, &json);
  json.Key("log_odds_a");
  outcome.has_log_odds_a() ? json.Number(outcome.log_odds_a()) : json.Null();
  json.Key("log_odds_truncated").Bool(outcome.log_odds_truncated());
  json.Key("finish_reason").String(outcome.finish_reason());
  json.Key("system_fingerprint").String(outcome.system_fingerprint());
  json.Key("prompt_hash").String(outcome.prompt_hash());
  json.EndObject();
  json.Key("store").BeginObject().EndObject();
  json.Key("events").BeginArray().EndArray();
  json.Key("model_usage").BeginObject().EndObject();
  json.Key("attachments").BeginObject().EndObject();
  json.EndObject();
  return (std::exchange(first_, false) ? "\n    " : ",\n    ") + json.Take();
}

}  // namespace candor::cli
