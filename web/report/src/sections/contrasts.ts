// What training changed: trained minus untrained.

import { format } from "../data/format";
import type { NamedContrast, Report } from "../data/report";
import { figure, key } from "../parts/figure";
import { forest } from "../parts/forest";
import { section, type Section } from "../parts/section";
import { table } from "../parts/table";
import { endsOf, studentEnds, value } from "../parts/value";
import { badge } from "./answer";

export function contrasts(report: Report): Section | null {
  const items = report.contrasts;
  if (items.length === 0) return null;
  const planned = items.some((item) => item.standing !== null);
  const drawn = figure({
    name: "contrasts",
    caption: "Slope with training minus slope without. To the right of 0: training made reports follow the weights more closely.",
    description: () =>
      "Forest plot of contrasts. " +
      items.map(({ label, contrast: c }) => `${label}: ${format(c.slope, "figure")}, from ${format(c.interval_low, "figure")} to ${format(c.interval_high, "figure")}.`).join(" "),
    legend: [
      key("thick", "--weights", "95 % interval, Student’s t"),
      key("thin", "--weights", "by resampling scenarios"),
      items.some(({ model }) => model === "pooled") ? key("dot", "--reports", "over all models") : null,
      planned ? key("dot", "--weights", "named by the plan; hollow: exploratory") : null,
    ],
    draw: (width) =>
      forest({
        rows: items.map(({ label, contrast: c, model, standing }) => ({
          label,
          value: c.slope,
          low: c.interval_low,
          high: c.interval_high,
          low2: c.bootstrap?.slope?.low,
          high2: c.bootstrap?.slope?.high,
          colour: model === "pooled" ? "var(--reports)" : undefined,
          filled: standing !== "exploratory",
        })),
        label: "difference of slopes",
        width,
      }),
  });
  return section(
    "contrasts",
    "What training changed",
    "Part of a gain can be that reports merely became more consistent. The corrected r takes that part out.",
    drawn.element,
    table<NamedContrast>({
      caption: "Contrasts, trained minus untrained",
      name: "contrasts",
      rows: items,
      columns: [
        { label: "Contrast", header: true, data: ({ label }) => label, cell: ({ label, standing }) => [label, badge(standing)] },
        { label: "Slope", numeric: true, data: (c) => c.contrast.slope, cell: (c) => value(report, [...c.path, "slope"]) },
        {
          label: "95 % interval",
          csvName: "interval_low",
          numeric: true,
          data: (c) => c.contrast.interval_low,
          cell: (c) => studentEnds(report, c.path),
        },
        { label: "interval_high", csvOnly: true, data: (c) => c.contrast.interval_high },
        {
          label: "by scenarios",
          csvName: "bootstrap_slope_low",
          numeric: true,
          data: (c) => c.contrast.bootstrap?.slope?.low,
          cell: (c) => endsOf(report, [...c.path, "bootstrap", "slope"]),
        },
        { label: "bootstrap_slope_high", csvOnly: true, data: (c) => c.contrast.bootstrap?.slope?.high },
        { label: "p", numeric: true, data: (c) => c.contrast.p, cell: (c) => value(report, [...c.path, "p"], "p") },
        { label: "r", numeric: true, data: (c) => c.contrast.r, cell: (c) => value(report, [...c.path, "r"]) },
        {
          label: "r corrected",
          csvName: "r_disattenuated",
          numeric: true,
          data: (c) => c.contrast.r_disattenuated,
          cell: (c) => value(report, [...c.path, "r_disattenuated"]),
        },
        {
          label: "its interval",
          csvName: "r_disattenuated_low",
          numeric: true,
          data: (c) => c.contrast.r_disattenuated_interval?.low,
          cell: (c) => endsOf(report, [...c.path, "r_disattenuated_interval"]),
        },
        { label: "r_disattenuated_high", csvOnly: true, data: (c) => c.contrast.r_disattenuated_interval?.high },
        {
          label: "Scenarios",
          numeric: true,
          data: (c) => c.contrast.n_scenarios,
          cell: (c) => value(report, [...c.path, "n_scenarios"], "count"),
        },
      ],
    }),
  );
}
