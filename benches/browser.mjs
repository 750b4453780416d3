// What a visitor's browser gets and how long it takes: the release build with the demo's data, in Chromium.
//
//   node benches/browser.mjs
//
// Prints lines for docs/MEASUREMENTS.md.
import { statSync } from "node:fs";
import { spawn } from "node:child_process";
import { openBrowser } from "../end2end/lib/browser.mjs";
import { PASSWORD, startDemo } from "../end2end/lib/demo.mjs";

process.env.PATCHBAY_BIN ??= "target/release/patchbay";
const program = process.env.PATCHBAY_BIN;
const kB = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
const line = (what, figure, limit = "") => console.log(`| ${what} | ${figure} | ${limit} |`);

/** All that a page loads on a first visit: requests, and bytes as they are sent. */
async function firstVisit(browser, url, path, email) {
  const context = await browser.newContext({ baseURL: url });
  const page = await context.newPage();
  if (email) {
    await signIn(page, email);
    await page.goto("about:blank");
  }
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  await network.send("Network.clearBrowserCache");
  const kinds = new Map();
  const sizes = {};
  network.on("Network.responseReceived", ({ requestId, response }) => kinds.set(requestId, response));
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const response = kinds.get(requestId);
    if (!response) return;
    const kind = /html/.test(response.mimeType) ? "html" : /css/.test(response.mimeType) ? "css" : /wasm|javascript/.test(response.mimeType) ? "script" : "other";
    sizes[kind] = (sizes[kind] ?? 0) + encodedDataLength;
    sizes.requests = (sizes.requests ?? 0) + 1;
  });
  await page.goto(path);
  if (email) await page.waitForSelector("html[data-hydrated]", { state: "attached" });
  await page.waitForLoadState("networkidle").catch(() => {});
  await context.close();
  return sizes;
}

async function signIn(page, email) {
  await page.goto("/login");
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
}

/** Largest paint, blocked time and layout shift of the dashboard, on a slow machine and line or on this one. */
async function vitals(browser, url, slow) {
  const context = await browser.newContext({ baseURL: url });
  const page = await context.newPage();
  await signIn(page, "mara@halden.test");
  await page.goto("about:blank");
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.clearBrowserCache");
  if (slow) {
    await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await session.send("Network.emulateNetworkConditions", { offline: false, latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 });
  }
  await page.addInitScript(() => {
    window.seen = { lcp: 0, cls: 0, tbt: 0 };
    new PerformanceObserver((list) => { for (const e of list.getEntries()) window.seen.lcp = e.startTime; }).observe({ type: "largest-contentful-paint", buffered: true });
    new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.seen.cls += e.value; }).observe({ type: "layout-shift", buffered: true });
    new PerformanceObserver((list) => { for (const e of list.getEntries()) window.seen.tbt += Math.max(0, e.duration - 50); }).observe({ type: "longtask", buffered: true });
  });
  await page.goto("/dashboard");
  await page.waitForSelector("html[data-hydrated]", { state: "attached", timeout: 60_000 });
  const hydrated = await page.evaluate(() => performance.now());
  const seen = await page.evaluate(() => window.seen);
  await context.close();
  return { ...seen, hydrated };
}

/** From the start of the program to its first answer, with a database that is there and up to date. */
async function coldStart() {
  const folder = process.env.PATCHBAY_BENCH_START_DIR;
  const url = process.env.PATCHBAY_TEST_DATABASE_URL;
  if (!url) return null;
  const env = { ...process.env, PATCHBAY_OWNER_DATABASE_URL: url, DATABASE_URL: url.replace("patchbay_owner@", "patchbay_app@"), PATCHBAY_LISTEN: "127.0.0.1:39999", PATCHBAY_DATA_DIR: folder ?? "target/bench-data" };
  await new Promise((done) => spawn(program, ["migrate"], { env, stdio: "ignore" }).once("exit", done));
  const times = [];
  for (let turn = 0; turn < 7; turn += 1) {
    const begin = performance.now();
    const child = spawn(program, ["serve"], { env, stdio: "ignore" });
    for (;;) {
      const answer = await fetch("http://127.0.0.1:39999/readyz").catch(() => null);
      if (answer?.ok) break;
      await new Promise((done) => setTimeout(done, 2));
    }
    times.push(performance.now() - begin);
    child.kill("SIGTERM");
    await new Promise((done) => child.once("exit", done));
  }
  return times.sort((a, b) => a - b)[3];
}

line("release program", `${(statSync(program).size / 1_048_576).toFixed(0)} MiB`, "60 MiB");
const start = await coldStart();
if (start) line("P-17 from the start to the first answer, median of 7", `${start.toFixed(0)} ms`, "300 ms");
const demo = await startDemo();
const browser = await openBrowser();
try {
  const home = await firstVisit(browser, demo.url, "/dashboard", "mara@halden.test");
  line("P-18 dashboard, first visit: HTML", kB(home.html ?? 0), "40 kB");
  line("style sheet", kB(home.css ?? 0), "30 kB");
  line("wasm and scripts", kB(home.script ?? 0), "350 kB");
  line("all bytes", kB((home.html ?? 0) + (home.css ?? 0) + (home.script ?? 0) + (home.other ?? 0)), "450 kB");
  line("requests", String(home.requests), "12");
  const login = await firstVisit(browser, demo.url, "/login", null);
  line("sign-in page, all bytes, without wasm", kB((login.html ?? 0) + (login.css ?? 0) + (login.script ?? 0) + (login.other ?? 0)), "60 kB");
  const fast = await vitals(browser, demo.url, false);
  line("P-19 dashboard here: largest paint, blocked, shift, usable", `${fast.lcp.toFixed(0)} ms, ${fast.tbt.toFixed(0)} ms, ${fast.cls.toFixed(3)}, ${fast.hydrated.toFixed(0)} ms`, "800 ms, –, 0.02, –");
  const slow = await vitals(browser, demo.url, true);
  line("P-19 dashboard, processor at a quarter, 1.6 Mbit/s and 150 ms: the same", `${slow.lcp.toFixed(0)} ms, ${slow.tbt.toFixed(0)} ms, ${slow.cls.toFixed(3)}, ${slow.hydrated.toFixed(0)} ms`, "1800 ms, 200 ms, 0.02, –");
} finally {
  await browser.close();
  await demo.stop();
}
