// Pages as websites have them today, and what happens in them, for the tests of both browsers. What runs in a page takes
// a `tab` of either driver, because both have `goto()` and `evaluate()`.

import assert from "node:assert/strict";
import { html, tag } from "./pages.js";

export const ADDRESS = { ana: "ana@example.com", bora: "bora@example.com" };
/** Whom a token names. */
export const named = (token) => (token ? JSON.parse(Buffer.from(token.split(".")[1], "base64url")).email : undefined);

/** Waits until this holds in the page: a function that answers no element, which drivers hand over in their own ways. */
export async function until(tab, holds, argument) {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    if (await tab.evaluate(holds, argument)) return;
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
  assert.fail(`waited in vain for ${holds}`);
}

/** From now on the page writes down whom it shows and whom it offers, at every moment that it can be asked. */
export const watch = (tab) => tab.evaluate(() => {
  window.watched = [];
  window.shown = () => document.body?.querySelector("h1")?.textContent;
  (function look() {
    window.watched.push([window.shown(), window.DpMessengerOptions?.signedUserInfo]);
    setTimeout(look, 1);
  })();
});
/** What it has written down: "shown: address" for each pair. */
export async function watched(tab) {
  const pairs = await tab.evaluate(() => window.watched);
  return new Set(pairs.filter(([, token]) => token).map(([shown, token]) => `${shown}: ${named(token)}`));
}

// --- A script that runs again in a page that lives on -------------------------------------------------------------

const shownBy = (url) => url.searchParams.get("as") ?? "";
const says = (url) => url.searchParams.has("says");

/** A page that shows a user, and says so in `data-user` where its address has `says`. */
export function app(accounts, url, extra = "", attributes = "") {
  const who = shownBy(url);
  return `<h1>${who || "nobody"}</h1><a href="?">x</a>${extra}${tag(accounts, `${says(url) ? `data-user="${who}"` : ""} ${attributes}`)}`;
}

const TURBO = '<script src="/turbo.js"></script>';
const turboVisit = (tab, url) => tab.evaluate((url) => new Promise((done) => {
  document.addEventListener("turbo:load", done, { once: true });
  window.Turbo.visit(url);
}), url);

/** By framework: the page as its server makes it, and how its visitor comes to another page. */
export const FRAMEWORKS = {
  // Turbo as Rails ships it: the tag in the layout's body, the body replaced.
  turbo: { made: (accounts, url) => html(app(accounts, url), TURBO), visit: turboVisit },
  // The tag in the head, as many layouts have it: Turbo adds a tag with other attributes and leaves the old one.
  "turbo with the tag in the head": {
    made: (accounts, url) => html(`<h1>${shownBy(url) || "nobody"}</h1>`,
      `${TURBO}${tag(accounts, says(url) ? `data-user="${shownBy(url)}"` : `data-messenger="default" data-page="${shownBy(url)}"`)}`),
    visit: turboVisit,
  },
  htmx: {
    made: (accounts, url) => html(`<div hx-boost="true">${["ana", "bora", ""].map((who) => `<a href="/htmx?as=${who}${says(url) ? "&says" : ""}">go</a>`)}</div>${app(accounts, url)}`, '<script src="/htmx.js"></script>'),
    visit: (tab, url) => tab.evaluate((url) => new Promise((done) => {
      document.addEventListener("htmx:afterSettle", done, { once: true });
      document.querySelector(`a[href="${url}"]`).click();
    }), url),
  },
  // Livewire's `wire:navigate` and its like: the body's children replaced, scripts in them made anew so that they run.
  "a swap that runs scripts": { made: (accounts, url) => html(app(accounts, url)), visit: (tab, url) => tab.evaluate(swap, [url, true]) },
  // View transitions as Astro makes them: scripts of an address that has run do not run again.
  "a swap that runs none": { made: (accounts, url) => html(app(accounts, url)), visit: (tab, url) => tab.evaluate(swap, [url, false]) },
};

/** Runs in a page: replaces its body by that of another page. */
export async function swap([url, runs]) {
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

/**
 * In one page that is never loaded again: nobody, then ana signs in, then bora in her place, then nobody. Each is offered
 * alone. Returns what each visit has asked Countersign for; `asked` collects it.
 */
export async function threeUsers({ tab, site, pages, accounts, name, says, signInAs, signOutThere, asked }) {
  const { made, visit } = FRAMEWORKS[name];
  const path = `/${name.replaceAll(" ", "-")}`;
  const offered = () => tab.evaluate(() => window.DpMessengerOptions?.signedUserInfo);
  pages[path] = (url) => made(accounts, url);
  await tab.goto(`${site}${path}?as=${says}`);
  await until(tab, () => window.Countersign && window.Countersign.subject !== undefined);
  await watch(tab);
  const requests = [];
  const go = async (who) => {
    const from = asked.length;
    await visit(tab, `${path}?as=${who}${says}`);
    await until(tab, (who) => window.shown() === (who || "nobody"), who);
    // A frame for what the framework does behind its last event.
    await tab.evaluate(() => new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); }));
    for (const end = Date.now() + 10_000; named(await offered()) !== ADDRESS[who] && Date.now() < end;) {
      await tab.evaluate(() => window.Countersign.refresh());
    }
    assert.equal(named(await offered()), ADDRESS[who], `the page of ${who || "nobody"}`);
    const since = () => asked.slice(from).filter((one) => one !== "GET messenger");
    for (const end = Date.now() + 10_000; !since().length && Date.now() < end;) await tab.evaluate(() => {});
    requests.push(since().join(", "));
  };
  await signInAs("ana");
  await go("ana");
  await signOutThere();
  await signInAs("bora");
  await go("bora");
  await signOutThere();
  await go("");
  const pairs = [...await watched(tab)];
  assert.deepEqual(pairs.filter((pair) => !["ana: ana@example.com", "bora: bora@example.com"].includes(pair)), [], "nobody under another's name");
  assert.ok(requests.every((line) => line && line.split(", ").length <= 3), requests.join(" | "));
  return requests;
}

// --- A site's own route, slow and out of order ---------------------------------------------------------------------

/** A site whose users have no password at Countersign: `mint(who)` is the answer of `POST /api/v1/mint`. */
export async function minting(demo, name) {
  const { key } = JSON.parse(await demo.cli(["--json", "api-key", "create", name, "--scope", "users,mint"]));
  return async (who) => (await fetch(`${demo.url}/api/v1/mint`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ external_id: `switch-${who}`, user: { email: `${who}@switch.example`, email_verified: true } }),
  })).json();
}

/**
 * `/switching`, whose route answers after up to 300 ms. Returns a function that changes the user of such a page that many
 * times, at random moments, and ends with mara, who is known then.
 */
export async function switching(demo, pages) {
  const mint = await minting(demo, "switching");
  let signedIn = "";
  pages["/switch-token"] = async () => {
    const who = signedIn;
    const answer = who ? await mint(who) : { token: null };
    await new Promise((resolve) => { setTimeout(resolve, Math.random() * 300); });
    return who ? { body: JSON.stringify(answer), type: "application/json" } : { status: 204 };
  };
  pages["/switching"] = html(`<h1></h1><input aria-label="Note">${tag(demo.url, 'data-token-url="/switch-token" data-user=""')}`);
  const become = (tab, who) => {
    signedIn = who;
    return tab.evaluate((who) => {
      document.querySelector("h1").textContent = who;
      document.querySelector("script[src$='/embed.js']").dataset.user = who && `switch-${who}`;
    }, who);
  };
  const users = ["tom", "mara", "eva"];
  return async (tab, count) => {
    const often = Math.floor(count / 6);
    for (let n = 1; n <= count; n += 1) {
      // Six times somebody stays until they are known, so that there is a token that may be left over.
      const stays = n % often === 0;
      const who = stays ? users[(n / often) % 3] : [...users, ""][Math.floor(Math.random() * 4)];
      await become(tab, who);
      if (stays) await until(tab, () => Boolean(window.DpMessengerOptions?.signedUserInfo));
      else await new Promise((resolve) => { setTimeout(resolve, Math.random() < 0.1 ? 400 : Math.random() * 40); });
    }
    await become(tab, "mara");
    await until(tab, () => Boolean(window.DpMessengerOptions?.signedUserInfo));
  };
}

/** Nobody was offered under another's name, and each was offered at all. */
export async function eachUnderTheirName(tab) {
  const pairs = [...await watched(tab)];
  assert.deepEqual(pairs.filter((pair) => { const [who, email] = pair.split(": "); return email !== `${who}@switch.example`; }), [], "nobody under another's name");
  assert.equal(pairs.length, 3, "each was offered at all");
}

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

/** `/with-worker`, whose service worker answers a second time what it has answered once; `minted` is for the site's own route. */
export function withWorker(accounts, pages, attributes) {
  const worker = { minted: null };
  pages["/worker.js"] = { body: WORKER, type: "text/javascript" };
  pages["/chat-token"] = () => ({ body: JSON.stringify(worker.minted ?? {}), type: "application/json" });
  pages["/with-worker"] = html(`<h1>x</h1><button data-countersign-sign-out>Sign out</button>${tag(accounts, `${attributes} data-manual`)}
    <script>navigator.serviceWorker.register("/worker.js"); window.isReady = navigator.serviceWorker.ready.then(() => new Promise((done) => { navigator.serviceWorker.controller ? done() : navigator.serviceWorker.addEventListener("controllerchange", done); }));</script>`);
  return worker;
}

// --- Clocks, tracing, policies, scripts of others ------------------------------------------------------------------

/**
 * Runs in a page, with the time of a right clock: its `getToken` answers as the site's own server does, the token alone,
 * of ten minutes, a new one at each call.
 */
export function startBare(begin) {
  window.calls = 0;
  window.Countersign.start({ getToken: () => {
    window.calls += 1;
    const iat = begin + Math.floor(performance.now() / 1000) - 60;
    return `e30.${btoa(JSON.stringify({ iat, exp: iat + 660, email: "ana@example.com" }))}.x`;
  } });
}

/** A page whose tracing library adds its headers to every request to Countersign. */
export const traced = (accounts) => html(tag(accounts), `<script>
  const ask = window.fetch;
  window.fetch = (url, init = {}) => ask(url, !String(url).startsWith("${accounts}") ? init : { ...init, headers: { ...init.headers, "sentry-trace": "1-2-3", baggage: "a=b", traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" } });
</script>`);

/** `/trusted`, whose policy names ours, and `/trusted-others`, whose policy does not. The stand-in's own scripts need none. */
export function trusted(accounts, pages) {
  const policy = (name) => ({ "Content-Security-Policy": `require-trusted-types-for 'script'; trusted-types ${name}` });
  pages["/trusted"] = { body: html(tag(accounts)), headers: policy("countersign") };
  pages["/trusted-others"] = { body: html(tag(accounts, "data-manual")), headers: policy("other") };
}

/** `/module` and `/unmarked`, where our script is a module beside a vendor's of the same name. */
export function besideVendor(accounts, pages) {
  pages["/vendor/embed.js"] = { body: "window.vendor = true;", type: "text/javascript" };
  const vendor = '<script src="/vendor/embed.js" data-messenger="theirs"></script>';
  pages["/module"] = html(`${vendor}<script type="module" src="${accounts}/embed.js" data-countersign></script>`);
  pages["/unmarked"] = html(`${vendor}<script type="module" src="${accounts}/embed.js"></script>`);
}

/** Writes down the codes of errors from the first. */
const TELL = '<script>document.addEventListener("countersign:error", ({ detail }) => { (window.told ??= []).push(detail.code); });</script>';

/** A page that has Deskpro's own snippet, too, which opens the chat at once. */
export const besideTheirs = (accounts, snippet) =>
  html(`<script>window.DpMessengerOptions = { openOnInit: true };</script>${snippet}${TELL}${tag(accounts)}`);

/** `/outer` with `/inner` and `/inner-code` of `site` in frames; the code is for a user of its own. */
export async function framed(demo, site, pages) {
  const { key } = JSON.parse(await demo.cli(["--json", "api-key", "create", "framed", "--scope", "users,handovers"]));
  const made = await fetch(`${demo.url}/api/v1/handovers`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ external_id: "F-1", origin: site, user: { email: "framed@example.com", email_verified: true } }),
  });
  const { code } = await made.json();
  pages["/inner"] = html(TELL + tag(demo.url));
  pages["/inner-code"] = html(TELL + tag(demo.url, `data-code="${code}"`));
  pages["/outer"] = html(`<iframe src="${site}/inner"></iframe><iframe src="${site}/inner-code"></iframe>`);
}
