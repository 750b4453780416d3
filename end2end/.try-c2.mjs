import { start, main } from "./.try-lib.mjs";
const { browser, page } = await start("lena@alpenrad.test", { javaScriptEnabled: false });
for (const n of ["Anna Weiß", "Bad Mail", "Formula", "Leading", "US"]) { await page.goto("/contacts?q=" + encodeURIComponent(n)); await page.locator("main a", { hasText: n }).first().click(); await page.waitForLoadState(); console.log(n, (await main(page)).slice(0, 900)); }
for (const p of ["/contacts/suppressed", "/settings/users", "/settings/audit"]) { await page.goto(p); console.log(p, (await main(page)).slice(0, 1500)); }
await browser.close();
