// A prompt is changed, what differs is looked at, the new version goes into production, and back.
import assert from "node:assert/strict";
import { hydrated, quiet, signIn } from "../lib/browser.mjs";

export default {
  async "a prompt is changed, compared, put into production and taken back"(world) {
    const page = await signIn(world, "mara@halden.test");
    await page.goto("/prompts/new");
    await hydrated(page);
    await page.locator('[name="name"]').fill("Journey desk");
    await page.locator('[name="template"]').fill("You are Sam.\nSay hello to {{first_name}}.");
    await page.getByRole("button", { name: "Create prompt" }).click();
    await page.waitForURL(/\/prompts\/[0-9a-f-]{36}$/);
    // The form of the new prompt stays until the next page is there, and has the same fields.
    await page.getByRole("button", { name: "Save version" }).waitFor();
    const address = new URL(page.url()).pathname;

    // A second version that is only saved, with a name that nothing fills.
    await page.locator('[name="template"]').fill("You are Sam.\nSay hello to {{frist_name}}, then let them talk.");
    await page.locator('[name="production"]').uncheck();
    await page.getByRole("button", { name: "Save version" }).click();
    await page.getByText("Line 2: nothing fills").waitFor();
    assert((await page.locator("main").innerText()).includes("The nearest name is first_name"), "a misspelt name is noticed");

    await page.getByRole("link", { name: "Compare", exact: true }).click();
    await page.waitForURL((url) => url.pathname === `${address}/diff`);
    await page.locator("ins", { hasText: "talk." }).first().waitFor();
    assert((await page.locator("main").innerText()).includes("Agents say version 1."));
    await page.locator('select[name="view"]').selectOption("inline");
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.locator("table.diff:not(.side) tr.add").waitFor();

    await page.locator('[name="note"]').fill("Let them talk");
    await page.getByRole("button", { name: "Move production to v2" }).click();
    await page.waitForURL((url) => url.pathname === address);
    await page.getByText("was version 1 until").waitFor();
    await hydrated(page);
    await page.getByRole("button", { name: "Move production back to version 1" }).click();
    await page.getByText("was version 2 until").waitFor();
    await page.goto(`${address}/moves`);
    const rows = await page.locator("tbody tr").allInnerTexts();
    assert.equal(rows.length, 3, rows.join("\n"));
    assert(rows[0].includes("v2 → v1") && rows[1].includes("v1 → v2") && rows[1].includes("Let them talk"), rows.join("\n"));
    quiet(page);
  },
};
