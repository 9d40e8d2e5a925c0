// Rows of the paper's CSV files, with its columns, order and number formats. Pure.
//
//   model,scenario,selection,A_attribute_1..A_attribute_K,B_attribute_1..B_attribute_K
//   explaining_model,version,scenario,report_attr1..report_attrK,A_attribute_1..,B_attribute_1..
//   scenario,b_attr1..b_attrK
//
// Option values print as Python's floats ("7.0"), reports as the reply wrote them (20 or 20.5),
// weights as integers. Values stand in the scenario's own attribute order, whatever the order
// shown. Cells beyond a scenario's attributes are empty. Texts are quoted where they have to be,
// and nothing is put in front of them: other programs read these files, not spreadsheets.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "candor/v1/scenario.pb.h"
#include "common/base/status.h"

#include <span>
#include <string>
#include <string_view>

namespace candor::cli {

// Whether the reply became a choice, or a number for every attribute: only these are rows.
bool IsReadable(v1::Outcome::Class outcome_class);

// Headers and rows end in LF; K is `attributes`.
std::string SelectionsHeader(int attributes);
std::string WeightReportsHeader(int attributes);
std::string RegressionHeader(int attributes);

// The rows of readable outcomes. DATA_LOSS when the outcome has no value of an attribute.
StatusOr<std::string> SelectionsRow(std::string_view model, const v1::Outcome& outcome,
                                    const v1::Scenario& scenario, int attributes);
StatusOr<std::string> WeightReportsRow(std::string_view model, std::string_view version,
                                       const v1::Outcome& outcome, const v1::Scenario& scenario,
                                       int attributes);
// `weights` are normalised; they are rounded half to even.
std::string RegressionRow(std::string_view scenario, std::span<const double> weights,
                          int attributes);

// The differences of the options, (A_k - B_k) / (max_k - min_k), in the scenario's attribute order.
// DATA_LOSS likewise.
StatusOr<std::vector<double>> Differences(const v1::Outcome& outcome, const v1::Scenario& scenario);

}  // namespace candor::cli
