import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { hydrated, newPage, quiet, signIn } from "../lib/browser.mjs";

const PASSWORD = "seven blue herons wait";

/** What an authenticator app shows (RFC 6238), `steps` times thirty seconds from now. */
function code(secret, steps = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replaceAll(" ", "")].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const hash = createHmac("sha1", key).update(counter).digest();
  const at = hash[19] & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}

/** Invites an address as the owner; gives the path of the link that is shown once. */
async function invite(owner, email, role, client) {
  await owner.goto("/settings/users/new");
  await hydrated(owner);
  await owner.getByLabel("E-mail addresses").fill(email);
  await owner.getByRole("radio", { name: role, exact: false }).first().check({ force: true });
  if (client) await owner.locator("form select[name=client]").selectOption({ label: client });
  await owner.getByRole("button", { name: "Invite" }).click();
  await owner.waitForURL("**/settings/users/links");
  return new URL((await owner.locator("main code").first().textContent()).trim()).pathname;
}

export default {
  async "somebody is invited, comes in, sets a second factor up, and signs in with it"(world) {
    const owner = await signIn(world, "mara@halden.test");
    const path = await invite(owner, "nia@halden.test", "Member");
    const nia = await newPage(world);
    await nia.goto(path);
    await nia.getByLabel("Your name").fill("Nia New");
    await nia.getByLabel("Password").fill("password");
    await nia.getByRole("button", { name: "Make my account" }).click();
    await nia.getByText("too easy to guess").waitFor();
    assert.equal(await nia.getByLabel("Your name").inputValue(), "Nia New", "what was typed is kept");
    await nia.getByLabel("Password").fill(PASSWORD);
    await nia.getByRole("button", { name: "Make my account" }).click();
    await nia.waitForURL("**/dashboard");
    await hydrated(nia);

    await nia.goto("/settings/security");
    await hydrated(nia);
    await nia.getByLabel("Current password").first().fill(PASSWORD);
    await nia.getByRole("button", { name: "Set up" }).click();
    const secret = (await nia.locator("img.qr + p").textContent()).trim();
    await nia.getByLabel("Code").fill(code(secret));
    await nia.getByRole("button", { name: "Turn on" }).click();
    await nia.locator(".recovery-codes li").first().waitFor();
    const recovery = (await nia.locator(".recovery-codes li").first().textContent()).trim();
    quiet(nia);

    const phone = await newPage(world);
    await phone.goto("/login");
    await phone.getByLabel("E-mail address").fill("nia@halden.test");
    await phone.getByLabel("Password").fill(PASSWORD);
    await phone.getByRole("button", { name: "Sign in" }).click();
    await phone.waitForURL("**/mfa**");
    await phone.getByLabel("Code").fill("000000");
    await phone.getByRole("button", { name: "Continue" }).click();
    await phone.getByText("This code is wrong").waitFor();
    await phone.getByLabel("Code").fill(recovery);
    await phone.getByRole("button", { name: "Continue" }).click();
    await phone.waitForURL("**/dashboard");

    // The other place shows in the list, and is ended from here.
    await nia.goto("/settings/security");
    await hydrated(nia);
    await nia.getByRole("button", { name: "End", exact: true }).click();
    await nia.getByText("Session ended").waitFor();
    await phone.goto("/calls");
    await phone.waitForURL("**/login**");

    // The owner changes the role, and helps with the second factor.
    await owner.goto("/settings/users");
    await hydrated(owner);
    await owner.getByRole("link", { name: "Nia New" }).click();
    await owner.getByRole("radio", { name: "Admin", exact: false }).first().check({ force: true });
    await owner.getByRole("button", { name: "Change role" }).click();
    await owner.getByText("Role changed").waitFor();
    quiet(owner);
  },

  async "somebody adds a passkey, and signs in with nothing else"(world) {
    const owner = await signIn(world, "mara@halden.test");
    const path = await invite(owner, "kim@halden.test", "Member");
    const kim = await newPage(world, { baseURL: world.demo.url.replace("127.0.0.1", "localhost") });
    const devices = await kim.context().newCDPSession(kim);
    await devices.send("WebAuthn.enable");
    const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
    await devices.send("WebAuthn.addVirtualAuthenticator", { options });
    await kim.goto(path);
    await kim.getByLabel("Your name").fill("Kim Key");
    await kim.getByLabel("Password").fill(PASSWORD);
    await kim.getByRole("button", { name: "Make my account" }).click();
    await kim.waitForURL("**/dashboard");

    await kim.goto("/settings/security");
    await hydrated(kim);
    const card = kim.locator("section.card", { has: kim.getByRole("heading", { name: "Passkeys" }) });
    await card.getByLabel("Current password").fill(PASSWORD);
    await card.getByRole("button", { name: "Add a passkey" }).click();
    const name = card.getByLabel("Name", { exact: true });
    await name.waitFor();
    assert.match(await name.inputValue(), /Chrome/, "a name is proposed");
    await name.fill("Kim's laptop");
    await card.getByRole("button", { name: "Create passkey" }).click();
    await kim.getByText("Passkey added").waitFor();
    await card.getByText("Kim's laptop", { exact: true }).waitFor();
    await kim.locator(".recovery-codes li").first().waitFor();
    quiet(kim);

    await kim.getByRole("button", { name: "Sign out everywhere" }).click();
    await kim.waitForURL("**/login");
    await kim.getByRole("link", { name: "Sign in with a passkey" }).click();
    await kim.waitForURL("**/dashboard");
    await hydrated(kim);

    // As the second step after the password.
    await kim.goto("/settings/security");
    await hydrated(kim);
    await kim.getByRole("button", { name: "Sign out everywhere" }).click();
    await kim.waitForURL("**/login");
    await kim.getByLabel("E-mail address").fill("kim@halden.test");
    await kim.getByLabel("Password").fill(PASSWORD);
    await kim.getByRole("button", { name: "Sign in" }).click();
    await kim.waitForURL("**/mfa**");
    await kim.getByRole("link", { name: "Use a passkey" }).click();
    await kim.waitForURL("**/dashboard");
    await hydrated(kim);
    quiet(kim);
    quiet(owner);
  },

  async "an invitation and a new password work without script"(world) {
    const owner = await signIn(world, "mara@halden.test", { javaScriptEnabled: false });
    await owner.goto("/settings/users/new");
    await owner.getByLabel("E-mail addresses").fill("not an address");
    await owner.getByRole("button", { name: "Invite" }).click();
    await owner.getByText("Not an e-mail address").first().waitFor();
    await owner.getByLabel("E-mail addresses").fill("otto@halden.test");
    await owner.getByRole("button", { name: "Invite" }).click();
    await owner.waitForURL("**/settings/users/links");
    const otto = await newPage(world, { javaScriptEnabled: false });
    await otto.goto(new URL((await owner.locator("main code").first().textContent()).trim()).pathname);
    await otto.getByLabel("Your name").fill("Otto Off");
    await otto.getByLabel("Password").fill(PASSWORD);
    await otto.getByRole("button", { name: "Make my account" }).click();
    await otto.waitForURL("**/dashboard");

    await owner.goto("/settings/users");
    await owner.getByRole("link", { name: "Otto Off" }).click();
    await owner.getByRole("link", { name: "Link for a new password" }).click();
    await owner.getByRole("button", { name: "Create link" }).click();
    await owner.waitForURL("**/settings/users/links");
    const reset = new URL((await owner.locator("main code").first().textContent()).trim()).pathname;
    const stranger = await newPage(world, { javaScriptEnabled: false });
    await stranger.goto(reset);
    await stranger.getByLabel("New password").fill("four green kettles whistle");
    await stranger.getByRole("button", { name: "Set password" }).click();
    await stranger.getByText("Your new password is set").waitFor();
    await otto.goto("/calls");
    assert(otto.url().includes("/login"), "every session has ended");
    await stranger.goto(reset);
    await stranger.getByText("has been used").first().waitFor();
  },

  async "a platform admin looks at an agency, which sees it, and changes nothing"(world) {
    const pat = await signIn(world, "pat@patchbay.test");
    assert.equal((await pat.goto("/calls")).status(), 404);
    await pat.goto("/platform");
    await hydrated(pat);
    await pat.getByRole("row", { name: /Halden/ }).getByRole("link", { name: "Halden Voice" }).click();
    await pat.getByText("Calls in 30 days").waitFor();
    // Nothing but spaces is no reason: it says so, beside the field.
    await pat.getByLabel("Why", { exact: true }).last().fill("   ");
    await pat.getByRole("button", { name: "Open support session" }).click();
    await pat.getByText("Write why, in up to 500 characters").first().waitFor();
    await hydrated(pat);
    await pat.getByLabel("Why", { exact: true }).last().fill("Ticket 4711");
    await pat.getByRole("button", { name: "Open support session" }).click();
    await pat.waitForURL("**/dashboard");
    await hydrated(pat);
    await pat.getByText("Support session: you read Halden Voice").waitFor();
    assert.equal(await pat.getByRole("link", { name: "New batch" }).count(), 0);
    const owner = await signIn(world, "mara@halden.test");
    await hydrated(owner);
    await owner.getByText("Ticket 4711").waitFor();
    await pat.getByRole("button", { name: "End session" }).click();
    await pat.waitForURL("**/platform");
    await hydrated(pat);
    await owner.goto("/settings/audit");
    await hydrated(owner);
    await owner.getByRole("cell", { name: "opened support session" }).first().waitFor();
    assert.equal(await owner.locator(".banner", { hasText: "Ticket 4711" }).count(), 0);
    quiet(pat);
    quiet(owner);
  },

  async "a key is made, used by a program, and revoked"(world) {
    const owner = await signIn(world, "mara@halden.test");
    await owner.goto("/settings/api-keys/new");
    await hydrated(owner);
    await owner.getByLabel("What it is for").fill("CRM sync");
    await owner.getByLabel("Read calls, transcripts and results").check();
    await owner.getByRole("button", { name: "Create key" }).click();
    await owner.waitForURL("**/settings/api-keys/made");
    const key = (await owner.locator("main code").first().textContent()).trim();
    const ask = () => fetch(`${world.demo.url}/v1/calls?limit=1`, { headers: { authorization: `Bearer ${key}` } });
    const answer = await ask();
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).data.length, 1);
    await owner.goto("/settings/api-keys");
    await hydrated(owner);
    await owner.getByRole("link", { name: "Revoke" }).first().click();
    await owner.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await owner.getByText("Key revoked").waitFor();
    assert.equal((await ask()).status, 401);
    quiet(owner);
  },
};
