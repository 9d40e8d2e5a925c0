// What was asked: models, conditions, design, wording, dates, versions, seed, plan.

import type { AnalysisPlan, Choices, Entry, Job, PromptTemplate, Prompts, Sampling, SelfReports } from "../data/analysis";
import { dash, format, moment, plural, span, words } from "../data/format";
import type { Path, Report } from "../data/report";
import { h, type Child } from "../parts/dom";
import { details, section, terms, type Section } from "../parts/section";
import { table } from "../parts/table";
import { value } from "../parts/value";

export function asked(report: Report): Section {
  const { analysis } = report;
  const jobs = analysis.jobs ?? [];
  const settings = analysis.settings;
  const sources = analysis.sources ?? [];
  return section(
    "asked",
    "What was asked",
    null,
    jobs.map((job, index) => jobPart(report, job, ["jobs", index], jobs.length > 1)),
    plan(report),
    h("h3", {}, "How the numbers were made"),
    terms([
      ["Read from", sources.length > 0 && sources.length <= 3 ? list(sources) : null],
      ["Models", jobs.length === 0 ? report.models.map(({ name }) => name).join(", ") : null],
      ["Analysed", moment(analysis.create_time)],
      ["Candor", analysis.candor_version ? `version ${analysis.candor_version}, schema ${analysis.schema_version ?? dash}` : null],
      ["Prior width tau", settings?.tau === undefined ? null : value(report, ["settings", "tau"], "plain")],
      ["Bootstrap", settings?.resamples === undefined ? null : [value(report, ["settings", "resamples"], "count"), " resamples"]],
      ["Permutations", settings?.permutations === undefined ? null : value(report, ["settings", "permutations"], "count")],
      ["Folds", settings?.folds === undefined ? null : value(report, ["settings", "folds"], "count")],
      ["Seed of the analysis", settings?.seed === undefined ? null : value(report, ["settings", "seed"], "plain")],
    ]),
    sources.length > 3 ? details(`Read from ${plural(sources.length, "source")}`, list(sources)) : null,
  );
}

function list(items: readonly string[]): Child {
  return h("ul", { class: "plain" }, items.map((item) => h("li", {}, item)));
}

function jobPart(report: Report, job: Job, path: Path, several: boolean): Child {
  return [
    several ? h("h3", {}, job.display_name || job.name || "") : null,
    terms([
      ["Job", [job.display_name ? `${job.display_name} · ` : null, h("code", {}, job.name ?? dash)]],
      ["State", [words(job.state), job.state_reason ? `: ${job.state_reason}` : null, job.imported ? " (imported)" : null]],
      ["Asked", askedWhen(job)],
      ["Scenarios", scenariosWords(job)],
      ["Choices", choicesWords(job.choices)],
      ["Self-reports", reportsWords(job.self_reports)],
      ["Attributes are shown", job.attribute_order === "SHUFFLED" ? "in a random order for each pair" : "in the scenario’s own order"],
      ["Seed", job.seed === undefined ? "0" : value(report, [...path, "seed"], "plain")],
      ["Labels", job.labels ? Object.entries(job.labels).map(([key, text]) => `${key}: ${text}`).join(", ") : null],
      ["Specification", job.specification_hash ? h("code", { class: "hash" }, job.specification_hash) : null],
    ]),
    entries(job),
    prompts("Wording of the prompts", job.prompts),
    (job.models ?? []).filter((entry) => entry.prompts).map((entry) => prompts(`Wording for ${entry.name ?? ""}`, entry.prompts)),
  ];
}

function askedWhen(job: Job): Child {
  const from = job.start_time ?? job.create_time;
  if (!from) return null;
  if (!job.end_time) return `since ${moment(from)}`;
  return `${moment(from)} to ${moment(job.end_time)} (${span(from, job.end_time)})`;
}

function scenariosWords(job: Job): string {
  const set = job.inline_scenarios ? "the job’s own" : (job.scenario_set ?? "scenarioSets/builtin");
  const picked = job.scenario_ids?.length ? `, ${plural(job.scenario_ids.length, "of them picked", "of them picked")}` : "";
  const limit = job.scenario_limit ? `, the first ${format(job.scenario_limit, "count")}` : "";
  return set + picked + limit;
}

function choicesWords(choices: Choices | undefined): string {
  if (!choices?.trials_per_scenario) return "none";
  const parts = [`${plural(choices.trials_per_scenario, "trial")} a scenario`];
  if (choices.orders === "BOTH") parts.push("each pair in both orders");
  if ((choices.samples_per_trial ?? 1) > 1) parts.push(`each asked ${choices.samples_per_trial ?? 1} times`);
  if (choices.design === "ADAPTIVE") {
    parts.push(
      `adaptive: ${choices.adaptive?.random_pairs ?? 5} random pairs, then the most informative of ${choices.adaptive?.candidates ?? 64} candidates`,
    );
  } else {
    parts.push("random pairs");
  }
  return [...parts, ...samplingWords(choices.sampling)].join("; ");
}

function reportsWords(reports: SelfReports | undefined): string {
  if (!reports?.reports_per_scenario) return "none";
  return [`${plural(reports.reports_per_scenario, "report")} a scenario, each about a fresh random trial`, ...samplingWords(reports.sampling)].join("; ");
}

function samplingWords(sampling: Sampling | undefined): string[] {
  if (!sampling) return [];
  const parts: string[] = [];
  const add = (name: string, given: unknown) => {
    if (given !== undefined) parts.push(`${name} ${String(given)}`);
  };
  add("temperature", sampling.temperature);
  add("top-p", sampling.top_p);
  add("at most tokens:", sampling.max_output_tokens);
  add("provider’s seed", sampling.seed);
  add("reasoning effort", sampling.reasoning_effort);
  add("log-probabilities of tokens:", sampling.log_probabilities);
  if (sampling.response_schema === "SCHEMA") parts.push("replies held to a schema");
  if (sampling.extra_body !== undefined) parts.push(`sent along: ${JSON.stringify(sampling.extra_body)}`);
  return parts;
}

function entries(job: Job): Child {
  if (!job.models?.length) return null;
  const judged = job.models.some((entry) => entry.weights_from);
  const own = job.models.some((entry) => entry.choices ?? entry.self_reports);
  return table<Entry>({
    caption: "Models and conditions",
    name: "models",
    rows: job.models,
    sortable: false,
    pageSize: 30,
    columns: [
      { label: "Entry", header: true, data: (entry) => entry.name ?? entry.condition ?? entry.model },
      { label: "Model", data: (entry) => entry.model },
      { label: "Condition", data: (entry) => entry.condition },
      { label: "Endpoint", data: (entry) => entry.endpoint },
      ...(judged ? [{ label: "Judged against the weights of", data: (entry: Entry) => entry.weights_from ?? "itself" }] : []),
      ...(own
        ? [
            {
              label: "Its own design",
              data: (entry: Entry) =>
                [
                  entry.choices ? `choices: ${choicesWords(entry.choices)}` : "",
                  entry.self_reports ? `self-reports: ${reportsWords(entry.self_reports)}` : "",
                ]
                  .filter(Boolean)
                  .join(". "),
            },
          ]
        : []),
    ],
  });
}

function prompts(title: string, given: Prompts | undefined): Child {
  const part = (name: string, template: PromptTemplate | undefined) => [
    h("h4", {}, name),
    template?.messages?.length
      ? template.messages.map((message) => [
          h("p", { class: "small" }, message.role ?? ""),
          h("pre", { tabindex: 0, role: "group", "aria-label": `${name}, ${message.role ?? "message"}` }, message.content ?? ""),
        ])
      : h("p", { class: "small" }, "Candor’s own wording."),
  ];
  return details(title, part("Asks for a choice", given?.choice), part("Asks for a self-report", given?.self_report));
}

function plan(report: Report): Child {
  const { plan: given, plan_hash: hash } = report.analysis;
  if (!given) {
    return [
      h("h3", {}, "Analysis plan"),
      h("p", {}, "There was none, so that nothing here was named before the answers were there: read every statistic as exploratory."),
    ];
  }
  return [
    h("h3", {}, "Analysis plan"),
    terms([
      ["Primary", given.primary?.length ? list(given.primary) : "none"],
      ["Prior width tau", given.tau === undefined ? "1 (as in the paper)" : value(report, ["plan", "tau"], "plain")],
      ["Left out", exclusions(given)],
      [
        "Compared",
        given.contrasts?.length ? list(given.contrasts.map(({ trained, untrained }) => `${trained ?? dash} − ${untrained ?? dash}`)) : null,
      ],
      ["Hash at creation", hash ? h("code", { class: "hash" }, hash) : null],
    ]),
    h("p", { class: "small" }, "Holm’s method corrects over the primary statistics. Everything that the plan does not name is marked as exploratory."),
  ];
}

function exclusions({ exclusions: given }: AnalysisPlan): Child {
  if (!given) return "nothing";
  const parts: string[] = [];
  if (given.scenario_ids?.length) parts.push(`scenarios ${given.scenario_ids.join(", ")}`);
  if (given.classes?.length) parts.push(`replies of class ${given.classes.map(words).join(", ")}`);
  if (given.min_reports_per_scenario) parts.push(`scenarios with fewer than ${plural(given.min_reports_per_scenario, "readable report")}`);
  if (given.min_choices_per_scenario) parts.push(`scenarios with fewer than ${plural(given.min_choices_per_scenario, "readable choice")}`);
  if (given.out_of_range) {
    const ways: Record<string, string> = { CLIPPED: "reports beyond the scale are clipped", DROPPED: "reports beyond the scale" };
    const way = ways[given.out_of_range];
    if (way) parts.push(way);
  }
  return parts.length > 0 ? list(parts) : "nothing";
}
