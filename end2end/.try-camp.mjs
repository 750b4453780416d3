import { start, hydrated, shot, main, errs } from "./.try-lib.mjs";
const { browser, page } = await start("lena@alpenrad.test");
await page.goto("/campaigns/new"); await hydrated(page);
console.log((await main(page)).slice(0, 2500));
const set = async (k, x) => { const l = page.locator(`[name="form[${k}]"]`); const t = await l.evaluate(e => e.tagName); if (t == "SELECT") await l.selectOption(x); else await l.fill(x); };
const tries = [
  ["noname", { name: "   ", agent: { index: 1 }, number: { index: 1 } }],
  ["dates", { name: "Try", start: "18:00", end: "09:00" }],
  ["same", { start: "09:00", end: "09:00" }],
  ["odd", { start: "25:99", end: "abc" }],
  ["tries0", { start: "09:00", end: "18:00", max_attempts: "0" }],
  ["tries1.5", { max_attempts: "1.5" }], ["triesEmpty", { max_attempts: "" }],
  ["retry", { max_attempts: "3", retry_minutes: "-5" }], ["retrybig", { retry_minutes: "99999999999" }],
  ["vars", { retry_minutes: "60", variables: "bad line" }], ["vars2", { variables: "goal = x\nname = y" }], ["vars3", { variables: "a = 1\nA = 2" }],
];
for (const [n, v] of tries) {
  for (const [k, x] of Object.entries(v)) await set(k, x).catch(e => console.log("   set", k, e.message.split("\n")[0]));
  await page.locator("main form").first().evaluate(f => f.noValidate = true);
  await page.locator('main form button[type=submit], main form button:not([type])').last().click(); await page.waitForTimeout(1200);
  console.log(n, page.url(), await errs(page));
  if (!page.url().endsWith("/campaigns/new")) { console.log("CREATED", (await main(page)).slice(0, 600)); await page.goto("/campaigns/new"); await hydrated(page); await set("name", "Try " + n); await set("agent", { index: 1 }); await set("number", { index: 1 }); }
  if (n == "dates") await shot(page, "campaign-bad");
}
// duplicates + double submit
await set("name", "Twice"); await set("variables", ""); await page.locator('main form button').last().dblclick(); await page.waitForTimeout(2500); console.log(page.url(), (await main(page)).slice(0, 1500)); await shot(page, "campaign-new");
await page.goBack(); await page.waitForTimeout(1500); console.log("BACK", page.url(), await page.locator('[name="form[name]"]').inputValue().catch(() => "-"));
await page.goto("/campaigns"); console.log((await main(page)).slice(0, 1500));
console.log(page.troubles);
await browser.close();
