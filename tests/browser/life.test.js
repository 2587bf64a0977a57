// Pages as they are today: bodies that change without a load, pages that run before they are seen, service workers,
// blocked storage, wrong clocks, tracing, policies. In none of them is another person's token offered, and nobody is
// signed out because somebody looked at a page.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch, visitor } from "./support/browser.js";
import { fillIn, launcher, openChat, seen } from "./support/pages.js";
import { DEMO_PASSWORD, startDemo } from "./support/program.js";
import { elsewhere } from "./support/sites.js";
import {
  ADDRESS, FRAMEWORKS, app, besideTheirs, besideVendor, eachUnderTheirName, framed, named, startBare, swap, switching, threeUsers, traced, trusted, watch,
  withWorker,
} from "./sites/life.js";
import { html, site, tag } from "./sites/pages.js";

const pages = {};
let demo, browser, web, person, page, asked;
before(async () => {
  [demo, browser, web] = await Promise.all([startDemo(), launch(), site(pages)]);
  await demo.allow(demo.url, [web.url, elsewhere(web.url)]);
});
after(async () => {
  await browser?.close();
  await Promise.all([demo?.stop(), web?.stop()]);
});
beforeEach(async () => {
  person = await visitor(browser);
  page = await person.newPage();
  asked = [];
  person.context.on("request", (request) => {
    if (request.method() !== "OPTIONS" && request.url().startsWith(demo.url) && request.url().includes("/api/v1/")) {
      asked.push(`${request.method()} ${new URL(request.url()).pathname.replace("/api/v1/", "")}`);
    }
  });
});
afterEach(() => person.close());

async function signInAs(login) {
  const account = await person.newPage();
  await account.goto(`${demo.url}/login`);
  await fillIn(account, login, DEMO_PASSWORD);
  await account.close();
}
async function signOutThere() {
  const account = await person.newPage();
  await account.goto(`${demo.url}/`);
  await Promise.all([account.waitForEvent("domcontentloaded"), account.locator("form[data-sign-out] button").click()]);
  await account.close();
}
const known = (tab = page) => tab.waitForFunction(() => window.Countersign?.subject !== undefined);
const settled = (tab = page) => tab.evaluate(() => window.Countersign.refresh());
const subject = (tab = page) => tab.evaluate(() => window.Countersign.subject);
const offered = (tab = page) => tab.evaluate(() => window.DpMessengerOptions?.signedUserInfo);
/** Whether somebody is still signed in at Countersign. */
async function isSignedIn() {
  const account = await person.newPage();
  await account.goto(`${demo.url}/account`);
  const is = new URL(account.url()).pathname === "/account";
  await account.close();
  return is;
}
const errors = (tab = page) => tab.evaluate(() => { window.told = []; window.Countersign.on("error", ({ code }) => window.told.push(code)); });

// --- A script that runs again in a page that lives on -------------------------------------------------------------

for (const name of Object.keys(FRAMEWORKS)) {
  for (const says of ["", "&says"]) {
    test(`${name}, ${says ? "the page says whom it shows" : "the page says nothing"}: each user is offered alone`, async () => {
      const requests = await threeUsers({ tab: page, site: web.url, pages, accounts: demo.url, name, says, signInAs, signOutThere, asked });
      console.log(`${name}${says}: ${requests.join(" | ")}`);
      person.calm();
    });
  }
}

test("a body that was replaced gets the chat back, and an attribute that changes is a start", async () => {
  pages["/swap"] = (url) => html(app(demo.url, url));
  await signInAs("ana");
  await page.goto(`${web.url}/swap?as=ana&says`);
  await known();
  await openChat(page);
  await page.evaluate(swap, ["/swap?as=ana&says", false]);
  await launcher(page).waitFor();
  await page.evaluate(() => { document.querySelector("script[src$='/embed.js']").dataset.user = ""; });
  await page.waitForFunction(() => window.Countersign.subject === null);
  assert.equal(await offered(), undefined);
});

// --- Pages that run before they are seen, or from a memory --------------------------------------------------------

test("a page of an earlier time that is looked at again ends nobody's sign-in", async () => {
  pages["/whose"] = (url) => html(app(demo.url, url));
  await signInAs("ana");
  await page.goto(`${web.url}/whose?as=ana&says`);
  await known();
  await signOutThere();
  await signInAs("bora");
  for (const type of ["focus", "online"]) {
    await page.evaluate((type) => { window.dispatchEvent(new Event(type)); }, type);
    await settled();
  }
  assert.deepEqual([await subject(), await offered()], [null, undefined]);
  assert.ok(await isSignedIn(), "bora is still signed in");
  assert.ok(!asked.includes("DELETE session"));
});

test("a page from the browser's cache, back in the history, ends nobody's sign-in", async () => {
  pages["/cached"] = (url) => ({ body: html(app(demo.url, url)), headers: { "Cache-Control": "max-age=600" } });
  pages["/elsewhere"] = html("<h1>elsewhere</h1>");
  await signInAs("ana");
  await page.goto(`${web.url}/cached?as=ana&says`);
  await known();
  await page.goto(`${web.url}/elsewhere`);
  await signOutThere();
  await signInAs("bora");
  await page.goBack();
  await known();
  await settled();
  assert.equal(await offered(), undefined);
  assert.ok(await isSignedIn(), "bora is still signed in");
});

test("200 switches of user at random times, with answers that are slow and overtake each other", async () => {
  const switchAround = await switching(demo, pages);
  await page.goto(`${web.url}/switching`);
  await known();
  await page.getByLabel("Note").fill("half a sentence");
  await watch(page);
  await switchAround(page, 200);
  assert.equal(named(await offered()), "mara@switch.example");
  await eachUnderTheirName(page);
  assert.equal(await page.getByLabel("Note").inputValue(), "half a sentence");
  assert.equal((await seen(await openChat(page))).state, "confirmed");
});

// --- What a cache has kept -----------------------------------------------------------------------------------------

for (const [name, attributes] of [["the session's token", ""], ["the site's own route", 'data-token-url="/chat-token"']]) {
  test(`a service worker that replays earlier answers: ${name}`, async () => {
    const worker = withWorker(demo.url, pages, attributes);
    await signInAs("ana");
    const account = await person.newPage();
    await account.goto(demo.url);
    worker.minted = await account.evaluate(() => fetch("/api/v1/token").then((answer) => answer.json()));
    await page.goto(`${web.url}/with-worker`);
    await page.evaluate(() => window.isReady);
    await page.evaluate(() => window.Countersign.start());
    assert.equal(named(await offered()), ADDRESS.ana);
    await errors();
    // Signed out, and the worker goes on answering what it knows.
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForFunction(() => window.Countersign.subject === null);
    await settled();
    assert.equal(await offered(), undefined, "nothing of before");
    assert.ok((await page.evaluate(() => window.told)).includes("stale_answer"));
    // The same on a page that was loaded since.
    await page.reload();
    await page.evaluate(() => window.isReady);
    await page.evaluate(() => window.Countersign.start());
    assert.equal(await offered(), undefined);
  });
}

// --- Storage, clocks, tracing, policies ----------------------------------------------------------------------------

test("without storage and channels, everything else works", async () => {
  await person.context.addInitScript(() => {
    window.BroadcastChannel = class { constructor() { throw new DOMException("blocked", "SecurityError"); } };
    Object.defineProperty(window, "localStorage", { get() { throw new DOMException("blocked", "SecurityError"); } });
  });
  pages["/plain"] = html(tag(demo.url));
  await signInAs("ana");
  await page.goto(`${web.url}/plain`);
  assert.equal((await seen(await openChat(page))).name, "Ana Kovač");
  await page.evaluate(() => window.Countersign.signOut());
  assert.equal(await subject(), null);
  person.calm();
});

for (const hours of [-24, -1, 1, 24]) {
  test(`a visitor's clock that is ${hours} h off: a bare token is offered for as long as it lives, and no longer`, async () => {
    pages["/bare"] = html(tag(demo.url, "data-manual"));
    await page.clock.install({ time: Date.now() + hours * 3_600_000 });
    await page.goto(`${web.url}/bare`);
    await page.waitForFunction(() => window.Countersign);
    await page.evaluate(startBare, Math.floor(Date.now() / 1000));
    await page.waitForFunction(() => window.Countersign.subject);
    assert.ok(await offered());
    for (let minute = 0; minute < 45; minute += 1) {
      await page.clock.runFor(60_000);
      assert.ok(await offered(), `minute ${minute}`);
    }
    assert.equal(await page.evaluate(() => window.calls), 1 + Math.floor(45 / 8), "one in eight minutes");
    person.calm();
  });
}

test("a bare token is not offered when its life is over", async () => {
  pages["/bare"] = html(tag(demo.url, "data-manual"));
  await signInAs("ana");
  await page.clock.install({ time: Date.now() - 3_600_000 });
  await page.goto(`${web.url}/bare`);
  await page.waitForFunction(() => window.Countersign);
  await page.evaluate(async (url) => {
    const { token } = await (await fetch(`${url}/api/v1/token`, { credentials: "include" })).json();
    window.Countersign.start({ getToken: () => token });
  }, demo.url);
  await page.waitForFunction(() => window.Countersign.subject);
  assert.ok(await offered());
  await page.clock.runFor(601_000);
  assert.equal(await offered(), undefined, "the same token again has no second life");
});

test("requests that a tracing library adds its headers to are answered", async () => {
  pages["/traced"] = traced(demo.url);
  await page.goto(`${web.url}/traced`);
  await known();
  await launcher(page).waitFor();
  await signInAs("ana");
  await settled();
  assert.equal(named(await offered()), ADDRESS.ana);
  await page.evaluate(() => window.Countersign.signOut());
  assert.ok(!(await isSignedIn()));
  person.calm();
});

test("Trusted Types: with the policy named it works, without it the error says which", async () => {
  trusted(demo.url, pages);
  await signInAs("ana");
  await page.goto(`${web.url}/trusted`);
  assert.equal((await seen(await openChat(page))).name, "Ana Kovač");
  person.calm();
  await page.goto(`${web.url}/trusted-others`);
  await page.waitForFunction(() => window.Countersign);
  await errors();
  await page.evaluate(() => window.Countersign.start());
  await page.waitForFunction(() => window.told.includes("trusted_types"));
});

test("beside another script of the same name, a module finds its own tag by the mark, and says so without", async () => {
  besideVendor(demo.url, pages);
  const own = [];
  page.on("request", (request) => { if (request.url().startsWith(web.url) && request.url().includes("/api/")) own.push(request.url()); });
  await signInAs("ana");
  await page.goto(`${web.url}/module`);
  await known();
  assert.equal(named(await offered()), ADDRESS.ana);
  const said = page.waitForEvent("console", (message) => message.text().includes("data-countersign"));
  await page.goto(`${web.url}/unmarked`);
  await said;
  assert.deepEqual(own, [], "the vendor's origin was asked for nothing");
});

// --- Deskpro's part ------------------------------------------------------------------------------------------------

test("Deskpro's own snippet beside: the chat that it opened learns who is there, and the page is told", async () => {
  await signInAs("ana");
  pages["/plain"] = html(tag(demo.url));
  await page.goto(`${web.url}/plain`);
  await known();
  const theirs = await page.evaluate(() => document.querySelector("script[data-deskpro-url]").outerHTML);
  pages["/both"] = besideTheirs(demo.url, theirs);
  // The chat asks before the token is there, as on a slow line.
  let answer;
  await person.context.route(/\/api\/v1\/token/, async (route) => {
    await new Promise((resolve) => { answer = resolve; });
    await route.continue();
  }, { times: 1 });
  await page.goto(`${web.url}/both`);
  const panel = await page.locator("#deskpro-standin iframe").contentFrame();
  await panel.locator("#identity[data-state=unconfirmed]").waitFor();
  answer();
  await known();
  await page.waitForFunction(() => window.told?.includes("messenger_twice"));
  await panel.locator("#identity[data-state=confirmed]").waitFor();
  assert.equal(await page.locator("script[data-deskpro-url]").count(), 1, "not loaded twice");
});

test("Deskpro's module that cannot be reached at first is tried again at another address", async () => {
  let isThere = false;
  const tried = [];
  await person.context.route(/web\.js/, (route) => {
    tried.push(route.request().url());
    return isThere ? route.continue() : route.abort("connectionrefused");
  });
  pages["/plain"] = html(tag(demo.url));
  await page.goto(`${web.url}/plain`);
  await known();
  isThere = true;
  await launcher(page).waitFor();
  assert.equal((await seen(await openChat(page))).state, "unconfirmed");
  assert.equal(new Set(tried).size, tried.length, "never the same address twice");
});

// --- What the page draws -------------------------------------------------------------------------------------------

test("links that are drawn later are shown and hidden like the others, and lead to the page of the click", async () => {
  pages["/plain"] = html(`<div id="menu"></div>${tag(demo.url)}`);
  await page.goto(`${web.url}/plain`);
  await known();
  const draw = () => page.evaluate(() => {
    document.querySelector("#menu").innerHTML = '<a data-countersign-sign-in href="#">Sign in</a><button data-countersign-sign-out="auto" hidden>Sign out</button>';
  });
  await draw();
  await page.getByRole("link", { name: "Sign in" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Sign out" }).count(), 0);
  await page.evaluate(() => history.pushState({}, "", "/plain?later"));
  await page.evaluate(() => document.addEventListener("click", (event) => { event.preventDefault(); window.led = event.target.href; }));
  await page.getByRole("link", { name: "Sign in" }).click();
  assert.equal(await page.evaluate(() => window.led), `${demo.url}/login?next=${encodeURIComponent(`${web.url}/plain?later`)}`);
  await signInAs("ana");
  await settled();
  await draw();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Sign in" }).count(), 0);
});

// --- Frames --------------------------------------------------------------------------------------------------------

test("in a frame of another site the page is told why it knows nobody, and a code is refused at once, unspent", async () => {
  await framed(demo, web.url, pages);
  await signInAs("ana");
  await page.goto(`${elsewhere(web.url)}/outer`);
  for (const name of ["/inner", "/inner-code"]) {
    const frame = page.frame({ url: `${web.url}${name}` });
    await frame.waitForFunction(() => window.told?.length);
    assert.deepEqual([await frame.evaluate(() => window.told), await offered(frame)], [["cookie_not_sent"], undefined], name);
  }
  // Alone, the same page has its session by the same code.
  await signOutThere();
  await page.goto(`${web.url}/inner-code`);
  await known();
  assert.equal(named(await offered()), "framed@example.com");
});

// --- When it is wanted ---------------------------------------------------------------------------------------------

const toAnybody = () => {
  const sent = [];
  person.context.on("request", (request) => {
    const { origin, pathname } = new URL(request.url());
    if ([demo.url, demo.desk].includes(origin) && pathname !== "/embed.js") sent.push(request.url());
  });
  return sent;
};

test("data-load=consent: nothing is sent before consent(), and withdraw() takes everything back", async () => {
  pages["/consent"] = html(`<a data-countersign-sign-in href="#" hidden>Sign in</a>${tag(demo.url, 'data-load="consent"')}`);
  await signInAs("ana");
  const sent = toAnybody();
  await page.goto(`${web.url}/consent`);
  await page.waitForFunction(() => window.Countersign);
  await page.evaluate(() => {
    for (const type of ["focus", "online", "pageshow"]) window.dispatchEvent(new Event(type));
    return Promise.all([window.Countersign.refresh(), window.Countersign.token(), window.Countersign.start()]);
  });
  assert.deepEqual([sent, await subject()], [[], undefined]);
  await page.evaluate(() => window.Countersign.consent());
  assert.equal(named(await offered()), ADDRESS.ana);
  await openChat(page);
  await Promise.all([page.waitForEvent("domcontentloaded"), page.evaluate(() => { window.Countersign.withdraw(); })]);
  await page.waitForFunction(() => window.Countersign);
  assert.deepEqual([await subject(), await launcher(page).count(), await page.evaluate(() => Object.keys(localStorage))], [undefined, 0, []]);
  assert.ok(await isSignedIn(), "the sign-in at the website is another matter");
});

test("data-load=click: a button of our own, by mouse or keyboard, becomes the open chat", async () => {
  pages["/click"] = html(tag(demo.url, 'data-load="click" data-launch-text="Ask us"'));
  await signInAs("ana");
  const sent = toAnybody();
  await page.goto(`${web.url}/click`);
  const ours = page.getByRole("button", { name: "Ask us" });
  await ours.waitFor();
  assert.deepEqual(sent, []);
  await ours.focus();
  await page.keyboard.press("Enter");
  const panel = page.locator("#deskpro-standin iframe");
  await panel.contentFrame().locator("#identity[data-state=confirmed]").waitFor();
  assert.equal(await ours.count(), 0);
  person.calm();
});

test("data-load=idle: after the page itself has loaded", async () => {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  pages["/slow.css"] = { body: "", type: "text/css" };
  await person.context.route("**/slow.css", async (route) => { await held; await route.continue(); });
  pages["/idle"] = html(`<img src="/slow.css" alt="">${tag(demo.url, 'data-load="idle"')}`);
  const sent = toAnybody();
  await page.goto(`${web.url}/idle`, { waitUntil: "commit" });
  await page.waitForFunction(() => window.Countersign);
  assert.deepEqual(sent, []);
  release();
  await known();
  await launcher(page).waitFor();
});
