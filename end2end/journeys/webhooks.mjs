// Another system is told what happens: an endpoint is made, a test event arrives signed, is looked at, and is sent again.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { hydrated, quiet, signIn, until } from "../lib/browser.mjs";

/** What came to a receiver of the sandbox, which listens on the next port. */
async function received(sandbox, name) {
  return (await (await fetch(`${sandbox}/sandbox/receivers/${name}`)).json()).received;
}

function signature(secret, request) {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const { "webhook-id": id, "webhook-timestamp": at } = request.headers;
  return "v1," + createHmac("sha256", key).update(`${id}.${at}.${request.body}`).digest("base64");
}

export default {
  async "an endpoint is made, a test event arrives signed, and its delivery is replayed"(world) {
    const page = await signIn(world, "mara@halden.test");
    const url = new URL(world.demo.url);
    const sandbox = `${url.protocol}//${url.hostname}:${Number(url.port) + 1}`;
    const receiver = `journey-${Date.now() % 100_000}`;
    const name = `Journey ${receiver}`;

    await page.goto("/settings/webhooks");
    await hydrated(page);
    await page.getByRole("link", { name: "New endpoint" }).click();
    await page.waitForURL(/\/settings\/webhooks\/new$/);
    await page.locator('[name="name"]').fill(name);
    await page.locator('[name="url"]').fill("https://10.1.2.3/inside");
    await page.getByRole("button", { name: "Add the endpoint" }).click();
    await page.getByText("This address cannot be used").first().waitFor();
    await page.locator('[name="url"]').fill(`${sandbox}/receiver/${receiver}`);
    await page.getByRole("button", { name: "Add the endpoint" }).click();
    await page.waitForURL(/\/settings\/webhooks\/made$/);
    const secret = (await page.locator("main code", { hasText: "whsec_" }).first().innerText()).trim();
    assert.match(secret, /^whsec_/);
    await page.getByRole("link", { name: "Done" }).click();
    await page.waitForURL(/\/settings\/webhooks\/[0-9a-f-]{36}$/);
    quiet(page);

    await hydrated(page);
    await page.locator(".endpoint-head").getByRole("button", { name: "Send a test event" }).first().click();
    await page.waitForURL(/\/deliveries\/[0-9a-f-]{36}$/);
    // Nobody reloads: the page hears when it was sent.
    const opened = page.getByLabel("One delivery");
    await opened.getByText("200", { exact: true }).first().waitFor({ timeout: 30_000 });
    assert((await opened.innerText()).includes("webhook-signature"), "the request is shown");
    const [first] = await received(sandbox, receiver);
    assert.equal(first.headers["webhook-signature"], signature(secret, first), "signed with the secret that was shown");
    assert.equal(JSON.parse(first.body).type, "test");

    await opened.getByRole("button", { name: "Replay now" }).click();
    await opened.getByText("200, replayed").waitFor({ timeout: 30_000 });
    await until("it came twice", async () => (await received(sandbox, receiver)).length === 2);
    const [once, again] = await received(sandbox, receiver);
    assert.equal(again.headers["webhook-id"], once.headers["webhook-id"], "the same event");
    assert.equal(again.body, once.body, "the same body");
    assert.equal(again.headers["webhook-signature"], signature(secret, again), "signed anew");

    // Removed, so that a demo that goes on stays as it was.
    await page.getByRole("link", { name: "Edit" }).click();
    await page.waitForURL(/\/edit$/);
    await hydrated(page);
    await page.getByRole("link", { name: "Remove the endpoint" }).click();
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.waitForURL(/\/settings\/webhooks$/);
    quiet(page);
  },
};
