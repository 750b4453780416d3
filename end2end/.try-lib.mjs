import { openBrowser, hydrated, signIn } from "./lib/browser.mjs";
export { hydrated };
export const shot = (page, n) => page.screenshot({ path: `/work/shots/client/${n}.png`, fullPage: true });
export async function start(email, opts = {}) {
  const browser = await openBrowser();
  const world = { demo: { url: "http://localhost:21000" }, browser, pages: [] };
  const page = await signIn(world, email, { reducedMotion: "reduce", ...opts });
  page.setDefaultTimeout(15000);
  page.on("response", r => { if (r.status() >= 400) console.log("  RESP", r.status(), r.request().method(), r.url()); });
  return { browser, world, page };
}
export const main = async (page) => (await page.locator("main").innerText()).replace(/\n+/g, " | ");
export const errs = (page) => page.evaluate(() => [...document.querySelectorAll('[aria-invalid="true"], [role=alert], .error, .problem, .toast, .notice')].map(e => (e.name || e.className) + ": " + (e.matches("input,select,textarea") ? JSON.stringify(e.value.slice(0,60)) + " " + (document.getElementById((e.getAttribute("aria-describedby")||"").split(" ").at(-1))?.innerText || "") : e.innerText)).join("\n      "));
