// What people notice while they work: nothing jumps, nothing typed is lost, back leads back, voices can be heard, batches say what they wait for.
import assert from "node:assert/strict";
import { hydrated, newPage, quiet, signIn, until } from "../lib/browser.mjs";

const OWNER = "mara@halden.test";

/** What is typed into an agent and a prompt survives a way to other pages, and is gone once it is saved or discarded. */
async function unsavedEdits(world) {
  const page = await signIn(world, OWNER);
  const asked = [];
  page.on("dialog", async (dialog) => {
    asked.push(dialog.type());
    await dialog.accept();
  });
  for (const [list, form, field] of [["/prompts", "", "template"], ["/agents", "/edit", "description"]]) {
    await page.goto(list);
    const link = page.locator(`main a[href^="${list}/"]`).filter({ hasText: /\S/ });
    const hrefs = await link.evaluateAll((links) => links.map((one) => one.getAttribute("href").split(/[?#]/)[0]));
    const address = hrefs.find((href) => new RegExp(`^${list}/[0-9a-f-]{36}$`).test(href)) + form;
    await page.goto(address);
    await hydrated(page);
    const input = page.locator(`[name="${field}"]`);
    const before = await input.inputValue();
    await input.fill(`${before} Never promise a discount.`);
    // By a link of the sidebar, and back by the browser.
    await page.locator(`aside a[href="${list}"]`).click();
    await page.waitForURL((url) => url.pathname === list);
    await page.goBack();
    await page.waitForURL((url) => url.pathname === address);
    await page.getByText("Your unsaved changes are back.").waitFor();
    assert.equal(await page.locator(`[name="${field}"]`).inputValue(), `${before} Never promise a discount.`, `${address} kept what was typed`);
    // Leaving the site is asked about.
    asked.length = 0;
    await page.reload();
    assert.deepEqual(asked, ["beforeunload"], "the browser asks before the page goes");
    await hydrated(page);
    await page.getByText("Your unsaved changes are back.").waitFor();
    await page.getByRole("button", { name: "Discard them" }).click();
    await until("the form is as it was stored", async () => (await page.locator(`[name="${field}"]`).inputValue()) === before);
    assert.equal(await page.getByText("Your unsaved changes are back.").count(), 0);
    await hydrated(page);
  }
  quiet(page);
}

/** Holds what is sent to a function until the test lets it go. */
async function held(page, name) {
  let release;
  const free = new Promise((done) => (release = done));
  await page.route(`**/rpc/${name}*`, async (route) => {
    await free;
    await route.continue();
  });
  return release;
}

/** What is typed while a prompt is being saved is neither lost nor taken for a conflict with oneself. */
async function typingWhileSaving(world) {
  const page = await signIn(world, OWNER);
  await page.goto("/prompts");
  const hrefs = await page.locator("main a[href^='/prompts/']").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  const address = hrefs.find((href) => /^\/prompts\/[0-9a-f-]{36}$/.test(href));
  await page.goto(address);
  await hydrated(page);
  const text = page.locator('[name="template"]');
  const before = await text.inputValue();
  await text.fill(`${before} Be brief.`);
  const release = await held(page, "save_prompt");
  const version = await page.locator('[name="base_version"]').inputValue();
  await page.getByRole("button", { name: "Save version" }).click();
  await text.fill(`${before} Be brief. Be kind.`);
  release();
  await until("the form stands on the saved version", async () => (await page.locator('[name="base_version"]').inputValue()) !== version);
  const saved = await page.locator('[name="base_version"]').inputValue();
  // It is a draft, which stands on the version that was saved.
  page.on("dialog", (dialog) => dialog.accept());
  await page.reload();
  await hydrated(page);
  await page.getByText("Your unsaved changes are back.").waitFor();
  assert.equal(await text.inputValue(), `${before} Be brief. Be kind.`, "what was typed meanwhile is still there");
  assert.equal(await page.locator('[name="base_version"]').inputValue(), saved, "and begins from what was saved");
  await page.getByRole("button", { name: "Save version" }).click();
  await until("it is saved as well", async () => (await page.locator('[name="base_version"]').inputValue()) !== saved);
  assert.equal(await page.getByText("Somebody else has saved").count(), 0, "nobody else has saved");
  assert.equal(await page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith("draft:")).length), 0, "no draft is left");
  quiet(page);
}

/** Whoever signs out leaves no typing behind in the tab. */
async function draftsGoWithTheirPerson(world) {
  const page = await signIn(world, OWNER);
  page.on("dialog", (dialog) => dialog.accept());
  await page.goto("/agents/new");
  await hydrated(page);
  await page.locator('[name="name"]').fill("Half a thought");
  const drafts = () => page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith("draft:")).length);
  assert.equal(await drafts(), 1, "it is kept");
  await page.locator("aside").getByRole("button", { name: "Your account" }).click();
  await page.locator("aside").getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL((url) => url.pathname === "/login");
  assert.equal(await drafts(), 0, "and gone after the sign-out");
}

/** A voice has a name, and its sample is sound that the browser can play. */
async function voicePlays(world) {
  const page = await signIn(world, OWNER);
  await page.goto("/agents");
  const href = await page.locator("main a[href^='/agents/']").evaluateAll((links) => links.map((link) => link.getAttribute("href")).find((href) => /^\/agents\/[0-9a-f-]{36}$/.test(href)));
  await page.goto(`${href}/edit`);
  await hydrated(page);
  const voice = page.getByLabel("Voice", { exact: true });
  await voice.waitFor();
  const options = await voice.locator("option").allTextContents();
  assert(options.length > 3 && options.every((text) => !/[0-9a-f]{8}-[0-9a-f]{4}/.test(text)), `voices have names: ${options}`);
  const now = await voice.inputValue();
  const others = await voice.locator("option").evaluateAll((all, now) => all.map((option) => option.value).filter((value) => value && value !== now), now);
  await voice.selectOption(others[0]);
  const audio = page.locator("audio.voice-sample");
  await audio.waitFor();
  await audio.evaluate((element) => element.load());
  await until("the sample has a length", async () => audio.evaluate((element) => {
    element.preload = "auto";
    return element.duration > 1;
  }), 20_000);
  // A draft that comes back brings the sample of its own voice.
  const chosen = await voice.inputValue();
  await page.locator('aside a[href="/agents"]').click();
  await page.waitForURL((url) => url.pathname === "/agents");
  await page.goBack();
  await page.getByText("Your unsaved changes are back.").waitFor();
  assert.equal(await voice.inputValue(), chosen);
  await until("the sample is the chosen voice's", async () => ((await audio.getAttribute("src")) ?? "").includes(encodeURIComponent(chosen)));
  quiet(page);
}

/** Going back leads to where the person was in the list. */
async function backToPlace(world) {
  const page = await signIn(world, OWNER, { viewport: { width: 1440, height: 500 } });
  await page.goto("/calls");
  await hydrated(page);
  const row = page.locator("#row-18");
  await row.scrollIntoViewIfNeeded();
  await page.evaluate(() => window.scrollTo({ top: 500, behavior: "instant" }));
  await until("the page has scrolled", () => page.evaluate(() => window.scrollY > 450));
  const place = await page.evaluate(() => window.scrollY);
  const shown = page.locator("[id^='row-']");
  const inView = await shown.evaluateAll((rows) => rows.findIndex((one) => one.getBoundingClientRect().top > 100));
  await shown.nth(inView).click();
  await page.waitForURL(/\/calls\/[0-9a-f-]{36}/);
  await page.locator(".transcript, .empty").first().waitFor();
  await page.goBack();
  await page.waitForURL((url) => url.pathname === "/calls");
  await until("the list is where it was", async () => Math.abs((await page.evaluate(() => window.scrollY)) - place) < 3, 15_000);
  // A press right after going back leads to the top of the next page, and not to where the list was.
  await shown.nth(inView).click();
  await page.waitForURL(/\/calls\/[0-9a-f-]{36}/);
  await page.locator(".transcript, .empty").first().waitFor();
  await page.goBack();
  await page.waitForURL((url) => url.pathname === "/calls");
  await page.locator('aside a[href="/contacts"]').click();
  await page.waitForURL((url) => url.pathname === "/contacts");
  await page.waitForTimeout(1_500);
  assert.equal(await page.evaluate(() => window.scrollY), 0, "the page begins at its top");
  // Two steps back at once: the second page is not pulled to the place of the first.
  await page.goto("/dashboard");
  await hydrated(page);
  await page.locator('aside a[href="/calls"]').click();
  await page.waitForURL((url) => url.pathname === "/calls");
  await page.locator("#row-18").waitFor();
  await page.evaluate(() => window.scrollTo({ top: 500, behavior: "instant" }));
  await until("the page has scrolled", () => page.evaluate(() => window.scrollY > 450));
  await page.locator('aside a[href="/contacts"]').click();
  await page.waitForURL((url) => url.pathname === "/contacts");
  await page.evaluate(() => {
    history.back();
    setTimeout(() => history.back(), 60);
  });
  await page.waitForURL((url) => url.pathname === "/dashboard");
  await page.waitForTimeout(1_500);
  assert.equal(await page.evaluate(() => window.scrollY), 0, "the dashboard was at its top");
  // Entered anew, it begins at its top.
  await page.evaluate(() => window.scrollTo({ top: 0, behavior: "instant" }));
  quiet(page);
}

/** Filters leave no empty fields in the address, with and without script. */
async function cleanAddresses(world) {
  const page = await signIn(world, OWNER);
  await page.goto("/calls");
  await hydrated(page);
  await page.getByPlaceholder("Words, name or number").fill("roof");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.waitForURL((url) => url.search === "?q=roof");
  const storageState = await page.context().storageState();
  const plain = await newPage(world, { javaScriptEnabled: false, storageState });
  await plain.goto("/calls");
  await plain.getByPlaceholder("Words, name or number").fill("roof");
  await plain.getByRole("button", { name: "Apply" }).click();
  assert.equal(new URL(plain.url()).search, "?q=roof");
  quiet(page);
}

/** A short page does not scroll because of the line above it. */
async function shortPages(world) {
  const page = await signIn(world, OWNER);
  await page.goto("/batches/new");
  await hydrated(page);
  assert.equal(await page.evaluate(() => document.documentElement.scrollHeight > innerHeight), false, "a short page scrolls");
}

/** Outside the calling hours the form for a batch says so before anything starts, and widening them takes the words away. */
async function batchOutsideHours(world) {
  const page = await signIn(world, OWNER);
  await page.goto("/contacts/imports/new");
  await hydrated(page);
  await page.locator("select[name=client]").selectOption({ label: "Alpenrad Dental" });
  const waiting = ["First name;Telefon", "Noa;044 555 00 61", "Lia;044 555 00 62"].join("\n");
  await page.locator("input[type=file]").setInputFiles({ name: "waiting.csv", mimeType: "text/csv", buffer: Buffer.from(waiting) });
  await page.getByRole("button", { name: "Upload" }).click();
  await page.waitForURL(/\/mapping$/);
  await page.locator("select[name='form[country]']").selectOption("CH");
  await page.locator("select[name='form[campaign]']").selectOption({ label: "November recall" });
  await page.getByRole("button", { name: "Check the file" }).click();
  await page.getByRole("button", { name: /^Import 2/ }).click();
  await page.getByText("Completed").first().waitFor();
  await page.goto("/batches/new");
  const campaign = await page.locator("#campaign option", { hasText: "November recall" }).getAttribute("value");
  const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
  const setDays = async (wanted) => {
    await page.goto(`/campaigns/${campaign}?tab=settings`);
    await hydrated(page);
    const were = [];
    for (const day of days) {
      const box = page.locator(`input[name="form[${day}]"]`);
      if (await box.isChecked()) were.push(day);
      await box.setChecked(wanted.includes(day));
    }
    await page.locator('form:has(input[name="form[mon]"]) button[type="submit"]').click();
    await page.waitForURL((url) => url.pathname === `/campaigns/${campaign}` && !url.search);
    return were;
  };
  const were = await setDays([days[(new Date().getUTCDay() + 3) % 7]]);
  try {
    await page.goto(`/batches/new?campaign=${campaign}`);
    await page.getByText(/Outside the calling hours now\. Opens \w{3} \d\d:\d\d for \d+ of \d+ contacts?/).waitFor();
    await page.getByText("Calls start when the calling hours open.").waitFor();
  } finally {
    await setDays(were);
  }
  quiet(page);
}

/** A change of an agent is a draft: its page lists the change, and publishes it or throws it away. */
async function draftOfAnAgent(world) {
  const page = await signIn(world, OWNER);
  await page.goto("/agents");
  const rows = await page.locator("main tr").filter({ hasNotText: "Draft not published" }).locator("a[href^='/agents/']").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  const href = rows.find((row) => /^\/agents\/[0-9a-f-]{36}$/.test(row));
  const change = async (text, button) => {
    await page.goto(`${href}/edit`);
    await hydrated(page);
    await page.locator('[name="time_up"]').fill(text);
    await page.getByRole("button", { name: button, exact: true }).click();
    await page.waitForURL((url) => url.pathname === href);
    await hydrated(page);
  };
  await page.goto(`${href}/edit`);
  const before = await page.locator('[name="time_up"]').inputValue();
  await change("Our time is up.", "Save draft");
  await page.getByText("1 change not published").waitFor();
  await page.getByRole("button", { name: "Discard", exact: true }).click();
  await until("the draft is gone", async () => (await page.getByText("not published").count()) === 0);
  await change("Our time is up.", "Save and publish");
  assert.equal(await page.getByText("not published").count(), 0);
  await page.goto(`${href}/versions`);
  await page.getByText("Said when the time is over").first().waitFor();
  await change(before, "Save and publish");
  quiet(page);
}

export default {
  "a change of an agent is a draft until it is published": draftOfAnAgent,
  "outside the calling hours a batch says so before it starts": batchOutsideHours,
  "unsaved edits are kept, and asked about": unsavedEdits,
  "what is typed while a prompt is being saved is kept": typingWhileSaving,
  "drafts go with the person who signs out": draftsGoWithTheirPerson,
  "a voice has a name and plays": voicePlays,
  "back returns to the place in the list": backToPlace,
  "addresses carry no empty fields": cleanAddresses,
  "a short page does not scroll": shortPages,
};
