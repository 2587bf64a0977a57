// Back after a sign-out. Chromium keeps pages in memory, `no-store` ones included, and shows them again as they were:
// neither a token nor a name may come back that way. These tests run with that cache on.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { answered, launch, visitor } from "./support/browser.js";
import { launcher, openChat, seen, signIn, signOut, tokenOf, tokensIn } from "./support/pages.js";
import { DEMO_PASSWORD, startDemo } from "./support/program.js";

let demo, browser, person, page;
before(async () => { [demo, browser] = await Promise.all([startDemo(), launch({ backForwardCache: true })]); });
after(async () => {
  await browser?.close();
  await demo?.stop();
});
beforeEach(async () => {
  person = await visitor(browser);
  // Notes in the page's own memory whether it was restored, and every frame that it showed when it was.
  await person.context.addInitScript(() => {
    addEventListener("pageshow", (event) => {
      if (event.persisted) sessionStorage.setItem("restored", String(document.documentElement.hidden));
    });
  });
  page = await person.newPage();
});
afterEach(() => person.close());

const signInAs = (login, where = page) => signIn(where, demo.url, login, DEMO_PASSWORD);
const elsewhere = async () => { await page.goto(`${demo.url}/nothing`); };
/** `undefined`, or whether the page was hidden at the moment it was restored. */
const restored = () => page.evaluate(() => sessionStorage.getItem("restored"));

/** Goes back, and waits until the page at hand says what `ready` looks for. */
async function back(ready) {
  await page.evaluate(() => { history.back(); });
  await page.waitForFunction(ready);
}

test("a user who is still signed in gets the page back from memory, hidden until that is sure", async () => {
  await signInAs("ana");
  await launcher(page).waitFor();
  await elsewhere();
  await back(() => document.documentElement.hidden === false && window.DpMessengerOptions?.signedUserInfo);
  assert.equal(await restored(), "true", "Chromium's back-forward cache is on, and the page came back hidden");
  assert.match(await page.getByRole("heading", { level: 1 }).innerText(), /Ana Kovač/);
  assert.equal((await seen(await openChat(page))).name, "Ana Kovač");
});

test("back after signing out shows no token and no name", async () => {
  await signInAs("ana");
  await launcher(page).waitFor();
  await signOut(page);
  await back(() => document.readyState === "complete" && !document.documentElement.hidden && document.querySelector("main a[href$='/login']"));
  assert.equal(await tokenOf(page), undefined);
  assert.deepEqual(await tokensIn(page), []);
  assert.ok(!(await page.content()).includes("Kovač"));
});

test("back after the session ended on the server shows no token and no name", async () => {
  await signInAs("ana");
  await launcher(page).waitFor();
  await elsewhere();
  // No cookie changes in the browser, so nothing but our own script keeps the page from coming back.
  await demo.cli(["user", "set-password", "ana"], `${DEMO_PASSWORD}\n`);
  await back(() => document.readyState === "complete" && !document.documentElement.hidden && document.querySelector("main a[href$='/login']"));
  assert.equal(await restored(), "true");
  assert.equal(await tokenOf(page), undefined);
  assert.deepEqual(await tokensIn(page), []);
  assert.ok(!(await page.content()).includes("Kovač"));
});

test("after another user signed in from another tab, back never shows the one before", async () => {
  await signInAs("ana");
  await launcher(page).waitFor();
  await elsewhere();
  const other = await person.newPage();
  await other.goto(demo.url);
  await signOut(other);
  await signInAs("bora", other);
  await back(() => document.readyState === "complete" && !document.documentElement.hidden && window.DpMessengerOptions?.signedUserInfo);
  assert.match(await page.getByRole("heading", { level: 1 }).innerText(), /王 博拉/);
  assert.ok(!(await page.content()).includes("Kovač"));
  assert.equal((await seen(await openChat(page))).name, "王 博拉");
});

test("after a sign-in elsewhere, back does not show the page of nobody", async () => {
  await page.goto(demo.url);
  await launcher(page).waitFor();
  await elsewhere();
  await signInAs("ana", await person.newPage());
  await back(() => document.readyState === "complete" && !document.documentElement.hidden && window.DpMessengerOptions?.signedUserInfo);
  assert.match(await page.getByRole("heading", { level: 1 }).innerText(), /Ana Kovač/);
  person.calm(answered(404));
});

test("a user without a token is checked as well", async () => {
  await signInAs("chris");
  await launcher(page).waitFor();
  await elsewhere();
  const other = await person.newPage();
  await other.goto(demo.url);
  await signOut(other);
  await signInAs("ana", other);
  await back(() => document.readyState === "complete" && !document.documentElement.hidden && window.DpMessengerOptions?.signedUserInfo);
  assert.match(await page.getByRole("heading", { level: 1 }).innerText(), /Ana Kovač/);
});
