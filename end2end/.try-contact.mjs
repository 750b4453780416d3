import { start, hydrated, shot, main, errs } from "./.try-lib.mjs";
const { browser, page } = await start("lena@alpenrad.test", { javaScriptEnabled: false });
await page.goto("/contacts/new"); console.log(await page.locator("main form").first().evaluate(f => f.outerHTML.replace(/<option[^>]*>[^<]*<\/option>/g, "").slice(0, 4000)));
const tries = [
  ["empty", {}],
  ["onlyname", { name: "X" }],
  ["badphone", { phone: "abc" }], ["short", { phone: "12" }], ["two", { phone: "+41 44 668 18 00 / +41 44 668 18 01" }], ["emerg", { phone: "112" }], ["prem", { phone: "0900 123456" }],
  ["email", { phone: "+41 44 668 18 02", email: "foo" }], ["email2", { phone: "+41 44 668 18 02", email: "a@b" }],
  ["attrs", { phone: "+41 44 668 18 02", attributes: "no equals" }], ["attrs2", { phone: "+41 44 668 18 02", attributes: "a: 1\na: 2" }], ["attrs3", { phone: "+41 44 668 18 02", attributes: "phone: 3\n{{x}}: y" }],
  ["long", { phone: "+41 44 668 18 02", name: "x".repeat(500) }], ["html", { phone: "+41 44 668 18 03", name: "<b>Bold</b> \u202Eevil", company: "=1+1" }],
  ["dup", { phone: "+41 44 668 18 03", name: "again" }],
];
for (const [n, v] of tries) {
  await page.goto("/contacts/new");
  for (const [k, x] of Object.entries(v)) { const l = page.locator(`[name="form[${k}]"]`); await l.evaluate?.call; await l.fill(x).catch(e => console.log("fill", e.message.split("\n")[0])); }
  await page.locator('main form button:not([type=button])').last().click(); await page.waitForLoadState();
  console.log(n, "→", page.url().slice(0, 300)); console.log("     ", (await page.locator("main").innerText()).replace(/\n+/g, " | ").slice(0, 500));
}
await browser.close();
