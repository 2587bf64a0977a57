// The same pages in Firefox, as life.test.js has them in Chromium: Debian's Firefox under puppeteer-core, by WebDriver
// BiDi. Storage and cookies are blocked by Firefox's own setting, and back and forward come from its own memory.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import puppeteer from "puppeteer-core";
import { DEMO_PASSWORD, startDemo } from "./support/program.js";
import { elsewhere, serve } from "./support/sites.js";
import {
  ADDRESS, FRAMEWORKS, app, besideTheirs, besideVendor, eachUnderTheirName, framed, minting, named, startBare, swap, switching, threeUsers, traced, trusted,
  until, watch, withWorker,
} from "./sites/life.js";
import { html, site, tag } from "./sites/pages.js";

const launch = (extraPrefsFirefox = {}) =>
  puppeteer.launch({ browser: "firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr", extraPrefsFirefox });

const pages = {};
let demo, browser, web, context, page, account, asked;
before(async () => {
  [demo, browser, web] = await Promise.all([startDemo(), launch(), site(pages)]);
  await demo.allow(demo.url, [web.url, elsewhere(web.url)]);
  console.log(await browser.version());
});
after(async () => {
  await browser?.close();
  await Promise.all([demo?.stop(), web?.stop()]);
});
beforeEach(async () => {
  asked = [];
  context = await browser.createBrowserContext();
  account = await context.newPage();
  page = await newPage(context);
});
afterEach(async ({ name }) => {
  const counts = [...new Set(asked)].map((one) => `${asked.filter((other) => other === one).length} ${one}`);
  console.log(`Requests to Countersign, ${name}: ${counts.join(", ") || "none"}`);
  await context.close();
});

/** A page of which every request to Countersign is written down. */
async function newPage(of) {
  const made = await of.newPage();
  made.setDefaultTimeout(20_000);
  made.on("request", (request) => {
    const { origin, pathname } = new URL(request.url());
    if (origin === demo.url && pathname.startsWith("/api/v1/") && request.method() !== "OPTIONS") asked.push(`${request.method()} ${pathname.replace("/api/v1/", "")}`);
  });
  return made;
}

// In a tab behind the page, where Firefox draws nothing and has little time for timers.
const LOADED = { waitUntil: "domcontentloaded" };
const send = (form) => account.$eval(form, (form) => form.requestSubmit());
async function signInAs(login) {
  await account.goto(`${demo.url}/login`, LOADED);
  for (const [field, value] of [["#login", login], ["#password", DEMO_PASSWORD]]) {
    await account.$eval(field, (input, value) => { input.value = value; }, value);
  }
  await Promise.all([account.waitForNavigation(LOADED), send("form[action$='/login']")]);
}
async function signOutThere() {
  await account.goto(demo.url, LOADED);
  await Promise.all([account.waitForNavigation(LOADED), send("form[data-sign-out]")]);
}
/** Whether somebody is still signed in at Countersign. */
async function isSignedIn() {
  await account.goto(`${demo.url}/account`, LOADED);
  return new URL(account.url()).pathname === "/account";
}
const here = (tab = page) => until(tab, () => Boolean(window.Countersign));
const known = (tab = page) => until(tab, () => window.Countersign && window.Countersign.subject !== undefined);
const settled = (tab = page) => tab.evaluate(() => window.Countersign.refresh());
const subject = (tab = page) => tab.evaluate(() => window.Countersign.subject);
const offered = (tab = page) => tab.evaluate(() => window.DpMessengerOptions?.signedUserInfo);
const errors = (tab = page) => tab.evaluate(() => { window.told = []; window.Countersign.on("error", ({ code }) => window.told.push(code)); });
const told = (code, tab = page) => until(tab, (code) => window.told?.includes(code), code);
const signOutHere = (tab = page) => tab.evaluate(() => window.Countersign.signOut());

const launcher = (tab = page) => tab.waitForSelector("#deskpro-standin >>> #launcher", { visible: true });
/** The name that the open panel shows, or nothing for a visitor whom nobody has named. */
async function panelOf(tab = page) {
  const frame = await (await tab.waitForSelector("#deskpro-standin >>> iframe")).contentFrame();
  await frame.waitForSelector("#identity:not([data-state=asking])");
  return frame.evaluate(() => {
    const { state } = document.querySelector("#identity").dataset;
    return state === "confirmed" ? document.querySelector("[data-field=name]").innerText : state;
  });
}
async function chat(tab = page) {
  await (await launcher(tab)).click();
  return panelOf(tab);
}

// --- A script that runs again in a page that lives on -------------------------------------------------------------

for (const name of Object.keys(FRAMEWORKS)) {
  for (const says of ["", "&says"]) {
    test(`${name}, ${says ? "the page says whom it shows" : "the page says nothing"}: each user is offered alone`, async () => {
      await threeUsers({ tab: page, site: web.url, pages, accounts: demo.url, name, says, signInAs, signOutThere, asked });
    });
  }
}

test("a body that was replaced gets the chat back, and an attribute that changes is a start", async () => {
  pages["/swap"] = (url) => html(app(demo.url, url));
  await signInAs("ana");
  await page.goto(`${web.url}/swap?as=ana&says`);
  await known();
  assert.equal(await chat(), "Ana Kovač");
  await page.evaluate(swap, ["/swap?as=ana&says", false]);
  await launcher();
  await page.evaluate(() => { document.querySelector("script[src$='/embed.js']").dataset.user = ""; });
  await until(page, () => window.Countersign.subject === null);
  assert.equal(await offered(), undefined);
});

test("40 switches of user at random times, with answers that are slow and overtake each other", async () => {
  const switchAround = await switching(demo, pages);
  await page.goto(`${web.url}/switching`);
  await known();
  await page.type("input", "half a sentence");
  await watch(page);
  await switchAround(page, 40);
  assert.equal(named(await offered()), "mara@switch.example");
  await eachUnderTheirName(page);
  assert.equal(await page.$eval("input", (input) => input.value), "half a sentence");
  assert.equal(await chat(), "mara@switch.example");
});

// --- Pages from a memory -------------------------------------------------------------------------------------------

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

/** Ana's page, left for another one, whose chat was never opened; what it offers when it is back is written down. */
async function leave(path) {
  pages[path] = (url) => html(app(demo.url, url));
  pages["/elsewhere"] = html("<h1>elsewhere</h1>");
  await signInAs("ana");
  await page.goto(`${web.url}${path}?as=ana&says`);
  await until(page, () => window.Countersign?.subject);
  await launcher();
  await page.evaluate(() => {
    addEventListener("pageshow", (event) => {
      window.restored = event.persisted;
      window.offered = [];
      (function look() {
        window.offered.push(window.DpMessengerOptions.signedUserInfo);
        setTimeout(look, 1);
      })();
    });
  });
  await page.goto(`${web.url}/elsewhere`);
}
async function goBack() {
  // The page that comes back is not loaded, so nothing more than that it is there can be waited for.
  await page.evaluate(() => { history.back(); });
  await until(page, () => window.restored !== undefined);
}

test("back to a page from Firefox's memory after another user has signed in: no token for a moment, and nobody is signed out", async () => {
  await leave("/back");
  await signOutThere();
  await signInAs("bora");
  await goBack();
  await until(page, () => window.Countersign.subject === null);
  await settled();
  assert.equal(await page.evaluate(() => window.restored), true, "the page came from the browser's memory");
  assert.deepEqual((await page.evaluate(() => window.offered)).filter(Boolean), []);
  assert.equal(await chat(), "unconfirmed");
  assert.ok(await isSignedIn(), "bora is still signed in");
  assert.ok(!asked.includes("DELETE session"));
});

test("back to a page from Firefox's memory while still signed in goes on as before", async () => {
  await leave("/back-again");
  await goBack();
  await until(page, () => window.DpMessengerOptions.signedUserInfo);
  assert.equal(await page.evaluate(() => window.restored), true, "the page came from the browser's memory");
  assert.equal(await chat(), "Ana Kovač");
});

// --- What a cache has kept -----------------------------------------------------------------------------------------

for (const [name, attributes] of [["the session's token", ""], ["the site's own route", 'data-token-url="/chat-token"']]) {
  test(`a service worker that replays earlier answers: ${name}`, async () => {
    const worker = withWorker(demo.url, pages, attributes);
    await signInAs("ana");
    worker.minted = await account.evaluate(() => fetch("/api/v1/token").then((answer) => answer.json()));
    const start = async () => {
      await here();
      await page.evaluate(() => window.isReady);
      await page.evaluate(() => window.Countersign.start());
    };
    await page.goto(`${web.url}/with-worker`);
    await start();
    assert.equal(named(await offered()), ADDRESS.ana);
    await errors();
    // Signed out, and the worker goes on answering what it knows.
    await page.click("[data-countersign-sign-out]");
    await until(page, () => window.Countersign.subject === null);
    await settled();
    assert.equal(await offered(), undefined, "nothing of before");
    await told("stale_answer");
    // The same on a page that was loaded since.
    await page.reload();
    await start();
    assert.equal(await offered(), undefined);
  });
}

// --- Storage, clocks, tracing, policies ----------------------------------------------------------------------------

test("with cookies and storage blocked by Firefox, a site's own route is enough", async () => {
  const blocking = await launch({ "network.cookie.cookieBehavior": 2 });
  try {
    const tab = await newPage(blocking);
    const mint = await minting(demo, "blocked");
    let who = "tom";
    pages["/blocked-token"] = async () => (who ? { body: JSON.stringify(await mint(who)), type: "application/json" } : { status: 204 });
    pages["/blocked"] = html(tag(demo.url, 'data-token-url="/blocked-token"'));
    await tab.goto(`${web.url}/blocked`);
    const isBlocked = await tab.evaluate(() => {
      const throws = (act) => { try { act(); return false; } catch { return true; } };
      return [throws(() => localStorage.length), throws(() => new BroadcastChannel("x"))];
    });
    assert.deepEqual(isBlocked, [true, true], "Firefox throws at both");
    await until(tab, () => window.Countersign?.subject);
    assert.equal(await chat(tab), "tom@switch.example");
    who = "";
    await signOutHere(tab);
    assert.deepEqual([await subject(tab), await offered(tab)], [null, undefined]);
    who = "mara";
    await settled(tab);
    assert.equal(named(await offered(tab)), "mara@switch.example");
  } finally {
    await blocking.close();
  }
});

/** Runs before a page's scripts: its clock is wrong by so many hours, and `pass(milliseconds)` lets time go by. */
function setClock(hours) {
  const RightDate = Date;
  const steady = performance.now.bind(performance);
  const later = window.setTimeout.bind(window);
  const forget = window.clearTimeout.bind(window);
  const waiting = new Map();
  let passed = 0;
  window.Date = class extends RightDate {
    constructor(...parts) { parts.length ? super(...parts) : super(window.Date.now()); }
    static now() { return RightDate.now() + hours * 3_600_000 + passed; }
  };
  performance.now = () => steady() + passed;
  window.setTimeout = (run, wait = 0, ...args) => {
    if (wait < 5000) return later(run, wait, ...args);
    const id = -1 - waiting.size;
    waiting.set(id, { due: performance.now() + wait, run: () => run(...args) });
    return id;
  };
  window.clearTimeout = (id) => (waiting.get(id) ? waiting.set(id, null) : forget(id));
  window.pass = async (time) => {
    const end = performance.now() + time;
    for (;;) {
      const [next] = [...waiting].filter(([, timer]) => timer && timer.due <= end).sort(([, a], [, b]) => a.due - b.due);
      passed += Math.max(0, (next ? next[1].due : end) - performance.now());
      if (!next) return;
      waiting.set(next[0], null);
      next[1].run();
      await new Promise((done) => { later(done); });
    }
  };
}
/** Lets so many minutes go by: whether the page offered a token after each. */
const minutes = (count) => page.evaluate(async (count) => {
  const each = [];
  for (let minute = 0; minute < count; minute += 1) {
    await window.pass(60_000);
    each.push(Boolean(window.DpMessengerOptions.signedUserInfo));
  }
  return each;
}, count);

for (const hours of [-24, -1, 1, 24]) {
  test(`a visitor's clock that is ${hours} h off: a bare token is offered for as long as it lives, and no longer`, async () => {
    pages["/bare"] = html(tag(demo.url, "data-manual"));
    await signInAs("ana");
    await page.evaluateOnNewDocument(setClock, hours);
    await page.goto(`${web.url}/bare`);
    await here();
    await page.evaluate(startBare, Math.floor(Date.now() / 1000));
    await until(page, () => window.Countersign.subject);
    assert.ok(await offered());
    assert.deepEqual(await minutes(45), Array(45).fill(true));
    assert.equal(await page.evaluate(() => window.calls), 1 + Math.floor(45 / 8), "one in eight minutes");
    // The same token again has no second life.
    await page.goto(`${web.url}/bare`);
    await here();
    await page.evaluate(async (url) => {
      const { token } = await (await fetch(`${url}/api/v1/token`, { credentials: "include" })).json();
      window.Countersign.start({ getToken: () => token });
    }, demo.url);
    await until(page, () => window.Countersign.subject);
    assert.deepEqual(await minutes(12), [...Array(9).fill(true), ...Array(3).fill(false)]);
  });
}

test("requests that a tracing library adds its headers to are answered", async () => {
  pages["/traced"] = traced(demo.url);
  await page.goto(`${web.url}/traced`);
  await known();
  await launcher();
  await signInAs("ana");
  await settled();
  assert.equal(named(await offered()), ADDRESS.ana);
  await signOutHere();
  assert.ok(!(await isSignedIn()));
});

test("Trusted Types: with the policy named it works, without it the error says which", async () => {
  trusted(demo.url, pages);
  await signInAs("ana");
  await page.goto(`${web.url}/trusted`);
  assert.equal(await page.evaluate(() => {
    try { document.createElement("script").src = "data:,"; return "ignored"; } catch { return "enforced"; }
  }), "enforced", "this Firefox has Trusted Types");
  await known();
  assert.equal(await chat(), "Ana Kovač");
  await page.goto(`${web.url}/trusted-others`);
  await here();
  await errors();
  await page.evaluate(() => window.Countersign.start());
  await told("trusted_types");
});

test("beside another script of the same name, a module finds its own tag by the mark, and says so without", async () => {
  besideVendor(demo.url, pages);
  const own = [];
  page.on("request", (request) => { if (request.url().startsWith(web.url) && request.url().includes("/api/")) own.push(request.url()); });
  await signInAs("ana");
  await page.goto(`${web.url}/module`);
  await known();
  assert.equal(named(await offered()), ADDRESS.ana);
  const said = new Promise((done) => { page.on("console", (message) => { if (message.text().includes("data-countersign")) done(); }); });
  await page.goto(`${web.url}/unmarked`);
  await said;
  assert.deepEqual(own, [], "the vendor's origin was asked for nothing");
});

// --- Deskpro's part ------------------------------------------------------------------------------------------------

test("Deskpro's own snippet beside: the chat that it opened learns who is there, and the page is told", async () => {
  await signInAs("ana");
  pages["/plain"] = html(tag(demo.url));
  await page.goto(`${web.url}/plain`);
  await until(page, () => Boolean(document.querySelector("script[data-deskpro-url]")));
  pages["/both"] = besideTheirs(demo.url, await page.$eval("script[data-deskpro-url]", (script) => script.outerHTML));
  await page.goto(`${web.url}/both`);
  await known();
  await told("messenger_twice");
  const frame = await (await page.waitForSelector("#deskpro-standin >>> iframe")).contentFrame();
  await frame.waitForSelector("#identity[data-state=confirmed]");
  assert.equal((await page.$$("script[data-deskpro-url]")).length, 1, "not loaded twice");
});

test("Deskpro's module that cannot be reached at first is tried again at another address, and the same page has a chat", async () => {
  const tried = [];
  let isThere = false;
  const { init_script_url: address } = await (await fetch(`${demo.desk}/standin/state.json`)).json();
  // The helpdesk behind a line that is down at first.
  const line = await serve(async (request, response) => {
    if (request.url.includes("web.js")) tried.push(request.url);
    if (!isThere) return request.socket.destroy();
    const answer = await fetch(demo.desk + request.url);
    response.writeHead(answer.status, { "Content-Type": answer.headers.get("Content-Type"), "Access-Control-Allow-Origin": "*" });
    return response.end(Buffer.from(await answer.arrayBuffer()));
  });
  try {
    const byLine = address.replace(demo.desk, line.url);
    pages["/unreachable"] = html(tag(demo.url, "data-manual"));
    await page.goto(`${web.url}/unreachable`);
    await here();
    await errors();
    await demo.cli(["messenger", "set", "default", `init_script_url=${byLine}`]);
    await until(page, ([url, src]) => fetch(`${url}/api/v1/messenger?messenger=default`).then((answer) => answer.json()).then((it) => it.init_script_url === src), [demo.url, byLine]);
    await page.evaluate(() => window.Countersign.start());
    await told("messenger_not_loaded");
    isThere = true;
    // What Firefox keeps: the same address again fails without a request.
    const again = await page.evaluate((src) => new Promise((done) => {
      const script = Object.assign(document.createElement("script"), { type: "module", src });
      script.onload = () => done("loaded");
      script.onerror = () => done("failed");
      document.head.append(script);
    }), byLine);
    assert.equal(again, "failed");
    assert.equal(await chat(), "unconfirmed");
    // Firefox itself asks some times more where a connection ends without an answer.
    const [first, ...others] = new Set(tried);
    assert.equal(line.url + first, byLine);
    assert.match(others.at(-1), /web\.js\?try=\d+$/);
  } finally {
    await demo.cli(["messenger", "set", "default", `init_script_url=${address}`]);
    await line.stop();
  }
});

// --- What the page draws -------------------------------------------------------------------------------------------

test("links that are drawn later are shown and hidden like the others, and lead to the page of the click", async () => {
  pages["/drawn"] = html(`<div id="menu"></div>${tag(demo.url)}`);
  await page.goto(`${web.url}/drawn`);
  await known();
  const draw = () => page.evaluate(() => {
    document.querySelector("#menu").innerHTML = '<a data-countersign-sign-in href="#">Sign in</a><button data-countersign-sign-out="auto" hidden>Sign out</button>';
  });
  /** Which of the two is hidden. */
  const hidden = () => page.evaluate(() => [...document.querySelectorAll("#menu > *")].map((element) => element.hidden));
  await draw();
  assert.deepEqual(await hidden(), [false, true]);
  await page.evaluate(() => {
    history.pushState({}, "", "/drawn?later");
    document.addEventListener("click", (event) => { event.preventDefault(); window.led = event.target.href; });
  });
  await page.click("[data-countersign-sign-in]");
  assert.equal(await page.evaluate(() => window.led), `${demo.url}/login?next=${encodeURIComponent(`${web.url}/drawn?later`)}`);
  await signInAs("ana");
  await settled();
  await draw();
  assert.deepEqual(await hidden(), [true, false]);
});

// --- Frames --------------------------------------------------------------------------------------------------------

test("in a frame of another site the page is told why it knows nobody, and a code is refused at once, unspent", async () => {
  await framed(demo, web.url, pages);
  await signInAs("ana");
  await page.goto(`${elsewhere(web.url)}/outer`, { waitUntil: "domcontentloaded" });
  for (const name of ["/inner", "/inner-code"]) {
    const frame = await page.waitForFrame(`${web.url}${name}`);
    await until(frame, () => window.told?.length);
    assert.deepEqual([await frame.evaluate(() => window.told), await offered(frame)], [["cookie_not_sent"], undefined], name);
  }
  // Alone, the same page has its session by the same code.
  await signOutThere();
  await page.goto(`${web.url}/inner-code`);
  await known();
  assert.equal(named(await offered()), "framed@example.com");
});
