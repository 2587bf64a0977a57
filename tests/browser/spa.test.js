// Single-page applications that hold the recipe for their framework: the user changes while the page stays, whatever
// the helper is doing at that moment, and support never sees the one before.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import * as jose from "jose";
import { launch, visitor } from "./support/browser.js";
import { fillIn, launcher, openChat, seen } from "./support/pages.js";
import { DEMO_PASSWORD, startDemo } from "./support/program.js";
import { elsewhere, startApp } from "./support/sites.js";

const FRAMEWORKS = ["react", "vue"];

let demo, browser, person, page;
const apps = {};
before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  const made = await demo.cli(["--json", "api-key", "create", "application", "--scope", "users,mint"]);
  const apiKey = JSON.parse(made).key;
  const at = { accounts: demo.url, desk: demo.desk };
  for (const framework of FRAMEWORKS) {
    apps[framework] = {
      // The one as visitors get it, the other as its developers see it: it warns of more.
      own: await startApp({ ...at, framework, apiKey, mode: "production" }),
      theirs: await startApp({ ...at, framework, mode: "development" }),
    };
  }
  await demo.allow(demo.url, FRAMEWORKS.map((framework) => apps[framework].theirs.url));
});
after(async () => {
  await browser?.close();
  await Promise.all([demo?.stop(), ...Object.values(apps).flatMap(({ own, theirs }) => [own?.stop(), theirs?.stop()])]);
});
beforeEach(async () => {
  person = await visitor(browser);
  page = await person.newPage();
});
afterEach(() => person.close());

async function signIn(name) {
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: new RegExp(`Welcome, ${name}`, "i") }).waitFor();
}
async function signOut() {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Welcome", exact: true }).waitFor();
}

/** Who is signed in as the helper knows it, once that is somebody else than `before`; null is nobody. */
async function known(before) {
  await page.waitForFunction((before) => ![undefined, before].includes(window.Countersign?.subject), before);
  return page.evaluate(() => window.Countersign.subject);
}
/** The same, once it is somebody. */
async function somebody(before) {
  await page.waitForFunction((before) => ![undefined, null, before].includes(window.Countersign?.subject), before);
  return page.evaluate(() => window.Countersign.subject);
}
const isOffered = () => page.evaluate(() => "signedUserInfo" in window.DpMessengerOptions);
const offered = () => page.evaluate(() => window.DpMessengerOptions?.signedUserInfo);

/** Opens the chat, looks whom support sees, and closes it. */
async function supportSees(name) {
  const panel = await openChat(page);
  await panel.locator("[data-field=name]", { hasText: name }).waitFor();
  assert.equal((await seen(panel)).name, name);
  await launcher(page).click();
  await page.locator("#deskpro-standin #panel").waitFor({ state: "hidden" });
}

/** Everything that the chat's frames show, whether the chat is open or not. */
const inTheChat = async () => (await Promise.all(page.frames().slice(1).map((frame) => frame.locator("body").textContent()))).join();

/** Keeps the answers of an address back, as a slow network does; `letGo` sends them on. */
async function hold(address) {
  let letGo;
  const gone = new Promise((resolve) => { letGo = resolve; });
  let arrived;
  const answered = new Promise((resolve) => { arrived = resolve; });
  const held = page.waitForRequest(address).then(() => answered);
  // Whoever waits for it is told.
  held.catch(() => {});
  await page.route(address, async (route) => {
    const response = await route.fetch();
    arrived();
    await gone;
    await route.fulfill({ response });
  });
  return {
    held,
    async letGo() {
      letGo();
      await page.unroute(address, { behavior: "wait" });
    },
  };
}

for (const framework of FRAMEWORKS) {
  test(`${framework}: who signs in and out at the application is whom support sees, without a page load`, async () => {
    await page.goto(elsewhere(apps[framework].own.url));
    await page.evaluate(() => { window.stayed = true; });
    assert.equal(await known(), null);
    await supportSees("Anonymous visitor");
    await signIn("mara");
    const mara = await somebody();
    await supportSees("Mara Lind");
    // Another user without a sign-out between, as applications allow.
    await signIn("tom");
    const tom = await somebody(mara);
    assert.ok(!(await inTheChat()).includes("Mara"));
    await supportSees("Tom Osei");
    await signOut();
    assert.equal(await known(tom), null);
    assert.equal(await isOffered(), false);
    assert.ok(!(await inTheChat()).includes("Tom"));
    await supportSees("Anonymous visitor");
    assert.equal(await page.evaluate(() => window.stayed), true);
    person.calm();
  });

  test(`${framework}: who signed in before the helper came is known`, async () => {
    const helper = await hold("**/embed.js");
    await page.goto(apps[framework].own.url, { waitUntil: "domcontentloaded" });
    await helper.held;
    await signIn("mara");
    await helper.letGo();
    await somebody();
    await supportSees("Mara Lind");
    person.calm();
  });

  test(`${framework}: an answer for the one before that comes late is dropped`, async () => {
    await page.goto(apps[framework].own.url);
    assert.equal(await known(), null);
    const answers = await hold("**/chat-token");
    await signIn("mara");
    await answers.held;
    await signIn("tom");
    await page.evaluate(() => {
      window.offered = new Set();
      setInterval(() => { window.offered.add(window.DpMessengerOptions.signedUserInfo); }, 1);
    });
    await answers.letGo();
    await somebody();
    await supportSees("Tom Osei");
    const tokens = (await page.evaluate(() => [...window.offered])).filter(Boolean);
    assert.deepEqual(tokens.map((token) => jose.decodeJwt(token).email), ["tom@shop.example"]);
    person.calm();
  });

  test(`${framework}: where the next user's token cannot be had, nothing of the one before is left`, async () => {
    await page.goto(apps[framework].own.url);
    await known();
    await signIn("mara");
    await somebody();
    const panel = await openChat(page);
    await panel.getByText("Mara Lind").waitFor();
    await page.route("**/chat-token", (route) => route.abort("connectionrefused"));
    const warned = page.waitForEvent("console", (message) => message.text().includes("(network)"));
    await signIn("tom");
    await warned;
    assert.equal(await offered(), undefined);
    assert.ok(!(await inTheChat()).includes("Mara"));
    await page.unroute("**/chat-token");
    await somebody();
    await supportSees("Tom Osei");
    person.calm(/ERR_CONNECTION_REFUSED/);
  });

  test(`${framework}: where nobody may chat unsigned, the chat comes and goes with the sign-in, and stays for the next user`, async () => {
    await page.addInitScript(() => { window.CountersignOptions = { anonymous: "hide" }; });
    await page.goto(apps[framework].own.url);
    assert.equal(await known(), null);
    assert.equal(await launcher(page).count(), 0);
    await page.evaluate(() => { window.stayed = true; });
    await signIn("mara");
    const mara = await somebody();
    await supportSees("Mara Lind");
    await signIn("tom");
    await somebody(mara);
    await supportSees("Tom Osei");
    assert.equal(await page.evaluate(() => window.stayed), true);
    // Only a page that is loaded anew is surely without the Messenger.
    await signOut();
    await page.waitForFunction(() => !window.stayed && window.Countersign?.subject === null);
    assert.equal(await launcher(page).count(), 0);
    person.calm();
  });

  test(`${framework}: where another user was here before, their chat ends before the token is handed over`, async () => {
    await page.goto(apps[framework].own.url);
    await known();
    await signIn("mara");
    await somebody();
    await person.context.clearCookies();
    // A page's own methods of the Messenger stay: these tell what it was asked, and with which token.
    await page.addInitScript(() => {
      window.calls = [];
      const method = (name) => [name, async () => { window.calls.push([name, Boolean(window.DpMessengerOptions.signedUserInfo)]); }];
      window.DpMessengerConnection = { childMethods: Object.fromEntries([method("logout"), method("init")]) };
    });
    const messenger = await hold("**/web.js");
    await page.goto(apps[framework].own.url);
    assert.equal(await known(), null);
    await messenger.held;
    await signIn("tom");
    await somebody();
    assert.equal(await offered(), undefined);
    await messenger.letGo();
    await page.waitForFunction(() => window.calls.length === 2);
    assert.deepEqual(await page.evaluate(() => window.calls), [["logout", false], ["init", true]]);
    person.calm();
  });

  test(`${framework}: of users who sign in at Countersign, support sees whom the application shows`, async () => {
    const signInAtCountersign = async (login) => {
      const account = await person.newPage();
      await account.goto(`${demo.url}/login`);
      await fillIn(account, login, DEMO_PASSWORD);
      await account.close();
    };
    await page.goto(apps[framework].theirs.url);
    assert.equal(await known(), null);
    await supportSees("Anonymous visitor");
    await signInAtCountersign("ana");
    await signIn("ana");
    const ana = await somebody();
    await supportSees("Ana Kovač");
    // Whoever is signed in there is not whom the application shows: that sign-in ends.
    await signIn("bora");
    assert.equal(await known(ana), null);
    assert.ok(!(await inTheChat()).includes("Ana Kovač"));
    await supportSees("Anonymous visitor");
    await signInAtCountersign("bora");
    await page.evaluate(() => window.Countersign.refresh());
    const bora = await somebody();
    await supportSees("王 博拉");
    await signOut();
    assert.equal(await known(bora), null);
    assert.equal(await isOffered(), false);
    await supportSees("Anonymous visitor");
    person.calm();
    await page.goto(`${demo.url}/`);
    await page.getByRole("main").getByRole("link", { name: "Sign in" }).waitFor();
  });
}
