// Spend and time, from the jobs' progress.

import type { Job, KindProgress } from "../data/analysis";
import { dash, span } from "../data/format";
import type { Path, Report } from "../data/report";
import { h } from "../parts/dom";
import { section, terms, type Section } from "../parts/section";
import { table } from "../parts/table";
import { ratio, value } from "../parts/value";

interface Row {
  entry: string;
  kind: KindProgress;
  path: Path;
}

export function spend(report: Report): Section | null {
  const jobs = (report.analysis.jobs ?? []).filter((job) => (job.progress?.length ?? 0) > 0);
  if (jobs.length === 0) return null;
  const several = (report.analysis.jobs?.length ?? 0) > 1;
  const rows: Row[] = (report.analysis.jobs ?? []).flatMap((job, index) =>
    (job.progress ?? []).flatMap((progress, entry) =>
      (progress.kinds ?? []).map((kind, at) => ({
        entry: several ? `${job.name ?? ""}/${progress.entry ?? ""}` : (progress.entry ?? ""),
        kind,
        path: ["jobs", index, "progress", entry, "kinds", at] as Path,
      })),
    ),
  );
  const unknown = rows.some(({ kind }) => (kind.unknown_attempts ?? 0) > 0);
  return section(
    "spend",
    "Spend and time",
    "Repeated and failed calls are in the spend, never in the results.",
    terms(jobs.map((job) => [several ? (job.name ?? "") : "Took", took(job)] as const)),
    table<Row>({
      caption: "Calls, tokens and money",
      name: "spend",
      rows,
      columns: [
        { label: "Entry", header: true, data: ({ entry }) => entry },
        { label: "Asked for", data: ({ kind }) => (kind.kind === "CHOICE" ? "choices" : "self-reports") },
        {
          label: "Answered",
          csvName: "done",
          numeric: true,
          data: ({ kind }) => kind.done ?? 0,
          cell: ({ kind, path }) => (kind.done === undefined ? "0" : ratio(report, [...path, "done"], [...path, "total"])),
        },
        { label: "total", csvOnly: true, data: ({ kind }) => kind.total },
        count("Given up", "failed"),
        count("Calls", "calls"),
        count("Repeated", "repeated_calls"),
        usage("Tokens in", "input_tokens"),
        usage("Tokens out", "output_tokens"),
        {
          label: "Money",
          csvName: "money_nano",
          numeric: true,
          data: ({ kind }) => kind.money ?? 0,
          cell: ({ kind, path }) => (kind.money === undefined ? dash : value(report, [...path, "money"], "money")),
        },
        ...(unknown ? [count("Calls of lost workers", "unknown_attempts")] : []),
      ],
    }),
    h("p", { class: "small" }, "Money is in the endpoints’ own currency, at the configured prices; a dash where none are configured."),
  );

  // Counts that are 0 are left out of the JSON.
  function count(label: string, field: "failed" | "calls" | "repeated_calls" | "unknown_attempts") {
    return {
      label,
      csvName: field,
      numeric: true,
      data: ({ kind }: Row) => kind[field] ?? 0,
      cell: ({ kind, path }: Row) => (kind[field] === undefined ? "0" : value(report, [...path, field], "count")),
    };
  }
  function usage(label: string, field: "input_tokens" | "output_tokens") {
    return {
      label,
      csvName: field,
      numeric: true,
      data: ({ kind }: Row) => kind.usage?.[field] ?? 0,
      cell: ({ kind, path }: Row) => (kind.usage?.[field] === undefined ? "0" : value(report, [...path, "usage", field], "count")),
    };
  }
}

function took(job: Job): string {
  if (job.imported) return "imported: no provider was called";
  if (!job.end_time) return "not finished yet";
  return `${span(job.start_time ?? job.create_time, job.end_time)}, from the first call to the last answer`;
}
