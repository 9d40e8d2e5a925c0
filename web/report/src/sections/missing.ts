// What is missing: scenarios and replies lost, replies by class, and examples of each class to look at.

import * as Plot from "@observablehq/plot";

import type { ExampleReply, KindClasses } from "../data/analysis";
import { format, isNumber, words } from "../data/format";
import type { NamedAgreement, Path, Report } from "../data/report";
import { pager, select } from "../parts/controls";
import { h, type Child } from "../parts/dom";
import { figure, key } from "../parts/figure";
import { clip } from "../parts/forest";
import { section, type Section } from "../parts/section";
import { table } from "../parts/table";
import { endsOf, ratio, value } from "../parts/value";

// Classes that count as read, and the rest; the order in which bars are stacked.
const groups = [
  { name: "read as asked for", colour: "--weights", classes: ["VALID"] },
  { name: "read after repairs", colour: "--weights-pale", classes: ["REPAIRED"] },
  { name: "read, out of range", colour: "--gold", classes: ["OUT_OF_RANGE"] },
  { name: "not read", colour: "--reports", classes: null },
  { name: "no reply", colour: "--gone", classes: [] as string[] },
];

interface Kind {
  model: string;
  kind: KindClasses;
  path: Path;
  label: string;
}

export function missing(report: Report): Section | null {
  const kinds: Kind[] = report.models.flatMap(({ name, model, path }) =>
    (model.replies ?? []).map((kind, index) => ({
      model: name,
      kind,
      path: [...path, "replies", index],
      label: report.models.length > 1 ? `${name}: ${kindWords(kind.kind)}` : kindWords(kind.kind),
    })),
  );
  const lost = report.agreements.filter(({ agreement }) => agreement.attrition !== undefined || agreement.replies_total !== undefined);
  const examples = report.analysis.examples ?? [];
  if (kinds.length === 0 && lost.length === 0 && examples.length === 0) return null;
  return section(
    "missing",
    "What is missing, and how replies were read",
    "Every reply is kept as it came, put into a class, and counted. Nothing is dropped in silence.",
    kinds.length > 0 ? [classesFigure(kinds), classesTable(report, kinds)] : null,
    lost.length > 0 ? lostTable(report, lost) : null,
    examples.length > 0 ? examplesPart(examples) : null,
  );
}

function kindWords(kind: string | undefined): string {
  return kind === "CHOICE" ? "choices" : kind === "SELF_REPORT" ? "self-reports" : words(kind);
}

function groupOf(name: string | undefined): number {
  const found = groups.findIndex(({ classes }) => classes?.includes(name ?? ""));
  return found >= 0 ? found : 3;
}

function classesFigure(kinds: Kind[]): HTMLElement {
  const bars = kinds.flatMap(({ kind, label }) => {
    const counts = groups.map(() => 0);
    for (const item of kind.classes ?? []) {
      const group = groupOf(item.class);
      counts[group] = (counts[group] ?? 0) + (item.count ?? 0);
    }
    counts[4] = kind.unanswered ?? 0;
    const sum = counts.reduce((a, b) => a + b, 0) || 1;
    let from = 0;
    return counts.map((count, group) => {
      const bar = { label, group, from: from / sum, to: (from + count) / sum, count };
      from += count;
      return bar;
    });
  });
  const shown = bars.filter(({ count }) => count > 0);
  return figure({
    name: "reply-classes",
    caption: "Replies by how they were read, as shares of what was asked for.",
    description: () =>
      "Stacked bars of replies. " + shown.map(({ label, group, count }) => `${label}: ${format(count, "count")} ${groups[group]?.name ?? ""}.`).join(" "),
    legend: groups.filter((_, index) => shown.some(({ group }) => group === index)).map(({ name, colour }) => key("square", colour, name)),
    draw: (width) =>
      Plot.plot({
        className: "plot",
        width,
        height: kinds.length * 46 + 40,
        marginLeft: 12,
        marginRight: 20,
        marginTop: 4,
        marginBottom: 32,
        x: { domain: [0, 1], axis: null },
        y: { domain: kinds.map(({ label }) => label), axis: null, padding: 0.1 },
        marks: [
          Plot.axisX([0, 0.25, 0.5, 0.75, 1], { tickSize: 0, label: null, tickFormat: (tick: number) => `${Math.round(tick * 100)}%` }),
          Plot.barX(shown, {
            x1: "from",
            x2: "to",
            y: "label",
            insetTop: 20,
            insetBottom: 6,
            fill: ({ group }: { group: number }) => `var(${groups[group]?.colour ?? "--muted"})`,
            title: ({ group, count }: { group: number; count: number }) => `${groups[group]?.name ?? ""}: ${format(count, "count")}`,
          }),
          Plot.text(kinds, {
            y: "label",
            text: ({ label }: Kind) => clip(label, width / 6.9),
            frameAnchor: "left",
            textAnchor: "start",
            dx: -12,
            dy: -13,
            fill: "currentColor",
          }),
        ],
      }) as SVGSVGElement,
  }).element;
}

function classesTable(report: Report, kinds: Kind[]): HTMLElement {
  type Row = { label: string; class: string; count?: number; total?: number; path: Path };
  const rows: Row[] = kinds.flatMap(({ kind, label, path }) => [
    ...(kind.classes ?? []).map((item, index) => ({
      label,
      class: words(item.class),
      count: item.count,
      total: kind.total,
      path: [...path, "classes", index, "count"],
    })),
    ...((kind.unanswered ?? 0) > 0
      ? [{ label, class: "no reply", count: kind.unanswered, total: kind.total, path: [...path, "unanswered"] }]
      : []),
  ]);
  return table<Row>({
    caption: "Replies by class",
    name: "replies",
    rows,
    columns: [
      { label: "Replies", header: true, data: (row) => row.label },
      { label: "Class", data: (row) => row.class },
      { label: "Count", numeric: true, data: (row) => row.count, cell: (row) => value(report, row.path, "count") },
      {
        label: "Share",
        numeric: true,
        data: (row) => (isNumber(row.count) && row.total ? row.count / row.total : undefined),
        cell: (row) => format(isNumber(row.count) && row.total ? row.count / row.total : undefined, "percent"),
      },
    ],
  });
}

function lostTable(report: Report, lost: NamedAgreement[]): HTMLElement {
  return table<NamedAgreement>({
    caption: "Scenarios and replies lost",
    name: "attrition",
    rows: lost,
    columns: [
      { label: "Statistic", header: true, data: (a) => a.label },
      {
        label: "Scenarios lost",
        csvName: "scenarios_lost",
        numeric: true,
        data: (a) => a.agreement.attrition?.scenarios_lost,
        cell: (a) => ratio(report, [...a.path, "attrition", "scenarios_lost"], [...a.path, "attrition", "scenarios_total"]),
      },
      { label: "scenarios_total", csvOnly: true, data: (a) => a.agreement.attrition?.scenarios_total },
      {
        label: "Replies read",
        csvName: "replies_valid",
        numeric: true,
        data: (a) => a.agreement.replies_valid,
        cell: (a) => ratio(report, [...a.path, "replies_valid"], [...a.path, "replies_total"]),
      },
      { label: "replies_total", csvOnly: true, data: (a) => a.agreement.replies_total },
      {
        label: "Slope, complete scenarios",
        csvName: "complete_cases_slope",
        numeric: true,
        data: (a) => a.agreement.attrition?.complete_cases?.slope,
        cell: (a) => value(report, [...a.path, "attrition", "complete_cases", "slope"]),
      },
      {
        label: "Slope, worst cases",
        csvName: "worst_case_low",
        numeric: true,
        data: (a) => a.agreement.attrition?.worst_case_slope?.low,
        cell: (a) => endsOf(report, [...a.path, "attrition", "worst_case_slope"]),
      },
      { label: "worst_case_high", csvOnly: true, data: (a) => a.agreement.attrition?.worst_case_slope?.high },
    ],
  });
}

const examplesAPage = 6;

function examplesPart(examples: ExampleReply[]): Child {
  const list = h("div", { class: "cards replies" });
  let visible = examples;
  const draw = (page: number) => {
    list.replaceChildren(
      ...visible.slice(page * examplesAPage, (page + 1) * examplesAPage).map((example) =>
        h(
          "article",
          { class: "card", "aria-label": `Example: ${words(example.class)}` },
          h("h4", {}, words(example.class), h("span", { class: "domain" }, kindWords(example.kind))),
          h("p", { class: "small" }, [example.entry, example.scenario].filter(Boolean).join(" · ")),
          // As text, whatever it holds.
          h("pre", { tabindex: 0, role: "group", "aria-label": "The reply" }, example.text ?? "(no text)"),
        ),
      ),
    );
    pages.show(visible.length, page);
  };
  const pages = pager("examples", examplesAPage, draw);
  const classes = [...new Set(examples.map((example) => example.class ?? ""))];
  draw(0);
  return [
    h("h3", {}, "Replies to look at"),
    h(
      "div",
      { class: "tools" },
      select(
        "Class",
        [{ label: "all classes", value: "" }, ...classes.map((name) => ({ label: words(name), value: name }))],
        (name) => {
          visible = examples.filter((example) => name === "" || example.class === name);
          draw(0);
        },
      ),
    ),
    list,
    h("div", { class: "under" }, pages.element),
  ];
}
