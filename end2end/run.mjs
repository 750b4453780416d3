// Browser journeys through the whole product: starts the demo on a fresh data folder, acts as its users, and looks.
//   node end2end/run.mjs            all journeys
//   node end2end/run.mjs main_job   one
import { mkdirSync, readdirSync } from "node:fs";
import { startDemo } from "./lib/demo.mjs";
import { openBrowser } from "./lib/browser.mjs";

const here = new URL(".", import.meta.url).pathname;
const asked = process.argv.slice(2);
const names = readdirSync(`${here}journeys`).filter((name) => name.endsWith(".mjs")).map((name) => name.slice(0, -4)).sort();
mkdirSync(`${here}results`, { recursive: true });

// The browser first: without one there is no need to wait for the demo.
const browser = await openBrowser();
const began = Date.now();
const demo = await startDemo();
console.log(`the demo is complete after ${Date.now() - began} ms`);
let passed = 0;
const failed = [];
try {
  for (const name of names.filter((name) => asked.length === 0 || asked.includes(name))) {
    const journey = await import(`./journeys/${name}.mjs`);
    for (const [title, act] of Object.entries(journey.default)) {
      const started = Date.now();
      const world = { demo, browser, pages: [], results: `${here}results` };
      try {
        await act(world);
        passed += 1;
        console.log(`ok    ${name}: ${title} (${Date.now() - started} ms)`);
      } catch (error) {
        failed.push(`${name}: ${title}`);
        console.log(`FAIL  ${name}: ${title}\n${error.stack ?? error}`);
        for (const [index, page] of world.pages.entries()) {
          await page.screenshot({ path: `${here}results/${name}-${index}.png`, fullPage: true }).catch(() => {});
        }
      } finally {
        for (const page of world.pages) await page.context().close().catch(() => {});
      }
    }
  }
} finally {
  await browser.close();
  await demo.stop();
}
console.log(`${passed} passed, ${failed.length} failed`);
process.exit(failed.length === 0 && passed > 0 ? 0 : 1);
