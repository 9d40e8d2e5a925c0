// Position bias: does it matter which option stands first?

import * as Plot from "@observablehq/plot";

import type { ScenarioFit } from "../data/analysis";
import { format, isNumber } from "../data/format";
import type { NamedModel, Path, Report } from "../data/report";
import { select } from "../parts/controls";
import { h } from "../parts/dom";
import { figure, key } from "../parts/figure";
import { section, type Section } from "../parts/section";
import { table } from "../parts/table";
import { value } from "../parts/value";

export function position(report: Report): Section | null {
  const shown = report.models.filter(({ model }) => model.scenarios?.some((fit) => isNumber(fit.position_bias)));
  let current = shown[0];
  if (!current) return null;
  const drawn = figure({
    name: "position-bias",
    caption: "Log-odds of A at a tie, scenario by scenario, from smallest to largest, with 95 % intervals. 0: it does not matter which option stands first.",
    description: () => {
      const fits = biased(current as NamedModel);
      return `Position bias of ${current?.name ?? ""} over ${fits.length} scenarios, from ${format(fits[0]?.position_bias, "logodds")} to ${format(fits[fits.length - 1]?.position_bias, "logodds")}.`;
    },
    legend: [key("dot", "--muted", "within 1.96 standard deviations of 0"), key("dot", "--reports", "beyond")],
    draw: (width) => plot(biased(current as NamedModel), width),
  });
  const tableArea = h("div", {});
  const show = (item: NamedModel) => {
    current = item;
    drawn.redraw();
    tableArea.replaceChildren(scenarioTable(report, item));
  };
  tableArea.replaceChildren(scenarioTable(report, current));
  return section(
    "position",
    "Position bias",
    "A model that leans to the first option would do so whatever the attributes. The choice model takes that out of the weights, and shows it here.",
    summaryTable(report, shown),
    h("div", { class: "tools" }, select("Whose choices", shown.map((item) => ({ label: item.name, value: item })), show)),
    drawn.element,
    tableArea,
  );
}

function biased({ model }: NamedModel): ScenarioFit[] {
  return (model.scenarios ?? [])
    .filter((fit) => isNumber(fit.position_bias))
    .sort((a, b) => (a.position_bias ?? 0) - (b.position_bias ?? 0));
}

function plot(fits: ScenarioFit[], width: number): SVGSVGElement {
  const points = fits.map((fit, index) => {
    const bias = fit.position_bias ?? 0;
    const sd = fit.position_bias_sd;
    return {
      index,
      bias,
      low: isNumber(sd) ? bias - 1.96 * sd : undefined,
      high: isNumber(sd) ? bias + 1.96 * sd : undefined,
      beyond: Math.abs(fit.position_bias_z ?? 0) > 1.96,
      title: `${fit.scenario_id ?? ""}: ${format(bias, "logodds")}, z ${format(fit.position_bias_z, "logodds")}`,
    };
  });
  type Point = (typeof points)[number];
  const colour = (point: Point) => (point.beyond ? "var(--reports)" : "var(--muted)");
  const dense = points.length > width / 5;
  return Plot.plot({
    className: "plot",
    width,
    height: 280,
    marginLeft: 44,
    marginRight: 12,
    marginTop: 10,
    marginBottom: 32,
    x: { domain: [-1, points.length], axis: null },
    y: { label: null, tickSize: 0, ticks: 6, tickFormat: (tick: number) => format(tick, "plain") },
    marks: [
      Plot.gridY({ stroke: "var(--rule)", strokeOpacity: 1, ticks: 6 }),
      Plot.ruleY([0], { stroke: "var(--muted)", strokeDasharray: "2 3" }),
      Plot.ruleX(
        points.filter((point) => point.low !== undefined),
        { x: "index", y1: "low", y2: "high", stroke: colour, strokeWidth: dense ? 0.8 : 1.5, strokeOpacity: dense ? 0.4 : 0.8 },
      ),
      Plot.dot(points, { x: "index", y: "bias", r: dense ? 1.6 : 3.5, fill: colour, title: "title" }),
      Plot.text([`${points.length.toLocaleString("en-US")} ${points.length === 1 ? "scenario" : "scenarios, in order of their bias"}`], {
        frameAnchor: "bottom",
        dy: 22,
        fill: "currentColor",
      }),
    ],
  }) as SVGSVGElement;
}

function summaryTable(report: Report, models: NamedModel[]): HTMLElement {
  const flagged = ({ model }: NamedModel) =>
    (model.scenarios ?? []).filter((fit) => isNumber(fit.position_bias_q) && fit.position_bias_q < 0.05).length;
  const median = (item: NamedModel) => {
    const fits = biased(item);
    return fits[Math.floor((fits.length - 1) / 2)]?.position_bias;
  };
  return table<NamedModel>({
    caption: "Position bias by model",
    name: "position-bias",
    rows: models,
    columns: [
      { label: "Choices of", header: true, data: ({ name }) => name },
      {
        label: "Scenarios with |z| > 1.96",
        csvName: "position_bias_share",
        numeric: true,
        data: ({ model }) => model.position_bias_share,
        cell: ({ path }) => value(report, [...path, "position_bias_share"], "percent"),
      },
      { label: "of these q < 0.05", numeric: true, data: flagged, cell: (item) => format(flagged(item), "count") },
      { label: "Median bias", numeric: true, data: median, cell: (item) => format(median(item), "logodds") },
    ],
  });
}

function scenarioTable(report: Report, { name, model, path }: NamedModel): HTMLElement {
  type Row = { fit: ScenarioFit; path: Path };
  return table<Row>({
    caption: `Position bias by scenario, ${name}`,
    name: `position-bias-${name}`,
    pageSize: 10,
    sortable: (model.scenarios?.length ?? 0) > 1,
    rows: (model.scenarios ?? []).map((fit, index) => ({ fit, path: [...path, "scenarios", index] })),
    columns: [
      { label: "Scenario", header: true, data: ({ fit }) => fit.scenario_id },
      { label: "Bias", numeric: true, data: ({ fit }) => fit.position_bias, cell: (row) => value(report, [...row.path, "position_bias"], "logodds") },
      { label: "sd", numeric: true, data: ({ fit }) => fit.position_bias_sd, cell: (row) => value(report, [...row.path, "position_bias_sd"], "logodds") },
      { label: "z", numeric: true, data: ({ fit }) => fit.position_bias_z, cell: (row) => value(report, [...row.path, "position_bias_z"], "logodds") },
      { label: "q", numeric: true, data: ({ fit }) => fit.position_bias_q, cell: (row) => value(report, [...row.path, "position_bias_q"], "p") },
      { label: "Trials", numeric: true, data: ({ fit }) => fit.n_trials, cell: (row) => value(report, [...row.path, "n_trials"], "count") },
      { label: "Choices", numeric: true, data: ({ fit }) => fit.n_choices, cell: (row) => value(report, [...row.path, "n_choices"], "count") },
      { label: "Not read", csvName: "n_unreadable", numeric: true, data: ({ fit }) => fit.n_unreadable, cell: (row) => value(report, [...row.path, "n_unreadable"], "count") },
      { label: "Flips", csvName: "flip_rate", numeric: true, data: ({ fit }) => fit.flip_rate, cell: (row) => value(report, [...row.path, "flip_rate"], "percent") },
    ],
  });
}
