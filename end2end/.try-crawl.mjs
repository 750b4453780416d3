import { openBrowser, hydrated, signIn } from "./lib/browser.mjs";
import { mkdirSync, writeFileSync } from "node:fs";
const [email, out, capArg] = process.argv.slice(2);
mkdirSync(out, { recursive: true }); mkdirSync(out + "/txt", { recursive: true });
const browser = await openBrowser();
const world = { demo: { url: "http://localhost:21000" }, browser, pages: [] };
const page = await signIn(world, email, { reducedMotion: "reduce" });
page.setDefaultTimeout(40000);
const seen = new Map(), q = [new URL(page.url()).pathname]; const done = new Set();
const cap = Number(capArg || 2);
page.on("response", r => { if (r.status() >= 400) console.log("  RESP", r.status(), r.request().method(), r.url(), "on", page.url()); });
const norm = p => p.replace(/[0-9a-f-]{36}/g, "ID").replace(/=[^&]*/g, "=X").replace(/#.*/, "");
while (q.length) {
  const path = q.shift(); if (done.has(path)) continue; done.add(path);
  const k = norm(path); const n = (seen.get(k) || 0) + 1; seen.set(k, n); if (n > cap) continue;
  if (/logout|sign-out|recording|download|\.csv|export|\/docs\//.test(path)) {
    const r = await page.context().request.get(path, { maxRedirects: 0 }); 
    console.log(r.status(), path, r.headers()["content-type"], "(fetch)"); if (/csv/.test(r.headers()["content-type"]||"")) writeFileSync(`${out}/txt/dl_${k.replace(/[^a-zA-Z0-9]+/g, "_")}${n}.csv`, await r.text()); continue; }
  let a; try { a = await page.goto(path); } catch (e) { console.log("GOTO", path, e.message.split("\n")[0]); continue; }
  await hydrated(page).catch(() => console.log("not hydrated", path));
  await page.waitForTimeout(100);
  const name = k.replace(/[^a-zA-Z0-9]+/g, "_").replace(/^_/, "") || "root";
  console.log(a.status(), path, "→", page.url().replace(world.demo.url, ""), JSON.stringify(await page.title()));
  writeFileSync(`${out}/txt/${name}-${n}.txt`, page.url() + "\n" + await page.evaluate(() => document.body.innerText));
  writeFileSync(`${out}/txt/${name}-${n}.html`, await page.content());
  if (n == 1) for (const [w, t] of [[1440, "light"], [360, "dark"]]) {
    await page.setViewportSize({ width: w, height: 900 });
    await page.evaluate(t => { document.documentElement.dataset.theme = t; }, t); await page.waitForTimeout(150);
    const sw = await page.evaluate(() => document.documentElement.scrollWidth); if (sw > w) console.log("  SIDEWAYS", w, sw, path);
    await page.screenshot({ path: `${out}/${name}-${w}-${t}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  const hrefs = await page.evaluate(() => [...document.querySelectorAll("a[href]")].map(a => a.getAttribute("href")));
  for (const h of hrefs) { if (!h || h.startsWith("#") || h.startsWith("mailto") || h.startsWith("tel:")) continue; const u = new URL(h, page.url()); if (u.origin !== new URL(page.url()).origin) { console.log("  EXT", h, path); continue; } q.push(u.pathname + u.search); }
  if (page.troubles.length) { console.log("  TROUBLE", path, page.troubles.splice(0)); }
}
await browser.close();
