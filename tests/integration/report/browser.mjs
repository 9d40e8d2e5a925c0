// A headless Chromium, spoken to over a pipe (--remote-debugging-pipe): no port, no package. Messages of the DevTools
// protocol are JSON texts that end in a NUL byte; file descriptor 3 is written by us, 4 by the browser.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Browser {
  static async start(program) {
    const browser = new Browser();
    browser.folder = mkdtempSync(join(tmpdir(), "candor-browser-"));
    browser.process = spawn(
      program,
      [
        "--headless=new",
        "--no-sandbox", // tests run as root in containers; the only pages are our own files
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-extensions",
        "--hide-scrollbars",
        `--user-data-dir=${browser.folder}`,
        "--remote-debugging-pipe",
        "about:blank",
      ],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
    );
    const [, , , to, from] = browser.process.stdio;
    browser.to = to;
    to.on("error", () => {}); // a browser that ended says so by its exit
    let rest = Buffer.alloc(0);
    from.on("data", (data) => {
      rest = Buffer.concat([rest, data]);
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
        browser.receive(JSON.parse(rest.subarray(0, end).toString("utf8")));
        rest = rest.subarray(end + 1);
      }
    });
    browser.process.once("exit", () => {
      for (const { reject } of browser.waiting.values()) reject(new Error("the browser ended"));
    });
    await browser.send("Browser.getVersion");
    return browser;
  }

  waiting = new Map();
  pages = new Map();
  lastId = 0;

  send(method, params = {}, sessionId = undefined) {
    this.lastId += 1;
    const id = this.lastId;
    this.to.write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject, method }));
  }

  receive(message) {
    const call = this.waiting.get(message.id);
    if (call) {
      this.waiting.delete(message.id);
      if (message.error) call.reject(new Error(`${call.method}: ${message.error.message}`));
      else call.resolve(message.result);
    } else if (message.method === "Browser.downloadWillBegin") {
      this.downloads.set(message.params.guid, message.params.suggestedFilename);
    } else if (message.method === "Browser.downloadProgress" && message.params.state === "completed") {
      this.onDownload?.(this.downloads.get(message.params.guid));
    } else {
      this.pages.get(message.sessionId)?.receive(message);
    }
  }

  downloads = new Map();

  // The name of the next file that is saved.
  downloaded() {
    return new Promise((resolve) => {
      this.onDownload = resolve;
    });
  }

  async open(url, { width = 1440, height = 900, scheme = "light", downloads = undefined } = {}) {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, targetId, sessionId);
    this.pages.set(sessionId, page);
    await page.send("Page.enable");
    await page.send("Runtime.enable");
    await page.send("Network.enable");
    await page.send("Log.enable");
    await page.size(width, height);
    await page.scheme(scheme);
    if (downloads) {
      await this.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: downloads, eventsEnabled: true });
    }
    const loaded = page.wait("Page.loadEventFired");
    await page.send("Page.navigate", { url });
    await loaded;
    // Figures are drawn when their place has been laid out: two frames later they are there.
    await page.settle();
    return page;
  }

  async stop() {
    const ended = this.process.exitCode === null ? once(this.process, "exit") : null;
    await this.send("Browser.close").catch(() => {});
    if (ended) await ended;
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export class Page {
  constructor(browser, targetId, sessionId) {
    Object.assign(this, { browser, targetId, sessionId });
  }

  listeners = new Map();
  // What the page did that it must not: errors, and requests for anything but itself.
  errors = [];
  requests = [];

  send(method, params) {
    return this.browser.send(method, params, this.sessionId);
  }

  receive({ method, params }) {
    if (method === "Runtime.exceptionThrown") {
      this.errors.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    }
    if (method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(params.type)) {
      this.errors.push(params.args.map((arg) => arg.value ?? arg.description).join(" "));
    }
    if (method === "Log.entryAdded" && params.entry.level === "error") this.errors.push(params.entry.text);
    if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    const waiting = this.listeners.get(method) ?? [];
    this.listeners.delete(method);
    for (const resolve of waiting) resolve(params);
  }

  wait(method) {
    return new Promise((resolve) => this.listeners.set(method, [...(this.listeners.get(method) ?? []), resolve]));
  }

  // The value of an expression, or of what it promises.
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  settle() {
    return this.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))))");
  }

  async size(width, height) {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
  }

  async scheme(scheme, media = "") {
    await this.send("Emulation.setEmulatedMedia", {
      media,
      features: [{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }],
    });
  }

  // A key as a keyboard sends it: "Tab", "Enter", "ArrowDown".
  async press(key) {
    const codes = { Tab: 9, Enter: 13, ArrowDown: 40, " ": 32 };
    const event = { key, code: key === " " ? "Space" : key, windowsVirtualKeyCode: codes[key] };
    const text = key === "Enter" ? "\r" : key === " " ? " " : undefined;
    await this.send("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", text, ...event });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  async screenshot(whole = true) {
    const { data } = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: whole });
    return Buffer.from(data, "base64");
  }

  async close() {
    await this.browser.send("Target.closeTarget", { targetId: this.targetId });
    this.browser.pages.delete(this.sessionId);
  }
}
