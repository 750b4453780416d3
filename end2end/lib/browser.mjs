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
