// Analyses to render: every field of candor/v1/analysis.proto is set in one of them, from a fixed
// random stream. The numbers are of the right size and fit each other where the page draws them
// (slope and pairs); they are no one's results.
#pragma once

#include "candor/v1/analysis.pb.h"

namespace candor::report {

// Of the paper's files: two models, instilled and native scenarios, pooled contrasts, statistics
// left out, rows kept out.
v1::Analysis PaperAnalysis();

// Of a job with three entries, a plan, and privileged access. `scenarios` from 1.
v1::Analysis JobAnalysis(int scenarios);

// What a hostile model or user might write, in every text of a job's analysis.
v1::Analysis HostileAnalysis();

// As little as there can be: a version and nothing else.
v1::Analysis EmptyAnalysis();

}  // namespace candor::report
