// How much the answer depends on choices of the analyst: out-of-range reports, missing replies, priors, intervals.

import { format, isNumber } from "../data/format";
import { foremostOf, type NamedAgreement, type Path, type Report } from "../data/report";
import { select } from "../parts/controls";
import { h } from "../parts/dom";
import { figure } from "../parts/figure";
import { forest } from "../parts/forest";
import { section, type Section } from "../parts/section";
import { table } from "../parts/table";
import { ends, value } from "../parts/value";

// One way of treating the data. `slope` is absent for bounds.
interface Way {
  label: string;
  slope?: Path;
  r?: Path;
  low: Path;
  high: Path;
  scenarios?: Path;
}

export function sensitivity(report: Report): Section | null {
  const shown = report.agreements.filter((item) => waysOf(item).length > 1);
  const chosen = foremostOf(shown);
  const first = shown[chosen];
  if (!first) return null;
  const content = h("div", { class: "stack" });
  const show = (item: NamedAgreement) => content.replaceChildren(...partsOf(report, item));
  show(first);
  return section(
    "sensitivity",
    "Would other choices change the answer?",
    "The same pairs with reports beyond the scale kept, clipped or left out; with complete scenarios only; with a wider prior; and with other intervals.",
    h("div", { class: "tools" }, select("Statistic", shown.map((item) => ({ label: item.label, value: item })), show, chosen)),
    content,
  );
}

function waysOf({ agreement: a, path }: NamedAgreement): Way[] {
  const line = (label: string, there: unknown, ...steps: string[]): Way[] => {
    const at = [...path, ...steps];
    return there === undefined
      ? []
      : [
          {
            label,
            slope: [...at, "slope"],
            r: [...at, "r"],
            low: [...at, "interval_low"],
            high: [...at, "interval_high"],
            scenarios: [...at, "n_scenarios"],
          },
        ];
  };
  const interval = (label: string, there: unknown, at: Path, own: boolean): Way[] =>
    there === undefined
      ? []
      : [{ label, slope: own ? [...path, "slope"] : undefined, low: [...at, "low"], high: [...at, "high"] }];
  return [
    ...line("As in the headline", a),
    ...interval("Interval robust to clusters (CR1)", a.cluster_robust_interval, [...path, "cluster_robust_interval"], true),
    ...interval("Interval by resampling scenarios", a.bootstrap?.slope, [...path, "bootstrap", "slope"], true),
    ...line("Out of range: as it is", a.out_of_range?.as_is, "out_of_range", "as_is"),
    ...line("Out of range: clipped", a.out_of_range?.clipped, "out_of_range", "clipped"),
    ...line("Out of range: left out", a.out_of_range?.dropped, "out_of_range", "dropped"),
    ...line("Complete scenarios only", a.attrition?.complete_cases, "attrition", "complete_cases"),
    ...interval("Worst cases of what is missing", a.attrition?.worst_case_slope, [...path, "attrition", "worst_case_slope"], false),
    ...line("Our refits for published weights", a.refit, "refit"),
    ...line("Wide prior, tau = 5", a.wide_prior, "wide_prior"),
  ];
}

function partsOf(report: Report, item: NamedAgreement): HTMLElement[] {
  const ways = waysOf(item);
  const number = (path: Path | undefined) => {
    let found: unknown = path ? report.analysis : undefined;
    for (const step of path ?? []) found = (found as Record<string | number, unknown> | undefined)?.[step];
    return isNumber(found) ? found : undefined;
  };
  const drawn = figure({
    name: `sensitivity-${item.label}`,
    caption: [
      `${item.label}: the slope under other choices. `,
      item.agreement.out_of_range?.n_values !== undefined
        ? [value(report, [...item.path, "out_of_range", "n_values"], "count"), " reported values are beyond the scale."]
        : null,
    ],
    description: () =>
      "Forest plot of slopes under other choices. " +
      ways.map((way) => `${way.label}: ${format(number(way.slope), "figure")}, from ${format(number(way.low), "figure")} to ${format(number(way.high), "figure")}.`).join(" "),
    draw: (width) =>
      forest({
        rows: ways.map((way, index) => ({
          label: way.label,
          value: number(way.slope),
          low: number(way.low),
          high: number(way.high),
          colour: index === 0 ? "var(--reports)" : undefined,
        })),
        label: "slope",
        marks: [number(ways[0]?.slope) ?? 0],
        width,
      }),
  });
  const shown = table<Way>({
    caption: "The slope under other choices",
    name: `sensitivity-${item.label}`,
    rows: ways,
    sortable: false,
    columns: [
      { label: "Choice", header: true, data: (way) => way.label },
      { label: "Slope", numeric: true, data: (way) => number(way.slope), cell: (way) => value(report, way.slope ?? ["none"]) },
      {
        label: "95 % interval or bounds",
        csvName: "low",
        numeric: true,
        data: (way) => number(way.low),
        cell: (way) => ends(report, way.low, way.high),
      },
      { label: "high", csvOnly: true, data: (way) => number(way.high) },
      { label: "r", numeric: true, data: (way) => number(way.r), cell: (way) => value(report, way.r ?? ["none"]) },
      {
        label: "Scenarios",
        numeric: true,
        data: (way) => number(way.scenarios),
        cell: (way) => value(report, way.scenarios ?? ["none"], "count"),
      },
    ],
  });
  return [drawn.element, shown];
}
