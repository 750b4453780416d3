import assert from "node:assert/strict";
import { hydrated, quiet, signIn, until } from "../lib/browser.mjs";

/** Somebody rings a number at the sandbox's carrier. */
async function ring(world, to, from = "+41445550030", more = {}) {
  // The demo listens on one port, its sandbox on the next.
  const sandbox = new URL("/sandbox/ring", world.demo.url);
  sandbox.port = String(Number(sandbox.port) + 1);
  const answer = await fetch(sandbox, { method: "POST", body: JSON.stringify({ to, from, ...more }) });
  assert.equal(answer.status, 200);
  return answer.json();
}

export default {
  async "the owner says who answers a number, and calls to it are answered or missed"(world) {
    const page = await signIn(world, "mara@halden.test");
    await page.goto("/connections/telnyx");
    await hydrated(page);
    await page.getByRole("button", { name: "Check and set up" }).click();
    await page.getByText("Application at Telnyx", { exact: true }).waitFor();
    quiet(page);

    await page.goto("/numbers?direction=outbound");
    await page.locator("tbody a.mono").first().click();
    await page.waitForURL(/\/numbers\/[0-9a-f-]{36}/);
    await hydrated(page);
    const number = (await page.locator("h1").textContent()).replace(/[^+0-9]/g, "");
    const form = page.locator("form", { has: page.locator("select[name=agent_id]") });
    await form.locator("select[name=client_id]").selectOption({ label: "Alpenrad Dental" });
    await form.locator("select[name=direction]").selectOption("inbound");
    const agent = form.locator("select[name=agent_id] option", { hasText: "Alpenrad Dental" }).first();
    await form.locator("select[name=agent_id]").selectOption(await agent.getAttribute("value"));
    await form.getByRole("button", { name: "Save" }).click();
    // The carrier is told in the background, and the page hears of it.
    await page.getByText("Here since").waitFor();
    quiet(page);

    const rang = await ring(world, number);
    assert(rang.joined, JSON.stringify(rang));
    await page.goto("/calls?direction=inbound");
    await until("the call is listed", async () => {
      if (await page.locator("tbody tr").count()) return true;
      await page.reload();
      return false;
    });

    // Nobody answers any more: the caller hears it, and the call waits for a person.
    await page.goto("/numbers?direction=inbound");
    await page.getByRole("link", { name: new RegExp(number.slice(-2) + "$") }).first().click();
    await hydrated(page);
    await page.locator("select[name=agent_id]").selectOption("");
    await page.getByLabel("What callers hear when nobody can answer").fill("Nobody is here.");
    await page.locator("form", { has: page.locator("select[name=agent_id]") }).getByRole("button", { name: "Save" }).click();
    await until("the number is saved", async () => (await ring(world, number, "+41445550031")).said === "Nobody is here.");
    await page.goto("/calls?view=missed");
    await page.locator("tbody tr a").first().click();
    await page.getByText("No agent answers this number.").waitFor();
    quiet(page);
  },
};
