// Per-scenario weights with their intervals, beside what was reported: a card a scenario, some at a time.

import * as Plot from "@observablehq/plot";

import type { ScenarioAgreement, ScenarioFit } from "../data/analysis";
import { format, isNumber } from "../data/format";
import { foremostOf, type NamedAgreement, type Path, type Report } from "../data/report";
import { pager, search, select } from "../parts/controls";
import { h, inOrder } from "../parts/dom";
import { figure, key } from "../parts/figure";
import { clip } from "../parts/forest";
import { details, narrow, section, type Section } from "../parts/section";
import { table } from "../parts/table";
import { endsOf, value } from "../parts/value";

// One scenario as a card shows it; `agreement` is absent where nobody reported, `fit` where only published weights are.
interface Card {
  id: string;
  domain: string;
  attributes: string[];
  agreement?: ScenarioAgreement;
  agreementPath?: Path;
  fit?: ScenarioFit;
  fitPath?: Path;
  searched: string;
}

interface Source {
  label: string;
  taught: boolean;
  count: number;
  cards: () => Card[];
}

type Order = "given" | "name" | "best" | "worst" | "widest";
const orders: { label: string; value: Order }[] = [
  { label: "As in the study", value: "given" },
  { label: "By name", value: "name" },
  { label: "Best agreement first", value: "best" },
  { label: "Worst agreement first", value: "worst" },
  { label: "Widest intervals first", value: "widest" },
];

export function scenarios(report: Report): Section | null {
  const sources = sourcesOf(report);
  const chosen = foremostOf(report.agreements.filter(({ agreement }) => (agreement.scenarios?.length ?? 0) > 0));
  let source = sources[chosen];
  if (!source) return null;
  const pageSize = narrow() ? 3 : 6;
  let cards: Card[] = source.cards();
  let visible: Card[] = cards;
  let order: Order = "given";
  let needle = "";

  const grid = h("div", { class: "cards" });
  const pages = pager("scenarios", pageSize, (page) => draw(page));
  const draw = (page: number) => {
    const taught = source?.taught ?? false;
    const part = visible.slice(page * pageSize, (page + 1) * pageSize);
    grid.replaceChildren(...part.map((card) => cardElement(report, card, taught)));
    pages.show(visible.length, page);
  };
  const arrange = () => {
    visible = cards.filter(({ searched }) => searched.includes(needle));
    const r = (card: Card) => card.agreement?.r;
    if (order === "name") visible.sort((a, b) => inOrder(a.id, b.id));
    if (order === "best") visible.sort((a, b) => absentLast(r(a), r(b), -1));
    if (order === "worst") visible.sort((a, b) => absentLast(r(a), r(b), 1));
    if (order === "widest") visible.sort((a, b) => absentLast(breadth(a), breadth(b), -1));
    draw(0);
  };
  const many = sources.some(({ count }) => count > 3);
  arrange();
  return section(
    "scenarios",
    "Weights, scenario by scenario",
    "What its choices say about each attribute, and what the model said itself, on one scale: 100 is the attribute that weighs most.",
    h(
      "div",
      { class: "tools" },
      select(
        "Whose",
        sources.map((item) => ({ label: item.label, value: item })),
        (item) => {
          source = item;
          cards = item.cards();
          arrange();
        },
        chosen,
      ),
      many
        ? select("Order", orders, (chosen) => {
            order = chosen;
            arrange();
          })
        : null,
      many
        ? search("Search scenarios", (typed) => {
            needle = typed.trim().toLowerCase();
            arrange();
          })
        : null,
    ),
    h(
      "div",
      { class: "legend" },
      key("dot", "--weights", "weight, with 95 % interval"),
      key("diamond", "--reports", "mean report, with standard deviation"),
    ),
    grid,
    h("div", { class: "under" }, pages.element),
  );
}

function absentLast(a: number | undefined, b: number | undefined, sign: number): number {
  if (!isNumber(a) || !isNumber(b)) return Number(!isNumber(a)) - Number(!isNumber(b));
  return sign * (a - b);
}

function breadth({ fit }: Card): number | undefined {
  const widths = (fit?.normalised_intervals ?? []).map(({ low, high }) => (isNumber(low) && isNumber(high) ? high - low : 0));
  return widths.length > 0 ? Math.max(...widths) : undefined;
}

// Every comparison with its scenarios, then the choosers whose weights nobody reported on.
function sourcesOf(report: Report): Source[] {
  const fits = fitsOf(report);
  const sources: Source[] = [];
  for (const item of report.agreements) {
    if ((item.agreement.scenarios?.length ?? 0) === 0) continue;
    const taught = item.agreement.reporter === "instilled";
    sources.push({ label: item.label, taught, count: item.agreement.scenarios?.length ?? 0, cards: () => compared(item, fits) });
  }
  const reported = new Set(report.agreements.filter(({ agreement }) => agreement.scenarios?.length).map(({ model }) => model));
  for (const { name, model, path } of report.models) {
    if (reported.has(name) || (model.scenarios?.length ?? 0) === 0) continue;
    sources.push({
      label: `${name}: choices only`,
      taught: false,
      count: model.scenarios?.length ?? 0,
      cards: () =>
        (model.scenarios ?? []).map((fit, index) => makeCard(undefined, undefined, { fit, path: [...path, "scenarios", index] })),
    });
  }
  return sources;
}

interface PlacedFit {
  fit: ScenarioFit;
  path: Path;
}

// By "chooser scenario", and by "model scenario" for who has no chooser of that name.
function fitsOf(report: Report): Map<string, PlacedFit> {
  const fits = new Map<string, PlacedFit>();
  for (const { name, model, path } of report.models) {
    model.scenarios?.forEach((fit, index) => {
      const placed = { fit, path: [...path, "scenarios", index] };
      for (const chooser of [`${name}\n${fit.chooser ?? ""}`, name, fit.chooser ?? name]) {
        const place = `${chooser}\n${fit.scenario_id ?? ""}`;
        if (!fits.has(place)) fits.set(place, placed);
      }
    });
  }
  return fits;
}

function compared({ agreement, model, path }: NamedAgreement, fits: Map<string, PlacedFit>): Card[] {
  return (agreement.scenarios ?? []).map((scenario, index) => {
    const id = scenario.scenario_id ?? "";
    const chooser = agreement.chooser ?? "";
    const placed = fits.get(`${model}\n${chooser}\n${id}`) ?? fits.get(`${chooser}\n${id}`) ?? fits.get(`${model}\n${id}`);
    return makeCard(scenario, [...path, "scenarios", index], placed);
  });
}

function makeCard(agreement: ScenarioAgreement | undefined, agreementPath: Path | undefined, placed: PlacedFit | undefined): Card {
  const id = agreement?.scenario_id ?? placed?.fit.scenario_id ?? "";
  const domain = agreement?.domain ?? placed?.fit.domain ?? "";
  const attributes = agreement?.attributes ?? placed?.fit.attributes ?? [];
  return {
    id,
    domain,
    attributes,
    agreement,
    agreementPath,
    fit: placed?.fit,
    fitPath: placed?.path,
    searched: [id, domain, ...attributes].join("\n").toLowerCase(),
  };
}

function cardElement(report: Report, card: Card, taught: boolean): HTMLElement {
  const { id, domain, agreement, agreementPath } = card;
  const rows = rowsOf(card);
  const drawn = figure({
    name: `weights-${id}`,
    caption: null,
    description: () =>
      `Weights of scenario ${id}. ` +
      rows.map((row) => `${row.attribute}: weight ${format(row.weight, "weight")}, reported ${format(row.report, "weight")}.`).join(" "),
    draw: (width) => plot(rows, width),
  });
  return h(
    "article",
    { class: "card", "aria-label": `Scenario ${id}` },
    h("h3", {}, id, domain ? h("span", { class: "domain" }, domain) : null),
    agreement && agreementPath
      ? h(
          "p",
          { class: "small" },
          "r ",
          value(report, [...agreementPath, "r"]),
          " · cosine ",
          value(report, [...agreementPath, "cosine"]),
          agreement.n_reports !== undefined && !taught
            ? [" · ", value(report, [...agreementPath, "n_reports"], "count"), agreement.n_reports === 1 ? " report" : " reports"]
            : null,
        )
      : h("p", { class: "small" }, "no reports"),
    drawn.element,
    details("Numbers", numbersTable(report, card, taught)),
  );
}

interface WeightRow {
  attribute: string;
  index: number;
  weight?: number;
  low?: number;
  high?: number;
  report?: number;
  reportLow?: number;
  reportHigh?: number;
}

function rowsOf({ attributes, agreement, fit }: Card): WeightRow[] {
  return attributes.map((attribute, k) => {
    const reported = agreement?.report?.[k];
    const sd = agreement?.report_sd?.[k];
    const spread = isNumber(reported) && isNumber(sd);
    return {
      attribute,
      index: k,
      weight: agreement?.weights?.[k] ?? fit?.normalised?.[k],
      low: fit?.normalised_intervals?.[k]?.low,
      high: fit?.normalised_intervals?.[k]?.high,
      report: reported,
      reportLow: spread ? reported - sd : undefined,
      reportHigh: spread ? reported + sd : undefined,
    };
  });
}

function plot(rows: WeightRow[], width: number): SVGSVGElement {
  const keyed = rows.map((row) => ({ ...row, key: String(row.index) }));
  const ends = keyed.flatMap((row) => [row.weight, row.low, row.high, row.report, row.reportLow, row.reportHigh]).filter(isNumber);
  const most = Math.max(100, ...ends.map(Math.abs)) * 1.05;
  const weighed = keyed.filter((row) => isNumber(row.weight));
  const reported = keyed.filter((row) => isNumber(row.report));
  const above = -5;
  const below = 5;
  return Plot.plot({
    className: "plot",
    width,
    height: rows.length * 44 + 34,
    marginLeft: 6,
    marginRight: 6,
    marginTop: 4,
    marginBottom: 24,
    x: { domain: [-most, most], axis: null },
    y: { domain: keyed.map((row) => row.key), axis: null },
    marks: [
      Plot.axisX([-100, -50, 0, 50, 100], { tickSize: 0, label: null, tickFormat: (tick: number) => String(tick).replace("-", "−") }),
      Plot.ruleX([0], { stroke: "var(--muted)", strokeDasharray: "2 3" }),
      Plot.text(keyed, {
        y: "key",
        text: (row: WeightRow) => clip(row.attribute, width / 6.6),
        frameAnchor: "left",
        textAnchor: "start",
        dy: -15,
        fill: "currentColor",
      }),
      Plot.ruleY(
        keyed.filter((row) => isNumber(row.low) && isNumber(row.high)),
        { x1: "low", x2: "high", y: "key", dy: above + 5, stroke: "var(--weights)", strokeWidth: 2 },
      ),
      Plot.dot(weighed, { x: "weight", y: "key", dy: above + 5, r: 4.5, fill: "var(--weights)" }),
      Plot.ruleY(
        reported.filter((row) => isNumber(row.reportLow)),
        { x1: "reportLow", x2: "reportHigh", y: "key", dy: below + 5, stroke: "var(--reports)", strokeWidth: 1.2 },
      ),
      Plot.dot(reported, {
        x: "report",
        y: "key",
        dy: below + 5,
        r: 4,
        symbol: "diamond",
        fill: "var(--page)",
        stroke: "var(--reports)",
        strokeWidth: 2,
      }),
    ],
  }) as SVGSVGElement;
}

function numbersTable(report: Report, card: Card, taught: boolean): HTMLElement {
  const { agreement, agreementPath, fit, fitPath } = card;
  const rows = rowsOf(card);
  return table<WeightRow>({
    caption: `Weights of scenario ${card.id}`,
    name: `weights-${card.id}`,
    rows,
    pageSize: 100,
    sortable: false,
    columns: [
      { label: "Attribute", header: true, data: (row) => row.attribute },
      {
        label: "Weight",
        numeric: true,
        data: (row) => row.weight,
        cell: (row) =>
          agreement?.weights && agreementPath
            ? value(report, [...agreementPath, "weights", row.index], "weight")
            : value(report, [...(fitPath ?? []), "normalised", row.index], "weight"),
      },
      {
        label: "95 % interval",
        csvName: "low",
        numeric: true,
        data: (row) => row.low,
        cell: (row) => endsOf(report, [...(fitPath ?? ["none"]), "normalised_intervals", row.index], "weight"),
      },
      { label: "high", csvOnly: true, data: (row) => row.high },
      // Where the weights are those that others published, ours stand beside them.
      ...(fit?.published?.length && agreement && fitPath
        ? [
            {
              label: "Our fit",
              numeric: true,
              data: (row: WeightRow) => fit.normalised?.[row.index],
              cell: (row: WeightRow) => value(report, [...fitPath, "normalised", row.index], "weight"),
            },
          ]
        : []),
      {
        label: taught ? "Instilled" : "Report",
        numeric: true,
        data: (row) => row.report,
        cell: (row) => value(report, [...(agreementPath ?? ["none"]), "report", row.index], "weight"),
      },
      ...(taught
        ? []
        : [
            {
              label: "sd",
              numeric: true,
              data: (row: WeightRow) => agreement?.report_sd?.[row.index],
              cell: (row: WeightRow) => value(report, [...(agreementPath ?? ["none"]), "report_sd", row.index], "weight"),
            },
          ]),
      ...(fit?.instilled?.length && !taught && fitPath
        ? [
            {
              label: "Instilled",
              numeric: true,
              data: (row: WeightRow) => fit.instilled?.[row.index],
              cell: (row: WeightRow) => value(report, [...fitPath, "instilled", row.index], "weight"),
            },
          ]
        : []),
    ],
  });
}
