// A table that stays usable with 2,000 rows: sorted by a click or a key, searched, shown a page at a time, saved whole as
// CSV.

import { button, pager, search } from "./controls";
import { csv, type CsvCell } from "./csv";
import { download, fileName, h, inOrder, type Child } from "./dom";

export interface Column<Row> {
  label: string;
  // What is shown; left out, it is what `data` says.
  cell?: (row: Row) => Child;
  // What is sorted by and saved: the number or text itself.
  data: (row: Row) => CsvCell;
  // The name in the CSV's header; left out, the label.
  csvName?: string;
  numeric?: boolean;
  // Names the row, for screen readers.
  header?: boolean;
  // Only in the CSV.
  csvOnly?: boolean;
}

export interface TableOptions<Row> {
  // What the rows are, for the caption and for labels: "Agreement by scenario".
  caption: string;
  // The file's name without its end.
  name: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  pageSize?: number;
  // Sorting by clicking on headers; for tables whose order says nothing.
  sortable?: boolean;
}

export function table<Row>(options: TableOptions<Row>): HTMLElement {
  const { caption, columns, rows, pageSize = 15, sortable = rows.length > 8 } = options;
  const shown = columns.filter((column) => !column.csvOnly);
  let visible = rows.slice();
  let sortedBy: Column<Row> | null = null;
  let falling = false;
  let needle = "";

  const body = h("tbody");
  const pages = pager(caption.toLowerCase(), pageSize, (page) => draw(page));
  const heads = shown.map((column) => {
    const head = h("th", { scope: "col", class: column.numeric ? "number" : undefined });
    if (sortable) {
      head.append(button(column.label, () => sortBy(column), { class: "sort" }));
    } else {
      head.textContent = column.label;
    }
    return head;
  });

  function draw(page: number): void {
    const part = visible.slice(page * pageSize, (page + 1) * pageSize);
    body.replaceChildren(
      ...part.map((row) =>
        h(
          "tr",
          {},
          shown.map((column) => {
            const content = column.cell ? column.cell(row) : text(column.data(row));
            const attributes = { class: column.numeric ? "number" : undefined };
            return column.header ? h("th", { scope: "row", ...attributes }, content) : h("td", attributes, content);
          }),
        ),
      ),
    );
    pages.show(visible.length, page);
  }

  function arrange(): void {
    visible = rows.filter((row) => needle === "" || shown.some((column) => matches(column.data(row), needle)));
    const by = sortedBy;
    if (by) visible.sort((a, b) => compare(by.data(a), by.data(b), falling));
    shown.forEach((column, index) => {
      const order = column !== sortedBy ? null : falling ? "descending" : "ascending";
      if (order) heads[index]?.setAttribute("aria-sort", order);
      else heads[index]?.removeAttribute("aria-sort");
    });
    draw(0);
  }

  function sortBy(column: Column<Row>): void {
    // Numbers: the largest first; then the other way round.
    falling = sortedBy === column ? !falling : column.numeric === true;
    sortedBy = column;
    arrange();
  }

  const save = button(
    "Save as CSV",
    () =>
      download(
        `${fileName(options.name)}.csv`,
        "text/csv",
        csv(
          columns.map((column) => column.csvName ?? column.label),
          rows.map((row) => columns.map((column) => column.data(row))),
        ),
      ),
    { class: "quiet", "aria-label": `Save the table as CSV: ${caption}` },
  );
  const tools = h("div", { class: "tools" });
  if (rows.length > pageSize) {
    tools.append(
      search("Search", (typed) => {
        needle = typed.trim().toLowerCase();
        arrange();
      }),
    );
  }
  arrange();
  return h(
    "div",
    { class: "table" },
    rows.length > pageSize ? tools : null,
    h(
      "div",
      { class: "scroll", role: "region", tabindex: 0, "aria-label": caption },
      h("table", {}, h("caption", { class: "hidden" }, caption), h("thead", {}, h("tr", {}, heads)), body),
    ),
    h("div", { class: "under" }, pages.element, save),
  );
}

function text(value: CsvCell): string {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}

function matches(value: CsvCell, needle: string): boolean {
  return typeof value === "string" && value.toLowerCase().includes(needle);
}

// What is absent comes last, whichever way it is sorted.
function compare(a: CsvCell, b: CsvCell, falling: boolean): number {
  const absent = (value: CsvCell) => value === undefined || value === null || value === "";
  if (absent(a) || absent(b)) return Number(absent(a)) - Number(absent(b));
  const order =
    typeof a === "string" && typeof b === "string"
      ? inOrder(a, b)
      : Number(a) - Number(b);
  return falling ? -order : order;
}
