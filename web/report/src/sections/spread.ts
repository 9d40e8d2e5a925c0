// Agreement of each scenario, and of each subject area.

import * as Plot from "@observablehq/plot";

import type { DomainAgreement, ScenarioAgreement } from "../data/analysis";
import { format, isNumber } from "../data/format";
import { foremostOf, type NamedAgreement, type Path, type Report } from "../data/report";
import { select } from "../parts/controls";
import { h } from "../parts/dom";
import { figure, key } from "../parts/figure";
import { forest } from "../parts/forest";
import { section, type Section } from "../parts/section";
import { table } from "../parts/table";
import { studentEnds, value } from "../parts/value";

export function spread(report: Report): Section | null {
  const shown = report.agreements.filter(
    ({ agreement }) => (agreement.scenarios?.length ?? 0) > 0 || (agreement.domains?.length ?? 0) > 0,
  );
  const chosen = foremostOf(shown);
  const first = shown[chosen];
  if (!first) return null;
  const content = h("div", { class: "stack" });
  const show = (item: NamedAgreement) => content.replaceChildren(...partsOf(report, item));
  show(first);
  return section(
    "spread",
    "Agreement by scenario and subject area",
    "The average hides differences: some scenarios are reported well, others are not.",
    h("div", { class: "tools" }, select("Statistic", shown.map((item) => ({ label: item.label, value: item })), show, chosen)),
    content,
  );
}

function partsOf(report: Report, item: NamedAgreement): HTMLElement[] {
  const parts: HTMLElement[] = [];
  if ((item.agreement.scenarios?.length ?? 0) > 1) parts.push(histogram(item));
  if ((item.agreement.domains?.length ?? 0) > 0) parts.push(...domains(report, item));
  if ((item.agreement.scenarios?.length ?? 0) > 0) parts.push(scenarioTable(report, item));
  return parts;
}

function histogram({ agreement, label }: NamedAgreement): HTMLElement {
  const cosines = (agreement.scenarios ?? []).map(({ cosine }) => cosine).filter(isNumber);
  const above = cosines.filter((cosine) => cosine > 0.5).length;
  return figure({
    name: `cosines-${label}`,
    caption: "How many scenarios have which cosine between weights and report. 1: the same direction; 0: nothing in common.",
    description: () =>
      `Histogram of cosines over ${cosines.length} scenarios; ${above} are above 0.5, the mean is ${format(agreement.mean_cosine, "figure")}.`,
    legend: [key("square", "--weights", "scenarios"), key("dash", "--reports", "mean")],
    draw: (width) =>
      Plot.plot({
        className: "plot",
        width,
        height: 220,
        marginLeft: 44,
        marginRight: 10,
        marginTop: 10,
        marginBottom: 44,
        x: { domain: [-1, 1], label: "cosine", labelAnchor: "center", labelArrow: "none", labelOffset: 36, tickSize: 0, ticks: width < 500 ? 5 : 9 },
        y: { label: null, nice: true, tickSize: 0, ticks: 4, tickFormat: (tick: number) => (Number.isInteger(tick) ? String(tick) : "") },
        marks: [
          Plot.gridY({ stroke: "var(--rule)", strokeOpacity: 1, ticks: 4 }),
          Plot.rectY(cosines, {
            ...Plot.binX<Plot.RectYOptions>({ y: "count" }, { x: (cosine: number) => cosine, thresholds: bins }),
            fill: "var(--weights)",
            fillOpacity: 0.8,
            inset: 0.5,
          }),
          Plot.ruleX([agreement.mean_cosine].filter(isNumber), { stroke: "var(--reports)", strokeWidth: 2, strokeDasharray: "4 3" }),
          Plot.ruleY([0], { stroke: "var(--muted)" }),
        ],
      }) as SVGSVGElement,
  }).element;
}

// Tenths from -1 to 1.
const bins = Array.from({ length: 21 }, (_, index) => (index - 10) / 10);

function domains(report: Report, { agreement, path, label }: NamedAgreement): HTMLElement[] {
  const rows = (agreement.domains ?? []).map((domain, index) => ({ domain, path: [...path, "domains", index] as Path }));
  const sorted = [...rows].sort((a, b) => (b.domain.line?.slope ?? -Infinity) - (a.domain.line?.slope ?? -Infinity));
  const drawable = sorted.filter(({ domain }) => isNumber(domain.line?.slope));
  const drawn = figure({
    name: `domains-${label}`,
    caption: "Slope within each subject area, with 95 % interval.",
    description: () =>
      "Forest plot of slopes by subject area. " +
      drawable.map(({ domain }) => `${domain.domain ?? ""}: ${format(domain.line?.slope, "figure")}.`).join(" "),
    draw: (width) =>
      forest({
        rows: drawable.slice(0, 40).map(({ domain }) => ({
          label: domain.domain || "none given",
          value: domain.line?.slope,
          low: domain.line?.interval_low,
          high: domain.line?.interval_high,
        })),
        label: "slope",
        marks: [0, 1],
        width,
      }),
  });
  const shown = table<{ domain: DomainAgreement; path: Path }>({
    caption: "Agreement by subject area",
    name: `domains-${label}`,
    rows: sorted,
    columns: [
      { label: "Subject area", header: true, data: (row) => row.domain.domain || "none given" },
      { label: "Slope", numeric: true, data: (row) => row.domain.line?.slope, cell: (row) => value(report, [...row.path, "line", "slope"]) },
      {
        label: "95 % interval",
        csvName: "interval_low",
        numeric: true,
        data: (row) => row.domain.line?.interval_low,
        cell: (row) => studentEnds(report, [...row.path, "line"]),
      },
      { label: "interval_high", csvOnly: true, data: (row) => row.domain.line?.interval_high },
      { label: "r", numeric: true, data: (row) => row.domain.line?.r, cell: (row) => value(report, [...row.path, "line", "r"]) },
      {
        label: "Mean cosine",
        numeric: true,
        data: (row) => row.domain.mean_cosine,
        cell: (row) => value(report, [...row.path, "mean_cosine"]),
      },
      {
        label: "Scenarios",
        numeric: true,
        data: (row) => row.domain.line?.n_scenarios,
        cell: (row) => value(report, [...row.path, "line", "n_scenarios"], "count"),
      },
    ],
  });
  return drawable.length > 0 ? [drawn.element, shown] : [shown];
}

function scenarioTable(report: Report, { agreement, path, label }: NamedAgreement): HTMLElement {
  const rows = (agreement.scenarios ?? []).map((scenario, index) => ({ scenario, path: [...path, "scenarios", index] as Path }));
  type Row = { scenario: ScenarioAgreement; path: Path };
  const withDomains = rows.some(({ scenario }) => scenario.domain);
  return table<Row>({
    caption: "Agreement by scenario",
    name: `scenarios-${label}`,
    rows,
    sortable: rows.length > 1,
    columns: [
      { label: "Scenario", header: true, data: (row) => row.scenario.scenario_id },
      ...(withDomains ? [{ label: "Subject area", data: (row: Row) => row.scenario.domain }] : []),
      { label: "r", numeric: true, data: (row) => row.scenario.r, cell: (row) => value(report, [...row.path, "r"]) },
      { label: "Cosine", numeric: true, data: (row) => row.scenario.cosine, cell: (row) => value(report, [...row.path, "cosine"]) },
      {
        label: "Same sign",
        numeric: true,
        data: (row) => row.scenario.sign_agreement,
        cell: (row) => value(report, [...row.path, "sign_agreement"], "percent"),
      },
      { label: "Top attribute named", data: (row) => row.scenario.top_attribute_named },
      { label: "Reports", numeric: true, data: (row) => row.scenario.n_reports, cell: (row) => value(report, [...row.path, "n_reports"], "count") },
      { label: "p", numeric: true, data: (row) => row.scenario.p, cell: (row) => value(report, [...row.path, "p"], "p") },
      { label: "q", numeric: true, data: (row) => row.scenario.q, cell: (row) => value(report, [...row.path, "q"], "p") },
    ],
  });
}
