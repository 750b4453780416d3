import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { hydrated, quiet, signIn } from "../lib/browser.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const pages = ["/dashboard", "/calls", "/batches", "/campaigns", "/contacts", "/contacts/imports/new", "/agents", "/agents/new", "/prompts", "/numbers", "/connections", "/clients", "/usage", "/settings/profile", "/settings/users", "/settings/audit", "/webhooks/inbound"];

/** Every page in both themes, wide and narrow: no complaint of axe, no sideways scrolling, no script trouble. */
async function look(world, width, theme) {
  const page = await signIn(world, "mara@halden.test", { viewport: { width, height: 900 }, bypassCSP: true });
  await page.context().addCookies([{ name: "theme", value: theme, url: world.demo.url }]);
  const troubles = [];
  for (const path of pages) {
    await page.goto(path);
    await hydrated(page);
    await page.evaluate(axe);
    const result = await page.evaluate((tags) => window.axe.run({ runOnly: tags }), tags);
    for (const rule of result.violations) troubles.push(`${path} ${rule.id}: ${rule.nodes[0].html.slice(0, 200)}`);
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) troubles.push(`${path}: scrolls sideways`);
  }
  assert.deepEqual(troubles, []);
  quiet(page);
}

export default {
  "wide and light": (world) => look(world, 1440, "light"),
  "wide and dark": (world) => look(world, 1440, "dark"),
  "narrow and light": (world) => look(world, 360, "light"),
  "narrow and dark": (world) => look(world, 360, "dark"),
};
