import { start, main } from "./.try-lib.mjs";
const { browser, page } = await start("lena@alpenrad.test", { javaScriptEnabled: false });
await page.goto("/contacts"); const L = await page.locator("main a").evaluateAll(l => l.map(a => [a.innerText, a.getAttribute("href")]));
for (const n of ["Anna", "Bad Mail", "US", "Leading"]) { const h = L.find(([t, h]) => t.startsWith(n))?.[1]; if (!h) { console.log("none", n); continue; } await page.goto(h); console.log(n, (await main(page)).slice(0, 900)); }
await page.goto("/batches"); const b = (await page.locator("main a").evaluateAll(l => l.map(a => a.getAttribute("href")))).find(h => /batches\/[0-9a-f-]{36}$/.test(h)); await page.goto(b); console.log((await main(page)).slice(0, 900)); console.log(await page.locator("main a, main button").allInnerTexts());
await browser.close();
