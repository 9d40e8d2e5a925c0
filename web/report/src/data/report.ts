// The analysis of this page, with its statistics in the order in which readers meet them.

import {
  agreementNames,
  contrastNames,
  type Agreement,
  type AgreementName,
  type Analysis,
  type Contrast,
  type ContrastName,
  type ModelAnalysis,
} from "./analysis";

// Where a value stands in the analysis: ["models", "gpt-4.1", "control", "slope"].
export type Path = readonly (string | number)[];

export interface NamedModel {
  name: string;
  model: ModelAnalysis;
  path: Path;
}

export interface NamedAgreement {
  model: string;
  name: AgreementName;
  agreement: Agreement;
  path: Path;
  // "Base model (control)", with the model in front where there are several.
  label: string;
  standing: Standing;
}

export interface NamedContrast {
  model: string;
  name: ContrastName;
  contrast: Contrast;
  path: Path;
  label: string;
  standing: Standing;
}

// Whether the analysis plan names it; null where there is no plan.
export type Standing = "primary" | "exploratory" | null;

export interface Report {
  analysis: Analysis;
  models: NamedModel[];
  agreements: NamedAgreement[];
  contrasts: NamedContrast[];
}

const agreementLabels: Record<AgreementName, string> = {
  self_reports: "Self-reports",
  learned_vs_instilled: "Learned against instilled weights",
  control: "Base model (control)",
  preference_trained: "Preference-trained",
  introspection_trained: "Introspection-trained, held-out halves",
  native_before: "Native, before introspection training",
  native_after: "Native, after introspection training",
};

const contrastLabels: Record<ContrastName, string> = {
  contrast_self_reports: "Self-reports",
  contrast_instilled: "Instilled scenarios",
  contrast_native: "Native scenarios",
};

// What the page's data element holds.
export function readReport(): Report {
  const text = document.getElementById("analysis")?.textContent ?? "{}";
  return makeReport(JSON.parse(text) as Analysis);
}

export function makeReport(analysis: Analysis): Report {
  const models = orderedModels(analysis);
  const several = models.length > 1;
  const agreements: NamedAgreement[] = [];
  const contrasts: NamedContrast[] = [];
  for (const { name: model, model: of, path } of models) {
    for (const name of agreementNames) {
      const agreement = of[name];
      if (!agreement) continue;
      const words = agreementLabels[name];
      // A job's entries have one statistic each: their name says it all.
      const label = !several ? words : name === "self_reports" ? model : `${model}: ${lowerFirst(words)}`;
      agreements.push({
        model,
        name,
        agreement,
        path: [...path, name],
        label,
        standing: standing(analysis, model, name),
      });
    }
  }
  const addContrasts = (model: string, of: Partial<Record<ContrastName, Contrast>>, path: Path, front: string) => {
    for (const name of contrastNames) {
      const contrast = of[name];
      if (!contrast) continue;
      const label =
        name === "contrast_self_reports" && contrast.trained && contrast.untrained
          ? `${front}${contrast.trained} − ${contrast.untrained}`
          : front === ""
            ? contrastLabels[name]
            : front + lowerFirst(contrastLabels[name]);
      contrasts.push({ model, name, contrast, path: [...path, name], label, standing: standing(analysis, model, name) });
    }
  };
  for (const { name, model, path } of models) {
    addContrasts(name, model, path, several && !model.contrast_self_reports ? `${name}: ` : "");
  }
  if (analysis.pooled) addContrasts("pooled", analysis.pooled, ["pooled"], "All models together: ");
  return { analysis, models, agreements, contrasts };
}

// In the order of the jobs' entries, then by name.
function orderedModels(analysis: Analysis): NamedModel[] {
  const rank = new Map<string, number>();
  for (const job of analysis.jobs ?? []) {
    for (const entry of job.models ?? []) {
      for (const name of [entry.name ?? "", `${job.name ?? ""}/${entry.name ?? ""}`]) {
        if (!rank.has(name)) rank.set(name, rank.size);
      }
    }
  }
  return Object.entries(analysis.models ?? {})
    .map(([name, model]) => ({ name, model, path: ["models", name] as Path }))
    .sort((a, b) => {
      const order = (rank.get(a.name) ?? rank.size) - (rank.get(b.name) ?? rank.size);
      return order !== 0 ? order : a.name < b.name ? -1 : 1;
    });
}

// "base.self_reports" in the plan, or "models.base.self_reports.slope" among the tests.
function standing(analysis: Analysis, model: string, name: string): Standing {
  if (!analysis.plan) return null;
  if (analysis.plan.primary?.includes(`${model}.${name}`)) return "primary";
  const under = model === "pooled" ? `${model}.${name}` : `models.${model}.${name}`;
  const tested = (analysis.tests ?? []).some(
    ({ statistic = "", primary }) => primary === true && (statistic === under || statistic.startsWith(`${under}.`)),
  );
  return tested ? "primary" : "exploratory";
}

// The one that a reader wants to see first: named by the plan, or the one that training was for.
export function foremostOf(agreements: readonly NamedAgreement[]): number {
  const named = agreements.findIndex((item) => item.standing === "primary");
  if (named >= 0) return named;
  return Math.max(0, agreements.findIndex(({ name }) => name === "introspection_trained" || name === "native_after"));
}

export function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

// The value at a path of an analysis, undefined where there is none.
export function valueAt(analysis: Analysis, path: Path): unknown {
  let value: unknown = analysis;
  for (const step of path) {
    if (value === null || typeof value !== "object") return undefined;
    value = Object.prototype.hasOwnProperty.call(value, step)
      ? (value as Record<string | number, unknown>)[step]
      : undefined;
  }
  return value;
}

// As a JSON pointer (RFC 6901), since models' names may hold dots.
export function pointer(path: Path): string {
  return path.map((step) => "/" + String(step).replace(/~/g, "~0").replace(/\//g, "~1")).join("");
}
