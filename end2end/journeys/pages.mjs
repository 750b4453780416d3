import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { hydrated, quiet, signIn } from "../lib/browser.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const fixed = ["/dashboard", "/calls", "/batches", "/batches/new", "/campaigns", "/campaigns/new", "/contacts", "/contacts/imports", "/contacts/imports/new", "/agents", "/agents/new", "/prompts", "/numbers", "/connections", "/clients", "/clients/new", "/usage", "/settings/profile", "/settings/security", "/settings/agency", "/settings/brand", "/settings/users", "/settings/users/new", "/settings/users/invitations", "/settings/users/links", "/settings/api-keys", "/settings/api-keys/new", "/settings/api-keys/made", "/settings/audit", "/webhooks/inbound"];
// The newest row of each list, and what of its page has an address of its own.
const newest = { "/calls": ["", "?tab=prompt"], "/batches": [""], "/campaigns": ["", "?tab=contacts", "?tab=settings"], "/contacts": [""], "/contacts/imports": [""], "/agents": ["", "/edit"], "/prompts": [""], "/numbers": [""], "/connections": [""], "/clients": ["", "/settings", "/brand"], "/settings/users": [""], "/settings/audit": [""], "/webhooks/inbound": [""] };

// Whose pages: those of an agency's owner, and the platform's.
const people = {
  "mara@halden.test": { fixed, newest },
  "pat@patchbay.test": { fixed: ["/platform", "/platform/new", "/platform/links"], newest: { "/platform": [""] } },
};

async function allPages(page, email) {
  const found = [...people[email].fixed];
  for (const [list, places] of Object.entries(people[email].newest)) {
    await page.goto(list);
    const hrefs = await page.locator("main a[href]").evaluateAll((links) => links.map((link) => link.getAttribute("href").split(/[?#]/)[0]));
    const first = hrefs.find((href) => new RegExp(`^${list}/([0-9a-f-]{36}|[0-9]+|ultravox)$`).test(href));
    assert(first, `${list} lists nothing`);
    found.push(...places.map((place) => first + place));
  }
  return found;
}

/** Every page in both themes, wide and narrow: no complaint of axe, no sideways scrolling, no script trouble. */
async function look(world, width, theme) {
  for (const email of Object.keys(people)) await lookAs(world, email, width, theme);
}

async function lookAs(world, email, width, theme) {
  const page = await signIn(world, email, { viewport: { width, height: 900 }, bypassCSP: true });
  await page.context().addCookies([{ name: "theme", value: theme, url: world.demo.url }]);
  const troubles = [];
  for (const path of await allPages(page, email)) {
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

/** Server and browser must agree on every page each time, whatever the order in which its data is ready. */
async function reload(world) {
  for (const email of Object.keys(people)) {
    const page = await signIn(world, email);
    for (const path of await allPages(page, email)) {
      for (let time = 0; time < 4; time += 1) {
        await page.goto(path);
        await hydrated(page);
      }
      assert.deepEqual(page.troubles, [], path);
    }
  }
}

export default {
  "wide and light": (world) => look(world, 1440, "light"),
  "wide and dark": (world) => look(world, 1440, "dark"),
  "narrow and light": (world) => look(world, 360, "light"),
  "narrow and dark": (world) => look(world, 360, "dark"),
  "again and again": reload,
};
