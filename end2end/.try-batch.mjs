import { start, hydrated, shot, main, errs } from "./.try-lib.mjs";
const { browser, page } = await start("lena@alpenrad.test");
await page.goto("/campaigns"); await page.getByRole("link", { name: "Twice" }).first().click(); await hydrated(page); await page.waitForTimeout(1000);
const camp = new URL(page.url()).pathname;
await page.goto(camp + "?tab=contacts"); await hydrated(page); console.log((await main(page)).slice(0, 900));
console.log("DIALOG", page.url(), (await main(page)).slice(0, 900)); await shot(page, "campaign-add");
await page.locator('input[name=words]').fill("Müller").catch(e => console.log(e.message.split("\n")[0]));
console.log(await page.locator("main button, dialog button").allInnerTexts());
await page.locator('form:has(input[name=words]) button:not([type=button])').last().click(); await page.waitForTimeout(1500);
console.log("ADDED", page.url(), await errs(page), (await main(page)).slice(0, 700));
await page.goto(camp); await hydrated(page); await page.getByRole("button", { name: "Activate" }).click(); await page.waitForTimeout(1500); console.log("ACT", await errs(page), (await main(page)).slice(0, 300));
console.log(await page.locator("main a").evaluateAll(l => l.map(a => a.getAttribute("href")).filter(h => /batch/.test(h))));
await page.goto("/batches/new?campaign=" + camp.split("/").pop()); await hydrated(page); console.log("NEWBATCH", (await main(page)).slice(0, 1800)); await shot(page, "batch-new");
console.log(await page.locator("main form").evaluateAll(f => f.map(x => x.action + " " + [...x.elements].map(e => e.name + "=" + e.value).join("&"))));
await page.locator("main form").last().evaluate(f => f.noValidate = true);
const f = page.locator("main form").last();
for (const [n, v] of [["name", "   "], ["concurrency", "0"], ["rate", "-1"], ["starts_at", "2020-01-01T10:00"]]) { const l = f.locator(`[name$="${n}"], [name$="${n}]"]`).first(); if (await l.count()) { await l.fill(v).catch(e => console.log(n, e.message.split("\n")[0])); } }
await f.locator("button").last().click(); await page.waitForTimeout(1500); console.log("BAD", page.url(), await errs(page)); await shot(page, "batch-bad");
await page.goto("/batches/new?campaign=" + camp.split("/").pop()); await hydrated(page);
await page.locator("main form").last().locator("button").last().dblclick(); await page.waitForTimeout(3000); console.log("STARTED", page.url(), await errs(page), (await main(page)).slice(0, 1500)); await shot(page, "batch-started");
await page.waitForTimeout(2000);
const stop = page.getByRole("link", { name: /^Stop/ }).or(page.getByRole("button", { name: /^Stop/ })).first(); console.log(await page.locator("main button, main a").allInnerTexts());
if (await stop.count()) { await stop.click(); await page.waitForTimeout(800); await shot(page, "batch-stop"); console.log("DLG", await page.locator("dialog").allInnerTexts()); await page.locator("dialog[open] button, [role=dialog] button").last().click(); await page.waitForTimeout(2500); console.log("STOPPED", page.url(), await errs(page), (await main(page)).slice(0, 1200)); await shot(page, "batch-stopped"); }
await page.goBack(); await page.waitForTimeout(1000); console.log("BACK", page.url(), (await main(page)).slice(0, 200));
await page.goto("/batches"); console.log((await main(page)).slice(0, 800));
console.log(page.troubles); await browser.close();
