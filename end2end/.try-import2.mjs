import { start, hydrated, shot, main, errs } from "./.try-lib.mjs";
const [email, file, tag] = process.argv.slice(2);
const { browser, page } = await start(email);
await page.goto("/contacts/imports/new"); await hydrated(page);
if (email.includes("mara")) await page.locator('[name=client]').selectOption({ index: 1 });
await page.locator('input[type=file]').setInputFiles(file);
await page.locator('main form button').last().click();
await page.waitForURL(/mapping/); await hydrated(page);
const strip = s => s.replace(/Phone number \| Phone number if[^]*?Do not import/g, "…").replace(/Afghanistan[^]*Zimbabwe/, "…").replace(/Unicode[^]*Vietnamese.*?Big5\)/, "…");
console.log(await page.locator('main select').evaluateAll(l => l.map(s => s.name + "=" + s.value)));
if (tag != "xlsx") { // undo of mapping: unset phone
  await page.locator('[name="form[columns][1]"]').selectOption("skip").catch(async e => console.log(await page.locator('[name="form[columns][1]"] option').evaluateAll(l => l.map(o => o.value))));
  await page.getByRole("button", { name: "Check the file" }).click(); await page.waitForTimeout(2500);
  console.log("NO PHONE:", page.url(), await errs(page), strip(await main(page)).slice(0, 500)); await shot(page, "import-" + tag + "-nophone");
  console.log(await page.locator('main select').evaluateAll(l => l.map(s => s.name + "=" + s.value)));
  await page.locator('[name="form[columns][1]"]').selectOption("phone"); await page.locator('[name="form[columns][5]"]').selectOption("phone").catch(() => {});
  await page.getByRole("button", { name: "Check the file" }).click(); await page.waitForTimeout(2500);
  console.log("TWO PHONES:", page.url(), await errs(page));
  await page.locator('[name="form[columns][5]"]').selectOption("attribute").catch(() => {});
}
await page.getByRole("button", { name: "Check the file" }).click(); await page.waitForURL(u => !/mapping/.test(u.pathname)); await hydrated(page); await page.waitForTimeout(3000);
console.log("CHECKED:", page.url(), strip(await main(page)).slice(0, 6000)); await shot(page, "import-" + tag + "-check");
console.log(await page.locator('main button, main a.button').allInnerTexts());
// back and forth
await page.goBack(); await page.waitForTimeout(1500); console.log("BACK:", page.url(), strip(await main(page)).slice(0, 300)); await page.goForward(); await page.waitForTimeout(1500);
console.log("FWD:", page.url(), strip(await main(page)).slice(0, 200));
const imp = page.getByRole("button", { name: /^Import / }).first();
if (await imp.count()) { await imp.dblclick(); await page.waitForTimeout(5000); console.log("IMPORTED:", page.url(), strip(await main(page)).slice(0, 5000)); await shot(page, "import-" + tag + "-done");
 for (const h of await page.locator('main a[href*=csv]').evaluateAll(l => l.map(a => a.getAttribute("href")))) { const r = await page.context().request.get(h); console.log(h, r.status(), await r.text()); }
 await page.goto(page.url() + "/mapping"); await page.waitForTimeout(1000); console.log("MAPPING AGAIN:", page.url(), strip(await main(page)).slice(0, 300)); }
console.log(page.troubles);
await browser.close();
