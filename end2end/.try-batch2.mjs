import { start, hydrated, shot, main, errs } from "./.try-lib.mjs";
const { browser, page } = await start("mara@halden.test");
await page.goto("/campaigns"); const camp = await page.locator("main a", { hasText: "Twice" }).first().getAttribute("href");
await page.goto("/batches/new?campaign=" + camp.split("/").pop().split("?")[0]); await hydrated(page); console.log("NEWBATCH", (await main(page)).slice(0, 1500)); await shot(page, "batch-new");
console.log(await page.locator("main form").evaluateAll(f => f.map(x => x.getAttribute("action") + " " + [...x.elements].map(e => e.name + "=" + (e.value || "").slice(0, 40)).join("&"))));
const f = page.locator("main form").last(); await f.evaluate(f => f.noValidate = true);
for (const i of await f.locator("input:not([type=hidden]):not([type=radio]):not([type=checkbox])").all()) await i.fill((await i.getAttribute("type")) == "number" ? "-1" : (await i.getAttribute("type")) == "datetime-local" ? "2020-01-01T10:00" : "   ").catch(e => console.log(e.message.split("\n")[0]));
await f.locator("button:not([type=button])").last().click(); await page.waitForTimeout(1500); console.log("BAD", page.url(), await errs(page)); await shot(page, "batch-bad");
await page.goto("/batches/new?campaign=" + camp.split("/").pop().split("?")[0]); await hydrated(page);
await page.locator("main form").last().locator("button:not([type=button])").last().dblclick(); await page.waitForTimeout(3000); console.log("STARTED", page.url(), await errs(page), (await main(page)).slice(0, 1300)); await shot(page, "batch-started");
console.log(await page.locator("main button, main a").allInnerTexts());
const stop = page.getByRole("link", { name: /^Stop/ }).or(page.getByRole("button", { name: /^Stop/ })).first();
if (await stop.count()) { await stop.click(); await page.waitForTimeout(800); await shot(page, "batch-stop"); console.log("DLG", await page.locator("dialog[open]").allInnerTexts()); await page.locator("dialog[open] button").last().click(); await page.waitForTimeout(3000); console.log("STOPPED", page.url(), await errs(page), (await main(page)).slice(0, 1000)); await shot(page, "batch-stopped"); }
await page.goBack(); await page.waitForTimeout(1000); console.log("BACK", page.url(), (await main(page)).slice(0, 200));
await page.goto("/batches"); console.log((await main(page)).slice(0, 600));
console.log(page.troubles); await browser.close();
