// A client's CRM: connected at the sandbox, tried, kept in step, a record repaired, and left again.
import assert from "node:assert/strict";
import { hydrated, quiet, signIn, until } from "../lib/browser.mjs";

export default {
  async "a HubSpot is connected, mapped, synced, repaired and disconnected"(world) {
    // The service leads back to the product's own name, and who is signed in there.
    const url = world.demo.url.replace("127.0.0.1", "localhost");
    const page = await signIn({ ...world, demo: { ...world.demo, url } }, "mara@halden.test");
    const name = `Journey ${Date.now() % 100_000}`;

    await page.goto("/integrations");
    await hydrated(page);
    await page.getByRole("link", { name: "Connect HubSpot" }).click();
    await page.waitForURL(/\/integrations\/new\/hubspot$/);
    await hydrated(page);
    await page.locator('[name="name"]').fill(name);
    await page.getByRole("button", { name: "Go on to the sign-in" }).click();
    await page.locator('[name="client"]:invalid').waitFor();
    assert.match(page.url(), /\/new\/hubspot$/, "nothing is begun without a client");
    await page.locator('[name="client"]').selectOption({ label: "Hotel Costa Clara" });
    await page.getByRole("button", { name: "Go on to the sign-in" }).click();
    await page.waitForURL(/\/sign-in$/);
    quiet(page);

    // At the service: agree, and be led back.
    await page.getByRole("link", { name: "Go to HubSpot" }).click();
    await page.getByRole("button", { name: "Connect" }).click();
    await page.waitForURL(/\/integrations\/[0-9a-f-]{36}\/setup$/);
    await hydrated(page);
    await page.locator('[name="country"]').selectOption("DE");
    await page.getByRole("button", { name: "Save and go on" }).click();
    await page.waitForURL(/\/mapping$/);
    // The usual fields are matched by themselves.
    await page.getByText("firstname").first().waitFor();
    await hydrated(page);
    await page.getByRole("link", { name: "Add a field" }).click();
    await page.waitForURL(/line=new/);
    await hydrated(page);
    await page.locator('[name="ours"]').selectOption("detail");
    await page.locator('[name="own"]').fill("job");
    await page.locator('[name="theirs"]').selectOption("jobtitle");
    await page.getByRole("button", { name: "Add the field" }).click();
    await page.waitForURL(/\/mapping$/);
    await page.getByRole("link", { name: "Job: from HubSpot to here, change" }).waitFor();
    await page.getByRole("link", { name: "Go on: try it with 20 records" }).click();
    await page.waitForURL(/\/preview$/);
    await page.getByText("nothing was written").first().waitFor();
    await hydrated(page);
    await page.getByRole("button", { name: "Start" }).click();
    await page.waitForURL(/\/syncs\/[0-9a-f-]{36}$/);
    quiet(page);

    // Nobody reloads: the page hears how it goes on. A record that cannot be read holds up nobody.
    await page.getByText("Some failed").first().waitFor({ timeout: 60_000 });
    await page.getByRole("link", { name: /^Records that failed/ }).first().click();
    await page.waitForURL(/\/failed$/);
    await hydrated(page);
    const phones = page.locator('[name="phone"]');
    await phones.first().waitFor();
    const before = await phones.count();
    await phones.first().fill("+34 971 55 01 99");
    await page.getByRole("button", { name: "Use this number" }).first().click();
    await until("it is repaired", async () => (await phones.count()) < before);
    const back = page.url();

    // What the CRM knows of a person stands with the contact, and the contact says where it is in step.
    await page.getByRole("link", { name: "Deals", exact: true }).click();
    await page.waitForURL(/\/deals$/);
    await hydrated(page);
    await page.getByRole("cell", { name: "Contract sent" }).first().waitFor();
    await page.locator('main a[href^="/contacts/"]').first().click();
    await page.waitForURL(/\/contacts\/[0-9a-f-]{36}$/);
    await hydrated(page);
    await page.getByRole("heading", { name: "In other systems", exact: true }).waitFor();
    await page.getByRole("heading", { name: "Done in other systems" }).waitFor();
    await page.getByRole("link", { name: /^(Show more|Search and export)$/ }).click();
    await page.waitForURL(/\/activities$/);
    await hydrated(page);
    await page.getByRole("heading", { level: 1, name: "Done in other systems" }).waitFor();
    quiet(page);
    await page.goto(back);
    await hydrated(page);

    await page.getByRole("link", { name: "Disconnect" }).click();
    await page.locator("dialog[open]").getByRole("button", { name: "Disconnect" }).click();
    await page.getByText("Not connected").first().waitFor();
    await hydrated(page);
    await page.getByRole("link", { name: "Remove", exact: true }).click();
    await page.locator("dialog[open]").getByRole("button", { name: "Remove", exact: true }).click();
    await page.waitForURL(/\/integrations$/);
    await page.goto("/integrations");
    assert(!(await page.locator("main").innerText()).includes(name), "it is gone from the list");
    quiet(page);
  },

  async "one signs in at Slack itself, chooses the channel there, and is told"(world) {
    const url = world.demo.url.replace("127.0.0.1", "localhost");
    const page = await signIn({ ...world, demo: { ...world.demo, url } }, "mara@halden.test");
    const name = `Slack ${Date.now() % 100_000}`;
    await page.goto("/integrations/new/slack");
    await hydrated(page);
    await page.locator('[name="name"]').fill(name);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.waitForURL(/\/integrations\/[0-9a-f-]{36}\/settings$/);
    await hydrated(page);
    await page.getByRole("button", { name: "Sign in with Slack" }).click();
    await page.waitForURL(/\/sign-in$/);
    quiet(page);
    await page.getByRole("link", { name: "Go to Slack" }).click();
    await page.locator("#channel").selectOption({ label: "#leads" });
    await page.getByRole("button", { name: "Connect" }).click();
    await page.waitForURL(/\/settings$/);
    await page.getByText("Choose what is told").waitFor();
    await hydrated(page);
    assert.match(await page.locator('[name="channel"] option:checked').innerText(), /^#leads/);
    await page.locator('[name="events[]"]').first().check();
    await page.getByRole("button", { name: "Save", exact: true }).first().click();
    await page.getByText("Saved").first().waitFor();
    await page.getByRole("button", { name: "Send a test" }).click();
    await page.getByText("Arrived").waitFor();
    await hydrated(page);
    await page.getByRole("link", { name: "Disconnect" }).click();
    await page.locator("dialog[open]").getByRole("button", { name: "Disconnect" }).click();
    await page.getByText("Not connected").first().waitFor();
    quiet(page);
  },
};
