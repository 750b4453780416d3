import assert from "node:assert/strict";
import { hydrated, newPage, quiet, signIn } from "../lib/browser.mjs";

export default {
  async "a member reads everything and changes nothing"(world) {
    const page = await signIn(world, "tom@halden.test");
    await hydrated(page);
    await page.getByRole("heading", { name: "Calls by hour" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "New batch" }).count(), 0);
    await page.goto("/batches");
    await hydrated(page);
    assert((await page.locator("tbody tr").count()) > 0);
    quiet(page);
  },

  async "a client's admin sees only that client, with cost where the agency shares it"(world) {
    const page = await signIn(world, "dana@northbeam.test");
    await page.goto("/calls");
    await hydrated(page);
    const text = await page.locator("main").innerText();
    assert(!text.includes("Alpenrad"), "another client's name");
    assert((await page.locator("tbody tr").count()) > 0);
    // Their own agents by name and state, and nothing of how they are made.
    assert.equal((await page.goto("/agents")).status(), 200);
    const agents = await page.locator("main").innerText();
    assert(agents.includes("Lead qualifier") && !agents.includes("Recall"), agents);
    assert.equal(await page.locator("main a[href^='/agents/']").count(), 0);
    assert.equal((await page.goto("/agents/new")).status(), 404);
    assert.equal((await page.goto("/prompts")).status(), 404);
    assert.equal((await page.goto("/contacts/new")).status(), 200);
  },

  async "a client's viewer reads a call without steps, and another client's call is not there"(world) {
    const viewer = await signIn(world, "jan@alpenrad.test");
    await viewer.goto("/calls?result=answered");
    await hydrated(viewer);
    const own = await viewer.locator("tbody a[href^='/calls/']").first().getAttribute("href");
    await viewer.goto(own);
    await hydrated(viewer);
    assert((await viewer.locator(".turn").count()) > 0);
    assert.equal(await viewer.getByRole("link", { name: /^Steps/ }).count(), 0);
    quiet(viewer);
    const stranger = await signIn(world, "luis@northbeam.test");
    const answer = await stranger.goto(own.split("?")[0]);
    assert.equal(answer.status(), 404);
    const other = await signIn(world, "owen@kestrel.test");
    assert.equal((await other.goto(own.split("?")[0])).status(), 404);
  },

  async "without JavaScript: sign in, filter, open a call, save a form"(world) {
    const page = await signIn(world, "mara@halden.test", { javaScriptEnabled: false });
    await page.goto("/calls");
    await page.locator("select[name=result]").selectOption("answered");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.locator("tbody a[href^='/calls/']").first().click();
    assert((await page.locator(".turn").count()) > 0, "the transcript stands in the page");
    await page.goto("/contacts/new");
    await page.locator("select[name=client]").selectOption({ label: "Alpenrad Dental" });
    await page.locator("input[name='form[name]']").fill("Kept Typed");
    await page.locator("input[name='form[phone]']").fill("not a number");
    await page.locator("main form[action*=create_contact] button[type=submit]").click();
    assert.equal(await page.locator("input[name='form[name]']").inputValue(), "Kept Typed");
    assert((await page.locator("[aria-invalid=true]").count()) > 0, "the message stands at the field");
  },

  async "the sign-in page carries no wasm and says nothing about who exists"(world) {
    const page = await newPage(world);
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto("/login");
    assert(!asked.some((url) => url.endsWith(".wasm")), asked.join("\n"));
    await page.getByLabel("E-mail address").fill("nobody@nowhere.test");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("is wrong").waitFor();
  },
};
