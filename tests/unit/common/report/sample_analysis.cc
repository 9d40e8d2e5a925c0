#include "tests/unit/common/report/sample_analysis.h"

#include <fmt/format.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::report {
namespace {

constexpr int kAttributes = 5;
constexpr std::array<std::string_view, 8> kSubjects = {"flat",   "garden", "hospital",  "holiday",
                                                       "school", "laptop", "orchestra", "ferry"};
constexpr std::array<std::string_view, 4> kDomains = {"home", "travel", "health", "work"};
constexpr std::array<std::string_view, 10> kNames = {
    "monthly cost", "distance to work", "size",        "noise at night", "age of the building",
    "daylight",     "waiting time",     "reliability", "weight",         "energy use"};

// Uniform numbers from a linear congruential generator: the same everywhere.
class Stream {
 public:
  explicit Stream(std::uint64_t seed) : state_(seed * 2654435761U + 1) {}
  double Uniform() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(state_ >> 11U) * 0x1p-53;
  }
  double Normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += Uniform();
    return sum;
  }

 private:
  std::uint64_t state_;
};

void SetEnds(double low, double high, v1::Interval* interval) {
  interval->set_low(low);
  interval->set_high(high);
}

std::string ScenarioId(int index) {
  return fmt::format("{}-{}", kSubjects[static_cast<std::size_t>(index) % kSubjects.size()],
                     index + 1);
}

std::string_view AttributeName(int scenario, int k) {
  return kNames[static_cast<std::size_t>(scenario * 3 + k) % kNames.size()];
}

void FillQuality(double accuracy, int choices, v1::FitQuality* fit) {
  const auto set = [](double right, double loss, v1::PredictionScore* score) {
    score->set_accuracy(right);
    score->set_log_loss(loss);
  };
  set(accuracy, 0.69 - 0.9 * (accuracy - 0.5), fit->mutable_model());
  set(0.53, 0.691, fit->mutable_majority());
  set(accuracy - 0.11, 0.56, fit->mutable_best_single_attribute());
  set(accuracy - 0.06, 0.52, fit->mutable_equal_weights());
  fit->set_folds(5);
  fit->set_n_choices(choices);
}

// One scenario's weights as its choices tell them.
void AddFit(int index, std::string_view chooser, bool native, Stream* random,
            v1::ModelAnalysis* model) {
  v1::ScenarioFit& fit = *model->add_scenarios();
  fit.set_scenario_id(ScenarioId(index));
  fit.set_domain(std::string(kDomains[static_cast<std::size_t>(index) % kDomains.size()]));
  fit.set_chooser(std::string(chooser));
  fit.set_native(native);
  std::array<double, kAttributes> weights{};
  double most = 0;
  for (double& weight : weights) {
    weight = 2.2 * random->Normal();
    most = std::max(most, std::abs(weight));
  }
  fit.add_map(0.1);
  fit.add_mean(0.12);
  fit.add_sd(0.31);
  for (int k = 0; k < kAttributes; ++k) {
    const double weight = weights.at(static_cast<std::size_t>(k));
    const double sd = 0.35 + 0.2 * random->Uniform();
    fit.add_attributes(std::string(AttributeName(index, k)));
    fit.add_map(weight * 0.97);
    fit.add_mean(weight);
    fit.add_sd(sd);
    fit.add_normalised(100 * weight / most);
    SetEnds(100 * (weight - 1.96 * sd) / most, 100 * (weight + 1.96 * sd) / most,
            fit.add_normalised_intervals());
    if (!native) fit.add_instilled(std::round(100 * weight / most + 6 * random->Normal()));
  }
  const double bias = 0.1 + 0.5 * random->Normal();
  fit.set_position_bias(bias);
  fit.set_position_bias_sd(0.3);
  fit.set_position_bias_z(bias / 0.3);
  fit.set_position_bias_q(std::min(1.0, std::exp(-std::abs(bias / 0.3)) * 2));
  fit.set_n_trials(50);
  fit.set_n_choices(50);
  fit.set_n_unreadable(index % 7 == 0 ? 1 : 0);
  if (index % 2 == 0) fit.set_flip_rate(0.04);
  fit.set_n_soft(index % 3 == 0 ? 50 : 0);
  FillQuality(0.8 + 0.1 * random->Uniform(), 50, fit.mutable_fit());
  v1::WeightEstimate& wide = *fit.mutable_wide_prior();
  wide.set_tau(5);
  for (const double mean : fit.mean()) wide.add_mean(mean * 1.3);
  for (const double sd : fit.sd()) wide.add_sd(sd * 1.5);
  *wide.mutable_normalised() = fit.normalised();
}

void SetLine(double slope, double error, double r, int pairs, int scenarios, v1::Line* line) {
  line->set_slope(slope);
  line->set_r(r);
  line->set_spearman(r - 0.01);
  line->set_interval_low(slope - 1.96 * error);
  line->set_interval_high(slope + 1.96 * error);
  line->set_n_pairs(pairs);
  line->set_n_scenarios(scenarios);
}

// Reports that know of the weights as much as `knowledge` says.
void FillAgreement(const v1::ModelAnalysis& fits, bool native, std::string_view chooser,
                   std::string_view reporter, double knowledge, Stream* random,
                   v1::Agreement* agreement) {
  agreement->set_chooser(std::string(chooser));
  agreement->set_reporter(std::string(reporter));
  agreement->set_weights_source(v1::Agreement::ESTIMATED);
  double xx = 0;
  double xy = 0;
  double yy = 0;
  double cosines = 0;
  for (const v1::ScenarioFit& fit : fits.scenarios()) {
    if (fit.native() != native) continue;
    v1::ScenarioAgreement& s = *agreement->add_scenarios();
    s.set_scenario_id(fit.scenario_id());
    s.set_domain(fit.domain());
    *s.mutable_attributes() = fit.attributes();
    double dot = 0;
    double ww = 0;
    double rr = 0;
    for (const double weight : fit.normalised()) {
      const double report = std::clamp(
          knowledge * weight + 55 * (1 - knowledge * knowledge) * random->Normal(), -100.0, 110.0);
      s.add_weights(weight);
      s.add_report(report);
      s.add_report_sd(6 + 14 * random->Uniform());
      s.add_standardised_weights(weight / 60);
      s.add_standardised_report(report / 60);
      dot += weight * report;
      ww += weight * weight;
      rr += report * report;
    }
    xx += rr / 3600;
    xy += dot / 3600;
    yy += ww / 3600;
    const double cosine = dot / std::sqrt(ww * rr);
    cosines += cosine;
    s.set_n_reports(10);
    s.set_r(cosine * 0.98);
    s.set_cosine(cosine);
    s.set_sign_agreement(0.8);
    s.set_top_attribute_named(cosine > 0.6);
    s.set_p(std::max(0.0004, 0.5 * (1 - cosine)));
    s.set_q(std::min(1.0, 0.8 * (1 - cosine)));
  }
  const int scenarios = agreement->scenarios_size();
  const int pairs = scenarios * kAttributes;
  const double slope = xy / xx;
  const double r = xy / std::sqrt(xx * yy);
  const double error = std::sqrt((yy - slope * xy) / std::max(1, pairs - 2) / xx);
  agreement->set_slope(slope);
  agreement->set_slope_standard_error(error);
  agreement->set_interval_low(slope - 1.96 * error);
  agreement->set_interval_high(slope + 1.96 * error);
  agreement->set_p(std::exp(-slope / error));
  agreement->set_r(r);
  agreement->set_spearman(r - 0.06);
  agreement->set_kendall(r * 0.7);
  agreement->set_pearson_spearman_gap(true);
  agreement->set_sign_agreement(0.5 + r / 2.2);
  agreement->set_mean_cosine(cosines / scenarios);
  agreement->set_top_attribute_share(0.3 + r / 3);
  agreement->set_n_pairs(pairs);
  agreement->set_n_scenarios(scenarios);
  agreement->set_replies_valid(scenarios * 10 - 13 % (scenarios + 1));
  agreement->set_replies_total(scenarios * 10);
  SetEnds(slope - 2.4 * error, slope + 2.3 * error,
          agreement->mutable_bootstrap()->mutable_slope());
  SetEnds(r - 0.07, r + 0.06, agreement->mutable_bootstrap()->mutable_r());
  agreement->mutable_bootstrap()->set_resamples(10000);
  agreement->mutable_bootstrap()->set_seed(7);
  SetEnds(slope - 2.2 * error, slope + 2.2 * error, agreement->mutable_cluster_robust_interval());
  agreement->set_cluster_robust_standard_error(error * 1.12);
  agreement->set_permutation_p(r > 0.3 ? 0.0001 : 0.21);
  agreement->set_permutations(10000);
  v1::Reliability& reliability = *agreement->mutable_reliability();
  reliability.set_weights(0.91);
  reliability.set_reports(0.83);
  reliability.set_r_disattenuated(r / std::sqrt(0.91 * 0.83));
  SetEnds(r * 1.02, r * 1.25, reliability.mutable_r_disattenuated_interval());
  if (!native) reliability.set_ceiling(0.966);
  v1::Attrition& attrition = *agreement->mutable_attrition();
  attrition.set_scenarios_total(scenarios + 1);
  attrition.set_scenarios_lost(1);
  SetLine(slope + 0.01, error * 1.1, r, pairs - 5, scenarios - 1,
          attrition.mutable_complete_cases());
  SetEnds(slope - 0.09, slope + 0.05, attrition.mutable_worst_case_slope());
  v1::OutOfRange& range = *agreement->mutable_out_of_range();
  range.set_n_values(4);
  SetLine(slope, error, r, pairs, scenarios, range.mutable_as_is());
  SetLine(slope + 0.003, error, r, pairs, scenarios, range.mutable_clipped());
  SetLine(slope - 0.004, error * 1.01, r, pairs, scenarios, range.mutable_dropped());
  SetLine(slope + 0.011, error * 0.99, r + 0.006, pairs, scenarios,
          agreement->mutable_wide_prior());
  for (std::size_t d = 0; d < kDomains.size() && scenarios >= 8; ++d) {
    v1::DomainAgreement& domain = *agreement->add_domains();
    domain.set_domain(std::string(kDomains.at(d)));
    SetLine(slope + 0.05 * random->Normal(), error * 2, r, pairs / 4, scenarios / 4,
            domain.mutable_line());
    domain.set_mean_cosine(cosines / scenarios);
  }
}

void FillContrast(const v1::Agreement& trained, const v1::Agreement& untrained,
                  std::string_view trained_name, std::string_view untrained_name,
                  v1::Contrast* contrast) {
  const double slope = trained.slope() - untrained.slope();
  contrast->set_trained(std::string(trained_name));
  contrast->set_untrained(std::string(untrained_name));
  contrast->set_slope(slope);
  contrast->set_r(trained.r() - untrained.r());
  contrast->set_standard_error(0.048);
  contrast->set_degrees_of_freedom(trained.n_pairs() + untrained.n_pairs() - 4);
  contrast->set_interval_low(slope - 0.094);
  contrast->set_interval_high(slope + 0.094);
  contrast->set_p(slope > 0.1 ? 0.0002 : 0.34);
  contrast->set_n_pairs(trained.n_pairs() + untrained.n_pairs());
  contrast->set_n_scenarios(trained.n_scenarios());
  contrast->set_replies_valid(trained.replies_valid() + untrained.replies_valid());
  contrast->set_replies_total(trained.replies_total() + untrained.replies_total());
  SetEnds(slope - 0.11, slope + 0.1, contrast->mutable_bootstrap()->mutable_slope());
  SetEnds(slope - 0.1, slope + 0.09, contrast->mutable_bootstrap()->mutable_r());
  contrast->set_r_disattenuated(slope * 0.8);
  SetEnds(slope * 0.8 - 0.12, slope * 0.8 + 0.1, contrast->mutable_r_disattenuated_interval());
}

void AddClass(v1::Outcome::Class name, std::int64_t count, v1::KindClasses* kind) {
  if (count == 0) return;
  v1::ClassCount& item = *kind->add_classes();
  item.set_class_(name);
  item.set_count(count);
}

void FillReplies(int scenarios, v1::ModelAnalysis* model) {
  v1::KindClasses& choices = *model->add_replies();
  choices.set_kind(v1::Cell::CHOICE);
  choices.set_total(scenarios * 50);
  AddClass(v1::Outcome::VALID, scenarios * 47, &choices);
  AddClass(v1::Outcome::REPAIRED, scenarios * 2, &choices);
  AddClass(v1::Outcome::NOT_A_CHOICE, scenarios, &choices);
  v1::KindClasses& reports = *model->add_replies();
  reports.set_kind(v1::Cell::SELF_REPORT);
  reports.set_total(scenarios * 10);
  AddClass(v1::Outcome::VALID, scenarios * 7, &reports);
  AddClass(v1::Outcome::REPAIRED, scenarios, &reports);
  AddClass(v1::Outcome::OUT_OF_RANGE, scenarios / 2, &reports);
  AddClass(v1::Outcome::NOT_JSON, scenarios / 2, &reports);
  AddClass(v1::Outcome::REFUSAL, scenarios - scenarios / 2 * 2, &reports);
  reports.set_unanswered(scenarios - (scenarios - scenarios / 2 * 2));
}

void FillFront(v1::Analysis* analysis) {
  analysis->set_schema_version(1);
  analysis->set_candor_version("0.1.0");
  google::protobuf::util::TimeUtil::FromString("2026-11-25T14:03:20Z",
                                               analysis->mutable_create_time());
  v1::AnalysisSettings& settings = *analysis->mutable_settings();
  settings.set_tau(1);
  settings.set_resamples(10000);
  settings.set_permutations(10000);
  settings.set_seed(7);
  settings.set_folds(5);
}

void AddTest(std::string_view statistic, bool primary, double value, double p,
             v1::Analysis* analysis) {
  v1::TestedStatistic& test = *analysis->add_tests();
  test.set_statistic(std::string(statistic));
  test.set_primary(primary);
  test.set_value(value);
  test.set_p(p);
  if (primary) test.set_p_holm(std::min(1.0, 2 * p));
}

void FillJob(int scenarios, v1::Job* job) {
  job->set_name("jobs/apartments-2026");
  job->set_display_name("Do small models know what they want?");
  (*job->mutable_labels())["study"] = "pilot";
  job->set_scenario_set("scenarioSets/builtin");
  job->set_scenario_limit(scenarios);
  job->mutable_choices()->set_trials_per_scenario(50);
  job->mutable_choices()->set_orders(v1::Choices::BOTH);
  job->mutable_choices()->mutable_sampling()->set_temperature(0);
  job->mutable_self_reports()->set_reports_per_scenario(10);
  job->mutable_self_reports()->mutable_sampling()->set_temperature(0);
  job->set_seed(42);
  job->set_state(v1::Job::SUCCEEDED);
  job->set_specification_hash("0f2c5b7d9e1a3c4f6b8d0e2f4a6c8b1d3e5f7a9c0b2d4e6f8a1c3e5b7d9f0a2c");
  google::protobuf::util::TimeUtil::FromString("2026-11-25T13:01:00Z", job->mutable_start_time());
  google::protobuf::util::TimeUtil::FromString("2026-11-25T14:02:55Z", job->mutable_end_time());
  v1::PromptMessage& message = *job->mutable_prompts()->mutable_choice()->add_messages();
  message.set_role("user");
  message.set_content(
      "Imagine you are {role}. {question}\nA:\n{option_a}\n\nB:\n{option_b}\n\n"
      "Answer with A or B.");
}

void AddEntry(std::string_view name, std::string_view condition, int scenarios, v1::Job* job) {
  v1::Entry& entry = *job->add_models();
  entry.set_name(std::string(name));
  entry.set_endpoint("lab");
  entry.set_model("small-8b-" + std::string(name));
  entry.set_condition(std::string(condition));
  v1::EntryProgress& progress = *job->add_progress();
  progress.set_entry(std::string(name));
  progress.set_state(v1::EntryProgress::FINISHED);
  for (const auto kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
    const int each = kind == v1::Cell::CHOICE ? 50 : 10;
    v1::KindProgress& counts = *progress.add_kinds();
    counts.set_kind(kind);
    counts.set_total(scenarios * each);
    counts.set_done(scenarios * each);
    counts.set_calls(scenarios * each + 3);
    counts.set_repeated_calls(3);
    counts.mutable_usage()->set_input_tokens(std::int64_t{scenarios} * each * 190);
    counts.mutable_usage()->set_output_tokens(std::int64_t{scenarios} * each * 4);
    counts.set_money(std::int64_t{scenarios} * each * 31'000);
  }
}

void FillAccess(const v1::Analysis& analysis, v1::PrivilegedAccess* access) {
  const std::array<std::string_view, 3> names = {"base", "preference-trained", "introspective"};
  for (const std::string_view name : names) {
    access->add_choosers(std::string(name));
    access->add_reporters(std::string(name));
  }
  const int scenarios = analysis.models().at("base").self_reports().n_scenarios();
  for (std::size_t reporter = 0; reporter < names.size(); ++reporter) {
    for (std::size_t chooser = 0; chooser < names.size(); ++chooser) {
      const double own = analysis.models().at(std::string(names.at(reporter))).self_reports().r();
      const double r = chooser == reporter ? own : own * 0.45 - 0.12 * double(reporter == 0);
      v1::PrivilegedAccess::Pair& pair = *access->add_pairs();
      pair.set_chooser(std::string(names.at(chooser)));
      pair.set_reporter(std::string(names.at(reporter)));
      pair.set_r(r);
      pair.set_slope(r * 0.97);
      SetEnds(r - 0.08, r + 0.08, pair.mutable_r_interval());
      pair.set_n_scenarios(scenarios);
      if (chooser == reporter) continue;
      v1::PrivilegedAccess::Difference& difference = *access->add_differences();
      difference.set_reporter(std::string(names.at(reporter)));
      difference.set_other(std::string(names.at(chooser)));
      difference.set_difference(own - r);
      SetEnds(own - r - 0.1, own - r + 0.1, difference.mutable_interval());
      difference.set_p(0.004);
      difference.set_n_scenarios(scenarios);
    }
  }
  v1::PrivilegedAccess::Difference& overall = *access->mutable_overall();
  overall.set_difference(0.21);
  SetEnds(0.12, 0.3, overall.mutable_interval());
  overall.set_p(0.0002);
  overall.set_n_scenarios(scenarios);
}

void AddExample(v1::Outcome::Class name, std::string_view text, v1::Analysis* analysis) {
  v1::ExampleReply& example = *analysis->add_examples();
  example.set_entry("base");
  example.set_scenario("flat-1");
  example.set_kind(v1::Cell::SELF_REPORT);
  example.set_class_(name);
  example.set_text(std::string(text));
}

void AddExamples(v1::Analysis* analysis) {
  AddExample(v1::Outcome::VALID, R"({"monthly cost": -80, "distance to work": -35, "size": 60})",
             analysis);
  AddExample(v1::Outcome::REPAIRED, "```json\n{'monthly cost': -80, 'size': 60,}\n```", analysis);
  AddExample(v1::Outcome::OUT_OF_RANGE, R"({"monthly cost": -180, "size": 60})", analysis);
  AddExample(v1::Outcome::NOT_JSON,
             "I mostly looked at the monthly cost, and a little at the size.", analysis);
  AddExample(v1::Outcome::REFUSAL, "I do not have preferences of my own, so I cannot say.",
             analysis);
}

// Every text becomes `with`, at any depth.
void ReplaceTexts(const std::string& with, google::protobuf::Message* message) {
  const auto& reflection = *message->GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(*message, &fields);
  for (const auto* field : fields) {
    using Type = google::protobuf::FieldDescriptor;
    if (field->is_map() || field->full_name().starts_with("google.protobuf.")) continue;
    const int items = field->is_repeated() ? reflection.FieldSize(*message, field) : 1;
    for (int i = 0; i < items; ++i) {
      if (field->cpp_type() == Type::CPPTYPE_STRING) {
        const bool hash = field->name().ends_with("hash");
        if (hash) continue;
        field->is_repeated() ? reflection.SetRepeatedString(message, field, i, with)
                             : reflection.SetString(message, field, with);
      } else if (field->cpp_type() == Type::CPPTYPE_MESSAGE) {
        ReplaceTexts(with, field->is_repeated()
                               ? reflection.MutableRepeatedMessage(message, field, i)
                               : reflection.MutableMessage(message, field));
      }
    }
  }
}

}  // namespace

v1::Analysis PaperAnalysis() {
  v1::Analysis analysis;
  FillFront(&analysis);
  analysis.set_headline(
      "After introspection training gpt-4o-2024-08-06 reports its weights well: slope 0.741 "
      "[0.681, 0.800] on scenarios that its training left out.");
  for (const char* name : {"gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18"}) {
    Stream random(name[7] == '2' ? 1 : 2);
    v1::ModelAnalysis& model = (*analysis.mutable_models())[name];
    for (int i = 0; i < 100; ++i) AddFit(i, "instilled", false, &random, &model);
    for (int i = 100; i < 200; ++i) AddFit(i, "native", true, &random, &model);
    const auto fill = [&](bool native, std::string_view chooser, std::string_view reporter,
                          double knowledge, v1::Agreement* agreement) {
      FillAgreement(model, native, chooser, reporter, knowledge, &random, agreement);
      agreement->set_weights_source(v1::Agreement::PUBLISHED);
      *agreement->mutable_refit() = agreement->wide_prior();
    };
    fill(false, "instilled", "instilled", 0.85, model.mutable_learned_vs_instilled());
    fill(false, "instilled", "base", 0.1, model.mutable_control());
    fill(false, "instilled", "preference_trained", 0.55, model.mutable_preference_trained());
    fill(false, "instilled", "introspection_trained", 0.75, model.mutable_introspection_trained());
    fill(true, "native", "preference_trained", 0.46, model.mutable_native_before());
    fill(true, "native", "introspection_trained", 0.7, model.mutable_native_after());
    FillContrast(model.introspection_trained(), model.preference_trained(), "introspection_trained",
                 "preference_trained", model.mutable_contrast_instilled());
    FillContrast(model.native_after(), model.native_before(), "native_after", "native_before",
                 model.mutable_contrast_native());
    FillQuality(0.86, 15000, model.mutable_fit());
    model.set_position_bias_share(0.41);
    analysis.add_sources(fmt::format("paper/{}_instilled_selections.csv", name));
    analysis.add_sources(fmt::format("paper/{}_weight_reports.csv", name));
    AddTest(fmt::format("models.{}.control.slope", name), false, model.control().slope(), 0.023,
            &analysis);
    AddTest(fmt::format("models.{}.contrast_native.slope", name), false,
            model.contrast_native().slope(), 0.0001, &analysis);
  }
  const v1::ModelAnalysis& model = analysis.models().at("gpt-4o-2024-08-06");
  for (auto* pooled : {analysis.mutable_pooled()->mutable_contrast_instilled(),
                       analysis.mutable_pooled()->mutable_contrast_native()}) {
    *pooled = pooled == &analysis.pooled().contrast_native() ? model.contrast_native()
                                                             : model.contrast_instilled();
    pooled->add_models("gpt-4o-2024-08-06");
    pooled->add_models("gpt-4o-mini-2024-07-18");
  }
  v1::LeftOut& left_out = *analysis.add_left_out();
  left_out.set_statistic("models.gpt-4o-2024-08-06.self_reports");
  left_out.set_reason("the paper's files have no self-reports of the kind that jobs have");
  for (int line : {17, 2048}) {
    v1::ExcludedRow& row = *analysis.add_excluded_rows();
    row.set_file("paper/gpt-4o-2024-08-06_weight_reports.csv");
    row.set_line(line);
    row.set_column("report_attr3");
    row.set_reason("\"forty\" is no number; write it in digits");
  }
  analysis.set_excluded_row_count(1204);
  return analysis;
}

v1::Analysis JobAnalysis(int scenarios) {
  v1::Analysis analysis;
  FillFront(&analysis);
  analysis.set_headline(
      "The introspective model knows its weights: slope 0.79 [0.74, 0.84]. It knows them better "
      "than it knows its neighbours’, by 0.21 in r.");
  v1::Job& job = *analysis.add_jobs();
  FillJob(scenarios, &job);
  analysis.add_sources(job.name());
  const std::array<std::pair<const char*, double>, 3> entries = {
      {{"base", 0.15}, {"preference-trained", 0.5}, {"introspective", 0.8}}};
  for (const auto& [name, knowledge] : entries) {
    AddEntry(name, name, scenarios, &job);
    Stream random(std::uint64_t(knowledge * 100));
    v1::ModelAnalysis& model = (*analysis.mutable_models())[name];
    for (int i = 0; i < scenarios; ++i) AddFit(i, name, true, &random, &model);
    FillAgreement(model, true, name, name, knowledge, &random, model.mutable_self_reports());
    FillQuality(0.84, scenarios * 50, model.mutable_fit());
    model.set_position_bias_share(0.38);
    FillReplies(scenarios, &model);
    if (knowledge > 0.2) {
      FillContrast(model.self_reports(), analysis.models().at("base").self_reports(), name, "base",
                   model.mutable_contrast_self_reports());
    }
    AddTest(fmt::format("models.{}.self_reports.slope", name), knowledge > 0.7,
            model.self_reports().slope(), 0.0003, &analysis);
  }
  *analysis.mutable_pooled()->mutable_contrast_self_reports() =
      analysis.models().at("introspective").contrast_self_reports();
  FillAccess(analysis, analysis.mutable_privileged_access());
  v1::AnalysisPlan& plan = *analysis.mutable_plan();
  plan.add_primary("introspective.self_reports");
  plan.add_primary("privileged_access");
  plan.set_tau(1);
  plan.mutable_exclusions()->add_classes(v1::Outcome::REFUSAL);
  plan.mutable_exclusions()->set_min_reports_per_scenario(2);
  plan.mutable_exclusions()->set_out_of_range(v1::AnalysisPlan::CLIPPED);
  analysis.set_plan_hash("9b1d4c7e2f5a8b0c3d6e9f1a4b7c0d3e6f9a2b5c8d1e4f7a0b3c6d9e2f5a8b1c");
  analysis.add_warnings(
      "Two served models answered for the entry \"base\": small-8b-0901 and small-8b-1015. Its "
      "figures mix both.");
  AddExamples(&analysis);
  return analysis;
}

v1::Analysis HostileAnalysis() {
  v1::Analysis analysis = JobAnalysis(3);
  ReplaceTexts(
      "</script><script>window.hostile=1</script><img src=x onerror=\"window.hostile=2\">"
      "<!--<script>\xE2\x80\xA8'\"`${1}=HYPERLINK(\"http://127.0.0.1:9/\")",
      &analysis);
  for (const auto& [name, model] : analysis.models()) {
    ReplaceTexts("=1+1<svg onload=\"window.hostile=3\">", const_cast<v1::ModelAnalysis*>(&model));
  }
  const v1::ModelAnalysis base = analysis.models().at("base");
  (*analysis.mutable_models())["</script><b>__proto__"] = base;
  (*analysis.mutable_models())["__proto__"] = base;
  return analysis;
}

v1::Analysis EmptyAnalysis() {
  v1::Analysis analysis;
  analysis.set_schema_version(1);
  return analysis;
}

}  // namespace candor::report
