// An agent is built from nothing: a prompt, a file to look things up in, a tool, a call, and a test.
import assert from "node:assert/strict";
import { hydrated, quiet, signIn, until } from "../lib/browser.mjs";

const HANDBOOK = "# Prices\n\nA check-up takes thirty minutes and costs 120 francs.\n\n# Opening hours\n\nMonday to Friday, eight to six.\n";

export default {
  async "an agent with a file and a tool is called, uses the tool, and is tested"(world) {
    const page = await signIn(world, "mara@halden.test");
    // Names that are new also in a demo that goes on.
    const [handbook, name] = ["handbook", "desk agent"].map((what) => `Journey ${what} ${Date.now() % 100_000}`);
    await page.goto("/knowledge/new");
    await hydrated(page);
    await page.getByLabel("Name").fill(handbook);
    await page.locator("select[name=client]").selectOption({ label: "Alpenrad Dental" });
    await page.getByRole("button", { name: "Make the collection" }).click();
    await page.waitForURL(/\/knowledge\/[0-9a-f-]{36}$/);
    await page.locator("#files").setInputFiles({ name: "handbook.md", mimeType: "text/markdown", buffer: Buffer.from(HANDBOOK) });
    await page.getByRole("button", { name: "Upload" }).click();
    // Nobody reloads: the page hears when the file has been read.
    await page.locator("tbody").getByText("Indexed").waitFor();
    quiet(page);

    await page.goto("/agents/new");
    await hydrated(page);
    await page.locator('[name="name"]').fill(name);
    await page.locator("select[name=client_id]").selectOption({ label: "Alpenrad Dental" });
    await page.locator('[name="template"]').fill("You are Sam, the assistant of a dental practice. Answer questions about prices with what you find.");
    await page.getByRole("button", { name: "Create agent" }).click();
    await page.waitForURL(/\/agents\/[0-9a-f-]{36}$/);
    const agent = new URL(page.url()).pathname;

    await page.goto(`${agent}/tools/new?kind=knowledge`);
    await hydrated(page);
    await page.getByLabel(handbook).check();
    await page.getByRole("button", { name: "Add the tool" }).click();
    await page.waitForURL((url) => url.pathname.startsWith(`${agent}/tools`) && !url.pathname.endsWith("/new"));
    await page.goto(agent);
    await hydrated(page);
    await page.getByRole("button", { name: "Activate" }).click();
    await page.getByText("In sync").first().waitFor({ timeout: 90_000 });
    quiet(page);

    await page.goto("/test-call");
    await hydrated(page);
    const own = page.locator("select[name=agent_id] option", { hasText: name });
    await page.locator("select[name=agent_id]").selectOption(await own.getAttribute("value"));
    await page.locator('[name="to"]').fill("+41445550020");
    await page.getByRole("button", { name: "Call now" }).click();
    await page.waitForURL(/\/calls\/[0-9a-f-]{36}$/);
    const call = new URL(page.url()).pathname;
    await until("the call's tool step is there", async () => {
      await page.goto(`${call}?tab=steps`);
      return (await page.locator("main").innerText()).includes("search_knowledge");
    });
    quiet(page);

    await page.goto(`${agent}/tests/new`);
    await hydrated(page);
    await page.locator('[name="name"]').fill("Says something");
    await page.locator('[name="input"]').fill("What does a check-up cost?");
    await page.locator("select[name=matcher]").selectOption("regex");
    await page.locator('[name="expected"]').fill(".");
    await page.getByRole("button", { name: "Save the case" }).click();
    await page.waitForURL((url) => url.pathname.startsWith(`${agent}/tests`) && !url.pathname.endsWith("/new"));
    await page.goto(`${agent}/tests`);
    await hydrated(page);
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.waitForURL(/\/test-runs\/[0-9a-f-]{36}$/);
    // The page hears of it when the case is done.
    await page.locator("tbody tr", { hasText: "Says something" }).getByText("Passed", { exact: true }).waitFor({ timeout: 60_000 });
    quiet(page);
  },
};
