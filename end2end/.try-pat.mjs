import { start, main, shot } from "./.try-lib.mjs";
const { browser, page } = await start("pat@patchbay.test", { javaScriptEnabled: false });
console.log(page.url(), (await page.locator("body").innerText()).replace(/\n+/g, " | ").slice(0, 500));
const seen = new Set(), q = [new URL(page.url()).pathname, "/platform", "/platform/log", "/platform/new"]; 
while (q.length && seen.size < 60) { const p = q.shift(); const k = p.replace(/=[^&]*/g, ""); if (seen.has(k)) continue; seen.add(k); if (/csv|sign-out/.test(p)) { console.log((await page.request.get(p)).status(), p); continue; } const r = await page.goto(p); console.log(r.status(), p, await page.title(), /dashboard|calls|contacts/.test(p) ? (await main(page)).slice(0, 150) : ""); if (seen.size < 12) await shot(page, "pat" + k.replace(/[^a-z]+/g, "_").slice(0, 40)); for (const h of await page.locator("a[href]").evaluateAll(l => l.map(a => a.getAttribute("href")))) if (h.startsWith("/")) q.push(h.split("#")[0]); }
await page.goto("/platform/new"); const f = page.locator("main form").first(); for (const i of await f.locator("input:not([type=hidden]):not([type=radio]):not([type=checkbox])").all()) await i.fill(" - ").catch(() => {}); await f.locator("button").last().click(); await page.waitForLoadState(); console.log(page.url().slice(0, 80), (await main(page)).slice(0, 500));
await browser.close();
