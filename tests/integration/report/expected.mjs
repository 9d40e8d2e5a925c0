// What the page must print for a value of analysis.json: written a second time here, from the rules and not from the page's
// sources.

// The value at a JSON pointer (RFC 6901), undefined where there is none.
export function resolve(analysis, path) {
  let value = analysis;
  for (const step of path.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    value = value !== null && typeof value === "object" && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

// Absent: a dash. Otherwise by format, with the minus sign U+2212.
export function printed(value, format) {
  if (typeof value !== "number") return "–";
  const signed = (text) => (/^-0(\.0*)?$/.test(text) ? text.slice(1) : text.replace("-", "−"));
  switch (format) {
    case "figure":
      return signed(value.toFixed(3));
    case "logodds":
      return signed(value.toFixed(2));
    case "weight":
      return signed(value.toFixed(0));
    case "percent":
      return signed((value * 100).toFixed(1)) + "%";
    case "p":
      return value < 0.001 ? "<0.001" : value.toFixed(3);
    case "count":
      return value.toLocaleString("en-US", { maximumFractionDigits: 0 }).replace("-", "−");
    case "money":
      return value > 0 && value < 1e5 ? "<0.0001" : (value / 1e9).toFixed(value < 1e9 ? 4 : 2);
    case "plain":
      return String(value).replace("-", "−");
    default:
      return `no format is called ${format}`;
  }
}
