import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { PASSWORD } from "./demo.mjs";

const places = [process.env.PATCHBAY_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export async function openBrowser() {
  const executablePath = places.find((place) => place && existsSync(place));
  assert(executablePath, "no Chromium found: name one in PATCHBAY_CHROMIUM");
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return chromium.launch({ executablePath, args, headless: true });
}

/** A page in a context of its own. Script errors and policy violations on it fail the journey at `quiet(page)`. */
export async function newPage(world, options = {}) {
  const context = await world.browser.newContext({ viewport: { width: 1440, height: 1000 }, baseURL: world.demo.url, ...options });
  const page = await context.newPage();
  page.troubles = [];
  page.on("pageerror", (error) => page.troubles.push(`script: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !/status of 4(04|22|09|01)/.test(text)) page.troubles.push(`console: ${text}`);
    if (message.type() === "warning" && /hydration/i.test(text)) page.troubles.push(`console: ${text}`);
  });
  page.setDefaultTimeout(20_000);
  world.pages.push(page);
  return page;
}

/** Signs in through the form and waits for the first page. */
export async function signIn(world, email, options = {}) {
  const page = await newPage(world, options);
  await page.goto("/login");
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
  return page;
}

/** Waits until the wasm has taken over. */
export async function hydrated(page) {
  // The development build is large: on a busy machine it takes its time.
  await page.waitForSelector("html[data-hydrated]", { state: "attached", timeout: 60_000 });
}

export function quiet(page) {
  assert.deepEqual(page.troubles, [], `the browser complained on ${page.url()}`);
}

/** Looks again until `check` holds. */
export async function until(what, check, limit = 90_000) {
  const deadline = Date.now() + limit;
  for (;;) {
    if (await check()) return;
    assert(Date.now() < deadline, `waited in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 250));
  }
}

/**
 * How much of the page has moved by itself since it was loaded: the sum that browsers report as layout shift. Says also what moved.
 * The page must have been opened with `watchShifts`.
 */
export async function shifts(page) {
  return page.evaluate(() => {
    for (const entry of window.__shiftObserver?.takeRecords() ?? []) window.__noteShift(entry);
    return { sum: window.__shifts ?? 0, moved: window.__moved ?? [] };
  });
}

/** Notes layout shifts of every page that this tab opens from now on, from the first drawing on. */
export async function watchShifts(page) {
  await page.addInitScript(() => {
    window.__shifts = 0;
    window.__moved = [];
    window.__noteShift = (entry) => {
      if (entry.hadRecentInput) return;
      window.__shifts += entry.value;
      for (const source of entry.sources) {
        const node = source.node?.nodeType === 1 ? source.node : source.node?.parentElement;
        const name = node ? `${node.tagName.toLowerCase()}.${node.className?.baseVal ?? node.className}` : "gone";
        window.__moved.push(`${entry.value.toFixed(3)} ${name} ${Math.round(source.previousRect.y)}→${Math.round(source.currentRect.y)}`);
      }
    };
    window.__shiftObserver = new PerformanceObserver((list) => list.getEntries().forEach(window.__noteShift));
    window.__shiftObserver.observe({ type: "layout-shift", buffered: true });
  });
}
