// Countersign on any page of a website: fetches a token for the user who is signed in, passes it to Deskpro Messenger,
// and keeps it fresh. docs/embed.md explains its use; embed.d.ts contains its types.
//
// It is a state machine with five states. In each state it does only what is listed here:
//
//   waiting   Not started yet: start() was not called, the page is prerendered, the condition of `data-load` is not
//             met, or consent was withdrawn. Sends nothing, reads no storage, offers no token, ends no session.
//             (begun === false)
//   unknown   Started, but the first response has not arrived. Offers no token. (subject === undefined)
//   nobody    Offers no token; the Messenger runs as `anonymous` says. (subject === null; "" if a user is signed in who
//             gets no token: the same, but the page offers the sign-out instead of the sign-in)
//   somebody  Offers the token until it expires, fetches the next after 80 % of its lifetime. (subject is a string)
//   held      Like nobody or somebody, but the state is older than the page's last sleep, or another person's chat
//             may still be here: offers no token until the server was asked or the chat was ended. (held === true)
//
//   event                                              effect
//   the tag runs, runs again, is drawn or changed      start(): reads the attributes again
//   start() with another user                          nobody at once, the chat ends; then asks the server
//   prerenderingchange, idle, click, consent()         waiting → unknown: asks the server
//   pageshow from the browser's memory                 held: asks the server
//   focus, visible, resume, online                     asks if the last response is older than 10 s or a token is due
//   pagehide, freeze, hidden                           none; timers stop, so the token's age is checked when it is read
//   a response: fresh                                  somebody or nobody; for another user the chat ends first
//   a response: late (from before a start or sign-out) dropped
//   a response: seen before                            its lifetime starts at the first; if its user left: stale
//   no response                                        asks again after 1, 2, 4 … 60 s; offers the unexpired token
//   signOut(), here or in another tab                  nobody at once; asks nothing until the session has ended
//   withdraw()                                         → waiting: the chat ends, nothing of it stays
//   storage, channel or policy missing or throwing     everything else continues without it
//
// Only two events may end a session that another user has started: a page that was loaded over the network for this
// visit and shows another user (`data-user`), and start() with another user. A page that is shown again ends no session.
(() => {
  "use strict";

  const isOurs = (element) => element instanceof HTMLScriptElement && /\/embed\.js(\?|$)/.test(element.src);
  // A module does not know its own tag, any element of the page may be named `currentScript`, and other scripts may
  // have this file name, too: then the tag with the mark is ours.
  let tag = isOurs(document.currentScript) ? document.currentScript : [...document.querySelectorAll("script[data-countersign]")].findLast(isOurs);
  if (!tag) {
    console.error("Countersign: add data-countersign to the script tag of /embed.js");
    return;
  }
  // Only one instance runs in a page, even if the tag is drawn several times.
  if (window.Countersign) {
    document.dispatchEvent(new CustomEvent("countersign:tag", { detail: tag }));
    return;
  }
  const base = tag.src.replace(/(\/assets\/[^/]+)?\/embed\.js.*$/, "");
  const listeners = {};
  const ENDING = "countersign:ending";
  const NOBODY = [undefined, "signed_out", "cookie_not_sent", "other_user"];

  // Notifies other tabs of this origin, if the browser allows it.
  let shared;
  // The options of the last call of start().
  let given = {};
  // The attributes, as last read.
  let read;
  // The page's settings, once start() was called.
  let settings = null;
  // Whether requests may be sent and tokens offered.
  let begun = false;
  // The turn in which the session of a user different from the one the page shows may be ended.
  let mayEnd = null;
  // The messenger, as the server describes it.
  let info = null;
  // The token, with the time of its response.
  let current = null;
  // Who is signed in: a string, empty for a user who gets no token; null if no user is; undefined until it is known.
  let subject;
  // Whether the token is withheld until it is known to be the right one.
  let held = false;
  // The Messenger's script, once it is in the page.
  let running = null;
  // Whether it has loaded, without another person's chat.
  let ready = false;
  // Whether the visitor is waiting for it to open.
  let opens = false;
  // How often it failed to load.
  let tries = 0;
  // The request under way.
  let asking = null;
  // When the last request ended.
  let asked = -Infinity;
  let failures = 0, refusals = 0;
  // Counts starts and sign-outs: a response to a request from before one of them is dropped.
  let turn = 0;
  // How many users have left this page.
  let left = 0;
  let timer;
  // Responses of the site's own route or function: when each token was first seen.
  const seen = new Map();

  // The computer may have slept, or its clock may have been set: the longer of the two measured times is used.
  const now = () => ({ wall: Date.now(), steady: performance.now(), turn, left });
  const since = (then) => Math.max(Date.now() - then.wall, performance.now() - then.steady) / 1000;
  const life = () => (current?.at.turn === turn ? current.expiresIn - since(current.at) : 0);
  const fresh = () => (!held && life() > 1 ? current.token : undefined);

  function emit(type, detail = {}) {
    for (const listener of listeners[type] ?? []) {
      try { listener(detail); } catch (error) { console.error(error); }
    }
    document.dispatchEvent(new CustomEvent(`countersign:${type}`, { detail }));
  }

  class Failure extends Error {
    constructor(code, message, wait = 0) {
      super(message);
      Object.assign(this, { name: "CountersignError", code, wait });
    }
  }
  const notSent = () => new Failure("cookie_not_sent", "the browser sends no cookie to another site: serve Countersign from a subdomain of this site, or use data-token-url", -1);
  /** A cached response, above all from a site's own service worker, does not say who is signed in now. */
  const stale = (who) => new Failure("stale_answer", `an old response of ${who} came from a cache or service worker`);

  async function request(url, init) {
    let answer;
    try {
      answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout?.(10_000), ...init });
    } catch (error) {
      throw new Failure("network", `${new URL(url, location.href).origin} could not be reached: ${error.message}`);
    }
    const json = /\bjson\b/.test(answer.headers.get("Content-Type") ?? "");
    const body = json ? await answer.json().catch(() => null) : null;
    // A site's own 401 gives no reason; ours does, and only `signed_out` and its like mean that no user is signed in.
    const isNobody = answer.status === 401 && NOBODY.includes(body?.code);
    if (answer.ok || isNobody) return { status: answer.status, body, code: answer.headers.get("X-Countersign-Code") ?? body?.code };
    const code = body?.code ?? (answer.status === 429 ? "too_many_requests" : answer.status >= 500 ? "unavailable" : "refused");
    const wait = [401, 403].includes(answer.status) ? -1 : Number(answer.headers.get("Retry-After")) || 0;
    const failure = new Failure(code, body?.detail ?? `the server returned ${answer.status}`, wait);
    // Only the refusal of a user's token names a claim as its cause, or null.
    if (body?.claim !== undefined) failure.who = "";
    // The user may become known soon.
    failure.again = Number(body?.refresh_in) || null;
    throw failure;
  }

  const describe = () => request(`${base}/api/v1/messenger?${new URLSearchParams({ messenger: settings.messenger })}`, { credentials: "omit" });

  async function own(path, init = {}) {
    try {
      return await request(base + path, { credentials: "include", ...init });
    } catch (error) {
      // The resource that any page may read can be read, so the network is not the cause.
      if (begun && error.code === "network" && (await describe().catch(() => null))) {
        throw new Failure("origin_not_allowed", `${location.origin} is not among the allowed origins of the messenger "${settings.messenger}": add it there`, -1);
      }
      throw error;
    }
  }
  const changing = { "X-Countersign": "1" };

  /** Ends the session. Until the response arrives, no page treats its user as signed in: see `ending`. */
  async function endSession(whose = subject ?? remembered() ?? "") {
    keep(ENDING, `${Date.now()} ${whose}`);
    await own("/api/v1/session", { method: "DELETE", headers: changing, keepalive: true });
    keep(ENDING);
  }

  /** Whose sign-out is in progress, maybe from a page that no longer exists: "" if the user is not known. */
  function ending() {
    const [at, whose] = (kept(ENDING) ?? "").split(" ");
    const age = Date.now() - at;
    return at && age >= 0 && age < 5000 ? whose : undefined;
  }

  /** The response for the user who is signed in, or null, in the way that the page is configured for. */
  async function ask(at) {
    const { code, tokenUrl, getToken, user } = settings;
    // A page that shows no user asks for no token.
    if (user === "" && (getToken || tokenUrl)) return null;
    if (getToken) {
      const asked = Promise.resolve(getToken()).then((answer) => note(typeof answer === "string" ? ofToken(answer) : answer, at));
      return proven("getToken", await Promise.race([asked, new Promise((_, refuse) => { setTimeout(refuse, 10_000, "getToken took too long"); })]));
    }
    if (tokenUrl) {
      const { status, body } = await request(tokenUrl, { credentials: new URL(tokenUrl, location.href).origin === location.origin ? "same-origin" : "include" });
      if (status === 200 && typeof body?.token !== "string") throw new Failure("bad_answer", `${tokenUrl} returned neither a token nor 204 or 401`, -1);
      return status === 200 ? proven(tokenUrl, note(body, at)) : null;
    }
    let used;
    if (code && user !== "") {
      // Each code works once.
      delete settings.code;
      try {
        const init = { method: "POST", headers: { ...changing, "Content-Type": "application/json" }, body: JSON.stringify({ code, shown: user }) };
        const { status, body } = await own("/api/v1/session", init);
        // In a frame on another site, the browser does not send the cookie of this session.
        if (status < 300 && (window.top === window || (await token()).status === 200)) return body;
        used = notSent();
      } catch (error) {
        // A page that was reloaded still contains its used code: the session of that code exists.
        if (error.code !== "code_invalid") {
          settings.code = code;
          throw error;
        }
        used = error;
      }
    }
    const { status, body, code: why, nonce } = used?.code === "cookie_not_sent" ? {} : await token();
    if (status === 200) {
      if (body.nonce !== nonce) throw stale(`${base}/api/v1/token`);
      if (![body.subject, ""].includes(ending())) return body;
      await endSession(body.subject);
      return null;
    }
    // The user who is signed in there is not the one that the page shows.
    if (why === "other_user" && at.turn === turn && mayEnd === turn) await endSession("");
    if (why === "cookie_not_sent") throw notSent();
    if (used) throw Object.assign(used, { wait: -1 });
    return null;
  }

  /** Requests the token of the session, with a nonce that only the response to this request repeats. */
  async function token() {
    const { messenger, user } = settings;
    const nonce = Math.random().toString(36).slice(2);
    const query = new URLSearchParams({ messenger, optional: 1, nonce, ...(user !== undefined && { shown: user }) });
    return { nonce, ...(await own(`/api/v1/token?${query}`)) };
  }

  /** Records when a response of the site's own route or function was first seen: its lifetime starts then. */
  function note(answer, at) {
    if (typeof answer?.token !== "string") return null;
    const first = seen.get(answer.token) ?? at;
    seen.set(answer.token, first);
    if (seen.size > 50) seen.delete(seen.keys().next().value);
    return { ...answer, first };
  }

  /** Such a response, unless its user has left since it was created, or is not the one that the page shows. */
  function proven(who, answer) {
    if (!answer) return null;
    const { external_id: whose = settings.user, first, server_time } = answer;
    const [before, until] = (kept(`${key()}:gone`) ?? "").split(" ");
    const isOthers = settings.user !== undefined && whose !== settings.user;
    if (isOthers || first.left < left || (server_time <= before && Date.now() < until)) throw stale(who);
    return answer;
  }

  /** 32 bits of a string (FNV-1a): distinguishes the users of a browser without revealing who they are. */
  function mark(text) {
    let bits = 2166136261;
    for (const letter of text) bits = Math.imul(bits ^ letter.codePointAt(0), 16777619);
    return (bits >>> 0).toString(36);
  }

  // A bare token, which a site's own code may return: its lifetime and its user are read from it. The visitor's clock
  // may be wrong, so it is not used; `iat` is 60 s in the past. Without `iat`, a minute is assumed, which every token has.
  function ofToken(token) {
    const { exp, iat, deskpro_id, email } = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0))));
    return { token, expires_in: !exp ? 300 : iat ? exp - iat - 60 : 60, server_time: iat + 60, subject: mark(String(deskpro_id ?? email)) };
  }

  /** Asks who is signed in, one request at a time; resolves when the result has been applied. */
  function check() {
    if (!begun) return Promise.resolve();
    return asking ??= (async () => {
      clearTimeout(timer);
      const at = now();
      let wait = null;
      try {
        const answer = await ask(at);
        failures = refusals = 0;
        if (at.turn === turn) {
          mayEnd = null;
          wait = await become(answer, at);
        }
      } catch (error) {
        if (at.turn === turn) wait = await failed(error);
      } finally {
        asking = null;
        asked = performance.now();
        if (wait !== null && begun) timer = setTimeout(check, Math.min(wait * 1000, 2 ** 31 - 1));
      }
    })();
  }

  function tell(error, retryIn) {
    const { code = "failed", message } = error;
    console.warn(`Countersign: ${message} (${code})`);
    emit("error", { code, message, retryIn });
  }
  const backOff = (count) => Math.min(60, 2 ** count) * (1 + Math.random() / 2);

  async function failed(error) {
    if (!(error instanceof Failure)) error = new Failure("failed", String(error?.message ?? error));
    // For the Messenger, a user who gets no token is not signed in, and asking again would change nothing.
    const wait = error.wait < 0 ? null : Math.max(error.wait * (1 + Math.random() / 2), backOff(failures++));
    tell(error, wait);
    if (wait === null) return become(null, undefined, error.who).then(() => (error.again ? error.again * 2 ** Math.min(6, refusals++) : null), failed);
    // If the first response fails, the visitor still gets the chat; the request is repeated nevertheless.
    if (subject === undefined) await become(null).catch(() => {});
    return wait;
  }

  /** Applies a response. Returns the seconds until the next token is due, or null. */
  async function become(answer, at, who = null) {
    if (typeof answer?.token !== "string") answer = null;
    else if (answer.subject === undefined) answer = { ...ofToken(answer.token), ...answer };
    const [before, mine] = [subject, turn];
    const next = answer ? String(answer.subject) : who;
    info = answer?.messenger ?? info ?? (await describe()).body;
    if (before && before !== next) await forget();
    // A start, a sign-out or a withdrawal happened in the meantime.
    if (mine !== turn) return null;
    const expiresIn = Number(answer?.expires_in) || 300;
    subject = next;
    current = answer && { token: answer.token, time: answer.server_time, expiresIn, at: { ...(answer.first ?? at), turn: at.turn } };
    held = stranger();
    offer();
    if (!held) remember(next);
    if (before !== next && (before || next)) emit(next ? "signed-in" : "signed-out", { subject: next || null });
    else if (next) emit("refreshed", { expiresIn });
    // Not awaited: the token is kept fresh no matter how long the Messenger takes to load.
    if (!running) load();
    else if (!next && policy() !== "allow") await reloaded();
    else if (ready && next && before !== next) await init();
    return answer && Math.max(5, Math.min(Number(answer.refresh_in) || expiresIn * 0.8, life() * 0.8));
  }

  /** Sets the options of Deskpro's script; the page's own override the messenger's. Without a user, no token is set. */
  function offer() {
    const options = window.DpMessengerOptions ??= {};
    delete options.signedUserInfo;
    for (const [name, value] of Object.entries(info?.options ?? {})) if (name !== "signedUserInfo" && !(name in options)) options[name] = value;
    if (subject) Object.defineProperty(options, "signedUserInfo", { get: fresh, enumerable: true, configurable: true });
    show();
  }

  /** Shows or hides the page's links and buttons by whether a user is signed in, including newly drawn ones. */
  function show() {
    if (subject === undefined) return;
    for (const found of document.querySelectorAll("[data-countersign-sign-in],[data-countersign-sign-out=auto]")) {
      found.hidden = found.matches("[data-countersign-sign-in]") === (subject !== null);
    }
  }

  const signInUrl = () => `${base}/login?next=${encodeURIComponent(location.href)}`;

  /** What visitors who are not signed in see: set by the page, otherwise by the messenger. */
  const policy = () => (["allow", "hide", "sign-in"].includes(settings.anonymous) ? settings.anonymous : info.anonymous);

  /** Loads the Messenger, and retries if it fails to load. */
  function load() {
    run().catch((error) => {
      const wait = error.wait < 0 ? null : backOff(tries++);
      tell(error, wait);
      if (wait !== null) setTimeout(() => { if (begun && !running && subject !== undefined) load(); }, wait * 1000);
    });
  }

  async function run() {
    const anonymous = policy();
    if (anonymous === "sign-in" && subject === null) {
      button("countersign-sign-in", settings.signInText ?? "Sign in to chat", { href: signInUrl() }).dataset.countersignSignIn = "";
    } else {
      document.getElementById("countersign-sign-in")?.remove();
    }
    if (!info.init_script_url || (!subject && anonymous !== "allow")) {
      document.getElementById("countersign-launch")?.remove();
      held = false;
      return;
    }
    const other = document.querySelector("script[data-deskpro-url][data-messenger-id]");
    running = other ?? element();
    const loaded = new Promise((done) => {
      running.addEventListener("load", () => done(true));
      running.addEventListener("error", () => done(false));
      if (other) (function look() { window.DpMessengerConnection?.childMethods ? done(true) : setTimeout(look, 100); })();
    });
    if (other) tell(new Failure("messenger_twice", "remove Deskpro's own snippet from the page"), null);
    else document.head.append(running);
    if (!(await loaded)) {
      running.remove();
      running = null;
      throw new Failure("messenger_not_loaded", `${info.init_script_url} could not be loaded`);
    }
    pull();
    if (stranger()) {
      await child("logout", info.messenger_id);
      held = false;
      remember(subject);
      init();
    } else if (other && subject) {
      init();
    }
    ready = true;
    document.getElementById("countersign-launch")?.remove();
    if (opens) child("open");
    opens = false;
  }

  /** Deskpro's script tag. A browser may remember that a module failed to load, so each try has its own address. */
  function element() {
    const script = Object.assign(document.createElement("script"), { type: "module" });
    let src = info.init_script_url;
    if (tries) src += `${src.includes("?") ? "&" : "?"}try=${tries}`;
    try {
      if (window.trustedTypes) src = (rules ??= window.trustedTypes.createPolicy("countersign", { createScriptURL: (url) => url })).createScriptURL(src);
    } catch {
      throw new Failure("trusted_types", "the page's policy needs: trusted-types countersign", -1);
    }
    Object.assign(script.dataset, { deskproUrl: info.deskpro_url, messengerId: info.messenger_id });
    if (tag.nonce) script.nonce = tag.nonce;
    script.src = src;
    return script;
  }
  let rules;

  /** If the Messenger itself requests the token, it gets one that is valid for a while. */
  function pull() {
    const methods = window.DpMessengerConnection?.parentMethods;
    if (!methods) return;
    const inner = methods.getSignedUserInfo;
    methods.getSignedUserInfo = async (id) => {
      if (id !== undefined && id !== info.messenger_id) return inner?.call(methods, id);
      if (held || (subject && life() < 10)) await check();
      return fresh();
    };
  }

  /** Calls a method of the Messenger, if it exists, and waits at most three seconds. */
  async function child(method, ...args) {
    const methods = window.DpMessengerConnection?.childMethods;
    if (!methods?.[method]) return false;
    try {
      await Promise.race([methods[method](...args), new Promise((done) => { setTimeout(done, 3000); })]);
    } catch (error) {
      console.warn(`Countersign: the Messenger's ${method} failed: ${error?.message}`);
    }
    return true;
  }
  /** The same call as in both of Deskpro's mobile SDKs. */
  const init = () => child("init", info.messenger_id, {});

  /** Ends the chat of the previous user. */
  async function forget() {
    if (current?.time) keep(`${key()}:gone`, `${current.time} ${Date.now() + 1000 * current.expiresIn}`);
    left += 1;
    current = subject = null;
    delete window.DpMessengerOptions?.signedUserInfo;
    if (ready && !(await child("logout", info.messenger_id))) await reloaded();
  }

  /** Only this is certain to work: the page is reloaded, without the token. */
  const reloaded = () => new Promise(() => { location.reload(); });

  /** Our own button, in the place of the Messenger's. */
  function button(id, textContent, more) {
    const found = document.getElementById(id);
    if (found) return found;
    const made = Object.assign(document.createElement(more.href ? "a" : "button"), { id, textContent, ...more });
    made.style.cssText = "position:fixed;inset:auto 1rem 1rem auto;z-index:2147483000;padding:.75rem 1.25rem;border:0;border-radius:1.5rem;background:#0b5c5c;color:#fff;font:600 1rem/1.25 system-ui,sans-serif;text-decoration:none;cursor:pointer;box-shadow:0 2px 8px #0005";
    (document.body ?? document.documentElement).append(made);
    return made;
  }

  // The last user here, so that a later page knows whose chat may still be here.
  const key = () => `countersign:${settings?.messenger ?? "default"}`;
  const remember = (who) => keep(key(), who);
  const remembered = () => kept(key());
  function keep(name, value) {
    try { value ? localStorage.setItem(name, value) : localStorage.removeItem(name); } catch { /* then nothing is stored */ }
  }
  function kept(name) {
    try { return begun ? localStorage.getItem(name) : null; } catch { return null; }
  }
  const stranger = () => !ready && ![null, subject].includes(remembered());

  /** After sleep, a switch of tabs or a network failure: asks again if the last response is old. */
  function wake(event) {
    if (!begun || document.visibilityState === "hidden") return;
    const restored = event?.type === "pageshow" && event.persisted;
    if (restored) held = true;
    const due = current ? since(current.at) > 0.8 * current.expiresIn : false;
    if (restored || due || event?.type === "online" || performance.now() - asked > 10_000) check();
  }

  /** Whether the page was loaded over the network for this visit. A cached page may show a user who has left. */
  function isNew() {
    const [visit] = performance.getEntriesByType?.("navigation") ?? [];
    return Boolean(visit) && !document.prerendering && visit.type !== "back_forward" && !visit.workerStart && visit.transferSize !== 0;
  }

  function start(options) {
    if (options) given = options;
    return apply();
  }

  /** Reads the page's settings and applies them. */
  async function apply() {
    read = JSON.stringify(tag.dataset);
    const { messenger = "default", tokenUrl, code, user, anonymous, signInText, load: when, launchText } = tag.dataset;
    const shown = settings?.user;
    const isFirst = !settings;
    settings = { messenger, tokenUrl, code, user, anonymous, signInText, load: when, launchText, ...window.CountersignOptions, ...given };
    turn += 1;
    if (isFirst ? isNew() : shown !== undefined && settings.user !== shown) mayEnd = turn;
    if (!begun) return arm();
    // The user who was shown before has left, whatever the response is.
    if (subject && settings.user !== shown) {
      await forget();
      emit("signed-out", { subject });
    }
    await asking;
    await check();
  }

  /** Starts when the page is visible and the Messenger is wanted. */
  function arm() {
    if (document.prerendering) document.addEventListener("prerenderingchange", arm, { once: true });
    else if (settings.load === "click") button("countersign-launch", settings.launchText ?? "Chat", { type: "button", onclick: open });
    else if (settings.load === "idle") whenIdle(begin);
    else if (settings.load !== "consent" || agreed) return begin();
  }
  // Which of consent() and withdraw() was called last; undefined until one is called.
  let agreed;

  function begin() {
    // A withdrawal applies until consent(), even if the page becomes idle or is started again.
    if (agreed === false) return Promise.resolve();
    begun = true;
    return check();
  }

  function open({ currentTarget }) {
    currentTarget.disabled = true;
    currentTarget.setAttribute("aria-busy", "true");
    opens = true;
    begin();
  }

  function whenIdle(then) {
    const soon = () => (window.requestIdleCallback ? requestIdleCallback(then, { timeout: 5000 }) : setTimeout(then, 1000));
    if (document.readyState === "complete") soon();
    else addEventListener("load", soon, { once: true });
  }

  async function consent() {
    agreed = true;
    if (settings && !begun && !document.prerendering) await begin();
  }

  /** Undoes everything: the chat ends, and the Messenger is asked to clear what it stores. */
  async function withdraw() {
    agreed = begun = false;
    turn += 1;
    clearTimeout(timer);
    const was = running;
    if (subject) await forget();
    else if (ready) await child("logout", info.messenger_id);
    subject = undefined;
    // The user whose chat may still be here is forgotten once the chat has ended.
    for (const name of [...(ready ? [key()] : []), `${key()}:gone`, ENDING]) keep(name);
    // Nothing else removes a running script from a page.
    if (was) await reloaded();
  }

  async function signOut() {
    const { getToken, tokenUrl } = settings ?? {};
    turn += 1;
    left += 1;
    clearTimeout(timer);
    const before = asking;
    let wrong;
    const end = () => endSession().catch((error) => { wrong = error; });
    const ended = getToken || tokenUrl ? null : end();
    // Reloaded pages must not find the session still active: they see that it is ending, or it has ended first.
    if (!kept(ENDING)) await ended;
    shared?.postMessage({ type: "signed-out" });
    if (begun && subject !== null) await become(null);
    await ended;
    // A session that a code has started in the meantime ends, too.
    if (ended && before) await before.then(end);
    if (wrong) throw wrong;
  }

  for (const type of ["online", "pageshow", "focus"]) addEventListener(type, wake);
  for (const type of ["visibilitychange", "resume"]) document.addEventListener(type, wake);
  try {
    shared = new BroadcastChannel("countersign");
    shared.addEventListener("message", ({ data }) => {
      if (data?.type !== "signed-out" || (subject ?? null) === null) return;
      turn += 1;
      become(null).catch(failed);
    });
  } catch { /* other tabs notice it when they become visible */ }
  document.addEventListener("click", ({ target }) => {
    const link = target?.closest?.("[data-countersign-sign-in]");
    if (link) link.href = signInUrl();
    if (target?.closest?.("[data-countersign-sign-out]")) signOut().catch((error) => tell(error, null));
  });

  /** The page has changed: its tag, its links, or the whole body (frameworks do this instead of reloading). */
  let body = document.body;
  // Whether the tag was drawn since the body was.
  let drawn = false;
  function look() {
    const last = [...document.querySelectorAll("script[src*='/embed.js']")].findLast((one) => isOurs(one) && one.src.startsWith(base));
    if (last) use(last);
    show();
    const old = body;
    body = document.body;
    if (!old || old === body) return;
    if (ready) init();
    // It is another page. If it brought no tag, ask whom it shows.
    if (!drawn && begun) {
      held ||= Boolean(subject);
      apply();
    }
    drawn = false;
  }
  function use(next) {
    const isSame = next === tag && JSON.stringify(next.dataset) === read;
    if (isSame || "manual" in next.dataset) return;
    tag = next;
    drawn = true;
    // A page that does not say whom it shows may belong to another user by now.
    held ||= next.dataset.user === undefined && Boolean(subject);
    apply();
  }
  document.addEventListener("countersign:tag", ({ detail }) => use(detail));
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-user", "data-code", "data-messenger", "data-token-url"] });

  window.Countersign = {
    start,
    signOut,
    consent,
    withdraw,
    refresh: check,
    async token() {
      if (held || life() < 10) await check();
      return fresh();
    },
    get subject() { return subject === "" ? null : subject; },
    on(type, listener) {
      (listeners[type] ??= new Set()).add(listener);
      return () => listeners[type].delete(listener);
    },
  };
  if (!("manual" in tag.dataset)) apply();
})();
