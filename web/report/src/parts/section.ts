// A section of the page: a heading, a sentence that says what it is about, and its content.

import { h, type Child } from "./dom";

export interface Section {
  id: string;
  title: string;
  element: HTMLElement;
}

export function section(id: string, title: string, lead: Child, ...content: Child[]): Section {
  const heading = `${id}-title`;
  const element = h(
    "section",
    { id, "aria-labelledby": heading },
    h("h2", { id: heading }, title),
    lead ? h("p", { class: "lead" }, lead) : null,
    ...content,
  );
  return { id, title, element };
}

// True on phones: less at a time is shown there. The same width as in style.css.
export function narrow(): boolean {
  return window.matchMedia("(max-width: 480px)").matches;
}

// A part that is there for who wants it, closed at first.
export function details(summary: Child, ...content: Child[]): HTMLElement {
  return h("details", {}, h("summary", {}, summary), h("div", { class: "inside" }, ...content));
}

// Terms and what they are; what is absent is left out.
export function terms(items: readonly (readonly [string, Child])[]): HTMLElement {
  return h(
    "dl",
    { class: "terms" },
    items
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))),
  );
}
