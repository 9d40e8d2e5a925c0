// What an analysis looks like: a page, tables, lines in a terminal. Everything that a reader sees
// of a v1::Analysis is made here, whoever made the analysis: the coordinator's GetReport, `candor
// report` and `candor analyze` write the same files.
//
//   for (const report::File& file : report::ReportFiles(analysis)) {
//     CANDOR_RETURN_IF_ERROR(WriteFileAtomically(out + "/" + file.name, file.content));
//   }
//   for (const std::string& line : report::RenderTerminal(analysis)) std::puts(line.c_str());
//
// A field that the analysis lacks is an empty cell in CSV, left out in JSON, and a dash for people:
// no reader meets a NaN. All of it is pure, and may be called by any number of threads.
#pragma once

#include "candor/v1/analysis.pb.h"

#include <string>
#include <vector>

namespace candor::report {

// One file of a report, to be written as it is.
struct File {
  // "report.html", "weights.csv", ...: a plain name without a folder.
  std::string name;
  // Its bytes.
  std::string content;
};

// The page: one HTML file that loads nothing, with the analysis in it as data. What models and
// users wrote can never become markup or script: every `<` within the data is escaped, the page
// sets text and never HTML, and its content security policy allows no script but its own.
std::string RenderHtml(const v1::Analysis& analysis);

// The analysis as JSON, indented by two, with the field names of candor/v1/analysis.proto.
std::string RenderJson(const v1::Analysis& analysis);

// The tables, each with a header row; lines end in LF, numbers are the shortest that read back, and
// texts that a spreadsheet would take for a formula get a leading apostrophe. A table without rows
// is left out.
//
//   agreement.csv          one row a statistic: slope, r, intervals, counts
//   agreement_lines.csv    the same lines under other choices: refits, tau = 5, out of range, ...
//   agreement_scenarios.csv  one row a (statistic, scenario)
//   pairs.csv              one row a (statistic, scenario, attribute): weight and report
//   domains.csv            one row a (statistic, subject area)
//   weights.csv            one row a (model, scenario, attribute): mode, mean, sd, normalised
//   scenarios.csv          one row a (model, scenario): position bias, flips, fit
//   contrasts.csv          one row a contrast
//   privileged_access.csv  one row a (chooser, reporter)
//   privileged_access_differences.csv  one row a (reporter, other chooser)
//   replies.csv            one row a (model, kind, class)
//   tests.csv              every tested statistic, the primary ones first
//   left_out.csv           statistics that are not there, and why
//   excluded_rows.csv      rows that were kept out, and why
std::vector<File> RenderCsv(const v1::Analysis& analysis);

// Lines for a terminal, without their ends: the headline, a table of the statistics with intervals,
// the contrasts, and what a reader must know. Texts are free of control characters.
std::vector<std::string> RenderTerminal(const v1::Analysis& analysis);

// Everything that belongs into a report's folder: report.html, analysis.json and the tables.
std::vector<File> ReportFiles(const v1::Analysis& analysis);

}  // namespace candor::report
