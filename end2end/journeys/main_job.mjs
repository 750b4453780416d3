import assert from "node:assert/strict";
import { hydrated, quiet, signIn, until } from "../lib/browser.mjs";

// The last four digits make the sandbox hold a whole conversation: one confirms, one chooses another day.
const people = ["First name;Last name;Telefon", "Björn;Näf;044 555 00 30", "Ada;Lovelace;+41 44 555 00 31", "Nobody;At all;n/a"].join("\r\n");

export default {
  async "the owner imports a file, starts a batch, and reads a call with its analysis"(world) {
    const page = await signIn(world, "mara@halden.test");
    await page.goto("/contacts/imports/new");
    await hydrated(page);
    await page.locator("select[name=client]").selectOption({ label: "Alpenrad Dental" });
    await page.locator("input[type=file]").setInputFiles({ name: "office.csv", mimeType: "text/csv", buffer: Buffer.from(people, "latin1") });
    await page.getByRole("button", { name: "Upload" }).click();
    await page.waitForURL(/\/mapping$/);
    await page.locator("select[name='form[country]']").selectOption("CH");
    await page.locator("select[name='form[campaign]']").selectOption({ label: "November recall" });
    await page.getByRole("button", { name: "Check the file" }).click();
    await page.getByRole("button", { name: /^Import 2/ }).click();
    await page.getByText("Completed").first().waitFor();
    quiet(page);

    await page.goto("/campaigns");
    await page.getByRole("link", { name: "November recall" }).first().click();
    await page.waitForURL(/\/campaigns\/[0-9a-f-]{36}/);
    const campaign = new URL(page.url()).pathname.split("/")[2];
    await page.goto(`/batches/new?campaign=${campaign}`);
    await hydrated(page);
    await page.getByLabel("Name").fill("Journey wave");
    await page.getByRole("button", { name: "Start the batch" }).click();
    await page.waitForURL(/\/batches\/[0-9a-f-]{36}/);
    // Nobody reloads: the page hears of every change.
    await page.locator(".head .tag", { hasText: "Completed" }).waitFor({ timeout: 180_000 });
    await page.getByRole("link", { name: "Björn Näf" }).first().click();
    await page.waitForURL(/\/calls\//);
    await page.getByRole("heading", { name: "Björn Näf" }).waitFor();
    await until("the analysis is there", async () => {
      if (await page.getByRole("heading", { name: "Analysis" }).count()) return true;
      await page.reload();
      return false;
    });
    assert((await page.locator(".turn").count()) > 3, "the transcript has turns");
    quiet(page);
  },

  async "a batch with nothing to dial says so, and nothing is started"(world) {
    const page = await signIn(world, "mara@halden.test");
    await page.goto("/batches/new");
    await hydrated(page);
    await page.locator("select[name=campaign]").selectOption({ label: "November recall · Alpenrad Dental" });
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText("Nobody to call now.").waitFor();
    assert(await page.getByRole("button", { name: "Start the batch" }).isDisabled());
  },
};
