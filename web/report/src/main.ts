import "./style.css";

import { moment } from "./data/format";
import { readReport, type Report } from "./data/report";
import { append, h, type Child } from "./parts/dom";
import { narrow, type Section } from "./parts/section";
import { access } from "./sections/access";
import { answer } from "./sections/answer";
import { asked } from "./sections/asked";
import { contrasts } from "./sections/contrasts";
import { fit } from "./sections/fit";
import { methods } from "./sections/methods";
import { missing } from "./sections/missing";
import { notes, warnings } from "./sections/notes";
import { position } from "./sections/position";
import { scatter } from "./sections/scatter";
import { scenarios } from "./sections/scenarios";
import { sensitivity } from "./sections/sensitivity";
import { spend } from "./sections/spend";
import { spread } from "./sections/spread";
import { tests } from "./sections/tests";

function titleOf({ analysis, models }: Report): string {
  const jobs = (analysis.jobs ?? []).map((job) => job.display_name || job.name || "").filter(Boolean);
  const names = jobs.length > 0 ? jobs : models.map(({ name }) => name);
  if (names.length === 0) return "Analysis";
  return names.length <= 3 ? names.join(", ") : `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`;
}

// Names such as gpt-4o-2024-08-06 and intervals stay on one line, unless they are long.
function unbroken(text: string): Child {
  return text
    .split(/(\[[^\]]{1,24}\]|\S*-\S*)/)
    .map((part, index) => (index % 2 === 1 && part.length <= 26 ? h("span", { class: "whole" }, part) : part));
}

function contents(sections: Section[]): HTMLElement {
  return h(
    "nav",
    { class: "contents", "aria-label": "Contents" },
    // Closed on phones, where it would stand before everything; elsewhere its summary is hidden.
    h(
      "details",
      { open: !narrow() },
      h("summary", {}, "Contents"),
      h("ol", {}, sections.map(({ id, title }) => h("li", {}, h("a", { href: `#${id}` }, title)))),
    ),
  );
}

function show(root: HTMLElement, report: Report): void {
  const { analysis } = report;
  const title = titleOf(report);
  document.title = `${title} · Candor report`;
  const sections = [answer, asked, scatter, scenarios, spread, access, contrasts, sensitivity, missing, position, fit, tests, spend, methods, notes]
    .map((make) => make(report))
    .filter((made): made is Section => made !== null);
  append(root, [
    h("a", { class: "skip", href: "#content" }, "Skip to the content"),
    h(
      "header",
      { class: "top" },
      h("p", { class: "kicker" }, "Candor report"),
      h("h1", {}, title),
      analysis.headline ? h("p", { class: "headline" }, unbroken(analysis.headline)) : null,
      h(
        "p",
        { class: "meta" },
        [analysis.create_time ? moment(analysis.create_time) : "", analysis.candor_version ? `Candor ${analysis.candor_version}` : ""]
          .filter(Boolean)
          .join(" · "),
      ),
    ),
    contents(sections),
    h(
      "main",
      { id: "content", tabindex: -1 },
      warnings(report),
      sections.map(({ element }) => element),
    ),
    h("footer", {}, "Made by Candor. The same numbers are in analysis.json and the CSV tables beside this file."),
  ]);
}

// Paper has no way to open what is closed. Cards stay as they are: their figures say it.
let opened: HTMLDetailsElement[] = [];
window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll<HTMLDetailsElement>("main details:not([open])")].filter((item) => !item.closest(".card"));
  for (const item of opened) item.open = true;
});
window.addEventListener("afterprint", () => {
  for (const item of opened) item.open = false;
});

const root = document.getElementById("report");
if (root) show(root, readReport());
