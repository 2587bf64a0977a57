// Pages as they are today: bodies that change without a load, pages that run before they are seen, service workers,
// blocked storage, wrong clocks, tracing, policies. In none of them is another person's token offered, and nobody is
// signed out because somebody looked at a page.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch, visitor } from "./support/browser.js";
import { fillIn, launcher, openChat, seen } from "./support/pages.js";
import { DEMO_PASSWORD, startDemo } from "./support/program.js";
import { elsewhere } from "./support/sites.js";
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
/** Whom a token names. */
const named = (token) => (token ? JSON.parse(Buffer.from(token.split(".")[1], "base64url")).email : undefined);
/** Whether somebody is still signed in at Countersign. */
async function isSignedIn() {
  const account = await person.newPage();
  await account.goto(`${demo.url}/account`);
  const is = new URL(account.url()).pathname === "/account";
  await account.close();
  return is;
}
/** From now on the page writes down whom it shows and whom it offers, at every moment that it can be asked. */
const watch = (tab = page) => tab.evaluate(() => {
  window.watched = [];
  window.shown = () => document.body?.querySelector("h1")?.textContent;
  (function look() {
    window.watched.push([window.shown(), window.DpMessengerOptions?.signedUserInfo]);
    setTimeout(look, 1);
  })();
});
const watched = async () => {
  const pairs = await page.evaluate(() => window.watched);
  return new Set(pairs.filter(([, token]) => token).map(([shown, token]) => `${shown}: ${named(token)}`));
};
const errors = (tab = page) => tab.evaluate(() => { window.told = []; window.Countersign.on("error", ({ code }) => window.told.push(code)); });

const ADDRESS = { ana: "ana@example.com", bora: "bora@example.com" };

// --- A script that runs again in a page that lives on -------------------------------------------------------------

const app = (url, extra = "", attributes = "") => {
  const who = url.searchParams.get("as") ?? "";
  const user = url.searchParams.has("says") ? `data-user="${who}"` : "";
  return `<h1>${who || "nobody"}</h1><a href="?">x</a>${extra}${tag(demo.url, `${user} ${attributes}`)}`;
};
const FRAMEWORKS = {
  // Turbo as Rails ships it: the tag in the layout's body, the body replaced.
  turbo: {
    page: (url) => html(app(url), '<script src="/turbo.js"></script>'),
    visit: (url) => page.evaluate((url) => new Promise((done) => {
      document.addEventListener("turbo:load", done, { once: true });
      window.Turbo.visit(url);
    }), url),
  },
  // The tag in the head, as many layouts have it: Turbo adds a tag with other attributes and leaves the old one.
  "turbo with the tag in the head": {
    page: (url) => html(`<h1>${url.searchParams.get("as") || "nobody"}</h1>`,
      `<script src="/turbo.js"></script>${tag(demo.url, url.searchParams.has("says") ? `data-user="${url.searchParams.get("as") ?? ""}"` : `data-messenger="default" data-page="${url.searchParams.get("as")}"`)}`),
    visit: (url) => page.evaluate((url) => new Promise((done) => {
      document.addEventListener("turbo:load", done, { once: true });
      window.Turbo.visit(url);
    }), url),
  },
  htmx: {
    page: (url) => html(`<div hx-boost="true">${["ana", "bora", ""].map((who) => `<a href="/htmx?as=${who}${url.searchParams.has("says") ? "&says" : ""}">go</a>`)}</div>${app(url)}`, '<script src="/htmx.js"></script>'),
    visit: (url) => page.evaluate((url) => new Promise((done) => {
      document.addEventListener("htmx:afterSettle", done, { once: true });
      document.querySelector(`a[href="${url}"]`).click();
    }), url),
  },
  // Livewire's `wire:navigate` and its like: the body's children replaced, scripts in them made anew so that they run.
  "a swap that runs scripts": { page: (url) => html(app(url)), visit: (url) => page.evaluate(swap, [url, true]) },
  // View transitions as Astro makes them: scripts of an address that has run do not run again.
  "a swap that runs none": { page: (url) => html(app(url)), visit: (url) => page.evaluate(swap, [url, false]) },
};
async function swap([url, runs]) {
  const fresh = new DOMParser().parseFromString(await (await fetch(url)).text(), "text/html");
  history.pushState({}, "", url);
  const body = document.adoptNode(fresh.body);
  if (runs) {
    for (const old of body.querySelectorAll("script")) {
      const made = document.createElement("script");
      for (const { name, value } of old.attributes) made.setAttribute(name, value);
      old.replaceWith(made);
    }
  }
  document.startViewTransition ? await document.startViewTransition(() => document.body.replaceWith(body)).updateCallbackDone : document.body.replaceWith(body);
}

for (const [name, { page: made, visit }] of Object.entries(FRAMEWORKS)) {
  const path = `/${name.replaceAll(" ", "-")}`;
  for (const says of ["", "&says"]) {
    test(`${name}, ${says ? "the page says whom it shows" : "the page says nothing"}: each user is offered alone`, async () => {
      pages[path] = made;
      await page.goto(`${web.url}${path}?as=${says}`);
      await known();
      await watch();
      const requests = [];
      const go = async (who) => {
        asked.length = 0;
        await visit(`${path}?as=${who}${says}`);
        await page.waitForFunction((who) => window.shown() === (who || "nobody"), who);
        // A frame for what the framework does behind its last event.
        await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); }));
        const expected = ADDRESS[who];
        for (const end = Date.now() + 10_000; named(await offered()) !== expected && Date.now() < end;) await settled();
        requests.push(asked.filter((one) => one !== "GET messenger").join(", "));
      };
      await signInAs("ana");
      await go("ana");
      assert.equal(named(await offered()), ADDRESS.ana, "an anonymous page learns who has come");
      await signOutThere();
      await signInAs("bora");
      await go("bora");
      assert.equal(named(await offered()), ADDRESS.bora);
      await signOutThere();
      await go("");
      assert.equal(await offered(), undefined);
      const pairs = await watched();
      assert.deepEqual([...pairs].filter((pair) => !["ana: ana@example.com", "bora: bora@example.com"].includes(pair) && !pair.startsWith("ana: ana")), [],
        "nobody under another's name");
      console.log(`${name}${says}: ${requests.join(" | ")}`);
      assert.ok(requests.every((line) => line.split(", ").length <= 3), requests.join(" | "));
      person.calm();
    });
  }
}

test("a body that was replaced gets the chat back, and an attribute that changes is a start", async () => {
  pages["/swap"] = (url) => html(app(url));
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
  pages["/whose"] = (url) => html(app(url));
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
  pages["/cached"] = (url) => ({ body: html(app(url)), headers: { "Cache-Control": "max-age=600" } });
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
  const key = JSON.parse(await demo.cli(["--json", "api-key", "create", "switching", "--scope", "users,mint"])).key;
  const users = ["tom", "mara", "eva"];
  let signedIn = "";
  const mint = async (who) => (await fetch(`${demo.url}/api/v1/mint`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ external_id: `switch-${who}`, user: { email: `${who}@switch.example`, email_verified: true } }),
  })).json();
  pages["/switch-token"] = async () => {
    const who = signedIn;
    const answer = who ? await mint(who) : { token: null };
    await new Promise((resolve) => { setTimeout(resolve, Math.random() * 300); });
    return who ? { body: JSON.stringify(answer), type: "application/json" } : { status: 204 };
  };
  pages["/switching"] = html(`<h1></h1><input aria-label="Note">${tag(demo.url, 'data-token-url="/switch-token" data-user=""')}`);
  await page.goto(`${web.url}/switching`);
  await known();
  await page.getByLabel("Note").fill("half a sentence");
  await watch();
  for (let n = 0; n < 200; n += 1) {
    signedIn = [...users, ""][Math.floor(Math.random() * 4)];
    await page.evaluate((who) => {
      document.querySelector("h1").textContent = who;
      document.querySelector("script[src$='/embed.js']").dataset.user = who && `switch-${who}`;
    }, signedIn);
    await new Promise((resolve) => { setTimeout(resolve, Math.random() < 0.1 ? 400 : Math.random() * 40); });
  }
  signedIn = "mara";
  await page.evaluate(() => {
    document.querySelector("h1").textContent = "mara";
    document.querySelector("script[src$='/embed.js']").dataset.user = "switch-mara";
  });
  await page.waitForFunction(() => window.DpMessengerOptions?.signedUserInfo);
  assert.equal(named(await offered()), "mara@switch.example");
  const pairs = [...await watched()];
  assert.deepEqual(pairs.filter((pair) => { const [who, email] = pair.split(": "); return email !== `${who}@switch.example`; }), [], "nobody under another's name");
  assert.ok(pairs.length >= 2, "more than one was offered at all");
  assert.equal(await page.getByLabel("Note").inputValue(), "half a sentence");
  assert.equal((await seen(await openChat(page))).state, "confirmed");
});

// --- What a cache has kept -----------------------------------------------------------------------------------------

const WORKER = `
  addEventListener("install", () => skipWaiting());
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  addEventListener("fetch", (event) => {
    if (!/\\/api\\/v1\\/token|\\/chat-token/.test(event.request.url)) return;
    event.respondWith((async () => {
      const cache = await caches.open("answers");
      const known = await cache.match(event.request, { ignoreSearch: true, ignoreVary: true });
      if (known) return known;
      const answer = await fetch(event.request);
      if (answer.status === 200) await cache.put(event.request, answer.clone());
      return answer;
    })());
  });`;

for (const [name, attributes] of [["the session's token", ""], ["the site's own route", 'data-token-url="/chat-token"']]) {
  test(`a service worker that replays earlier answers: ${name}`, async () => {
    let minted = null;
    pages["/worker.js"] = { body: WORKER, type: "text/javascript" };
    pages["/chat-token"] = () => (minted ? { body: JSON.stringify(minted), type: "application/json" } : { body: "{}", type: "application/json", headers: {} });
    pages["/with-worker"] = html(`<h1>x</h1><button data-countersign-sign-out>Sign out</button>${tag(demo.url, `${attributes} data-manual`)}
      <script>navigator.serviceWorker.register("/worker.js"); window.isReady = navigator.serviceWorker.ready.then(() => new Promise((done) => { navigator.serviceWorker.controller ? done() : navigator.serviceWorker.addEventListener("controllerchange", done); }));</script>`);
    await signInAs("ana");
    const account = await person.newPage();
    await account.goto(demo.url);
    minted = await account.evaluate(() => fetch("/api/v1/token").then((answer) => answer.json()));
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
    // As the site's own server answers it, whose clock is right: the token alone, of ten minutes, a new one at each call.
    await page.evaluate((begin) => {
      window.calls = 0;
      window.Countersign.start({ getToken: () => {
        window.calls += 1;
        const iat = begin + Math.floor(performance.now() / 1000) - 60;
        return `e30.${btoa(JSON.stringify({ iat, exp: iat + 660, email: "ana@example.com" }))}.x`;
      } });
    }, Math.floor(Date.now() / 1000));
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
  pages["/traced"] = html(tag(demo.url), `<script>
    const ask = window.fetch;
    window.fetch = (url, init = {}) => ask(url, !String(url).startsWith("${demo.url}") ? init : { ...init, headers: { ...init.headers, "sentry-trace": "1-2-3", baggage: "a=b", traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" } });
  </script>`);
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
  const policy = (more) => ({ "Content-Security-Policy": `require-trusted-types-for 'script'${more}` });
  // The stand-in's own scripts put no text into such places.
  pages["/trusted"] = { body: html(tag(demo.url)), headers: policy("; trusted-types countersign") };
  pages["/trusted-others"] = { body: html(tag(demo.url, "data-manual")), headers: policy("; trusted-types other") };
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
  pages["/vendor/embed.js"] = { body: "window.vendor = true;", type: "text/javascript" };
  const vendor = '<script src="/vendor/embed.js" data-messenger="theirs"></script>';
  pages["/module"] = html(`${vendor}<script type="module" src="${demo.url}/embed.js" data-countersign></script>`);
  pages["/unmarked"] = html(`${vendor}<script type="module" src="${demo.url}/embed.js"></script>`);
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
  pages["/both"] = html(`<script>window.DpMessengerOptions = { openOnInit: true };</script>${theirs}<script>
    document.addEventListener("countersign:error", ({ detail }) => { (window.told ??= []).push(detail.code); });
  </script>${tag(demo.url)}`);
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
  const key = JSON.parse(await demo.cli(["--json", "api-key", "create", "framed", "--scope", "users,handovers"])).key;
  const made = await fetch(`${demo.url}/api/v1/handovers`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ external_id: "F-1", origin: web.url, user: { email: "framed@example.com", email_verified: true } }),
  });
  const { code } = await made.json();
  const tell = '<script>document.addEventListener("countersign:error", ({ detail }) => { (window.told ??= []).push(detail.code); });</script>';
  pages["/inner"] = html(tell + tag(demo.url));
  pages["/inner-code"] = html(tell + tag(demo.url, `data-code="${code}"`));
  pages["/outer"] = html(`<iframe src="${web.url}/inner"></iframe><iframe src="${web.url}/inner-code"></iframe>`);
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
