import { start, hydrated, shot, main, errs } from "./.try-lib.mjs";
import { execSync } from "node:child_process";
const o = await start("mara@halden.test", { javaScriptEnabled: false });
const ids = {}; 
for (const l of ["calls", "batches", "campaigns", "contacts", "contacts/imports", "agents", "prompts", "numbers", "clients", "settings/users", "webhooks/inbound"]) { await o.page.goto("/" + l); ids[l] = [...new Set(await o.page.locator("main a[href]").evaluateAll((a, l) => a.map(x => x.getAttribute("href").split(/[?#]/)[0]).filter(h => new RegExp(`^/${l}/[0-9a-f-]{36}$`).test(h)), l))]; }
console.log("northbeam calls", Object.fromEntries(Object.entries(ids).map(([k, v]) => [k, v.length])));
await o.browser.close();
for (const u of ["lena@alpenrad.test", "jan@alpenrad.test", "grace@harrowpike.test"]) {
  const { browser, page } = await start(u, { javaScriptEnabled: false }); page.removeAllListeners("response");
  const out = [];
  for (const p of ["/usage", "/connections", "/connections/ultravox", "/prompts", "/prompts/new", "/numbers", "/numbers/new", "/clients", "/clients/new", "/settings/agency", "/settings/api-keys", "/settings/brand", "/settings/audit", "/settings/users", "/settings/users/new", "/webhooks/inbound", "/platform", "/platform/log", "/platform/new", "/dev/ui", "/agents/new", "/contacts/new", "/contacts/imports/new", "/campaigns/new", "/batches/new", "/settings", "/nonsense", "/calls/nonsense", "/calls/00000000-0000-0000-0000-000000000000", "/settings/users/links", "/settings/audit.csv", "/usage.csv", "/docs", "/api"]) { const r = await page.goto(p).catch(e => null); out.push(`${p} ${r?.status()} ${(await page.title()).replace(" · Patchbay", "")}`); }
  for (const [l, v] of Object.entries(ids)) for (const p of v.slice(0, 40)) { const r = await page.goto(p); out.push(`${p.replace(/.{24}$/, "")}… ${r.status()} ${(await page.title()).replace(" · Patchbay", "")}`); }
  console.log("==", u); const c = {}; for (const x of out) { const k = x; c[k] = (c[k] || 0) + 1; } console.log(Object.entries(c).map(([k, n]) => n > 1 ? k + " ×" + n : k).join("\n"));
  if (u.startsWith("jan")) { await page.goto("/contacts/new"); console.log(await main(page)); await shot(page, "viewer-contacts-new"); }
  await browser.close();
}
