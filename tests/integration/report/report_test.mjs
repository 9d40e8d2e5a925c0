// Opens sample reports in headless Chromium and checks what readers rely on: the figures on the page are those of
// analysis.json, nothing else is asked for, nothing that a model wrote runs, and it can be read on a phone, in the dark, in
// print, and without a mouse.
//
//   node report_test.mjs CHROMIUM SAMPLES
//
// SAMPLES is what report_samples wrote. Exits with 77 when there is no CHROMIUM.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { Browser } from "./browser.mjs";
import { printed, resolve } from "./expected.mjs";

const [program, samples] = process.argv.slice(2);
if (!program || !existsSync(program)) {
  console.log(`SKIPPED: there is no Chromium (${program || "none found"}); install Debian's package chromium`);
  process.exit(77);
}

const browser = await Browser.start(program);
const failures = [];

async function test(name, run) {
  const begin = Date.now();
  try {
    await run();
    console.log(`ok      ${name} (${Date.now() - begin} ms)`);
  } catch (error) {
    failures.push(name);
    console.log(`FAILED  ${name}\n${String(error.stack ?? error).replace(/^/gm, "        ")}`);
  }
}

const analysisOf = (sample) => JSON.parse(readFileSync(join(samples, sample, "analysis.json"), "utf8"));
const open = (sample, options) => browser.open(pathToFileURL(join(samples, sample, "report.html")).href, options);

// Whatever a test does, in the end: no error in the console, no request but for the page itself.
async function quiet(page, sample) {
  assert.deepEqual(page.errors, []);
  const others = page.requests.filter((url) => !url.endsWith(`/${sample}/report.html`) && !url.startsWith("data:") && !url.startsWith("blob:"));
  assert.deepEqual(others, []);
  await page.close();
}

const marked = (page) =>
  page.evaluate(`[...document.querySelectorAll("[data-path]")].map(({ dataset, textContent }) => [dataset.path, dataset.format, textContent])`);

function compare(analysis, values) {
  for (const [path, format, text] of values) assert.equal(text, printed(resolve(analysis, path), format), path);
}

// "measured" is there where the paper's data are.
for (const sample of ["measured", "paper", "job", "one", "large", "hostile", "empty"].filter((name) => existsSync(join(samples, name)))) {
  await test(`${sample}: figures on the page are those of the JSON`, async () => {
    const analysis = analysisOf(sample);
    const page = await open(sample);
    await page.evaluate(`document.querySelectorAll("details").forEach((item) => { item.open = true; })`);
    await page.settle();
    const values = await marked(page);
    if (sample !== "empty") assert.ok(values.length > 100, `only ${values.length} figures are marked`);
    compare(analysis, values);
    // Every statistic of every model stands on the page with slope, interval and r.
    const paths = new Set(values.map(([path]) => path));
    for (const [model, statistics] of Object.entries(analysis.models ?? {})) {
      for (const [name, statistic] of Object.entries(statistics)) {
        if (typeof statistic?.slope !== "number") continue;
        const front = `/models/${model.replaceAll("~", "~0").replaceAll("/", "~1")}/${name}`;
        for (const field of ["slope", "r", "interval_low", "interval_high", "n_scenarios"]) {
          assert.ok(paths.has(`${front}/${field}`), `${front}/${field} is not on the page`);
        }
      }
    }
    const text = await page.evaluate("document.body.innerText");
    for (const word of ["undefined", "NaN", "[object", "Infinity"]) assert.ok(!text.includes(word), `the page says "${word}"`);
    const drawn = await page.evaluate(`document.querySelector("main").innerHTML`);
    assert.ok(!/(NaN|undefined)/.test(drawn), "a figure is drawn with NaN or undefined");
    await quiet(page, sample);
  });
}

await test("choosing another statistic, page, order or search changes what is shown, and it is right", async () => {
  const analysis = analysisOf("large");
  const page = await open("large");
  const texts = (selector) => page.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].map((item) => item.textContent)`);
  const before = await texts("#scenarios .card h3");
  await page.evaluate(`document.querySelector("#scenarios > .under button:last-of-type").click()`);
  const second = await texts("#scenarios .card h3");
  assert.notDeepEqual(second, before);
  assert.equal((await texts("#scenarios > .under .status"))[0], "7–12 of 2,000");
  await page.evaluate(`{ const field = document.querySelector("#scenarios input"); field.value = "ferry-1000"; field.dispatchEvent(new Event("input")); }`);
  assert.equal((await texts("#scenarios .card")).length, 1);
  await page.evaluate(`{ const field = document.querySelector("#scenarios input"); field.value = ""; field.dispatchEvent(new Event("input")); }`);
  await page.evaluate(`document.querySelectorAll("select").forEach((field) => { field.selectedIndex = field.options.length - 1; field.dispatchEvent(new Event("change")); })`);
  await page.evaluate(`document.querySelectorAll("button.sort").forEach((button) => button.click())`);
  await page.settle();
  compare(analysis, await marked(page));
  // Sorted by r, the largest first.
  const sorted = await page.evaluate(`(() => {
    const table = [...document.querySelectorAll("#spread table")].find(({ caption }) => caption.textContent === "Agreement by scenario");
    [...table.querySelectorAll("button.sort")].find(({ textContent }) => textContent === "r").click();
    return [...table.querySelectorAll('[data-path$="/r"]')].map(({ dataset }) => dataset.path);
  })()`);
  const values = sorted.map((path) => resolve(analysis, path));
  const all = Object.values(analysis.models).map((model) => model.self_reports.scenarios.map(({ r }) => r).sort((a, b) => b - a));
  assert.ok(all.some((rs) => JSON.stringify(rs.slice(0, values.length)) === JSON.stringify(values)), "the best scenarios come first");
  await quiet(page, "large");
});

await test("what models and users wrote is text, never markup or script", async () => {
  const page = await open("hostile");
  assert.equal(await page.evaluate("typeof window.hostile"), "undefined");
  const strange = await page.evaluate(`[...document.querySelectorAll("#report img, #report script, #report iframe, #report object, #report svg[onload], #report [onerror]")].length`);
  assert.equal(strange, 0);
  assert.equal(await page.evaluate("document.scripts.length"), 2);
  assert.ok((await page.evaluate("document.body.innerText")).includes(`<img src=x onerror="window.hostile=2">`));
  // Even a script that had found its way in would not run.
  const policy = await page.evaluate(`document.querySelector('meta[http-equiv="Content-Security-Policy"]').content`);
  assert.match(policy, /^default-src 'none'; script-src 'sha256-[^']+';/);
  await page.evaluate(`{ const script = document.createElement("script"); script.textContent = "window.hostile = 4"; document.body.append(script); }`);
  assert.equal(await page.evaluate("typeof window.hostile"), "undefined");
  page.errors = page.errors.filter((text) => !text.includes("Content Security Policy"));
  await quiet(page, "hostile");
});

await test("figures and tables can be saved", async () => {
  const downloads = mkdtempSync(join(tmpdir(), "candor-downloads-"));
  const page = await open("paper", { downloads });
  const save = async (selector) => {
    const done = browser.downloaded();
    await page.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
    return readFileSync(join(downloads, await done), "utf8");
  };
  const svg = await save('#answer figure button[aria-label^="Save the figure as SVG"]');
  assert.match(svg, /^<\?xml[^>]*>\s*<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.ok(!svg.includes("var("), "colours are written out");
  const csv = await save('#answer .table button[aria-label^="Save the table as CSV"]');
  const [header, first] = csv.split("\r\n");
  assert.match(header, /^Statistic,standing,Slope,interval_low,interval_high,/);
  const agreement = analysisOf("paper").models["gpt-4o-2024-08-06"].learned_vs_instilled;
  assert.equal(first.split(",")[2], String(agreement.slope));
  assert.deepEqual(readdirSync(downloads).map((name) => name.replace(/^.*\./, "")).sort(), ["csv", "svg"]);
  rmSync(downloads, { recursive: true });
  await quiet(page, "paper");
});

for (const sample of ["paper", "job", "hostile", "one"]) {
  await test(`${sample}: nothing sticks out on a phone`, async () => {
    const page = await open(sample, { width: 360, height: 740 });
    await page.evaluate(`document.querySelectorAll("details").forEach((item) => { item.open = true; })`);
    await page.settle();
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);
    const wide = await page.evaluate(`[...document.querySelectorAll("#report *")].filter((item) => !item.closest(".scroll, svg, .hidden, .skip") && item.getBoundingClientRect().right > 361).map((item) => item.className || item.tagName)`);
    assert.deepEqual(wide, []);
    await quiet(page, sample);
  });
}

await test("light, dark and print have colours of their own, with contrast", async () => {
  const page = await open("job");
  const colours = `(() => { const of = (selector, what) => getComputedStyle(document.querySelector(selector))[what]; return { page: of("body", "backgroundColor"), ink: of("body", "color"), muted: of(".lead", "color"), link: of("button.quiet", "color"), card: of(".card", "backgroundColor"), mark: of("#answer svg circle", "stroke"), badge: of(".badge.primary", "color") }; })()`;
  const light = await page.evaluate(colours);
  await page.scheme("dark");
  const dark = await page.evaluate(colours);
  await page.scheme("light", "print");
  const print = await page.evaluate(colours);
  for (const name of Object.keys(light)) assert.notEqual(light[name], dark[name], name);
  assert.equal(print.page, "rgb(255, 255, 255)");
  for (const scheme of [light, dark, print]) {
    for (const name of ["ink", "muted", "link", "badge"]) assert.ok(contrast(scheme[name], scheme.page) >= 4.5, `${name} on the page: ${scheme[name]} on ${scheme.page}`);
    assert.ok(contrast(scheme.muted, scheme.card) >= 4.5);
    assert.ok(contrast(scheme.mark, scheme.page) >= 3);
  }
  await quiet(page, "job");
});

await test("the keyboard reaches every control, and uses it", async () => {
  const page = await open("job");
  const controls = `[...document.querySelectorAll("a[href], button:not(:disabled), select, input, summary")]`;
  const wanted = await page.evaluate(`${controls}.length`);
  const reached = new Set();
  await page.evaluate(`{ let last = 0; window.nameOf = (item) => (item.dataset.reached ??= String(++last)) + " " + item.tagName; }`);
  for (let i = 0; i < 3 * wanted; i++) {
    await page.press("Tab");
    const name = await page.evaluate(`document.activeElement === document.body ? "" : nameOf(document.activeElement)`);
    if (name === "" || reached.has(name)) break;
    reached.add(name);
    const seen = await page.evaluate(`getComputedStyle(document.activeElement).outlineStyle`);
    assert.notEqual(seen, "none", `${name} shows no focus`);
  }
  const missed = await page.evaluate(`${controls}.filter((item) => item.checkVisibility() && !item.dataset.reached).map((item) => item.outerHTML.slice(0, 80))`);
  assert.deepEqual(missed, []);
  // Chooses another statistic for the scatter plot.
  const slope = `document.querySelector("#scatter dl .value").dataset.path`;
  const before = await page.evaluate(slope);
  await page.evaluate(`{ const field = document.querySelector("#scatter select"); field.selectedIndex = 0; field.focus(); }`);
  await page.press("ArrowDown");
  await page.settle();
  assert.notEqual(await page.evaluate(slope), before);
  // Opens a part, and sorts a table.
  await page.evaluate(`document.querySelector("#methods summary").focus()`);
  await page.press("Enter");
  assert.equal(await page.evaluate(`document.querySelector("#methods details").open`), true);
  await page.evaluate(`document.querySelector("#spread button.sort").focus()`);
  await page.press("Enter");
  assert.equal(await page.evaluate(`document.activeElement.closest("th").getAttribute("aria-sort")`), "ascending");
  await quiet(page, "job");
});

await test("landmarks, labels and descriptions are there", async () => {
  const page = await open("job");
  const found = await page.evaluate(`({
    landmarks: ["header", "nav", "main", "footer"].filter((name) => !document.querySelector(name)),
    levels: document.querySelectorAll("h1").length,
    unlabelled: [...document.querySelectorAll("select, input")].filter((field) => field.labels.length !== 1).length,
    undescribed: [...document.querySelectorAll("main svg")].filter((svg) => svg.getAttribute("role") !== "img" || !svg.getAttribute("aria-label")).length,
    figures: document.querySelectorAll("main svg").length,
    nameless: [...document.querySelectorAll("button")].filter((button) => !(button.getAttribute("aria-label") || button.textContent.trim())).length,
    tables: [...document.querySelectorAll("table")].filter((table) => !table.caption?.textContent).length,
    twice: [...document.querySelectorAll("[id]")].map(({ id }) => id).filter((id, index, all) => all.indexOf(id) !== index),
    language: document.documentElement.lang,
  })`);
  assert.ok(found.figures > 10);
  delete found.figures;
  assert.deepEqual(found, { landmarks: [], levels: 1, unlabelled: 0, undescribed: 0, nameless: 0, tables: 0, twice: [], language: "en" });
  await quiet(page, "job");
});

// WCAG 2's contrast of two colours "rgb(r, g, b)".
function contrast(a, b) {
  const luminance = (colour) => {
    const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

await browser.stop();
console.log(failures.length === 0 ? "all passed" : `${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
