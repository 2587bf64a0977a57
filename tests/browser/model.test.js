// The helper as a machine: its source runs here against a world that is all made up (clock, network, storage, page,
// Messenger, server), through 10,000 random sequences of everything that can happen to a page. After every step:
//
//   1 the token that is offered is of nobody else than the page shows, and of nobody who signed out on this page
//   2 it is not past its life, by the server's clock, whatever the visitor's says
//   3 at most one question is under way
//   4 nothing is sent, and no storage read, before the page is seen and the Messenger is wanted, but for a sign-out
//   5 no sign-in ends but by a sign-out, or by a fresh page or a start that shows somebody else
//   6 the Messenger never gets a token while another person's chat is open
//
// A sequence that fails is told by its number: MODEL_SEED=number runs it alone.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import vm from "node:vm";

const source = new vm.Script(await readFile(new URL("../../static/embed.js", import.meta.url), "utf8"), { filename: "embed.js" });
const SEQUENCES = Number(process.env.MODEL_SEQUENCES ?? 10_000);
const STEPS = 16;
const LIFE = 60; // seconds of a token
const USERS = ["tom", "mara", "eva"];
const ACCOUNTS = "https://accounts.example.com";

/** Numbers that come again for the same seed (mulberry32). */
function numbers(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { next, below: (n) => Math.floor(next() * n), of: (list) => list[Math.floor(next() * list.length)], is: (chance) => next() < chance };
}

class World {
  constructor(seed) {
    this.random = numbers(seed);
    const { random } = this;
    this.steady = 0; // milliseconds
    this.skew = random.of([0, 0, 3_600_000, -3_600_000, 86_400_000, -86_400_000]); // the visitor's clock
    this.timers = [];
    this.storage = new Map();
    this.log = [];
    this.session = random.of([null, ...USERS]); // at Countersign or at the site: whom the server takes the browser for
    this.begins = 0; // of sign-ins
    this.isDown = false;
    this.replays = false; // a service worker answers what it has
    this.kept = []; // answers that it has
    this.way = random.of(["session", "session", "route", "function"]);
    this.says = random.is(0.6); // whether pages say whom they show
    this.load = random.of([undefined, undefined, "consent"]);
    this.chat = null; // whose chat the Messenger has, in its own storage
    this.mayEnd = null;
    this.signedOutAt = -Infinity;
    // What the helper did wrong: an error thrown where it calls would look to it like a network that fails.
    this.errors = [];
    this.open();
  }
  ensure(holds, what) { if (!holds) this.errors.push(what); }

  get server() { return 1_800_000_000 + Math.floor(this.steady / 1000); } // seconds

  // --- time ---
  later(work, wait) {
    const timer = { at: this.steady + Math.max(0, wait), work, page: this.page };
    this.timers.push(timer);
    return timer;
  }
  async run(milliseconds) {
    const end = this.steady + milliseconds;
    for (;;) {
      await flush();
      const due = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers.splice(this.timers.indexOf(due), 1);
      this.steady = Math.max(this.steady, due.at);
      due.work();
      await flush();
      this.check();
    }
    this.steady = end;
    await flush();
    this.check();
  }

  // --- the network ---
  answer(url, init) {
    const { pathname, searchParams } = new URL(url);
    const method = init.method ?? "GET";
    if (pathname === "/api/v1/messenger") return { status: 200, body: this.messenger() };
    if (pathname === "/api/v1/session") {
      this.session = null;
      return { status: 204, body: null };
    }
    const isOwn = pathname === "/api/v1/token";
    if (this.replays && this.kept.length && method === "GET") return { ...this.random.of(this.kept), isReplayed: true };
    const shown = searchParams.get("shown");
    if (!this.session) return { status: 204, body: null, code: "signed_out" };
    if (isOwn && shown !== null && shown !== this.session) return { status: 204, body: null, code: "other_user" };
    const made = { status: 200, body: { ...this.token(this.session), ...(isOwn ? { nonce: searchParams.get("nonce") } : { external_id: this.session }) } };
    this.kept.push(made);
    return made;
  }
  messenger() {
    return { id: "default", init_script_url: "https://desk.example.com/web.js", deskpro_url: "https://desk.example.com/d", messenger_id: "M1", options: {}, anonymous: "allow" };
  }
  token(user) {
    const iat = this.server - 60;
    const claims = { iat, exp: this.server + LIFE, email: `${user}@example.com`, begin: this.begins };
    return {
      token: `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`, expires_in: LIFE, expires_at: claims.exp, refresh_in: LIFE * 0.8,
      server_time: this.server, subject: `s-${user}`, messenger: this.messenger(),
    };
  }
  fetch(url, init = {}) {
    const page = this.page;
    const isQuestion = (init.method ?? "GET") === "GET" && !url.includes("/api/v1/messenger");
    if (init.method !== "DELETE") this.ensureWanted(`fetch ${url}`);
    if (init.method === "DELETE") {
      this.ensure(page.allowed || page.signOuts > 0 || this.steady - this.signedOutAt < 20_000, "5: a sign-in was ended by looking");
      // The pages after it may repeat it: it may have been lost with its page.
      this.signedOutAt = this.steady;
    }
    let asked;
    if (isQuestion) {
      page.questions += 1;
      // A function of the page that takes too long cannot be stopped, only given up.
      this.ensure(page.questions <= 1 || this.way === "function", "3: two questions at once");
      page.allowed = this.mayEnd;
      asked = this.mayEnd;
    }
    return new Promise((resolve, reject) => {
      // The server sees it at one moment, the page its answer at a later one.
      const there = this.random.below(2000);
      this.later(() => {
        const answered = this.isDown ? null : this.answer(url, init);
        this.later(() => {
          if (isQuestion) {
            page.questions -= 1;
            if (answered && !answered.isReplayed) page.answered = asked;
          }
          // One that did not come is sent again.
          if (!answered && init.method === "DELETE") this.mayEnd ??= page.allowed;
          if (!answered) return reject(new TypeError("Failed to fetch"));
          const { status, body, code } = answered;
          return resolve({
            status, ok: status < 300, headers: { get: (name) => ({ "Content-Type": body ? "application/json" : null, "X-Countersign-Code": code ?? null })[name] ?? null },
            json: async () => structuredClone(body),
          });
        }, this.random.below(2000));
      }, there);
    });
  }
  ensureWanted(what) {
    const { page } = this;
    if (page.isNever) return;
    this.ensure(!page.prerendering && page.agreed !== false && (this.load !== "consent" || page.agreed), `4: ${what} before it was wanted`);
  }

  // --- the page ---
  open({ prerendered = false, user = this.session ?? "", fresh = true } = {}) {
    const world = this;
    for (const timer of this.timers.filter((timer) => timer.page)) if (timer.page === this.page) timer.work = () => {};
    const page = this.page = { questions: 0, prerendering: prerendered, agreed: undefined, shown: this.says ? user : undefined, gone: -1, allowed: false, signOuts: 0, observers: [], ready: false };
    // Of the site's own route a page that was loaded anew cannot know how old an answer is.
    if (this.way !== "session") this.kept = [];
    // A fresh page that shows somebody else than is signed in ends that sign-in; this is the only one that may.
    this.mayEnd = fresh && !prerendered && this.says ? {} : null;
    const events = (target) => {
      const listeners = {};
      target.addEventListener = (type, listener, how) => { (listeners[type] ??= []).push({ listener, once: how?.once }); };
      target.dispatchEvent = (event) => {
        for (const one of [...(listeners[event.type] ?? [])]) {
          if (one.once) listeners[event.type].splice(listeners[event.type].indexOf(one), 1);
          one.listener.call(target, event);
        }
      };
      return target;
    };
    class HTMLScriptElement {}
    const script = () => Object.assign(events(new HTMLScriptElement()), { dataset: {}, src: "", remove() {} });
    const tag = () => Object.assign(script(), { src: `${ACCOUNTS}/embed.js`, dataset: page.attributes() });
    page.attributes = () => ({
      ...(world.way === "route" && { tokenUrl: "https://www.example.com/chat-token" }), ...(world.load && { load: world.load }),
      ...(page.shown !== undefined && { user: page.shown }),
    });
    const document = events({
      currentScript: null, head: { append: (element) => world.module(element) }, documentElement: {}, body: { append() {} }, visibilityState: "visible", readyState: "complete",
      get prerendering() { return page.prerendering; },
      querySelectorAll: (selector) => (selector.startsWith("script[src") ? page.tags : []),
      querySelector: () => null, getElementById: () => null,
      createElement: () => script(),
    });
    class Event { constructor(type, how) { Object.assign(this, { type }, how); } }
    const window = events({
      document, HTMLScriptElement, CustomEvent: Event, URL, URLSearchParams, TextDecoder, Uint8Array, atob, Number, Math,
      console: { warn() {}, error(error) { throw error; } },
      Date: { now: () => world.server * 1000 + (world.steady % 1000) + world.skew },
      performance: { now: () => world.steady, getEntriesByType: () => [{ type: fresh ? "navigate" : "back_forward", transferSize: 300 }] },
      setTimeout: (work, wait, ...args) => world.later(() => work(...args), wait),
      clearTimeout: (timer) => { world.timers = world.timers.filter((one) => one !== timer); },
      AbortSignal: {}, BroadcastChannel: class { postMessage() {} addEventListener(type, listener) { page.channel = listener; } },
      MutationObserver: class { constructor(work) { page.observers.push(work); } observe() {} },
      location: { origin: "https://www.example.com", href: "https://www.example.com/", reload: () => { page.isReloading = true; } },
      localStorage: {
        getItem: (name) => { world.ensureWanted("storage"); return world.storage.get(name) ?? null; },
        setItem: (name, value) => world.storage.set(name, String(value)),
        removeItem: (name) => world.storage.delete(name),
      },
      fetch: (url, init) => world.fetch(String(url), init),
    });
    window.window = window.top = window;
    Object.assign(page, { window, document, tags: [] });
    if (world.way === "function") {
      window.CountersignOptions = { getToken: async () => {
        const { status, body } = await (await world.fetch("https://www.example.com/function")).json().then((body) => ({ status: 200, body }), () => ({ status: 204 }));
        return status === 200 && body ? body.token : null;
      } };
    }
    page.context = vm.createContext(window);
    page.run = () => {
      const made = tag();
      page.tags = [made];
      document.currentScript = made;
      source.runInContext(page.context);
      document.currentScript = null;
      page.observers.forEach((look) => look());
    };
    page.run();
  }

  /** Deskpro's module, as the stand-in is. */
  module(element) {
    this.ensureWanted("Deskpro's module");
    const { page, random } = this;
    const comes = random.is(0.8);
    this.later(() => {
      if (comes) {
        page.window.DpMessengerConnection = {
          parentMethods: { getSignedUserInfo: async () => page.window.DpMessengerOptions?.signedUserInfo },
          childMethods: {
            init: async (id, how) => { this.ensure(id === "M1" && how, "init takes an id and an object"); await this.pull(page); },
            logout: async (id) => { this.ensure(id === "M1", "logout takes an id"); this.chat = null; },
          },
        };
        page.ready = true;
        // The visitor has it open.
        this.later(() => { this.pull(page); }, random.below(5000));
      }
      element.dispatchEvent({ type: comes ? "load" : "error" });
    }, random.below(3000));
  }
  async pull(page = this.page) {
    const token = await page.window.DpMessengerConnection?.parentMethods.getSignedUserInfo("M1");
    if (page !== this.page || !token) return;
    const { email } = claimsOf(token);
    this.ensure(this.chat === null || this.chat === email, `6: ${email} in the chat of ${this.chat}`);
    this.chat = email;
  }

  // --- what must always be so ---
  check() {
    const { page } = this;
    assert.deepEqual(this.errors, []);
    // An answer uses it up, unless it was dropped and asked for again.
    if (page.questions === 0 && page.answered && page.answered === this.mayEnd) this.mayEnd = null;
    if (page.isReloading) return;
    const token = page.window.DpMessengerOptions?.signedUserInfo;
    if (token === undefined) return;
    const { email, exp, begin } = claimsOf(token);
    if (page.shown !== undefined && this.way !== "function") assert.equal(email, `${page.shown}@example.com`, "1: the page shows somebody else");
    assert.ok(this.server <= exp, `2: past its life by ${this.server - exp} s`);
    assert.ok(begin > page.gone, "1: of somebody who has signed out on this page");
  }

  // --- what can happen ---
  async step() {
    const { random, page } = this;
    const { Countersign } = page.window;
    const quietly = (work) => { Promise.resolve(work).catch(() => {}); };
    const dispatch = (target, type, how) => target.dispatchEvent({ type, ...how });
    const happen = {
      signsInElsewhere: () => { this.session = random.of(USERS); this.begins += 1; },
      signsOutElsewhere: () => { this.session = null; },
      signsOut: () => {
        this.signedOutAt = this.steady;
        page.gone = this.begins;
        if (this.way !== "session") this.session = null; // the site's own way out
        this.begins += 1;
        page.signOuts += 1;
        quietly(Countersign.signOut().finally(() => { page.signOuts -= 1; }));
      },
      otherTab: () => { page.channel?.({ data: { type: "signed-out" } }); },
      showsAnother: () => {
        if (!this.says) return;
        page.shown = random.of(["", ...USERS]);
        this.mayEnd = {};
        page.tags = [Object.assign(page.tags[0], { dataset: page.attributes() })];
        if (random.is(0.5)) page.observers.forEach((look) => look());
        else quietly(Countersign.start());
      },
      runsAgain: () => { page.run(); },
      bodySwapped: () => { page.document.body = { append() {} }; page.observers.forEach((look) => look()); },
      focus: () => dispatch(page.window, "focus"),
      online: () => dispatch(page.window, "online"),
      restored: () => {
        page.document.visibilityState = "visible";
        dispatch(page.window, "pageshow", { persisted: true });
        assert.equal(page.window.DpMessengerOptions?.signedUserInfo, undefined, "1: offered on a page out of a memory, before it was asked");
      },
      hidden: () => { page.document.visibilityState = random.of(["hidden", "visible"]); dispatch(page.document, "visibilitychange"); },
      resume: () => dispatch(page.document, "resume"),
      seen: () => { if (page.prerendering) { page.prerendering = false; dispatch(page.document, "prerenderingchange"); } },
      consent: () => { page.agreed = true; quietly(Countersign.consent()); },
      withdraw: () => { page.agreed = false; page.shown = this.says ? page.shown : undefined; quietly(Countersign.withdraw()); },
      refresh: () => quietly(Countersign.refresh()),
      token: () => quietly(Countersign.token()),
      asks: () => quietly(this.pull()),
      down: () => { this.isDown = random.is(0.5); },
      replays: () => { this.replays = random.is(0.5); },
      clockSet: () => { this.skew += random.of([-3_600_000, 3_600_000, -20_000, 20_000, -86_400_000]); },
      sleeps: () => { this.steady += random.below(7_200_000); },
      navigates: () => this.open({ prerendered: random.is(0.3), user: random.is(0.8) ? this.session ?? "" : random.of(["", ...USERS]), fresh: random.is(0.7) }),
    };
    const name = random.of(Object.keys(happen));
    this.log.push(name);
    happen[name]();
    this.check();
    if (random.is(0.5)) quietly(this.pull());
    await this.run(random.of([0, 5, 900, 4000, 30_000, 90_000]));
    if (this.page.isReloading) this.open({ user: this.session ?? "" });
  }
}

const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
const flush = () => new Promise((resolve) => { setImmediate(resolve); });

test(`${SEQUENCES} random sequences keep every promise`, async () => {
  const seeds = process.env.MODEL_SEED ? [Number(process.env.MODEL_SEED)] : Array.from({ length: SEQUENCES }, (_, number) => number);
  const met = new Map();
  let offered = 0;
  for (const seed of seeds) {
    const world = new World(seed);
    const unhandled = [];
    const note = (error) => unhandled.push(error);
    process.on("unhandledRejection", note);
    try {
      await world.run(10_000);
      for (let step = 0; step < STEPS; step += 1) {
        await world.step();
        if (world.page.window.DpMessengerOptions?.signedUserInfo) offered += 1;
      }
      await flush();
      if (unhandled.length) throw unhandled[0];
    } catch (error) {
      throw new Error(`MODEL_SEED=${seed} (${world.way}, says ${world.says}, load ${world.load}): ${world.log.join(", ")}: ${error.message}`, { cause: error });
    } finally {
      process.off("unhandledRejection", note);
    }
    for (const name of world.log) met.set(name, (met.get(name) ?? 0) + 1);
  }
  console.log(`${seeds.length} sequences, ${[...met.values()].reduce((sum, n) => sum + n, 0)} events of ${met.size} kinds; a token was offered after ${offered} of them`);
  if (seeds.length > 1) assert.ok(met.size >= 20 && offered > seeds.length, "it was not all quiet");
});
