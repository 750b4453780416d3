import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { hydrated, newPage, shifts, signIn, watchShifts } from "../lib/browser.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const fixed = ["/dashboard", "/calls", "/batches", "/batches/new", "/campaigns", "/campaigns/new", "/contacts", "/contacts/imports", "/contacts/imports/new", "/agents", "/agents/new", "/agents/adopt", "/agents/templates", "/prompts", "/skills", "/skills?state=all&sort=-changed", "/skills/new", "/skills/imports/new", "/teams", "/teams?state=all&sort=-changed", "/teams/new", "/supervisor-runs", "/execution", "/execution/new", "/execution/engines", "/execution/engines/new", "/execution/targets", "/execution/targets/new", "/jobs", "/approvals", "/runs", "/errors", "/errors?state=all", "/numbers", "/integrations", "/integrations?state=failing", "/integrations/new/hubspot", "/integrations/new/zoho", "/integrations/new/slack", "/integrations/new/custom_api", "/integrations/new/twilio", "/connections/ultravox", "/connections/telnyx", "/clients", "/clients/new", "/usage", "/settings/profile", "/settings/security", "/settings/agency", "/settings/brand", "/settings/users", "/settings/users/new", "/settings/users/invitations", "/settings/users/links", "/settings/api-keys", "/settings/api-keys/new", "/settings/api-keys/made", "/settings/audit", "/settings/webhooks", "/settings/webhooks?state=failed&sort=at", "/settings/webhooks/new", "/settings/webhooks/made", "/settings/webhooks/verify", "/queues", "/queues?status=all", "/call-backs", "/connections/ultravox/history", "/connections/ultravox/history/imports", "/connections/ultravox/history/gaps", "/test-call", "/usage?period=30", "/dashboard?period=30"];
// The newest row of each list, and what of its page has an address of its own.
const newest = { "/calls": ["", "?tab=prompt"], "/batches": [""], "/campaigns": ["", "?tab=contacts", "?tab=settings"], "/contacts": [""], "/contacts/imports": [""], "/agents": ["", "/versions", "/versions?version=1", "/template", "/skills", "/tests", "/tests/new", "/tests/runs", "/tests/grid", "/tests/grids", "/edit", "/tools", "/tools/new", "/tools/new?kind=calendar", "/tools/new?kind=mcp"], "/agents/templates": ["", "?version=1"], "/skills": ["", "/edit", "/file?kind=script"], "/teams": ["", "/limits", "/playground", "/cases", "/cases/new", "/runs", "/versions", "/versions?from=1"], "/supervisor-runs": [""], "/execution/engines": [""], "/execution/targets": [""], "/jobs": [""], "/approvals": [""], "/prompts": ["", "/diff", "/diff?view=inline&lines=all", "/moves", "/merge"], "/runs": ["", "?show=tools&as=text", "/again"], "/numbers": [""], "/integrations": ["", "/setup", "/mapping", "/mapping?line=phone", "/mapping?line=new", "/preview", "/syncs", "/failed", "/failed?remedy=edit&sort=since", "/settings", "/messages"], "/clients": ["", "/settings", "/brand"], "/settings/users": [""], "/settings/audit": [""], "/settings/webhooks": ["", "/edit"], "/webhooks/inbound": [""] };

// Whose pages: those of an agency's owner, and the platform's.
const people = {
  "mara@halden.test": { fixed, newest },
  "pat@patchbay.test": { fixed: ["/platform", "/platform/new", "/platform/links"], newest: { "/platform": [""] } },
};

// How much of a page may move by itself while it loads: the browser's measure, where 0.1 counts as bad.
const MOST_SHIFT = 0.02;

// How a page can look. Neighbours differ in one thing only.
const looks = [[1440, "light"], [1440, "dark"], [360, "dark"], [360, "light"]];
// How often each page is loaded, and how many browser windows load at the same time: what is ready first differs each time.
const LOADS = 4;
const TABS = 3;

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

/** What is wrong with the page in this tab, in each look. */
async function lookAt(tab) {
  const troubles = [];
  // The browser's own protocol: the pages' content policy allows no such script, and stays in force.
  const session = await tab.context().newCDPSession(tab);
  await session.send("Runtime.evaluate", { expression: `${axe};0` });
  await session.detach();
  for (const [width, theme] of looks) {
    await tab.setViewportSize({ width, height: 900 });
    await tab.evaluate(async (theme) => {
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      document.documentElement.dataset.theme = theme;
      // Colours change over time, short as it is: a look begins when none is on its way.
      for (let still = 0; still < 2; ) {
        await frame();
        const changing = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
        changing.forEach((transition) => transition.finish());
        still = changing.length ? 0 : still + 1;
      }
    }, theme);
    const result = await tab.evaluate((tags) => window.axe.run({ runOnly: tags, resultTypes: ["violations"] }), tags);
    const look = `${width} ${theme}`;
    for (const rule of result.violations) troubles.push(`(${look}) ${rule.id}: ${rule.nodes[0].html.slice(0, 200)} ${rule.nodes[0].failureSummary}`);
    if (await tab.evaluate(() => document.documentElement.scrollWidth > innerWidth)) troubles.push(`(${look}): scrolls sideways`);
  }
  return troubles;
}

/**
 * Every page of a person, loaded four times: server and browser must agree each time, whatever the order in which its data
 * is ready. One load is looked at, wide and narrow, light and dark: no complaint of axe, no sideways scrolling.
 */
async function everyPage(world, email) {
  // Without movement a look is complete at once.
  const first = await signIn(world, email, { reducedMotion: "reduce" });
  const tabs = [first];
  // Windows of their own, signed in with the same cookie: tabs of one window share six connections, and live pages hold one each.
  const storageState = await first.context().storageState();
  while (tabs.length < TABS) tabs.push(await newPage(world, { reducedMotion: "reduce", storageState }));
  for (const tab of tabs) {
    tab.setDefaultTimeout(60_000);
    await watchShifts(tab);
  }
  const paths = await allPages(first, email);
  const queue = paths.flatMap((path) => Array.from({ length: LOADS }, (_, time) => ({ path, looked: time === 0 })));
  const troubles = [];
  const jumps = new Map();
  const work = async (tab) => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await tab.setViewportSize({ width: looks[0][0], height: 900 });
      await tab.goto(next.path);
      await hydrated(tab);
      // Two frames later everything that the script brought along is drawn.
      await tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const { sum, moved } = await shifts(tab);
      if (sum > MOST_SHIFT) jumps.set(next.path, [...(jumps.get(next.path) ?? []), `${sum.toFixed(3)}: ${moved.slice(0, 4).join(", ")}`]);
      if (next.looked) troubles.push(...(await lookAt(tab)).map((trouble) => `${next.path} ${trouble}`));
      troubles.push(...tab.troubles.splice(0).map((trouble) => `${next.path} ${trouble}`));
    }
  };
  await Promise.all(tabs.map(work));
  // Calls go on meanwhile, so a load or two may meet news: a row that comes in, a state that changes. What a page does by itself it does each time.
  for (const [path, loads] of jumps) if (loads.length > LOADS / 2) troubles.push(`${path} jumps by ${loads.join("; ")}`);
  assert.deepEqual(troubles, []);
  console.log(`      ${paths.length} pages: ${paths.length * LOADS} loads, ${paths.length * looks.length} looks`);
}

/** The looks are switched in the browser; that the server's first HTML already has the chosen one is this. */
async function keptTheme(world) {
  const page = await signIn(world, "mara@halden.test");
  for (const theme of ["light", "dark"]) {
    await page.context().addCookies([{ name: "theme", value: theme, url: world.demo.url }]);
    const html = await (await page.request.get("/dashboard")).text();
    assert(html.includes(`data-theme="${theme}"`), `the page comes ${theme}`);
  }
}

export default {
  "an owner's pages, in every look and again and again": (world) => everyPage(world, "mara@halden.test"),
  "the platform's pages, in every look and again and again": (world) => everyPage(world, "pat@patchbay.test"),
  "the server sends the theme that was chosen": keptTheme,
};
