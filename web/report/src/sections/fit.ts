// Does the choice model fit at all? Its predictions beside those of simpler rules.

import * as Plot from "@observablehq/plot";

import type { FitQuality, PredictionScore } from "../data/analysis";
import { format, isNumber } from "../data/format";
import type { NamedModel, Report } from "../data/report";
import { figure, key } from "../parts/figure";
import { clip } from "../parts/forest";
import { section, type Section } from "../parts/section";
import { table } from "../parts/table";
import { value } from "../parts/value";

type Rule = Exclude<keyof FitQuality, "folds" | "n_choices">;

const rules: { rule: Rule; label: string; colour: string; symbol: "circle" | "diamond" | "square" | "triangle" }[] = [
  { rule: "majority", label: "the more frequent answer", colour: "var(--muted)", symbol: "square" },
  { rule: "best_single_attribute", label: "the best single attribute", colour: "var(--gold)", symbol: "triangle" },
  { rule: "equal_weights", label: "all attributes alike", colour: "var(--reports)", symbol: "diamond" },
  { rule: "model", label: "the choice model", colour: "var(--weights)", symbol: "circle" },
];
const marks = { circle: "dot", diamond: "diamond full", square: "square", triangle: "triangle" } as const;

export function fit(report: Report): Section | null {
  const models = report.models.filter(({ model }) => model.fit !== undefined);
  if (models.length === 0) return null;
  const points = models.flatMap(({ name, model }) =>
    rules.map(({ rule, label, colour, symbol }) => ({ name, label, colour, symbol, accuracy: score(model.fit, rule)?.accuracy })),
  );
  const shown = points.filter(({ accuracy }) => isNumber(accuracy));
  const drawn = figure({
    name: "fit-of-the-choice-model",
    caption: "Share of choices predicted right, on trials that were kept from the fit. Half is a coin’s toss.",
    description: () =>
      "Dot plot of accuracies. " + shown.map(({ name, label, accuracy }) => `${name}, ${label}: ${format(accuracy, "percent")}.`).join(" "),
    legend: rules.map(({ label, colour, symbol }) => key(marks[symbol], colour.slice(4, -1), label)),
    draw: (width) =>
      Plot.plot({
        className: "plot",
        width,
        height: models.length * 50 + 56,
        marginLeft: 10,
        marginRight: 22,
        marginTop: 4,
        marginBottom: 46,
        x: { domain: [Math.min(0.45, ...shown.map(({ accuracy }) => accuracy ?? 1)), 1], label: "predicted right", labelAnchor: "center", labelArrow: "none", labelOffset: 38, tickSize: 0, ticks: 6, tickFormat: (tick: number) => `${Math.round(tick * 100)}%` },
        y: { domain: models.map(({ name }) => name), axis: null, type: "point", padding: 0.5 },
        marks: [
          Plot.gridX({ stroke: "var(--rule)", strokeOpacity: 1, ticks: 6 }),
          Plot.ruleX([0.5], { stroke: "var(--muted)", strokeDasharray: "2 3" }),
          Plot.ruleY(models, { y: "name", stroke: "var(--rule)", dy: 8 }),
          Plot.dot(shown, { x: "accuracy", y: "name", r: 5.5, dy: 8, symbol: "symbol", fill: "colour", stroke: "var(--page)", title: (point: (typeof shown)[number]) => `${point.label}: ${format(point.accuracy, "percent")}` }),
          Plot.text(models, { y: "name", text: ({ name }: NamedModel) => clip(name, width / 6.9), frameAnchor: "left", textAnchor: "start", dx: -10, dy: -10, fill: "currentColor", stroke: "var(--page)", strokeWidth: 4 }),
        ],
        symbol: { type: "identity" },
        color: { type: "identity" },
      }) as SVGSVGElement,
  });
  return section(
    "fit",
    "Does the choice model fit?",
    "Weights mean something only where they predict choices better than simpler rules do.",
    drawn.element,
    table<{ item: NamedModel; rule: Rule; label: string }>({
      caption: "Fit of the choice model beside simpler rules",
      name: "fit",
      rows: models.flatMap((item) => [...rules].reverse().map(({ rule, label }) => ({ item, rule, label }))),
      sortable: false,
      columns: [
        { label: "Choices of", header: true, csvName: "chooser", data: ({ item }) => item.name },
        { label: "Predicted by", csvName: "rule", data: ({ label }) => label },
        {
          label: "Predicted right",
          csvName: "accuracy",
          numeric: true,
          data: ({ item, rule }) => score(item.model.fit, rule)?.accuracy,
          cell: ({ item, rule }) => value(report, [...item.path, "fit", rule, "accuracy"], "percent"),
        },
        {
          label: "Log loss",
          csvName: "log_loss",
          numeric: true,
          data: ({ item, rule }) => score(item.model.fit, rule)?.log_loss,
          cell: ({ item, rule }) => value(report, [...item.path, "fit", rule, "log_loss"]),
        },
        {
          label: "Choices",
          csvName: "n_choices",
          numeric: true,
          data: ({ item }) => item.model.fit?.n_choices,
          cell: ({ item }) => value(report, [...item.path, "fit", "n_choices"], "count"),
        },
      ],
    }),
  );
}

function score(quality: FitQuality | undefined, rule: Rule): PredictionScore | undefined {
  return quality?.[rule];
}
