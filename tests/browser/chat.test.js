// The main job, end to end: what support sees of a visitor who is signed in, who is not, and whose token says too
// little or contradicts itself. Website and stand-in are those of `countersign demo`.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch, visitor } from "./support/browser.js";
import { fillIn, launcher, openChat, seen, signIn, signOut, tokenOf, tokensIn } from "./support/pages.js";
import { DEMO_PASSWORD, PASSWORD, messengerOf, startDemo, startSite } from "./support/program.js";

let demo, browser, person, page;
before(async () => { [demo, browser] = await Promise.all([startDemo(), launch()]); });
after(async () => {
  await browser?.close();
  await demo?.stop();
});
beforeEach(async () => {
  person = await visitor(browser);
  page = await person.newPage();
});
afterEach(() => person.close());

const signInAs = (login) => signIn(page, demo.url, login, DEMO_PASSWORD);

test("a user signs in and support sees who it is, then signs out and support does not", async () => {
  await page.goto(demo.url);
  await page.getByRole("main").getByRole("link", { name: "Sign in" }).click();
  await fillIn(page, "ana", DEMO_PASSWORD);
  assert.equal(page.url(), `${demo.url}/`);
  assert.match(await page.getByRole("heading", { level: 1 }).innerText(), /You are signed in as\s+Ana Kovač/);

  const panel = await openChat(page);
  assert.deepEqual(await seen(panel), {
    state: "confirmed", badge: "Confirmed", name: "Ana Kovač", email: "ana@example.com", hint: undefined, reason: undefined,
    groups: ["1 Everyone", "2 Registered", "3", "5", "7"],
    labels: ["gold", "newsletter"],
  });
  await panel.locator("#text").fill("Is my order on its way?");
  await panel.getByRole("button", { name: "Send" }).click();
  await panel.locator("#messages li[data-from=support]").waitFor();

  await signOut(page);
  assert.equal(page.url(), `${demo.url}/?signed_out=1`);
  assert.equal(await tokenOf(page), undefined);
  assert.deepEqual(await tokensIn(page), []);
  assert.ok(!(await page.content()).includes("Kovač"));

  const anonymous = await openChat(page);
  assert.deepEqual(await seen(anonymous), {
    state: "unconfirmed", badge: "Unconfirmed", name: "Anonymous visitor", email: undefined, hint: undefined, reason: undefined,
    groups: ["1 Everyone"], labels: [],
  });
  assert.equal(await anonymous.locator("#messages li").count(), 0, "nothing of the conversation is left");
  person.calm();
});

test("the next user of the same browser is the one whom support sees", async () => {
  await signInAs("ana");
  assert.equal((await seen(await openChat(page))).name, "Ana Kovač");
  await signOut(page);
  await signInAs("bora");
  const { state, name, email, groups, labels } = await seen(await openChat(page));
  assert.deepEqual({ state, name, email, groups, labels }, {
    state: "confirmed", name: "王 博拉", email: "bora@example.com", groups: ["1 Everyone", "2 Registered", "3"], labels: ["silver"],
  });
  person.calm();
});

test("an anonymous visitor is unconfirmed, and the page holds no token", async () => {
  await page.goto(demo.url);
  assert.equal(await page.evaluate(() => "signedUserInfo" in window.DpMessengerOptions), false);
  const { state, name } = await seen(await openChat(page));
  assert.deepEqual({ state, name }, { state: "unconfirmed", name: "Anonymous visitor" });
  person.calm();
});

test("a user with an unverified address is told so, and support takes them for nobody", async () => {
  await signInAs("chris");
  const notice = page.getByRole("note");
  assert.match(await notice.innerText(), /Support does not know who you are[^]*is not verified yet[^]*You can still chat/);
  assert.deepEqual(await tokensIn(page), []);
  assert.equal((await seen(await openChat(page))).state, "unconfirmed");
  person.calm();
});

test("a token whose id and address name two people is refused, and the panel says why", async () => {
  await signInAs("dana");
  const { state, badge, reason, name } = await seen(await openChat(page));
  assert.deepEqual({ state, badge, reason, name }, { state: "refused", badge: "Refused", reason: "two_people", name: undefined });
  person.calm();
});

test("a token signed with another secret is refused as such", async () => {
  const users = "login,email,email_verified,display_name\nana,ana@example.com,true,Ana\n";
  const mapping = { rules: [{ claim: "email", from: { attribute: "email" } }] };
  const site = await startSite({ users, mapping, settings: await messengerOf(demo) });
  try {
    await signIn(page, site.url, "ana", PASSWORD);
    const { state, reason } = await seen(await openChat(page));
    assert.deepEqual({ state, reason }, { state: "refused", reason: "bad_signature" });
    person.calm();
  } finally {
    await site.stop();
  }
});

test("where anonymous visitors get no chat, it comes with the sign-in and goes with the sign-out", async () => {
  const users = "login,email,email_verified,display_name\nana,ana@example.com,true,Ana\nchris,chris@example.com,no,Chris\n";
  const mapping = { rules: [{ claim: "email", from: { attribute: "email" } }] };
  const site = await startSite({ users, mapping, settings: { ...(await messengerOf(demo)), ANONYMOUS: "hide" } });
  const scripts = () => page.locator("script[data-messenger-id][type=module]").count();
  try {
    await page.goto(site.url);
    assert.equal(await scripts(), 0);
    await signIn(page, site.url, "ana", PASSWORD);
    await launcher(page).waitFor();
    await signOut(page);
    assert.equal(await scripts(), 0);
    await signIn(page, site.url, "chris", PASSWORD);
    assert.match(await page.getByRole("note").innerText(), /Support does not know who you are/);
    assert.equal(await scripts(), 0);
    person.calm();
  } finally {
    await site.stop();
  }
});

test("a sign-out in one tab is seen in the others when they load again", async () => {
  await signInAs("ana");
  assert.equal((await seen(await openChat(page))).state, "confirmed");
  const other = await person.newPage();
  await other.goto(demo.url);
  await signOut(other);
  await page.reload();
  assert.equal((await seen(await openChat(page))).state, "unconfirmed");
  person.calm();
});

test("where Deskpro's script does not come, the page says so and promises no chat", async () => {
  const person = await visitor(browser);
  const page = await person.newPage();
  await person.context.route(/\/web\.js/, (route) => route.abort("connectionrefused"));
  await page.goto(demo.url);
  await page.getByText("The chat could not be loaded").waitFor();
  assert.equal(await page.getByText("You can also chat without signing in").isVisible(), false);
  await person.context.unroute(/\/web\.js/);
  await page.reload();
  await launcher(page).waitFor();
  assert.equal(await page.getByText("The chat could not be loaded").isVisible(), false);
  await person.close();
});

test("moments stand in the reader's own time zone, with the exact one on hover", async () => {
  const person = await visitor(browser, { timezoneId: "Asia/Kathmandu", locale: "de-DE" });
  const page = await person.newPage();
  await signIn(page, demo.url, "ana", DEMO_PASSWORD);
  await page.goto(`${demo.url}/account`);
  const [shown, exact, expected] = await page.locator("time").first().evaluate((time) => [
    time.textContent, time.title, new Intl.DateTimeFormat("de-DE", { dateStyle: "medium", timeStyle: "short", timeZone: "Asia/Kathmandu" }).format(new Date(time.dateTime)),
  ]);
  assert.equal(shown, expected);
  assert.match(exact, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  await person.close();
});
