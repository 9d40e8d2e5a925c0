// Privileged access: does a model know itself better than it knows its neighbour? Every reporter's self-reports against
// every chooser's weights.

import * as Plot from "@observablehq/plot";

import type { AccessDifference, AccessPair } from "../data/analysis";
import { format, interval, isNumber } from "../data/format";
import type { Path, Report } from "../data/report";
import { h, type Child } from "../parts/dom";
import { figure, key } from "../parts/figure";
import { clip, forest } from "../parts/forest";
import { details, section, type Section } from "../parts/section";
import { table } from "../parts/table";
import { endsOf, value } from "../parts/value";

export function access(report: Report): Section | null {
  const matrix = report.analysis.privileged_access;
  const pairs = matrix?.pairs ?? [];
  if (!matrix || pairs.length === 0) return null;
  const overall = matrix.overall;
  const rows = differenceRows(matrix.differences ?? [], overall);
  return section(
    "access",
    "Does a model know itself better than its neighbour?",
    "Each row is one model’s self-reports, each column another’s weights. Where the diagonal stands out, reports carry something that only their own model has.",
    overall ? verdict(report, overall) : null,
    h(
      "div",
      { class: "pair matrix" },
      matrixFigure(matrix.choosers ?? unique(pairs, "chooser"), matrix.reporters ?? unique(pairs, "reporter"), pairs),
      rows.length > 0 ? differencesFigure(rows) : null,
    ),
    details("Every reporter against every chooser, in numbers", pairsTable(report, pairs)),
    rows.length > 0 ? details("Own minus other, in numbers", differencesTable(report, rows)) : null,
  );
}

function unique(pairs: AccessPair[], of: "chooser" | "reporter"): string[] {
  return [...new Set(pairs.map((pair) => pair[of] ?? ""))];
}

function verdict(report: Report, overall: AccessDifference): Child {
  const path = ["privileged_access", "overall"];
  const [low, high] = [overall.interval?.low, overall.interval?.high];
  const words = !isNumber(low) || !isNumber(high)
    ? "On average"
    : low > 0
      ? "Yes: on average"
      : high < 0
        ? "No, the reverse: on average"
        : "It cannot be told from these data: on average";
  return h(
    "p",
    { class: "verdict" },
    `${words}, r with its own weights minus r with others’ is `,
    value(report, [...path, "difference"]),
    " ",
    endsOf(report, [...path, "interval"]),
    isNumber(overall.p) ? [", p ", value(report, [...path, "p"], "p")] : null,
    ".",
  );
}

function matrixFigure(choosers: string[], reporters: string[], pairs: AccessPair[]): HTMLElement {
  return figure({
    name: "privileged-access",
    caption: "Pearson’s r between reports (rows) and weights (columns). Outlined: a model’s reports on itself.",
    description: () =>
      "Matrix of correlations. " +
      pairs.map((pair) => `Reports of ${pair.reporter ?? ""} with weights of ${pair.chooser ?? ""}: ${format(pair.r, "figure")}.`).join(" "),
    legend: [key("square", "--weights", "positive r"), key("square", "--reports", "negative r")],
    draw: (width) => {
      const longest = Math.max(...reporters.map((name) => name.length), 4);
      const left = Math.min(longest * 6.9 + 14, width * 0.34);
      const cell = Math.min(110, (width - left - 8) / choosers.length);
      // Names that are wider than their column stand aslant.
      const aslant = Math.max(...choosers.map((name) => name.length)) * 6.9 > cell - 8;
      const height = Math.max(36, Math.min(cell * 0.62, 64));
      const present = pairs.filter((pair) => isNumber(pair.r));
      const strength = (pair: AccessPair) => 0.08 + 0.5 * Math.min(1, Math.abs(pair.r ?? 0));
      return Plot.plot({
        className: "plot",
        width: Math.ceil(left + cell * choosers.length + 8),
        height: Math.ceil(reporters.length * height + (aslant ? 110 : 40)),
        marginLeft: left,
        marginTop: aslant ? 106 : 36,
        marginRight: 8,
        marginBottom: 4,
        padding: 0.06,
        x: { domain: choosers, axis: null, type: "band" },
        y: { domain: reporters, axis: null, type: "band" },
        marks: [
          Plot.axisX({ anchor: "top", tickSize: 0, label: null, tickRotate: aslant ? -45 : 0, textAnchor: aslant ? "start" : "middle", tickFormat: (name: string) => clip(name, aslant ? 20 : cell / 6.9) }),
          Plot.axisY({ tickSize: 0, label: null, tickFormat: (name: string) => clip(name, (left - 8) / 6.9) }),
          Plot.cell(present, {
            x: "chooser",
            y: "reporter",
            fill: (pair: AccessPair) => ((pair.r ?? 0) < 0 ? "var(--reports)" : "var(--weights)"),
            fillOpacity: strength,
            rx: 3,
            title: (pair: AccessPair) => `r ${format(pair.r, "figure")} ${interval(pair.r_interval?.low, pair.r_interval?.high)}`,
          }),
          Plot.cell(present.filter((pair) => pair.chooser === pair.reporter), {
            x: "chooser",
            y: "reporter",
            fill: "none",
            stroke: "currentColor",
            strokeWidth: 1.5,
            rx: 3,
          }),
          Plot.text(present, {
            x: "chooser",
            y: "reporter",
            text: (pair: AccessPair) => format(pair.r, "logodds"),
            fill: "currentColor",
            fontSize: cell < 44 ? 10 : 13,
            fontVariant: "tabular-nums",
          }),
        ],
      }) as SVGSVGElement;
    },
  }).element;
}

function pairsTable(report: Report, pairs: AccessPair[]): HTMLElement {
  type Row = { pair: AccessPair; path: Path };
  return table<Row>({
    caption: "Every reporter against every chooser",
    name: "privileged-access",
    rows: pairs.map((pair, index) => ({ pair, path: ["privileged_access", "pairs", index] })),
    columns: [
      { label: "Reports of", header: true, csvName: "reporter", data: ({ pair }) => pair.reporter },
      { label: "Weights of", csvName: "chooser", data: ({ pair }) => pair.chooser },
      { label: "r", numeric: true, data: ({ pair }) => pair.r, cell: ({ path }) => value(report, [...path, "r"]) },
      {
        label: "95 % interval",
        csvName: "r_low",
        numeric: true,
        data: ({ pair }) => pair.r_interval?.low,
        cell: ({ path }) => endsOf(report, [...path, "r_interval"]),
      },
      { label: "r_high", csvOnly: true, data: ({ pair }) => pair.r_interval?.high },
      { label: "Slope", numeric: true, data: ({ pair }) => pair.slope, cell: ({ path }) => value(report, [...path, "slope"]) },
      {
        label: "Scenarios",
        numeric: true,
        data: ({ pair }) => pair.n_scenarios,
        cell: ({ path }) => value(report, [...path, "n_scenarios"], "count"),
      },
    ],
  });
}

interface DifferenceRow {
  difference: AccessDifference;
  path: Path;
  label: string;
}

function differenceRows(items: AccessDifference[], overall: AccessDifference | undefined): DifferenceRow[] {
  const rows: DifferenceRow[] = items.map((difference, index) => ({
    difference,
    path: ["privileged_access", "differences", index],
    label: `${difference.reporter ?? ""}: own − ${difference.other ? difference.other : "mean of others"}`,
  }));
  if (overall) rows.push({ difference: overall, path: ["privileged_access", "overall"], label: "All reporters: own − others" });
  return rows;
}

// With many models there are very many pairs: then the figure has the means over the others only.
const mostRows = 40;

function differencesFigure(all: DifferenceRow[]): HTMLElement {
  const means = all.filter(({ difference, path }) => !difference.other || path[1] === "overall");
  const rows = (all.length > mostRows && means.length > 0 ? means : all).slice(0, mostRows);
  return figure({
    name: "privileged-access-differences",
    caption: "A reporter’s r with its own weights minus its r with another’s, over the same scenarios. To the right of 0: it knows itself better.",
    description: () =>
      "Forest plot of differences. " + rows.map(({ label, difference }) => `${label}: ${format(difference.difference, "figure")}.`).join(" "),
    draw: (width) =>
      forest({
        rows: rows.map(({ label, difference, path }) => ({
          label,
          value: difference.difference,
          low: difference.interval?.low,
          high: difference.interval?.high,
          colour: path[1] === "overall" ? "var(--reports)" : undefined,
        })),
        label: "difference of r",
        width,
      }),
  }).element;
}

function differencesTable(report: Report, rows: DifferenceRow[]): HTMLElement {
  return table<DifferenceRow>({
    caption: "Own minus other",
    name: "privileged-access-differences",
    rows,
    columns: [
      { label: "Reports of", header: true, csvName: "comparison", data: ({ label }) => label },
      {
        label: "Difference of r",
        csvName: "difference",
        numeric: true,
        data: ({ difference }) => difference.difference,
        cell: ({ path }) => value(report, [...path, "difference"]),
      },
      {
        label: "95 % interval",
        csvName: "interval_low",
        numeric: true,
        data: ({ difference }) => difference.interval?.low,
        cell: ({ path }) => endsOf(report, [...path, "interval"]),
      },
      { label: "interval_high", csvOnly: true, data: ({ difference }) => difference.interval?.high },
      { label: "p", numeric: true, data: ({ difference }) => difference.p, cell: ({ path }) => value(report, [...path, "p"], "p") },
      {
        label: "Scenarios",
        numeric: true,
        data: ({ difference }) => difference.n_scenarios,
        cell: ({ path }) => value(report, [...path, "n_scenarios"], "count"),
      },
    ],
  });
}
