// Numbers of the analysis, marked with where they stand in it: `data-path` is a JSON pointer into analysis.json, and
// `data-format` how it is printed. The browser test compares every one of them with the file.

import { format, type Format, interval as intervalText } from "../data/format";
import { pointer, valueAt, type Path, type Report } from "../data/report";
import { h } from "./dom";

export function value(report: Report, path: Path, as: Format = "figure"): HTMLElement {
  return h(
    "span",
    { class: "value", "data-path": pointer(path), "data-format": as },
    format(valueAt(report.analysis, path), as),
  );
}

// "[0.681, 0.800]"; a dash when an end is missing.
export function ends(report: Report, low: Path, high: Path, as: Format = "figure"): HTMLElement {
  const text = intervalText(valueAt(report.analysis, low), valueAt(report.analysis, high), as);
  if (!text.startsWith("[")) return h("span", { class: "value" }, text);
  return h("span", { class: "ends" }, "[", value(report, low, as), ", ", value(report, high, as), "]");
}

// The interval of an Interval message.
export function endsOf(report: Report, path: Path, as: Format = "figure"): HTMLElement {
  return ends(report, [...path, "low"], [...path, "high"], as);
}

// The interval beside a slope: Student's t.
export function studentEnds(report: Report, path: Path): HTMLElement {
  return ends(report, [...path, "interval_low"], [...path, "interval_high"]);
}

// "574 / 1,000".
export function ratio(report: Report, part: Path, total: Path): HTMLElement {
  return h("span", { class: "ends" }, value(report, part, "count"), " / ", value(report, total, "count"));
}
