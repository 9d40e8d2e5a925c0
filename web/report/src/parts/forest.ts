// Estimates with their intervals, one below the other. On narrow screens a row's name stands above its interval.

import * as Plot from "@observablehq/plot";

import { interval, isNumber, format } from "../data/format";

export interface ForestRow {
  label: string;
  value?: number;
  low?: number;
  high?: number;
  // A second interval, drawn thin below the first.
  low2?: number;
  high2?: number;
  colour?: string;
  // Drawn with a filled mark; false: a hollow one.
  filled?: boolean;
}

export interface ForestOptions {
  rows: readonly ForestRow[];
  // What the axis measures.
  label: string;
  // Reference lines.
  marks?: readonly number[];
  width: number;
}

// Pixels: of a character on average, and of a column with an estimate and its interval.
const characterWidth = 6.9;
const columnWidth = 166;
// Longer names are cut.
const longestName = 64;

export function forest({ rows, label, marks = [0], width }: ForestOptions): SVGSVGElement {
  const longest = Math.min(longestName, Math.max(...rows.map((row) => row.label.length), 4));
  const labelWidth = longest * characterWidth + 16;
  // The axis wants some room of its own.
  const stacked = width < labelWidth + columnWidth + 240;
  const numbersWidth = stacked ? 0 : columnWidth;
  const step = stacked ? 46 : 32;
  const keyed = rows.map((row, index) => ({ ...row, key: String(index) }));
  const values = keyed
    .flatMap((row) => [row.value, row.low, row.high, row.low2, row.high2])
    .concat(marks)
    .filter(isNumber);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = Math.max((high - low) * 0.05, 0.02);
  const x = (row: (typeof keyed)[number]) => row.value;
  const numbers = (row: ForestRow) => `${format(row.value, "figure")}  ${interval(row.low, row.high)}`;
  const drawable = keyed.filter((row) => isNumber(row.value));
  const main = keyed.filter((row) => isNumber(row.low) && isNumber(row.high));
  const second = keyed.filter((row) => isNumber(row.low2) && isNumber(row.high2));
  const ticks = Math.max(3, Math.min(8, Math.floor(width / 110)));
  const colour = (row: ForestRow) => row.colour ?? "var(--weights)";
  return Plot.plot({
    className: "plot",
    width,
    height: rows.length * step + 52,
    marginLeft: stacked ? 8 : labelWidth,
    marginRight: stacked ? 8 : numbersWidth,
    marginTop: 8,
    marginBottom: 44,
    x: { domain: [low - margin, high + margin], label, labelAnchor: "center", labelArrow: "none", labelOffset: 36 },
    y: { domain: keyed.map((row) => row.key), axis: null },
    marks: [
      Plot.gridX({ stroke: "var(--rule)", strokeOpacity: 1, ticks }),
      Plot.axisX({ ticks, tickSize: 0, label, labelAnchor: "center", labelArrow: "none", labelOffset: 36 }),
      Plot.ruleX(marks.slice(), { stroke: "var(--muted)", strokeDasharray: "2 3" }),
      Plot.ruleY(second, { x1: "low2", x2: "high2", y: "key", dy: stacked ? 14 : 7, stroke: colour, strokeWidth: 1 }),
      Plot.ruleY(main, { x1: "low", x2: "high", y: "key", dy: stacked ? 8 : 0, stroke: colour, strokeWidth: 2.5 }),
      Plot.dot(drawable, {
        x,
        y: "key",
        dy: stacked ? 8 : 0,
        r: 4.5,
        fill: (row: ForestRow) => (row.filled === false ? "var(--page)" : colour(row)),
        stroke: colour,
        strokeWidth: 2,
      }),
      stacked
        ? Plot.text(keyed, {
            y: "key",
            text: (row: ForestRow) => `${clip(row.label, (width - 60) / characterWidth)}  ${format(row.value, "figure")}`,
            frameAnchor: "left",
            textAnchor: "start",
            dy: -10,
            fill: "currentColor",
            stroke: "var(--page)",
            strokeWidth: 4,
          })
        : [
            Plot.text(keyed, {
              y: "key",
              text: (row: ForestRow) => clip(row.label, labelWidth / characterWidth),
              frameAnchor: "left",
              textAnchor: "start",
              dx: -labelWidth,
              fill: "currentColor",
            }),
            Plot.text(keyed, {
              y: "key",
              text: numbers,
              frameAnchor: "right",
              textAnchor: "end",
              dx: numbersWidth,
              fill: "currentColor",
              fontVariant: "tabular-nums",
            }),
          ],
    ],
  }) as SVGSVGElement;
}

export function clip(text: string, characters: number): string {
  const most = Math.max(4, Math.floor(characters));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
