// Numbers, times and words as people read them. What is absent, or no number, is a dash.

export const dash = "–";
const minus = "−";

export type Format = "figure" | "weight" | "logodds" | "percent" | "p" | "count" | "money" | "plain";

export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

export function format(value: unknown, as: Format): string {
  if (!isNumber(value)) return dash;
  switch (as) {
    case "figure":
      return fixed(value, 3);
    case "weight":
      return fixed(value, 0);
    case "logodds":
      return fixed(value, 2);
    case "percent":
      return `${fixed(100 * value, 1)}%`;
    case "p":
      return value < 0.001 ? "<0.001" : fixed(value, 3);
    case "count":
      return grouped(Math.round(value));
    case "money":
      return money(value);
    case "plain":
      return String(value).replace("-", minus);
  }
}

// With a true minus sign, and none in front of zero.
function fixed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? minus + text : text;
}

function grouped(value: number): string {
  return (value < 0 ? minus : "") + String(Math.abs(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

// From nano-units of the endpoint's currency.
function money(nanos: number): string {
  const units = nanos / 1e9;
  if (nanos > 0 && units < 0.0001) return "<0.0001";
  return units < 1 ? fixed(units, 4) : fixed(units, 2);
}

export function interval(low: unknown, high: unknown, as: Format = "figure"): string {
  return isNumber(low) && isNumber(high) ? `[${format(low, as)}, ${format(high, as)}]` : dash;
}

// "25 Nov 2026, 16:20 UTC".
export function moment(time: string | undefined): string {
  const date = new Date(time ?? "");
  if (Number.isNaN(date.getTime())) return dash;
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${date.getUTCDate()} ${months[date.getUTCMonth()] ?? ""} ${date.getUTCFullYear()}`;
  return `${day}, ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`;
}

// "1 h 05 min" between two times.
export function span(from: string | undefined, to: string | undefined): string {
  const seconds = Math.round((new Date(to ?? "").getTime() - new Date(from ?? "").getTime()) / 1000);
  if (!Number.isFinite(seconds) || seconds < 0) return dash;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor(seconds / 60) % 60).padStart(2, "0")} min`;
}

// "OUT_OF_RANGE" -> "out of range".
export function words(constant: string | undefined): string {
  return constant ? constant.toLowerCase().replace(/_/g, " ").replace("json", "JSON") : dash;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}
