import { start, hydrated, shot, main, errs } from "./.try-lib.mjs";
const { browser, page } = await start("mara@halden.test");
const sub = async (n) => { await page.locator("main form").first().evaluate(f => f.noValidate = true); await page.locator('main form button:not([type=button])').last().click(); await page.waitForTimeout(1500); console.log(n, page.url(), await errs(page)); };
await page.goto("/agents"); const a = await page.locator("main a[href]").evaluateAll(l => l.map(x => x.getAttribute("href")).find(h => /^\/agents\/[0-9a-f-]{36}$/.test(h)));
await page.goto(a + "/edit"); await hydrated(page);
console.log(await page.locator("main form").evaluateAll(f => f.map(x => x.action + " " + [...x.elements].map(e => e.name + "=" + (e.value||"").slice(0, 40)).join("&"))));
const F = async (k, v) => page.locator(`[name="${k}"]`).first().fill(v).catch(e => console.log(k, e.message.split("\n")[0]));
await F("name", "  "); await F("temperature", "9"); await F("max_minutes", "0"); await sub("A1"); await shot(page, "agent-bad");
await F("name", "Bad name with spaces & ümlaut!"); await F("temperature", "abc").catch(() => {}); await F("max_minutes", "1.5"); await F("template", ""); await sub("A2");
await F("temperature", "0,4"); await F("max_minutes", "10"); await F("template", "Hello {{unclosed and {{}} {{nope nope}}"); await sub("A3"); await shot(page, "agent-bad3");
await page.goto(a + "/edit"); await hydrated(page); await F("tags", "a,,a, ,b" + ",x".repeat(50)); await F("greeting", "Hi {{unknown_var}}"); await F("temperature", ""); await sub("A4"); console.log((await main(page)).slice(0, 800)); await shot(page, "agent-A4");
await page.goto("/prompts"); const pr = await page.locator("main a[href]").evaluateAll(l => l.map(x => x.getAttribute("href")).find(h => /^\/prompts\/[0-9a-f-]{36}$/.test(h)));
await page.goto(pr); await hydrated(page); console.log((await main(page)).slice(0, 900)); console.log(await page.locator("main form").evaluateAll(f => f.map(x => x.action + " " + [...x.elements].map(e => e.name + "=" + (e.value||"").slice(0, 40)).join("&"))));
const save = page.getByRole("button", { name: /Save/ }).first();
for (const [n, t] of [["P-empty", "   "], ["P-unclosed", "Hi {{name"], ["P-weird", "Hi {{bad name}} {{}} {{ first_name }}"], ["P-long", "x".repeat(200000)]]) { await F("template", t); await page.locator("form:has([name=template])").evaluate(f => f.noValidate = true); await page.locator("form:has([name=template]) button:not([type=button])").last().click({ timeout: 4000 }).catch(e => console.log(e.message.split("\n")[0])); await page.waitForTimeout(1500); console.log(n, page.url(), (await errs(page)).slice(0, 600)); if (n != "P-long") await shot(page, n); }
console.log(page.troubles); await browser.close();
