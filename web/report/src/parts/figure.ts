// A figure: drawn to the width that it has, with a caption, a description for who cannot see it, and its SVG to take away.

import { button } from "./controls";
import { append, download, fileName, freshId, h, type Child } from "./dom";

export interface FigureOptions {
  // What the file is called that a reader saves.
  name: string;
  // One sentence that says what is to be seen.
  caption: Child;
  // The figure in words, for screen readers: what is shown, and what comes of it.
  description: () => string;
  // What colours and marks mean.
  legend?: readonly Child[];
  draw: (width: number) => SVGSVGElement | HTMLElement;
}

export interface Figure {
  element: HTMLElement;
  redraw(): void;
}

export function figure({ name, caption, description, legend, draw }: FigureOptions): Figure {
  const id = freshId("caption");
  const canvas = h("div", { class: "canvas" });
  const save = button("Save as SVG", () => saveSvg(canvas, name), {
    class: "quiet",
    "aria-label": `Save the figure as SVG: ${name}`,
  });
  const element = h("figure", { "aria-labelledby": id }, legend ? h("div", { class: "legend" }, ...legend) : null, canvas);
  append(element, [h("figcaption", { id }, h("span", {}, caption), save)]);
  let width = 0;
  const redraw = () => {
    if (width === 0) return;
    const drawn = draw(width);
    const svg = drawn instanceof SVGSVGElement ? drawn : drawn.querySelector("svg");
    svg?.setAttribute("role", "img");
    svg?.setAttribute("aria-label", description());
    svg?.removeAttribute("aria-description");
    canvas.replaceChildren(drawn);
  };
  new ResizeObserver(() => {
    const now = Math.floor(canvas.clientWidth);
    if (now === width || now === 0) return;
    width = now;
    redraw();
  }).observe(canvas);
  return { element, redraw };
}

// A sample of a mark with its meaning.
export function key(mark: "dot" | "diamond" | "diamond full" | "triangle" | "thick" | "thin" | "square" | "dash", colour: string, text: string): Child {
  return h("span", { class: "key" }, h("i", { class: `mark ${mark}`, style: `--mark: var(${colour})` }), text);
}

function saveSvg(canvas: HTMLElement, name: string): void {
  const svg = canvas.querySelector("svg");
  if (!svg) return;
  download(`${fileName(name)}.svg`, "image/svg+xml", standaloneSvg(svg));
}

// The SVG with the page's colours and font written into it, so that it looks the same anywhere.
export function standaloneSvg(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const from = [svg, ...svg.querySelectorAll("*")];
  const to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((element, index) => {
    for (const attribute of ["fill", "stroke", "color"]) {
      if (!element.getAttribute(attribute)?.includes("var(")) continue;
      to[index]?.setAttribute(attribute, getComputedStyle(element).getPropertyValue(attribute));
    }
  });
  const style = getComputedStyle(svg);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("color", style.color);
  copy.setAttribute("font-family", style.fontFamily);
  copy.setAttribute("style", `background: ${getComputedStyle(document.body).backgroundColor}`);
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = svg.getAttribute("aria-label");
  copy.prepend(title);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
}
