#include "common/analysis/analyze.h"

#include "common/analysis/agreement_message.h"
#include "common/analysis/pairing.h"
#include "common/analysis/privileged_access_message.h"
#include "common/analysis/scenario_fits.h"
#include "common/analysis/verdict.h"
#include "common/statistics/agreement.h"
#include "common/statistics/contrast.h"
#include "common/statistics/correlation.h"
#include "common/statistics/multiple_testing.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace candor::analysis {
namespace {

constexpr int kMaxResamples = 1'000'000;
constexpr double kSignificantZ = 1.96;

Status CheckOptions(const Options& options) {
  // Written so that NaN fails, too.
  if (!(options.tau >= 1e-3 && options.tau <= 100))
    return InvalidArgument("tau is {}; give a number from 0.001 to 100", options.tau);
  if (!(options.wide_tau >= 1e-3 && options.wide_tau <= 100))
    return InvalidArgument("wide_tau is {}; give a number from 0.001 to 100", options.wide_tau);
  if (options.resamples < 0 || options.resamples > kMaxResamples) {
    return InvalidArgument("resamples is {}; give a number from 0 to {}", options.resamples,
                           kMaxResamples);
  }
  if (options.permutations < 0 || options.permutations > kMaxResamples) {
    return InvalidArgument("permutations is {}; give a number from 0 to {}", options.permutations,
                           kMaxResamples);
  }
  if (options.folds < 2 || options.folds > 1'000)
    return InvalidArgument("folds is {}; give a number from 2 to 1000", options.folds);
  return absl::OkStatus();
}

// Runs the tasks on two threads; each writes its own result, so their order changes nothing.
template <typename Task>
void RunAll(std::size_t n, const Task& task) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < n; i = next++) task(i);
  };
  std::thread helper;
  if (n > 1) helper = std::thread(work);
  work();
  if (helper.joinable()) helper.join();
}

class Analyzer {
 public:
  Analyzer(const Study& study, const Options& options)
      : study_(study),
        options_(options),
        tau_(study.plan.has_tau() ? study.plan.tau() : options.tau) {}

  StatusOr<v1::Analysis> Run() {
    if (!(tau_ >= 1e-3 && tau_ <= 100))
      return InvalidArgument("the plan's tau is {}; give a number from 0.001 to 100", tau_);
    FillFront();
    CANDOR_RETURN_IF_ERROR(Fit());
    FillScenarios();
    MeasureComparisons();
    MeasureContrasts();
    FillTests(study_, &analysis_);
    AddWarnings(&analysis_);
    analysis_.set_headline(HeadlineOf(study_, analysis_));
    return std::move(analysis_);
  }

 private:
  void FillFront() {
    analysis_.set_schema_version(1);
    v1::AnalysisSettings* settings = analysis_.mutable_settings();
    settings->set_tau(tau_);
    settings->set_resamples(options_.resamples);
    settings->set_permutations(options_.permutations);
    settings->set_seed(options_.seed);
    settings->set_folds(options_.folds);
    analysis_.mutable_sources()->Add(study_.sources.begin(), study_.sources.end());
    analysis_.mutable_jobs()->Add(study_.jobs.begin(), study_.jobs.end());
    if (study_.has_plan) {
      *analysis_.mutable_plan() = study_.plan;
      analysis_.set_plan_hash(study_.plan_hash);
    }
    analysis_.mutable_left_out()->Add(study_.left_out.begin(), study_.left_out.end());
    analysis_.mutable_warnings()->Add(study_.warnings.begin(), study_.warnings.end());
    analysis_.mutable_excluded_rows()->Add(study_.excluded_rows.begin(),
                                           study_.excluded_rows.end());
    analysis_.set_excluded_row_count(study_.excluded_row_count);
    analysis_.mutable_examples()->Add(study_.examples.begin(), study_.examples.end());
    for (const auto& [model, replies] : study_.replies)
      (*analysis_.mutable_models())[model].mutable_replies()->Add(replies.begin(), replies.end());
  }

  void LeaveOut(std::string statistic, std::string reason) {
    v1::LeftOut* left_out = analysis_.add_left_out();
    left_out->set_statistic(std::move(statistic));
    left_out->set_reason(std::move(reason));
  }

  Status Fit() {
    fits_.resize(study_.choosers.size());
    std::vector<Status> statuses(study_.choosers.size());
    RunAll(study_.choosers.size(), [&](std::size_t c) {
      StatusOr<std::vector<FittedScenario>> fits =
          FitChooser(study_, study_.choosers[c], tau_, options_);
      if (!fits.ok()) {
        statuses[c] = fits.status();
        return;
      }
      fits_[c].fits = *std::move(fits);
      for (std::size_t i = 0; i < fits_[c].fits.size(); ++i)
        fits_[c].at.emplace(fits_[c].fits[i].scenario, i);
    });
    for (const Status& status : statuses) CANDOR_RETURN_IF_ERROR(status);
    return absl::OkStatus();
  }

  // Everything about a model's choices. Its choosers stand one after the other.
  void FillScenarios() {
    std::map<std::string, std::vector<std::size_t>> choosers;
    for (std::size_t c = 0; c < study_.choosers.size(); ++c)
      choosers[study_.choosers[c].model].push_back(c);
    for (const auto& [name, own] : choosers) {
      v1::ModelAnalysis& model = (*analysis_.mutable_models())[name];
      std::vector<statistics::FitQuality> qualities;
      statistics::PValues biases;
      std::int64_t biased = 0;
      for (const std::size_t c : own) {
        for (const FittedScenario& fitted : fits_[c].fits) {
          const double z = fitted.fit.position_bias_z;
          biases.emplace_back(NormalP(z));
          if (std::abs(z) > kSignificantZ) ++biased;
          if (fitted.quality) qualities.push_back(*fitted.quality);
        }
      }
      if (!biases.empty()) {
        model.set_position_bias_share(static_cast<double>(biased) /
                                      static_cast<double>(biases.size()));
      }
      if (!qualities.empty())
        *model.mutable_fit() = QualityMessage(statistics::PoolFitQuality(qualities));
      if (options_.scenarios) FillFits(own, statistics::BenjaminiHochberg(biases), &model);
    }
  }

  void FillFits(const std::vector<std::size_t>& choosers, const statistics::PValues& q,
                v1::ModelAnalysis* model) {
    std::size_t next = 0;
    for (const std::size_t c : choosers) {
      std::map<std::size_t, const std::vector<double>*> published;
      for (const PublishedWeights& weights : study_.choosers[c].published)
        published.emplace(weights.scenario, &weights.weights);
      for (const FittedScenario& fitted : fits_[c].fits) {
        const auto found = published.find(fitted.scenario);
        v1::ScenarioFit* fit = model->add_scenarios();
        *fit = ScenarioMessage(study_.scenarios[fitted.scenario], fitted,
                               found == published.end() ? nullptr : found->second,
                               study_.choosers[c].name);
        if (q[next]) fit->set_position_bias_q(*q[next]);
        ++next;
      }
    }
  }

  // What a noiseless chooser reaches on a chooser's trials: r of its estimated with its true
  // weights.
  std::optional<double> CeilingOf(std::size_t chooser) const {
    std::vector<double> estimated;
    std::vector<double> truth;
    for (const FittedScenario& fitted : fits_[chooser].fits) {
      if (fitted.ceiling.size() == 0) continue;
      const std::vector<double>& instilled = study_.scenarios[fitted.scenario].instilled;
      estimated.insert(estimated.end(), fitted.ceiling.begin(), fitted.ceiling.end());
      truth.insert(truth.end(), instilled.begin(), instilled.end());
    }
    return statistics::Pearson(estimated, truth);
  }

  v1::Agreement Measure(const Comparison& comparison) const {
    const ChooserFits& fits = fits_[comparison.chooser];
    const Paired paired = Pair(study_, comparison, fits, WeightsFrom::kHeadline);
    v1::Agreement agreement = AgreementMessage(
        study_, comparison, paired, {options_.resamples, options_.permutations, options_.seed},
        options_.scenarios);
    const auto line = [&](WeightsFrom from) {
      const Paired other = Pair(study_, comparison, fits, from);
      return LineMessage(statistics::MeasureLine(
          statistics::Treat(other.comparison, TreatmentOf(comparison.out_of_range))));
    };
    if (!fits.fits.empty()) {
      if (!study_.choosers[comparison.chooser].published.empty())
        *agreement.mutable_refit() = line(WeightsFrom::kFits);
      *agreement.mutable_wide_prior() = line(WeightsFrom::kWidePrior);
    }
    if (const std::optional<double> ceiling = CeilingOf(comparison.chooser))
      agreement.mutable_reliability()->set_ceiling(*ceiling);
    if (comparison.statistic == Statistic::kLearnedVsInstilled)
      CountChoices(study_.choosers[comparison.chooser], comparison, &agreement);
    return agreement;
  }

  // The replies of learned_vs_instilled are the choices.
  static void CountChoices(const Chooser& chooser, const Comparison& comparison,
                           v1::Agreement* agreement) {
    std::int64_t valid = 0;
    std::int64_t total = 0;
    for (const ScenarioChoices& choices : chooser.choices) {
      if (choices.native || std::binary_search(comparison.excluded.begin(),
                                               comparison.excluded.end(), choices.scenario))
        continue;
      valid += std::ssize(choices.y);
      total += choices.asked;
    }
    agreement->set_replies_valid(valid);
    agreement->set_replies_total(total);
    agreement->mutable_attrition()->mutable_classes()->Add(comparison.classes.begin(),
                                                           comparison.classes.end());
    agreement->mutable_attrition()->clear_complete_cases();
    agreement->mutable_attrition()->clear_worst_case_slope();
  }

  // The matrix goes along: it is the longest of the tasks where there are many entries.
  void MeasureComparisons() {
    std::vector<v1::Agreement> agreements(study_.comparisons.size());
    v1::Analysis matrix;
    RunAll(agreements.size() + 1, [&](std::size_t i) {
      if (i == 0) {
        FillPrivilegedAccess(study_, fits_, {options_.resamples, options_.seed}, &matrix);
      } else {
        agreements[i - 1] = Measure(study_.comparisons[i - 1]);
      }
    });
    analysis_.MergeFrom(matrix);
    for (std::size_t i = 0; i < agreements.size(); ++i) {
      const Comparison& comparison = study_.comparisons[i];
      if (!agreements[i].has_slope()) {
        LeaveOut(fmt::format("models.{}.{}.slope", comparison.model, Name(comparison.statistic)),
                 "there are fewer than 2 pairs of weight and report, or all of them are the same");
      }
      *Mutable(&(*analysis_.mutable_models())[comparison.model], comparison.statistic) =
          std::move(agreements[i]);
    }
  }

  // What a condition of a contrast is called: the entry of a job, the statistic of the paper.
  std::string ConditionName(std::size_t comparison) const {
    const Comparison& its = study_.comparisons[comparison];
    return its.statistic == Statistic::kSelfReports ? its.model : Name(its.statistic);
  }

  // One contrast over some bases, each a ContrastOf; nothing when a line is missing.
  std::optional<v1::Contrast> Contrast(const std::vector<const ContrastOf*>& bases) const {
    std::deque<Paired> paired;
    std::vector<Paired*> all;
    std::vector<statistics::ConditionPair> conditions;
    for (const ContrastOf* base : bases) {
      for (const std::size_t at : {base->trained, base->untrained}) {
        const Comparison& comparison = study_.comparisons[at];
        paired.push_back(
            Pair(study_, comparison, fits_[comparison.chooser], WeightsFrom::kHeadline));
        paired.back().comparison =
            statistics::Treat(paired.back().comparison, TreatmentOf(comparison.out_of_range));
        all.push_back(&paired.back());
      }
    }
    Align(all);
    for (std::size_t i = 0; i < all.size(); i += 2)
      conditions.push_back({&all[i]->comparison, &all[i + 1]->comparison});
    const statistics::BootstrapOptions bootstrap{options_.resamples, options_.seed};
    const auto result = statistics::MeasureContrast(conditions, bootstrap);
    if (!result) return std::nullopt;
    v1::Contrast message = ContrastMessage(*result, bootstrap);
    message.set_trained(ConditionName(bases.front()->trained));
    message.set_untrained(ConditionName(bases.front()->untrained));
    std::int64_t valid = 0;
    std::int64_t total = 0;
    for (const ContrastOf* base : bases) {
      message.add_models(base->model);
      for (const std::size_t at : {base->trained, base->untrained}) {
        const Comparison& comparison = study_.comparisons[at];
        const v1::Agreement* agreement =
            Find(analysis_.models().at(comparison.model), comparison.statistic);
        valid += agreement->replies_valid();
        total += agreement->replies_total();
      }
    }
    message.set_replies_valid(valid);
    message.set_replies_total(total);
    return message;
  }

  // Entries of a job that are merely compared with the first one have nothing in common to pool,
  // unless the plan says so.
  bool PlansToPool() const {
    const auto& primary = study_.plan.primary();
    return !study_.plan.contrasts().empty() ||
           std::find(primary.begin(), primary.end(), "pooled.contrast_self_reports") !=
               primary.end();
  }

  void MeasureContrasts() {
    std::vector<std::optional<v1::Contrast>> contrasts(study_.contrasts.size());
    RunAll(contrasts.size(),
           [&](std::size_t i) { contrasts[i] = Contrast({&study_.contrasts[i]}); });
    std::map<ContrastStatistic, std::vector<const ContrastOf*>> bases;
    for (std::size_t i = 0; i < contrasts.size(); ++i) {
      const ContrastOf& contrast = study_.contrasts[i];
      const std::string place =
          fmt::format("models.{}.{}", contrast.model, Name(contrast.statistic));
      v1::ModelAnalysis& model = (*analysis_.mutable_models())[contrast.model];
      if (!contrasts[i]) {
        LeaveOut(place, "one of the two lines could not be fitted");
        continue;
      }
      if (Find(model, contrast.statistic) != nullptr) {
        LeaveOut(fmt::format("{} ({} against {})", place, contrasts[i]->trained(),
                             contrasts[i]->untrained()),
                 "the place holds another contrast of the same entry; analyse one at a time");
        continue;
      }
      *Mutable(&model, contrast.statistic) = *std::move(contrasts[i]);
      bases[contrast.statistic].push_back(&contrast);
    }
    for (const auto& [statistic, over] : bases) {
      if (over.size() < 2) continue;
      if (statistic == ContrastStatistic::kSelfReports && !PlansToPool()) continue;
      std::optional<v1::Contrast> pooled = Contrast(over);
      if (!pooled) continue;
      if (statistic == ContrastStatistic::kSelfReports) {
        pooled->set_trained("trained");
        pooled->set_untrained("untrained");
      }
      *Mutable(analysis_.mutable_pooled(), statistic) = *std::move(pooled);
    }
  }

  const Study& study_;
  const Options& options_;
  double tau_;
  std::vector<ChooserFits> fits_;
  v1::Analysis analysis_;
};

}  // namespace

StatusOr<Options> OptionsFrom(const v1::AnalysisSettings& settings) {
  Options options;
  if (settings.has_tau()) options.tau = settings.tau();
  if (settings.has_resamples()) options.resamples = settings.resamples();
  if (settings.has_permutations()) options.permutations = settings.permutations();
  if (settings.has_seed()) options.seed = settings.seed();
  if (settings.has_folds()) options.folds = settings.folds();
  CANDOR_RETURN_IF_ERROR(CheckOptions(options));
  return options;
}

StatusOr<v1::Analysis> Analyze(const Study& study, const Options& options) {
  CANDOR_RETURN_IF_ERROR(CheckOptions(options));
  return Analyzer(study, options).Run();
}

}  // namespace candor::analysis
