// Reported against estimated weights: every (scenario, attribute) pair, with the fitted line.

import * as Plot from "@observablehq/plot";

import { format, isNumber } from "../data/format";
import { foremostOf, type NamedAgreement, type Report } from "../data/report";
import { select } from "../parts/controls";
import { h, type Child } from "../parts/dom";
import { figure, key } from "../parts/figure";
import { section, type Section } from "../parts/section";
import { endsOf, studentEnds, value } from "../parts/value";

interface Pair {
  report: number;
  weight: number;
  title: string;
}

// Beyond this many pairs points hide each other, and are counted in hexagons instead.
const mostPoints = 2500;

export function scatter(report: Report): Section | null {
  const shown = report.agreements.filter(({ agreement }) => (agreement.scenarios?.length ?? 0) > 0);
  const chosen = foremostOf(shown);
  let current = shown[chosen];
  if (!current) return null;
  const drawn = figure({
    name: "reported-against-estimated",
    caption: "One point a scenario and attribute, both standardised. The line is fitted by least squares; the dashed one is perfect agreement.",
    description: () => {
      const { label, agreement: a } = current as NamedAgreement;
      return `Scatter plot of weights against reports, ${label}: ${format(a.n_pairs, "count")} pairs, slope ${format(a.slope, "figure")}, r ${format(a.r, "figure")}.`;
    },
    legend: [
      key("dot", "--weights", "one weight"),
      key("thick", "--reports", "fitted line"),
      key("dash", "--muted", "perfect agreement"),
    ],
    draw: (width) => plot(current as NamedAgreement, width),
  });
  const side = h("dl", { class: "facts" }, factsOf(report, current));
  return section(
    "scatter",
    "Reported against estimated weights",
    "If a model knew its weights exactly, all points would lie on the dashed line.",
    h(
      "div",
      { class: "tools" },
      select(
        "Statistic",
        shown.map((item) => ({ label: item.label, value: item })),
        (item) => {
          current = item;
          drawn.redraw();
          side.replaceChildren(...factsOf(report, item));
        },
        chosen,
      ),
    ),
    h("div", { class: "pair scatter" }, drawn.element, side),
  );
}

// The figures that belong to the line.
function factsOf(report: Report, { agreement: a, path }: NamedAgreement): HTMLElement[] {
  const facts: readonly (readonly [string, Child])[] = [
    ["Slope", value(report, [...path, "slope"])],
    ["95 % interval, Student’s t", studentEnds(report, path)],
    ["95 % interval, by scenarios", endsOf(report, [...path, "bootstrap", "slope"])],
    ["Pearson’s r", value(report, [...path, "r"])],
    ["95 % interval of r, by scenarios", endsOf(report, [...path, "bootstrap", "r"])],
    ["Spearman’s rank correlation", value(report, [...path, "spearman"])],
    ["Same sign", value(report, [...path, "sign_agreement"], "percent")],
    ["Top attribute named", value(report, [...path, "top_attribute_share"], "percent")],
    ["Pairs", value(report, [...path, "n_pairs"], "count")],
    ["Scenarios", value(report, [...path, "n_scenarios"], "count")],
    ["Weights of", a.chooser || null],
    ["Reports of", a.reporter || null],
  ];
  return facts.filter(([, fact]) => fact !== null).map(([name, fact]) => h("div", {}, h("dt", {}, name), h("dd", {}, fact)));
}

function pairsOf({ agreement }: NamedAgreement): Pair[] {
  const pairs: Pair[] = [];
  for (const scenario of agreement.scenarios ?? []) {
    scenario.standardised_weights?.forEach((weight, k) => {
      const reported = scenario.standardised_report?.[k];
      if (!isNumber(weight) || !isNumber(reported)) return;
      const title = [
        `${scenario.scenario_id ?? ""}: ${scenario.attributes?.[k] ?? `attribute ${k + 1}`}`,
        `weight ${format(scenario.weights?.[k], "weight")}, reported ${format(scenario.report?.[k], "weight")}`,
      ].join("\n");
      pairs.push({ report: reported, weight, title });
    });
  }
  return pairs;
}

function plot(item: NamedAgreement, width: number): SVGSVGElement {
  const { agreement } = item;
  const pairs = pairsOf(item);
  const taught = agreement.reporter === "instilled";
  const values = pairs.flatMap(({ report: x, weight: y }) => [x, y]);
  const most = Math.max(1.5, ...values.map(Math.abs)) * 1.04;
  const domain = [-most, most];
  const mean = (of: (pair: Pair) => number) => pairs.reduce((sum, pair) => sum + of(pair), 0) / (pairs.length || 1);
  const [middleX, middleY] = [mean((pair) => pair.report), mean((pair) => pair.weight)];
  const xs = pairs.map((pair) => pair.report);
  const line = isNumber(agreement.slope)
    ? [Math.min(...xs), Math.max(...xs)].map((x) => ({ x, y: middleY + (agreement.slope as number) * (x - middleX) }))
    : [];
  const many = pairs.length > mostPoints;
  const side = Math.min(width, 640);
  const axis = { domain, labelAnchor: "center", labelArrow: "none", ticks: 7, tickSize: 0, labelOffset: 40 } as const;
  return Plot.plot({
    className: "plot",
    width: side,
    height: side < 480 ? side : Math.round(side * 0.82),
    marginLeft: 58,
    marginRight: 12,
    marginTop: 10,
    marginBottom: 46,
    x: { ...axis, label: taught ? "instilled weight, standardised" : "reported weight, standardised" },
    y: { ...axis, labelOffset: 52, label: taught ? "learned weight, standardised" : "estimated weight, standardised" },
    r: { range: [1.2, 7] },
    marks: [
      Plot.gridX({ stroke: "var(--rule)", strokeOpacity: 1, ticks: 7 }),
      Plot.gridY({ stroke: "var(--rule)", strokeOpacity: 1, ticks: 7 }),
      Plot.line([{ x: -most, y: -most }, { x: most, y: most }], { x: "x", y: "y", stroke: "var(--muted)", strokeDasharray: "3 4", clip: true }),
      many
        ? Plot.dot(
            pairs,
            Plot.hexbin(
              { r: "count", title: "count" },
              { x: "report", y: "weight", fill: "var(--weights)", fillOpacity: 0.55, binWidth: 13 },
            ),
          )
        : Plot.dot(pairs, {
            x: "report",
            y: "weight",
            r: pairs.length > 800 ? 2.5 : 3.5,
            fill: "var(--weights)",
            fillOpacity: pairs.length > 300 ? 0.45 : 0.65,
          }),
      Plot.line(line, { x: "x", y: "y", stroke: "var(--reports)", strokeWidth: 2.5, clip: true }),
      many ? null : Plot.tip(pairs, Plot.pointer({ x: "report", y: "weight", title: "title", fill: "var(--card)", stroke: "var(--rule)" })),
    ],
  }) as SVGSVGElement;
}
