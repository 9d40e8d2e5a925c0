// Form controls with their labels.

import { freshId, h, type Child } from "./dom";

export interface Option<T> {
  label: string;
  value: T;
}

// A labelled select; `change` is called with the chosen value. With a single option it is plain text.
export function select<T>(label: string, options: readonly Option<T>[], change: (value: T) => void, chosen = 0): Child {
  if (options.length < 2) return null;
  const id = freshId("choice");
  const element = h(
    "select",
    {
      id,
      change: () => {
        const option = options[element.selectedIndex];
        if (option) change(option.value);
      },
    },
    options.map((option, index) => h("option", { value: index, selected: index === chosen }, option.label)),
  );
  return h("div", { class: "control" }, h("label", { for: id }, label), element);
}

export function search(label: string, change: (text: string) => void): HTMLElement {
  const id = freshId("search");
  const element = h("input", { id, type: "search", autocomplete: "off", input: () => change(element.value) });
  return h("div", { class: "control" }, h("label", { for: id }, label), element);
}

export function button(label: string, action: () => void, attributes: Record<string, string | boolean> = {}) {
  return h("button", { type: "button", ...attributes, click: action }, label);
}

export interface Pager {
  element: HTMLElement;
  // Says how many items there are, and goes to a page, from 0.
  show(items: number, page: number): void;
}

// "1–12 of 2,000" between two buttons. Hidden while one page holds all.
export function pager(what: string, pageSize: number, go: (page: number) => void): Pager {
  let page = 0;
  const back = button("Previous", () => go(page - 1), { "aria-label": `Previous ${what}` });
  const on = button("Next", () => go(page + 1), { "aria-label": `Next ${what}` });
  const status = h("span", { class: "status", role: "status" });
  const element = h("nav", { class: "pager", "aria-label": `Pages of ${what}` }, back, status, on);
  return {
    element,
    show(items, at) {
      page = at;
      const last = Math.max(0, Math.ceil(items / pageSize) - 1);
      const count = items.toLocaleString("en-US");
      const first = items === 0 ? 0 : page * pageSize + 1;
      const end = Math.min(items, (page + 1) * pageSize);
      status.textContent =
        items === 0 ? "none" : `${first.toLocaleString("en-US")}–${end.toLocaleString("en-US")} of ${count}`;
      back.disabled = page === 0;
      on.disabled = page >= last;
      element.hidden = items <= pageSize && page === 0;
    },
  };
}
