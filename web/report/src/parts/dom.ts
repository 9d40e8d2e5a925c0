// Elements from data. Texts become text nodes, always: nothing that a model or a user wrote is ever read as HTML.

export type Child = Node | string | number | null | undefined | false | readonly Child[];

type Attributes = Record<string, string | number | boolean | undefined | ((event: Event) => void)>;

// h("p", { class: "note" }, "Hello ", h("b", {}, name)). An attribute that is a function listens to that event; false and
// undefined leave an attribute out.
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name, value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, String(value));
    }
  }
  append(element, children);
  return element;
}

export function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (typeof child === "string" || typeof child === "number") {
      element.append(String(child));
    } else if (child instanceof Node) {
      element.append(child);
    } else {
      append(element, child);
    }
  }
}

// The order of names: "flat-2" before "flat-10".
export const inOrder = new Intl.Collator("en", { numeric: true }).compare;

let lastId = 0;

// An id that nothing else on the page has.
export function freshId(front: string): string {
  lastId += 1;
  return `${front}-${lastId}`;
}

// Offers a text as a file. No server is asked: the bytes are in the page.
export function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  // The download has begun by the next task; only then may its address go.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}

// What a file may be called: "GPT 4.1 / native" -> "gpt-4-1-native".
export function fileName(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 80) || "figure"
  );
}
