// The helper on pages of other origins, under their own policy: who is signed in at Countersign is whom support sees,
// the token stays fresh whatever happens to the page, and nobody ever gets the one of somebody else.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch, visitor } from "./support/browser.js";
import { fillIn, launcher, openChat, seen, judged } from "./support/pages.js";
import { DEMO_PASSWORD, PASSWORD, messengerOf, startDemo, startSite } from "./support/program.js";
import { elsewhere, startPages } from "./support/sites.js";

const LIFETIME = 60;
const REFRESHED_AFTER = LIFETIME * 0.8;

let demo, browser, pages, others, person, page, fetches, unanswered;
before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  [pages, others] = await Promise.all([1, 2].map(() => startPages({ accounts: demo.url, desk: demo.desk })));
  await demo.allow(demo.url, [pages.url, others.url, elsewhere(pages.url)], `token_lifetime=${LIFETIME}`);
});
after(async () => {
  await browser?.close();
  await Promise.all([demo?.stop(), pages?.stop(), others?.stop()]);
});
beforeEach(async () => {
  person = await visitor(browser);
  page = await person.newPage();
  fetches = [];
  unanswered = new Set();
  person.context.on("request", (request) => {
    if (request.method() !== "OPTIONS" && request.url().includes("/api/v1/")) {
      fetches.push(`${request.method()} ${new URL(request.url()).pathname.replace("/api/v1/", "")}`);
      unanswered.add(request);
    }
  });
  for (const end of ["requestfinished", "requestfailed"]) person.context.on(end, (request) => unanswered.delete(request));
});
afterEach(() => person.close());

async function signInAs(login, tab) {
  const account = tab ?? await person.newPage();
  await account.goto(`${demo.url}/login`);
  await fillIn(account, login, DEMO_PASSWORD);
  return account;
}

/** Opens a page of the website and waits until the helper knows who is there. */
async function open(url = pages.url, tab = page) {
  await tab.goto(url);
  await known(tab);
  return tab;
}
const known = (tab) => until(tab, () => window.Countersign?.subject !== undefined);

/** Asks the page until something holds: a page whose clock stands still cannot watch for it itself. */
async function until(tab, holds, argument) {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    if (await tab.evaluate(holds, argument)) return;
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
  assert.fail(`waited in vain for ${holds}`);
}

/**
 * Lets the page's clock run, second by second, until something holds. A request's own patience is on that clock, too,
 * so it stands still while one is under way.
 */
async function runUntil(holds, tab = page) {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    if (await tab.evaluate(holds)) return;
    if (unanswered.size === 0) await tab.clock.runFor(1000);
    else await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
  assert.fail(`ran in vain for ${holds}`);
}

/** What Deskpro's script would read at this moment. */
const offered = (tab = page) => tab.evaluate(() => window.DpMessengerOptions?.signedUserInfo);
const isOffered = (tab = page) => tab.evaluate(() => "signedUserInfo" in window.DpMessengerOptions);
const count = (what) => fetches.filter((fetched) => fetched === what).length;
/** Lets the page believe that it was left and looked at again. */
const focus = (tab = page) => tab.evaluate(() => { window.dispatchEvent(new Event("focus")); });
/** Waits for what the helper is asking, if it is. */
const settled = (tab = page) => tab.evaluate(() => window.Countersign.refresh());
/** Everything that the helper tells from now on, in `window.told`. */
const listen = (tab = page) => tab.evaluate(() => {
  window.told = [];
  for (const type of ["signed-in", "signed-out", "refreshed", "error"]) {
    window.Countersign.on(type, (detail) => window.told.push([type, detail.code].filter(Boolean).join(" ")));
  }
});
const told = (tab = page) => tab.evaluate(() => window.told);

test("a page with one line shows support who is signed in, and keeps its own options", async () => {
  await signInAs("ana");
  fetches.length = 0;
  await open();
  const { state, name } = await seen(await openChat(page));
  assert.deepEqual({ state, name }, { state: "confirmed", name: "Ana Kovač" });
  assert.deepEqual(fetches, ["GET token"], "one request");
  const options = await page.evaluate(() => window.DpMessengerOptions);
  assert.deepEqual([options.showLauncherButton, options.launcherButtonConfig], [true, { label: "Ask us" }]);
  person.calm();
});

test("an anonymous visitor gets the Messenger without a token, quietly, and a sign-in link that comes back", async () => {
  await open();
  assert.equal((await seen(await openChat(page))).state, "unconfirmed");
  assert.equal(await isOffered(), false, "nothing at all, not an empty text");
  assert.deepEqual(fetches, ["GET token", "GET messenger"]);
  person.calm();
  await page.getByRole("link", { name: "Sign in" }).click();
  await fillIn(page, "ana", DEMO_PASSWORD);
  await known(page);
  assert.equal(page.url(), `${pages.url}/`);
  assert.equal((await seen(await openChat(page))).name, "Ana Kovač");
});

test("a user who gets no token is somebody who can sign out, and signing in again is not offered", async () => {
  const offers = async () => [
    await page.getByRole("link", { name: "Sign in", exact: true }).isVisible(), await page.getByRole("button", { name: "Leave" }).isVisible(),
  ];
  await signInAs("chris");
  for (const anonymous of ["allow", "sign-in"]) {
    await open(`${pages.url}/?anonymous=${anonymous}`);
    assert.deepEqual(await offers(), [false, true], anonymous);
    assert.equal(await isOffered(), false);
  }
  assert.equal(await page.locator("#countersign-sign-in").count(), 0);
  await page.getByRole("button", { name: "Leave" }).click();
  await page.locator("#countersign-sign-in").waitFor();
  assert.deepEqual(await offers(), [true, false]);
  assert.equal(count("DELETE session"), 1);
});

test("hidden, or a link in its place, where the page wants no unsigned chat", async () => {
  await open(`${pages.url}/?anonymous=hide`);
  assert.equal(await launcher(page).count(), 0);
  await open(`${pages.url}/?anonymous=sign-in`);
  const link = page.getByRole("link", { name: "Sign in to chat" });
  assert.equal(await link.getAttribute("href"), `${demo.url}/login?next=${encodeURIComponent(page.url())}`);
  assert.equal(await launcher(page).count(), 0);
  await signInAs("ana");
  await open(`${pages.url}/?anonymous=hide`);
  assert.equal((await seen(await openChat(page))).state, "confirmed");
  person.calm();
});

test("the token is fetched anew before it expires, and nothing on the page moves", async () => {
  await signInAs("ana");
  await page.clock.install();
  await open();
  const panel = await openChat(page);
  await panel.locator("#text").fill("half a sentence");
  await page.locator("#note").fill("and a note");
  await page.locator("#note").focus();
  await listen();
  const [before, frames] = [await offered(), page.frames().length];
  fetches.length = 0;
  for (let minute = 0; minute < 8; minute += 1) {
    await page.clock.runFor(REFRESHED_AFTER * 1000 - 1);
    assert.ok(await offered(), "never without one");
    await page.clock.runFor(2);
    await until(page, (n) => window.told.length > n, minute);
  }
  assert.deepEqual(fetches, Array(8).fill("GET token"), "eight requests in 6.4 minutes");
  assert.deepEqual(await told(), Array(8).fill("refreshed"));
  assert.ok(await offered() && before);
  assert.equal(await panel.locator("#text").inputValue(), "half a sentence");
  assert.equal(await page.locator("#note").inputValue(), "and a note");
  assert.equal(await page.evaluate(() => document.activeElement.id), "note");
  assert.equal(page.frames().length, frames);
  person.calm();
});

test("after sleep the old token is not handed out, and one request brings a new one", async () => {
  await signInAs("ana");
  await page.clock.install();
  await open();
  await page.clock.pauseAt(Date.now() + 1000);
  fetches.length = 0;
  // The timers of a sleeping machine do not run: only the clock moves on.
  await page.clock.setSystemTime(Date.now() + 7200_000);
  assert.equal(await offered(), undefined, "expired, so nothing");
  await focus();
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await until(page, () => window.DpMessengerOptions.signedUserInfo);
  assert.equal(count("GET token"), 1);
  person.calm();
});

test("offline the old token lasts as long as it is good, online a new one comes", async () => {
  await signInAs("ana");
  await page.clock.install();
  await open();
  await launcher(page).waitFor();
  await listen();
  await person.context.setOffline(true);
  await page.clock.runFor(50_000);
  await until(page, () => window.told.includes("error network"));
  assert.ok(await offered(), "good for some seconds yet");
  await page.clock.runFor(15_000);
  assert.equal(await offered(), undefined);
  await person.context.setOffline(false);
  await until(page, () => window.told.includes("refreshed"));
  assert.ok(await offered());
  person.calm(/ERR_INTERNET_DISCONNECTED/);
});

test("a sign-out reaches every tab of the origin at once, and those of others when they are looked at", async () => {
  await signInAs("ana");
  const [second, foreign] = [await person.newPage(), await person.newPage()];
  await open();
  await open(pages.url, second);
  await open(others.url, foreign);
  const panel = await openChat(second);
  assert.equal((await seen(panel)).name, "Ana Kovač");
  await page.getByRole("button", { name: "Sign out" }).click();
  await until(second, () => window.Countersign.subject === null);
  assert.equal(await offered(second), undefined);
  assert.equal((await seen(await openChat(second))).state, "unconfirmed");
  assert.ok(await offered(foreign), "it has not been looked at");
  await settled(foreign);
  assert.deepEqual([await foreign.evaluate(() => window.Countersign.subject), await isOffered(foreign)], [null, false]);
  assert.equal(count("DELETE session"), 1);
  person.calm();
});

test("of two users of one browser the second never sees the chat of the first", async () => {
  const account = await signInAs("ana");
  await open();
  const panel = await openChat(page);
  await panel.locator("#text").fill("Ana's own words");
  await account.goto(`${demo.url}/`);
  await account.locator("form[data-sign-out] button").click();
  await signInAs("bora", account);
  await listen();
  await settled();
  assert.deepEqual(await told(), ["signed-in"]);
  const after = await openChat(page);
  assert.equal((await seen(after)).name, "王 博拉");
  assert.equal(await after.locator("#text").inputValue(), "", "nothing of hers is left");
  person.calm();
});

test("a page that shows somebody else than is signed in ends that sign-in", async () => {
  await signInAs("ana");
  await open(`${pages.url}/?user=bora`);
  assert.equal(await isOffered(), false);
  assert.deepEqual(fetches.filter((fetched) => !fetched.endsWith("messenger")).slice(-2), ["GET token", "DELETE session"]);
  await open(pages.url);
  assert.equal(await page.evaluate(() => window.Countersign.subject), null, "ana's sign-in has ended");
  await signInAs("ana");
  await open(`${pages.url}/?user=`);
  assert.equal(await isOffered(), false, "a page that shows nobody");
  await signInAs("ana");
  await open(`${pages.url}/?user=ana`);
  assert.equal((await seen(await openChat(page))).name, "Ana Kovač");
  person.calm();
});

test("a signed-out visitor who signs in again is known again", async () => {
  const account = await signInAs("ana");
  await open();
  await account.goto(`${demo.url}/`);
  await account.locator("form[data-sign-out] button").click();
  await listen();
  await settled();
  assert.equal(await isOffered(), false);
  fetches.length = 0;
  await page.clock.install();
  await page.clock.runFor(300_000);
  assert.equal(count("GET token"), 0, "nobody is asked for again and again");
  await signInAs("ana", account);
  await focus();
  await until(page, () => window.Countersign.subject);
  assert.deepEqual(await told(), ["signed-out", "signed-in"]);
  assert.equal((await seen(await openChat(page))).name, "Ana Kovač");
  person.calm();
});

test("a server that fails is asked again after longer and longer, and answers of 429 after as long as they say", async () => {
  await signInAs("ana");
  await page.clock.install();
  await open();
  await listen();
  let answer = { status: 500 };
  await page.route("**/api/v1/token*", (route) => (answer
    ? route.fulfill({ ...answer, headers: { "Access-Control-Allow-Origin": pages.url, "Access-Control-Allow-Credentials": "true", "Access-Control-Expose-Headers": "Retry-After", ...answer.headers } })
    : route.continue()));
  fetches.length = 0;
  const failed = (n) => until(page, (n) => window.told.filter((line) => line.startsWith("error")).length >= n, n);
  await page.clock.runFor(REFRESHED_AFTER * 1000);
  await failed(1);
  assert.ok(await offered(), "the token is still good");
  // 1 to 1.5 s, then 2 to 3, then 4 to 6.
  for (const [n, seconds] of [[2, 1.5], [3, 3], [4, 6]]) {
    await page.clock.runFor(seconds * 500 - 1);
    await page.clock.runFor(seconds * 500 + 2);
    await failed(n);
  }
  assert.equal(count("GET token"), 4);
  answer = { status: 429, headers: { "Retry-After": "40" } };
  await page.clock.runFor(12_001);
  await failed(5);
  assert.deepEqual((await told()).at(-1), "error too_many_requests");
  await page.clock.runFor(39_000);
  assert.equal(count("GET token"), 5, "not before");
  assert.equal(await offered(), undefined, "expired meanwhile");
  answer = null;
  await runUntil(() => window.told.at(-1) === "refreshed");
  assert.ok(await offered());
  person.calm(/Failed to load resource.* (500|429) /);
});

test("a page of another site is unsigned, and is told why", async () => {
  await signInAs("ana");
  const warning = page.waitForEvent("console", (message) => message.text().includes("cookie_not_sent"));
  await open(elsewhere(pages.url));
  assert.equal(await isOffered(), false);
  assert.match((await warning).text(), /subdomain of this site, or use data-token-url/);
  assert.equal((await seen(await openChat(page))).state, "unconfirmed");
  person.calm();
});

test("a token that a page planted is not handed on", async () => {
  await page.addInitScript(() => { window.DpMessengerOptions = { signedUserInfo: "planted" }; });
  await open();
  assert.equal(await isOffered(), false);
  person.calm();
});

test("where the Messenger asks for itself, a token that ends soon is replaced first", async () => {
  await signInAs("ana");
  await page.clock.install();
  await open();
  const panel = await openChat(page);
  fetches.length = 0;
  // As if the page's timers had been held back, as browsers do to pages in the background.
  await page.clock.setSystemTime(await page.evaluate((ahead) => Date.now() + ahead, (LIFETIME - 8) * 1000));
  await panel.locator("#text").fill("Hello");
  await panel.getByRole("button", { name: "Send" }).click();
  await panel.locator("#messages li[data-from=support]").waitFor();
  assert.equal(count("GET token"), 1);
  assert.equal((await seen(await judged(page))).state, "confirmed");
  person.calm();
});

test("the server gone and back: the chat goes on with what is good, and then with what is new", async () => {
  await signInAs("ana");
  await page.clock.install();
  await open();
  await launcher(page).waitFor();
  await listen();
  await page.route(`${demo.url}/**`, (route) => route.abort("connectionrefused"));
  await page.clock.runFor(REFRESHED_AFTER * 1000);
  await until(page, () => window.told.includes("error network"));
  assert.ok(await offered());
  await page.clock.runFor(LIFETIME * 1000);
  assert.equal(await offered(), undefined, "never an expired one");
  await page.unroute(`${demo.url}/**`);
  await runUntil(() => window.told.includes("refreshed"));
  assert.equal((await seen(await openChat(page))).name, "Ana Kovač");
  person.calm(/Failed to load resource: net::ERR_CONNECTION_REFUSED/);
});

test("the server killed and started again: the sign-in is kept, and the chat goes on", async () => {
  const { secret } = await (await fetch(`${demo.desk}/standin/state.json`)).json();
  const site = await startSite({
    users: "login,email,email_verified,display_name\nana,ana@example.com,true,Ana Kovač\n",
    settings: { ...(await messengerOf(demo)), SIGNING_KEY: secret, TOKEN_LIFETIME: String(LIFETIME) },
  });
  const ours = await startPages({ accounts: site.url, desk: demo.desk });
  try {
    await site.allow(site.url, [ours.url]);
    const account = await person.newPage();
    await account.goto(`${site.url}/login`);
    await fillIn(account, "ana", PASSWORD);
    await page.clock.install();
    await open(ours.url);
    await launcher(page).waitFor();
    await page.locator("#note").fill("half a sentence");
    await listen();
    await site.kill();
    await page.clock.runFor(REFRESHED_AFTER * 1000);
    await until(page, () => window.told.includes("error network"));
    await site.again();
    await runUntil(() => window.told.includes("refreshed"));
    assert.ok(await offered());
    assert.equal(await page.locator("#note").inputValue(), "half a sentence");
    assert.equal((await seen(await openChat(page))).state, "confirmed");
    person.calm(/Failed to load resource: net::ERR_CONNECTION_REFUSED/);
  } finally {
    await Promise.all([site.stop(), ours.stop()]);
  }
});

/** A Messenger that offers no logout: then the page is loaded anew. */
const withoutLogout = (context) => context.route(`${demo.desk}/deskpro-messenger-init/web.js`, (route) => route.fulfill({
  contentType: "text/javascript",
  headers: { "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin" },
  body: "window.loaded = true;",
}));

test("signed out in one tab is signed out in all, however long the server takes and where the Messenger has no logout", async () => {
  await withoutLogout(person.context);
  await signInAs("ana");
  const other = await person.newPage();
  await open();
  await open(pages.url, other);
  for (const tab of [page, other]) await tab.waitForFunction(() => window.loaded);
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await person.context.route(`${demo.url}/api/v1/session`, async (route) => {
    if (route.request().method() === "DELETE") await held;
    await route.continue();
  });
  fetches.length = 0;
  await Promise.all([page.waitForEvent("domcontentloaded"), other.waitForEvent("domcontentloaded"), page.evaluate(() => { window.Countersign.signOut(); })]);
  await focus(other).catch(() => {});
  // The pages that were loaded anew are told that ana is signed in yet, and know that she is not.
  for (const tab of [page, other]) await tab.waitForFunction(() => window.DpMessengerOptions && window.Countersign);
  while (count("GET token") < 2) await new Promise((done) => { person.context.once("request", done); });
  release();
  for (const tab of [page, other]) {
    await tab.waitForFunction(() => window.Countersign?.subject === null);
    assert.equal(await isOffered(tab), false);
  }
  assert.ok(count("DELETE session") >= 2, "they ended it themselves");
  // Signed in again is signed in again.
  await signInAs("ana");
  await open();
  assert.ok(await offered());
  person.calm();
});

test("a code that is swapped while somebody signs out leaves nobody signed in", async () => {
  const key = JSON.parse(await demo.cli(["--json", "api-key", "create", "shop", "--scope", "users,handovers"])).key;
  const made = await fetch(`${demo.url}/api/v1/handovers`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ external_id: "C-7", origin: pages.url, user: { email: "mara@example.com", email_verified: true } }),
  });
  const { code } = await made.json();
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await person.context.route(`${demo.url}/api/v1/session`, async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue();
  });
  const asked = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/api/v1/session"));
  await page.goto(`${pages.url}/?code=${code}`);
  await asked;
  const ended = page.waitForResponse((response) => response.request().method() === "DELETE");
  const signedOut = page.evaluate(() => window.Countersign.signOut());
  await ended;
  release();
  await signedOut;
  assert.equal(await isOffered(), false);
  const token = await page.evaluate((url) => fetch(url, { credentials: "include" }).then((answer) => answer.status), `${demo.url}/api/v1/token?optional=1`);
  assert.equal(token, 204);
  person.calm();
});
