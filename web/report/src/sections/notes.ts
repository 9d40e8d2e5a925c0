// What is not here: statistics left out, rows kept out. Warnings stand at the top of the page.

import type { ExcludedRow } from "../data/analysis";
import { dash, isNumber } from "../data/format";
import type { Path, Report } from "../data/report";
import { h, type Child } from "../parts/dom";
import { section, type Section } from "../parts/section";
import { table } from "../parts/table";
import { value } from "../parts/value";

export function notes(report: Report): Section | null {
  const { left_out: leftOut = [], excluded_rows: rows = [], excluded_row_count: count } = report.analysis;
  if (leftOut.length === 0 && rows.length === 0 && !count) return null;
  return section(
    "notes",
    "Left out, and why",
    null,
    leftOut.length > 0
      ? table<{ statistic?: string; reason?: string }>({
          caption: "Statistics that are not here",
          name: "left-out",
          rows: leftOut,
          sortable: false,
          columns: [
            { label: "Statistic", header: true, data: (item) => item.statistic },
            { label: "Why it is not here", csvName: "reason", data: (item) => item.reason },
          ],
        })
      : null,
    rows.length > 0 || count ? excluded(report, rows, count) : null,
  );
}

function excluded(report: Report, rows: ExcludedRow[], count: number | undefined): Child {
  return [
    h("h3", {}, "Rows that were kept out"),
    h(
      "p",
      {},
      isNumber(count) ? value(report, ["excluded_row_count"], "count") : String(rows.length),
      count === 1 ? " row was" : " rows were",
      " kept out",
      (count ?? 0) > rows.length ? `, of which ${rows.length.toLocaleString("en-US")} are listed` : "",
      ".",
    ),
    table<{ row: ExcludedRow; path: Path }>({
      caption: "Rows that were kept out",
      name: "excluded-rows",
      rows: rows.map((row, index) => ({ row, path: ["excluded_rows", index] })),
      columns: [
        { label: "File", header: true, data: ({ row }) => row.file },
        { label: "Line", numeric: true, data: ({ row }) => row.line, cell: ({ path }) => value(report, [...path, "line"], "count") },
        { label: "Column", data: ({ row }) => row.column, cell: ({ row }) => row.column || dash },
        { label: "What is wrong", csvName: "reason", data: ({ row }) => row.reason },
      ],
    }),
  ];
}

export function warnings({ analysis }: Report): HTMLElement | null {
  const items = analysis.warnings ?? [];
  if (items.length === 0) return null;
  return h(
    "aside",
    { class: "warnings", "aria-label": "Warnings" },
    h("h2", {}, items.length === 1 ? "A reader must know" : "What a reader must know"),
    h("ul", {}, items.map((text) => h("li", {}, text))),
  );
}
