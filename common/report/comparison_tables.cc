#include "common/report/tables.h"
#include "common/report/walk.h"

#include <fmt/format.h>

namespace candor::report {

TableFile ContrastsTable(const v1::Analysis& analysis) {
  TableFile table("contrasts.csv", {"model",
                                    "statistic",
                                    "standing",
                                    "trained",
                                    "untrained",
                                    "slope",
                                    "standard_error",
                                    "degrees_of_freedom",
                                    "interval_low",
                                    "interval_high",
                                    "p",
                                    "r",
                                    "bootstrap_slope_low",
                                    "bootstrap_slope_high",
                                    "bootstrap_r_low",
                                    "bootstrap_r_high",
                                    "r_disattenuated",
                                    "r_disattenuated_low",
                                    "r_disattenuated_high",
                                    "n_pairs",
                                    "n_scenarios",
                                    "replies_valid",
                                    "replies_total",
                                    "models"});
  for (const auto& [model, statistic, contrast] : Contrasts(analysis)) {
    const v1::Contrast& c = *contrast;
    table.Row()
        .Text(model)
        .Text(statistic)
        .Text(Standing(analysis, model, statistic))
        .Text(c.trained())
        .Text(c.untrained())
        .Number(c.slope(), c.has_slope())
        .Number(c.standard_error(), c.has_standard_error())
        .Number(c.degrees_of_freedom(), c.has_degrees_of_freedom())
        .Number(c.interval_low(), c.has_interval_low())
        .Number(c.interval_high(), c.has_interval_high())
        .Number(c.p(), c.has_p())
        .Number(c.r(), c.has_r())
        .Ends(c.bootstrap().slope())
        .Ends(c.bootstrap().r())
        .Number(c.r_disattenuated(), c.has_r_disattenuated())
        .Ends(c.r_disattenuated_interval())
        .Count(c.n_pairs(), c.has_n_pairs())
        .Count(c.n_scenarios(), c.has_n_scenarios())
        .Count(c.replies_valid(), c.has_replies_valid())
        .Count(c.replies_total(), c.has_replies_total())
        .Text(fmt::format("{}", fmt::join(c.models(), " ")));
  }
  return table;
}

TableFile PrivilegedAccessTable(const v1::Analysis& analysis) {
  TableFile table("privileged_access.csv",
                  {"chooser", "reporter", "r", "r_low", "r_high", "slope", "n_scenarios"});
  for (const v1::PrivilegedAccess::Pair& pair : analysis.privileged_access().pairs()) {
    table.Row()
        .Text(pair.chooser())
        .Text(pair.reporter())
        .Number(pair.r(), pair.has_r())
        .Ends(pair.r_interval())
        .Number(pair.slope(), pair.has_slope())
        .Count(pair.n_scenarios(), pair.has_n_scenarios());
  }
  return table;
}

TableFile PrivilegedAccessDifferencesTable(const v1::Analysis& analysis) {
  TableFile table(
      "privileged_access_differences.csv",
      {"reporter", "other", "difference", "interval_low", "interval_high", "p", "n_scenarios"});
  const auto add = [&](const v1::PrivilegedAccess::Difference& difference,
                       std::string_view reporter) {
    table.Row()
        .Text(reporter)
        .Text(difference.other().empty() ? "(mean of all others)" : difference.other())
        .Number(difference.difference(), difference.has_difference())
        .Ends(difference.interval())
        .Number(difference.p(), difference.has_p())
        .Count(difference.n_scenarios(), difference.has_n_scenarios());
  };
  const v1::PrivilegedAccess& access = analysis.privileged_access();
  for (const auto& difference : access.differences()) add(difference, difference.reporter());
  if (access.has_overall()) add(access.overall(), "(mean over reporters)");
  return table;
}

TableFile TestsTable(const v1::Analysis& analysis) {
  TableFile table("tests.csv", {"statistic", "primary", "value", "p", "p_holm"});
  for (const v1::TestedStatistic& test : analysis.tests()) {
    table.Row()
        .Text(test.statistic())
        .Bool(test.primary(), test.has_primary())
        .Number(test.value(), test.has_value())
        .Number(test.p(), test.has_p())
        .Number(test.p_holm(), test.has_p_holm());
  }
  return table;
}

}  // namespace candor::report
