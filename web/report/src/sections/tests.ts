// Every tested statistic: planned or exploratory.

import type { TestedStatistic } from "../data/analysis";
import type { Path, Report } from "../data/report";
import { section, type Section } from "../parts/section";
import { table } from "../parts/table";
import { value } from "../parts/value";
import { badge } from "./answer";

export function tests(report: Report): Section | null {
  const items = report.analysis.tests ?? [];
  if (items.length === 0) return null;
  type Row = { test: TestedStatistic; path: Path };
  const planned = report.analysis.plan !== undefined;
  return section(
    "tests",
    "Every test",
    planned
      ? "The primary statistics were named before the answers were there, and are corrected over each other by Holm’s method. The others suggest; they do not confirm."
      : "No analysis plan named any of these beforehand. They suggest; they do not confirm.",
    table<Row>({
      caption: "Tested statistics",
      name: "tests",
      rows: items.map((test, index) => ({ test, path: ["tests", index] })),
      columns: [
        { label: "Statistic", header: true, data: ({ test }) => test.statistic },
        {
          label: "Standing",
          data: ({ test }) => (test.primary ? "primary" : "exploratory"),
          cell: ({ test }) => badge(test.primary ? "primary" : "exploratory"),
        },
        { label: "Value", numeric: true, data: ({ test }) => test.value, cell: ({ path }) => value(report, [...path, "value"]) },
        { label: "p", numeric: true, data: ({ test }) => test.p, cell: ({ path }) => value(report, [...path, "p"], "p") },
        { label: "p, Holm", csvName: "p_holm", numeric: true, data: ({ test }) => test.p_holm, cell: ({ path }) => value(report, [...path, "p_holm"], "p") },
      ],
    }),
  );
}
