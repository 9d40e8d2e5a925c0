// What an analysis comes to: tested statistics and their plan, warnings, the headline. Private to
// the room.
#pragma once

#include "candor/v1/analysis.pb.h"
#include "common/analysis/study.h"

#include <string>

namespace candor::analysis {

// Replies or scenarios lost beyond this share are worth a warning.
inline constexpr double kAttritionShare = 0.1;

// Fills `tests`: one for each agreement, contrast and the matrix; Holm's adjustment over those that
// the plan names. A planned one that is not there is left out with a line.
void FillTests(const Study& study, v1::Analysis* analysis);

// Adds what a reader must know of the figures: gaps between the correlations, what was lost, rows
// that were kept out.
void AddWarnings(v1::Analysis* analysis);

// The answer in one or two sentences: does the model know its weights, and did training help?
std::string HeadlineOf(const Study& study, const v1::Analysis& analysis);

// The agreement of a statistic in a model, null if it is not there; likewise a contrast.
const v1::Agreement* Find(const v1::ModelAnalysis& model, Statistic statistic);
const v1::Contrast* Find(const v1::ModelAnalysis& model, ContrastStatistic statistic);
v1::Agreement* Mutable(v1::ModelAnalysis* model, Statistic statistic);
v1::Contrast* Mutable(v1::ModelAnalysis* model, ContrastStatistic statistic);
v1::Contrast* Mutable(v1::PooledContrasts* pooled, ContrastStatistic statistic);

}  // namespace candor::analysis
