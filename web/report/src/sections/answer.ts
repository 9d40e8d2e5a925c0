// The answer: does the model know its weights? The headline's statistics with their intervals, all of them as a figure and
// as a table.

import { dash, format } from "../data/format";
import type { NamedAgreement, Report, Standing } from "../data/report";
import { h, type Child } from "../parts/dom";
import { figure, key } from "../parts/figure";
import { forest } from "../parts/forest";
import { details, section, type Section } from "../parts/section";
import { table } from "../parts/table";
import { ends, endsOf, ratio, studentEnds, value } from "../parts/value";

// The statistics at the top: those of the plan, or those that answer the question.
function foremost({ agreements }: Report): NamedAgreement[] {
  const primary = agreements.filter((item) => item.standing === "primary");
  const telling = agreements.filter((item) => item.name !== "learned_vs_instilled");
  const trained = telling.filter(({ name }) => ["introspection_trained", "native_after", "self_reports"].includes(name));
  const chosen = primary.length > 0 ? primary : telling.length <= 4 ? telling : trained.length > 0 ? trained : telling;
  return chosen.slice(0, 4);
}

function tile(report: Report, { label, agreement, path, standing }: NamedAgreement): HTMLElement {
  return h(
    "div",
    { class: "tile" },
    h("p", { class: "name" }, label, badge(standing)),
    h("p", { class: "big" }, value(report, [...path, "slope"])),
    h(
      "div",
      { class: "small" },
      h("p", {}, "slope ", studentEnds(report, path)),
      h(
        "p",
        {},
        "r ",
        value(report, [...path, "r"]),
        agreement.bootstrap?.r ? [" ", endsOf(report, [...path, "bootstrap", "r"])] : null,
      ),
      h(
        "p",
        {},
        value(report, [...path, "n_scenarios"], "count"),
        agreement.n_scenarios === 1 ? " scenario, " : " scenarios, ",
        value(report, [...path, "n_pairs"], "count"),
        " pairs",
      ),
    ),
  );
}

// How much better models know themselves than each other, over all of them.
function accessTile(report: Report): Child {
  const { privileged_access: access, plan } = report.analysis;
  if (access?.overall?.difference === undefined) return null;
  const path = ["privileged_access", "overall"];
  const standing = plan ? (plan.primary?.includes("privileged_access") ? "primary" : "exploratory") : null;
  return h(
    "div",
    { class: "tile" },
    h("p", { class: "name" }, "Own weights minus others’", badge(standing)),
    h("p", { class: "big" }, value(report, [...path, "difference"])),
    h(
      "div",
      { class: "small" },
      h("p", {}, "difference of r ", endsOf(report, [...path, "interval"])),
      h("p", {}, "over ", value(report, [...path, "n_scenarios"], "count"), " scenarios"),
    ),
  );
}

export function badge(standing: Standing): Child {
  return standing ? h("span", { class: `badge ${standing}` }, standing) : null;
}

export function answer(report: Report): Section | null {
  const { agreements } = report;
  if (agreements.length === 0) return null;
  const planned = agreements.some((item) => item.standing !== null);
  const drawn = figure({
    name: "agreement",
    caption:
      "Slope of standardised weights on standardised reports. 1: reports follow the weights in full; 0: they say nothing about them.",
    description: () =>
      "Forest plot of slopes. " +
      agreements
        .map(({ label, agreement: a }) => `${label}: ${format(a.slope, "figure")}, from ${format(a.interval_low, "figure")} to ${format(a.interval_high, "figure")}.`)
        .join(" "),
    legend: [
      key("thick", "--weights", "95 % interval, Student’s t"),
      key("thin", "--weights", "by resampling scenarios"),
      planned ? key("dot", "--weights", "named by the plan; hollow: exploratory") : null,
    ],
    draw: (width) =>
      forest({
        rows: agreements.map(({ label, agreement: a, standing }) => ({
          label,
          value: a.slope,
          low: a.interval_low,
          high: a.interval_high,
          low2: a.bootstrap?.slope?.low,
          high2: a.bootstrap?.slope?.high,
          filled: standing !== "exploratory",
        })),
        label: "slope",
        marks: [0, 1],
        width,
      }),
  });
  return section(
    "answer",
    "The answer",
    "How well the weights that a model reports agree with the weights that its choices follow.",
    h(
      "div",
      { class: "tiles" },
      foremost(report).map((item) => tile(report, item)),
      accessTile(report),
    ),
    drawn.element,
    mainTable(report),
    details("More statistics of the same pairs", moreTable(report)),
  );
}

function mainTable(report: Report): HTMLElement {
  return table<NamedAgreement>({
    caption: "Agreement of reported with estimated weights",
    name: "agreement",
    rows: report.agreements,
    pageSize: 20,
    columns: [
      {
        label: "Statistic",
        header: true,
        data: ({ label }) => label,
        cell: ({ label, standing }) => [label, badge(standing)],
      },
      { label: "standing", csvOnly: true, data: ({ standing }) => standing },
      { label: "Slope", numeric: true, data: (a) => a.agreement.slope, cell: (a) => value(report, [...a.path, "slope"]) },
      {
        label: "95 % interval",
        csvName: "interval_low",
        numeric: true,
        data: (a) => a.agreement.interval_low,
        cell: (a) => studentEnds(report, a.path),
      },
      { label: "interval_high", csvOnly: true, data: (a) => a.agreement.interval_high },
      {
        label: "by scenarios",
        csvName: "bootstrap_slope_low",
        numeric: true,
        data: (a) => a.agreement.bootstrap?.slope?.low,
        cell: (a) => endsOf(report, [...a.path, "bootstrap", "slope"]),
      },
      { label: "bootstrap_slope_high", csvOnly: true, data: (a) => a.agreement.bootstrap?.slope?.high },
      { label: "r", numeric: true, data: (a) => a.agreement.r, cell: (a) => value(report, [...a.path, "r"]) },
      {
        label: "p, permutation",
        numeric: true,
        data: (a) => a.agreement.permutation_p,
        cell: (a) => value(report, [...a.path, "permutation_p"], "p"),
        csvName: "permutation_p",
      },
      {
        label: "Scenarios",
        numeric: true,
        data: (a) => a.agreement.n_scenarios,
        cell: (a) => value(report, [...a.path, "n_scenarios"], "count"),
      },
      {
        label: "Replies read",
        csvName: "replies_valid",
        numeric: true,
        data: (a) => a.agreement.replies_valid,
        cell: (a) =>
          a.agreement.replies_total === undefined
            ? value(report, [...a.path, "replies_valid"], "count")
            : ratio(report, [...a.path, "replies_valid"], [...a.path, "replies_total"]),
      },
      { label: "replies_total", csvOnly: true, data: (a) => a.agreement.replies_total },
    ],
  });
}

function moreTable(report: Report): HTMLElement {
  const column = (label: string, path: readonly string[], as: "figure" | "percent" | "p" = "figure") => ({
    label,
    numeric: true,
    data: (a: NamedAgreement) => at(a, path),
    cell: (a: NamedAgreement) => value(report, [...a.path, ...path], as),
  });
  return table<NamedAgreement>({
    caption: "More statistics of agreement",
    name: "agreement-more",
    rows: report.agreements,
    pageSize: 20,
    columns: [
      { label: "Statistic", header: true, data: ({ label }) => label },
      {
        label: "Spearman",
        numeric: true,
        data: (a) => a.agreement.spearman,
        cell: (a) => [
          value(report, [...a.path, "spearman"]),
          a.agreement.pearson_spearman_gap ? h("span", { class: "flag", title: "differs from r by more than 0.05" }, " gap") : null,
        ],
      },
      column("Kendall", ["kendall"]),
      column("Same sign", ["sign_agreement"], "percent"),
      column("Cosine", ["mean_cosine"]),
      column("Top attribute named", ["top_attribute_share"], "percent"),
      column("Reliability of weights", ["reliability", "weights"]),
      column("Reliability of reports", ["reliability", "reports"]),
      column("r corrected", ["reliability", "r_disattenuated"]),
      {
        label: "its interval",
        numeric: true,
        data: (a) => a.agreement.reliability?.r_disattenuated_interval?.low,
        cell: (a) =>
          ends(
            report,
            [...a.path, "reliability", "r_disattenuated_interval", "low"],
            [...a.path, "reliability", "r_disattenuated_interval", "high"],
          ),
      },
      column("Ceiling", ["reliability", "ceiling"]),
      {
        label: "Weights are",
        data: (a) => a.agreement.weights_source?.toLowerCase(),
        cell: (a) => (a.agreement.weights_source ? a.agreement.weights_source.toLowerCase() : dash),
      },
    ],
  });
}

function at({ agreement }: NamedAgreement, path: readonly string[]): number | undefined {
  let found: unknown = agreement;
  for (const step of path) found = (found as Record<string, unknown> | undefined)?.[step];
  return typeof found === "number" ? found : undefined;
}
