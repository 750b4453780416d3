// A team is made and asked. What it wants to do waits for a person, is approved, and is answered; another job is stopped; and a script that takes
// more memory than it has is tried again with more.
import { hydrated, quiet, signIn } from "../lib/browser.mjs";

const CLIENT = "Sabarmati Insurance";
// More than it may hold at first, and less than twice as much.
const HEAVY = "echo 'reading everything at once'\nhead -c 90000000 /dev/zero | tr '\\0' 'x' | tail -n 1 | wc -c";

/** Chooses the option with these words. */
async function choose(page, name, words) {
  const select = page.locator(`select[name="${name}"]`);
  const option = select.locator("option", { hasText: words }).first();
  await select.selectOption(await option.getAttribute("value"));
}

async function ask(page, message) {
  await page.locator('textarea[name="message"]').fill(message);
  await page.getByRole("button", { name: "Send" }).click();
  await page.waitForURL(/\?session=[0-9a-f-]{36}$/);
}

export default {
  async "a team is made, asked, approved and stopped"(world) {
    const page = await signIn(world, "mara@halden.test");
    const name = `Journey team ${Date.now() % 100_000}`;
    await page.goto("/teams/new");
    await hydrated(page);
    await page.locator('[name="name"]').fill(name);
    await choose(page, "client", CLIENT);
    await page.getByRole("button", { name: "Make the team" }).click();
    await page.waitForURL(/\/teams\/[0-9a-f-]{36}$/);
    const team = new URL(page.url()).pathname;

    for (const [agent, role] of [["Letters", "Writes letters and certificates"], ["Refunds", "Checks payments and gives a refund"]]) {
      await choose(page, "agent", agent);
      await page.locator("#add-role").fill(role);
      await page.getByRole("button", { name: "Add to the team" }).click();
      await page.locator("ol.members").getByRole("link", { name: agent }).waitFor();
    }
    // By keyboard alone.
    await page.getByRole("button", { name: "Move Refunds up" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "1. Refunds" }).waitFor();

    await page.goto(`${team}/limits`);
    await hydrated(page);
    await page.locator('select[name="rule_0_on"]').selectOption("worker");
    await page.locator('[name="rule_0_name"]').fill("Refunds need a look");
    await choose(page, "rule_0_worker", "Refunds");
    await page.getByRole("button", { name: "Save as a new version" }).click();
    await page.locator("legend", { hasText: "Rule 1" }).waitFor();
    quiet(page);

    // Nobody reloads: the page hears what the team does.
    await page.goto(`${team}/playground`);
    await hydrated(page);
    await ask(page, "You took two payments, please give me a refund.");
    await page.getByText("Awaiting approval").first().waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Approve", exact: true }).click();
    await page.getByRole("link", { name: "Save as test case" }).waitFor({ timeout: 60_000 });
    await page.locator(".flow .ask", { hasText: "Approved" }).waitFor();
    quiet(page);

    await page.getByRole("link", { name: "Reset" }).click();
    await page.getByText("A new session").waitFor();
    await ask(page, "I want a refund of everything that I ever paid.");
    await page.getByText("Awaiting approval").first().waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator("main .callout.bad").first().waitFor({ timeout: 60_000 });
    await page.goto(`${team}/runs`);
    await hydrated(page);
    await page.locator("tbody tr", { hasText: "everything that I ever paid" }).getByText("Failed").first().waitFor();
    quiet(page);
  },

  async "a script that takes too much memory is tried again with more"(world) {
    const page = await signIn(world, "mara@halden.test");
    await page.goto("/execution/new");
    await hydrated(page);
    await page.locator('[name="title"]').fill("Everything at once");
    await choose(page, "engine", "Shell");
    await page.locator('[name="content"]').fill(HEAVY);
    await page.locator('[name="memory_mb"]').fill("64");
    await page.getByRole("button", { name: "Run it" }).click();
    await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
    await page.locator("main").getByText("Completed", { exact: true }).first().waitFor({ timeout: 90_000 });
    // The first try and why it ended.
    await page.locator("main").getByText("Out of memory", { exact: true }).first().waitFor();
    quiet(page);
  },
};
