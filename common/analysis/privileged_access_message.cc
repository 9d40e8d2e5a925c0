#include "common/analysis/privileged_access_message.h"

#include "common/analysis/agreement_message.h"
#include "common/statistics/privileged_access.h"

#include <map>
#include <string>
#include <utility>

namespace candor::analysis {
namespace {

// The mean of the readable reports, [K]; empty without one.
std::vector<double> MeanReport(const ScenarioReports& reports, std::size_t attributes) {
  std::vector<double> mean;
  const std::size_t n = reports.values.size() / attributes;
  if (n == 0) return mean;
  mean.assign(attributes, 0);
  for (std::size_t i = 0; i < reports.values.size(); ++i)
    mean[i % attributes] += reports.values[i] / static_cast<double>(n);
  return mean;
}

class Matrix {
 public:
  Matrix(const Study& study, const std::vector<ChooserFits>& fits) : study_(study) {
    for (const Participant& participant : study.participants) AddParticipant(participant, fits);
    for (statistics::KnownModel& model : models_) {
      // Scenarios that came up later.
      if (!model.weights.empty()) model.weights.resize(places_.size());
      if (!model.reports.empty()) model.reports.resize(places_.size());
      choosers_ += model.weights.empty() ? 0 : 1;
      reporters_ += model.reports.empty() ? 0 : 1;
    }
  }

  bool Enough() const { return choosers_ >= 2 && reporters_ >= 1; }

  v1::PrivilegedAccess Measure(const statistics::BootstrapOptions& options) const {
    std::vector<int> own;
    for (const Participant& participant : study_.participants)
      own.push_back(static_cast<int>(participant.own));
    const statistics::PrivilegedAccess measured =
        statistics::MeasurePrivilegedAccess(models_, own, options);
    v1::PrivilegedAccess message;
    for (std::size_t i = 0; i < models_.size(); ++i) {
      if (!models_[i].weights.empty()) message.add_choosers(NameOf(i));
      if (!models_[i].reports.empty()) message.add_reporters(NameOf(i));
    }
    for (const statistics::ModelPair& pair : measured.pairs) {
      v1::PrivilegedAccess::Pair* item = message.add_pairs();
      item->set_chooser(NameOf(pair.chooser));
      item->set_reporter(NameOf(pair.reporter));
      item->set_r(pair.r);
      item->set_slope(pair.slope);
      if (pair.r_interval) *item->mutable_r_interval() = IntervalMessage(*pair.r_interval);
      item->set_n_scenarios(static_cast<std::int32_t>(pair.n_scenarios));
    }
    for (const statistics::OwnMinusOther& difference : measured.differences) {
      v1::PrivilegedAccess::Difference* item = message.add_differences();
      Fill(difference, item);
      item->set_reporter(NameOf(difference.reporter));
      if (difference.other) item->set_other(NameOf(*difference.other));
    }
    if (measured.overall) Fill(*measured.overall, message.mutable_overall());
    return message;
  }

 private:
  const std::string& NameOf(std::size_t i) const { return study_.participants[i].name; }

  static void Fill(const statistics::OwnMinusOther& from, v1::PrivilegedAccess::Difference* to) {
    to->set_difference(from.difference);
    if (from.interval) *to->mutable_interval() = IntervalMessage(*from.interval);
    if (from.p) to->set_p(*from.p);
    to->set_n_scenarios(static_cast<std::int32_t>(from.n_scenarios));
  }

  void Put(std::size_t scenario, std::vector<double> values,
           std::vector<std::vector<double>>* list) {
    const std::size_t place = places_.try_emplace(scenario, places_.size()).first->second;
    if (list->size() <= place) list->resize(place + 1);
    (*list)[place] = std::move(values);
  }

  void AddParticipant(const Participant& participant, const std::vector<ChooserFits>& fits) {
    statistics::KnownModel& model = models_.emplace_back();
    if (participant.chooser >= 0) {
      const auto c = static_cast<std::size_t>(participant.chooser);
      for (auto& [scenario, weights] :
           WeightsOf(study_.choosers[c], fits[c], WeightsFrom::kHeadline))
        Put(scenario, weights, &model.weights);
    }
    if (participant.report_set < 0) return;
    for (const ScenarioReports& reports :
         study_.report_sets[static_cast<std::size_t>(participant.report_set)].reports) {
      std::vector<double> mean =
          MeanReport(reports, study_.scenarios[reports.scenario].attributes.size());
      if (!mean.empty()) Put(reports.scenario, std::move(mean), &model.reports);
    }
  }

  const Study& study_;
  std::map<std::size_t, std::size_t> places_;
  std::vector<statistics::KnownModel> models_;
  int choosers_ = 0;
  int reporters_ = 0;
};

}  // namespace

void FillPrivilegedAccess(const Study& study, const std::vector<ChooserFits>& fits,
                          const statistics::BootstrapOptions& options, v1::Analysis* analysis) {
  const Matrix matrix(study, fits);
  if (matrix.Enough()) {
    *analysis->mutable_privileged_access() = matrix.Measure(options);
    return;
  }
  if (study.participants.size() < 2) return;
  v1::LeftOut* left_out = analysis->add_left_out();
  left_out->set_statistic("privileged_access");
  left_out->set_reason(
      "it takes at least two with estimated weights and one with readable self-reports");
}

}  // namespace candor::analysis
