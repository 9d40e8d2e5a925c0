#include "common/report/tables.h"
#include "common/report/walk.h"

namespace candor::report {
namespace {

template <typename List>
void Cell(const List& list, int at, TableFile* table) {
  if (at < list.size()) {
    table->Number(list.Get(at));
  } else {
    table->Empty();
  }
}

}  // namespace

TableFile WeightsTable(const v1::Analysis& analysis) {
  TableFile table("weights.csv",
                  {"model", "chooser", "scenario", "attribute", "map", "mean", "sd", "normalised",
                   "normalised_low", "normalised_high", "published", "instilled", "wide_prior_mean",
                   "wide_prior_sd", "wide_prior_normalised"});
  for (const auto& [name, model] : Models(analysis)) {
    for (const v1::ScenarioFit& fit : model->scenarios()) {
      // Row -1 is the centred intercept, which mode, mean and sd have in front.
      for (int k = -1; k < fit.attributes_size(); ++k) {
        table.Row().Text(name).Text(fit.chooser()).Text(fit.scenario_id());
        table.Text(k < 0 ? "(intercept)" : std::string_view(fit.attributes(k)));
        Cell(fit.map(), k + 1, &table);
        Cell(fit.mean(), k + 1, &table);
        Cell(fit.sd(), k + 1, &table);
        if (k < 0) {
          table.Empty(5);
        } else {
          Cell(fit.normalised(), k, &table);
          if (k < fit.normalised_intervals_size()) {
            table.Ends(fit.normalised_intervals(k));
          } else {
            table.Empty(2);
          }
          Cell(fit.published(), k, &table);
          Cell(fit.instilled(), k, &table);
        }
        Cell(fit.wide_prior().mean(), k + 1, &table);
        Cell(fit.wide_prior().sd(), k + 1, &table);
        if (k < 0) {
          table.Empty();
        } else {
          Cell(fit.wide_prior().normalised(), k, &table);
        }
      }
    }
  }
  return table;
}

TableFile ScenariosTable(const v1::Analysis& analysis) {
  TableFile table("scenarios.csv", {"model",
                                    "chooser",
                                    "scenario",
                                    "domain",
                                    "native",
                                    "n_trials",
                                    "n_choices",
                                    "n_unreadable",
                                    "n_soft",
                                    "flip_rate",
                                    "position_bias",
                                    "position_bias_sd",
                                    "position_bias_z",
                                    "position_bias_q",
                                    "accuracy",
                                    "log_loss",
                                    "majority_accuracy",
                                    "majority_log_loss",
                                    "best_single_attribute_accuracy",
                                    "best_single_attribute_log_loss",
                                    "equal_weights_accuracy",
                                    "equal_weights_log_loss"});
  for (const auto& [name, model] : Models(analysis)) {
    for (const v1::ScenarioFit& fit : model->scenarios()) {
      table.Row()
          .Text(name)
          .Text(fit.chooser())
          .Text(fit.scenario_id())
          .Text(fit.domain())
          .Bool(fit.native(), fit.has_native())
          .Count(fit.n_trials(), fit.has_n_trials())
          .Count(fit.n_choices(), fit.has_n_choices())
          .Count(fit.n_unreadable(), fit.has_n_unreadable())
          .Count(fit.n_soft(), fit.has_n_soft())
          .Number(fit.flip_rate(), fit.has_flip_rate())
          .Number(fit.position_bias(), fit.has_position_bias())
          .Number(fit.position_bias_sd(), fit.has_position_bias_sd())
          .Number(fit.position_bias_z(), fit.has_position_bias_z())
          .Number(fit.position_bias_q(), fit.has_position_bias_q());
      const v1::FitQuality& quality = fit.fit();
      for (const v1::PredictionScore* score :
           {&quality.model(), &quality.majority(), &quality.best_single_attribute(),
            &quality.equal_weights()}) {
        table.Number(score->accuracy(), score->has_accuracy())
            .Number(score->log_loss(), score->has_log_loss());
      }
    }
  }
  return table;
}

}  // namespace candor::report
