// Countersign on any page of a website: fetches a token for whoever is signed in, hands it to Deskpro Messenger, and
// keeps it fresh. docs/embed.md tells how it is used; embed.d.ts holds its types.
//
// Rules it keeps: one request at a time; the Messenger never gets a token that has expired; a refresh touches nothing
// on the page; before somebody else's token is handed over, the chat of the one before is signed out.
(() => {
  "use strict";
  if (window.Countersign) return;

  // Any element of the page may be named `currentScript`.
  const script = document.currentScript instanceof HTMLScriptElement ? document.currentScript : document.querySelector("script[src*='/embed.js']");
  const base = script ? script.src.replace(/(\/assets\/[^/]+)?\/embed\.js.*$/, "") : "";
  const listeners = {};
  const shared = typeof BroadcastChannel === "function" ? new BroadcastChannel("countersign") : null;

  const ENDING = "countersign:ending";
  const NOBODY = [undefined, "signed_out", "cookie_not_sent", "other_user"];

  let settings = null; // how the page wants it, once it is started
  let info = null; // the messenger, as the server describes it
  let current = null; // the token, with when it was answered
  let subject; // who is signed in: a text, null for nobody, undefined until it is known
  let held = false; // whether the token is kept back until it is known to be the right one
  let running = null; // the Messenger's script, once it was put into the page
  let ready = false; // whether it is there, without anybody else's chat
  let asking = null; // the request under way
  let asked = -Infinity; // when the last one ended
  let failures = 0;
  let turn = 0; // an answer to a question from before a sign-out or a start is dropped
  let timer;

  // The machine may have slept, or its clock been set: the longer of both measures counts.
  const now = () => ({ wall: Date.now(), steady: performance.now(), turn });
  const since = (then) => Math.max(Date.now() - then.wall, performance.now() - then.steady) / 1000;
  const left = () => (current?.at.turn === turn ? current.expiresIn - since(current.at) : 0);
  const fresh = () => (!held && left() > 1 ? current.token : undefined);

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

  async function request(url, init) {
    let answer;
    try {
      answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout?.(10_000), ...init });
    } catch (error) {
      throw new Failure("network", `${new URL(url, location.href).origin} could not be asked: ${error.message}`);
    }
    const json = /\bjson\b/.test(answer.headers.get("Content-Type") ?? "");
    const body = json ? await answer.json().catch(() => null) : null;
    // A site's own 401 says nothing more; ours says why, and only `signed_out` and its like mean that nobody is there.
    const isNobody = answer.status === 401 && NOBODY.includes(body?.code);
    if (answer.ok || isNobody) return { status: answer.status, body, code: answer.headers.get("X-Countersign-Code") ?? body?.code };
    const code = body?.code ?? (answer.status === 429 ? "too_many_requests" : answer.status >= 500 ? "unavailable" : "refused");
    throw new Failure(code, body?.detail ?? `the server answered ${answer.status}`, [401, 403].includes(answer.status) ? -1 : Number(answer.headers.get("Retry-After")) || 0);
  }

  const describe = () => request(`${base}/api/v1/messenger?${new URLSearchParams({ messenger: settings.messenger })}`, { credentials: "omit" });

  async function own(path, init = {}) {
    try {
      return await request(base + path, { credentials: "include", ...init });
    } catch (error) {
      // What any page may read can be read, so it is not the network.
      if (error.code === "network" && (await describe().catch(() => null))) {
        throw new Failure("origin_not_allowed", `${location.origin} is not among the allowed origins of the messenger "${settings.messenger}": add it there`, -1);
      }
      throw error;
    }
  }
  const changing = { "X-Countersign": "1" };

  /** Ends the sign-in. Until that is answered, nobody here is taken for signed in: see `ask`. */
  async function endSession() {
    keep(ENDING, Date.now());
    await own("/api/v1/session", { method: "DELETE", headers: changing, keepalive: true });
    keep(ENDING);
  }

  /** The answer for whoever is signed in, or null; by whichever way the page has. */
  async function ask() {
    const { code, tokenUrl, getToken, messenger, user } = settings;
    // A page that shows nobody asks for nobody.
    if (user === "" && (getToken || tokenUrl)) return null;
    if (getToken) {
      const answer = await Promise.race([getToken(), new Promise((_, refuse) => { setTimeout(refuse, 10_000, "getToken took too long"); })]);
      return typeof answer === "string" ? ofToken(answer) : answer;
    }
    if (tokenUrl) {
      const { status, body } = await request(tokenUrl, { credentials: new URL(tokenUrl, location.href).origin === location.origin ? "same-origin" : "include" });
      if (status === 200 && typeof body?.token !== "string") throw new Failure("bad_answer", `${tokenUrl} answered neither a token nor 204 or 401 for nobody`, -1);
      return status === 200 ? body : null;
    }
    // A sign-out that another page or tab has begun comes first: its request may still be on the way.
    if (Date.now() - kept(ENDING) < 5000) await endSession();
    let used;
    if (code && user !== "") {
      delete settings.code; // each works once
      try {
        const init = { method: "POST", headers: { ...changing, "Content-Type": "application/json" }, body: JSON.stringify({ code, shown: user }) };
        return (await own("/api/v1/session", init)).body;
      } catch (error) {
        // A page that was loaded again still has the code that it has used: its session is there.
        if (error.code !== "code_invalid") {
          settings.code = code;
          throw error;
        }
        used = error;
      }
    }
    const query = new URLSearchParams({ messenger, optional: 1, ...(user !== undefined && { shown: user }) });
    const { status, body, code: why } = await own(`/api/v1/token?${query}`);
    if (status === 200) return body;
    // Whoever is signed in there is not whom the page shows: that sign-in ends.
    if (why === "other_user") await endSession();
    if (why === "cookie_not_sent") throw new Failure(why, "the browser sends no sign-in cookie to another site: serve Countersign from a subdomain of this one, or use data-token-url", -1);
    if (used) throw Object.assign(used, { wait: -1 });
    return null;
  }

  /** 53 bits of a text (cyrb53): tells one user of a browser from another, and nobody who it is. */
  function mark(text) {
    let [a, b] = [0xdeadbeef, 0x41c6ce57];
    for (const letter of text) {
      a = Math.imul(a ^ letter.codePointAt(0), 2654435761);
      b = Math.imul(b ^ letter.codePointAt(0), 1597334677);
    }
    a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
    b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
    return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
  }

  /** A bare token as a site's own code may have it: its end and its user are read out of it. */
  function ofToken(token) {
    const { exp, deskpro_id, email } = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0))));
    return { token, expires_in: exp ? exp - Date.now() / 1000 : 300, subject: mark(String(deskpro_id ?? email)) };
  }

  /** Asks, once at a time; resolves when what it found out is in force. */
  function check() {
    return asking ??= (async () => {
      clearTimeout(timer);
      const at = now();
      let wait = null;
      try {
        const answer = await ask();
        failures = 0;
        if (at.turn === turn) wait = await become(answer, at);
      } catch (error) {
        if (at.turn === turn) wait = await failed(error);
      } finally {
        asking = null;
        asked = performance.now();
        if (wait !== null) timer = setTimeout(check, Math.min(wait * 1000, 2 ** 31 - 1));
      }
    })();
  }

  function tell(error, retryIn) {
    const { code = "failed", message } = error;
    console.warn(`Countersign: ${message} (${code})`);
    emit("error", { code, message, retryIn });
  }

  async function failed(error) {
    if (!(error instanceof Failure)) error = new Failure("failed", String(error?.message ?? error));
    // A user who gets no token at all is nobody to the Messenger, and asking again would change nothing.
    const wait = error.wait < 0 ? null : Math.max(error.wait ?? 0, Math.min(60, 2 ** failures++)) * (1 + Math.random() / 2);
    tell(error, wait);
    if (wait === null) return become(null).catch(failed);
    // Nobody is left without a chat because the first answer did not come; it is asked for again all the same.
    if (subject === undefined) await become(null).catch(() => {});
    return wait;
  }

  /** Puts an answer in force: seconds until the next is due, or null. */
  async function become(answer, at) {
    if (typeof answer?.token !== "string") answer = null;
    else if (answer.subject === undefined) answer = { ...ofToken(answer.token), ...answer };
    const before = subject;
    const next = answer ? String(answer.subject) : null;
    info = answer?.messenger ?? info ?? (await describe()).body;
    if (before && before !== next) await forget();
    const expiresIn = Number(answer?.expires_in) || 300;
    subject = next;
    current = answer && { token: answer.token, expiresIn, at };
    held = stranger();
    offer();
    if (!held) remember(next);
    if (before !== next && (before || next)) emit(next ? "signed-in" : "signed-out", { subject: next });
    else if (next) emit("refreshed", { expiresIn });
    // Not waited for: the token is kept fresh however long the Messenger takes to load.
    if (!running) run().catch((error) => tell(error, null));
    else if (!next && policy() !== "allow") await anew();
    else if (ready && next && before !== next) await child("init");
    return answer && Math.max(5, Number(answer.refresh_in) || expiresIn * 0.8);
  }

  /** The options of Deskpro's script: the page's own go before the messenger's; nobody has no token at all. */
  function offer() {
    const options = window.DpMessengerOptions ??= {};
    delete options.signedUserInfo;
    for (const [name, value] of Object.entries(info?.options ?? {})) if (name !== "signedUserInfo" && !(name in options)) options[name] = value;
    if (subject) Object.defineProperty(options, "signedUserInfo", { get: fresh, enumerable: true, configurable: true });
    for (const link of document.querySelectorAll("[data-countersign-sign-in]")) {
      link.href = signInUrl();
      link.hidden = Boolean(subject);
    }
    for (const button of document.querySelectorAll("[data-countersign-sign-out=auto]")) button.hidden = !subject;
  }

  const signInUrl = () => `${base}/login?next=${encodeURIComponent(location.href)}`;

  /** What visitors see who are not signed in: as the page says, or the messenger. */
  const policy = () => (["allow", "hide", "sign-in"].includes(settings.anonymous) ? settings.anonymous : info.anonymous);

  /** Loads the Messenger. Where somebody else was here before, and may have left a chat, that ends first. */
  async function run() {
    const anonymous = policy();
    document.getElementById("countersign-sign-in")?.remove();
    if (!subject && anonymous === "sign-in") signInButton();
    if (!info.init_script_url || (!subject && anonymous !== "allow")) {
      held = false;
      return;
    }
    running = Object.assign(document.createElement("script"), { type: "module", src: info.init_script_url });
    Object.assign(running.dataset, { deskproUrl: info.deskpro_url, messengerId: info.messenger_id });
    if (script?.nonce) running.nonce = script.nonce;
    const loaded = new Promise((done) => {
      running.onload = () => done(true);
      running.onerror = () => done(false);
    });
    document.head.append(running);
    if (!(await loaded)) {
      running = null;
      throw new Failure("messenger_not_loaded", `${info.init_script_url} could not be loaded`);
    }
    pull();
    if (stranger()) {
      await child("logout", info.messenger_id);
      held = false;
      remember(subject);
      child("init");
    }
    ready = true;
  }

  /** Where the Messenger asks for the token itself, it gets one that is good for a while. */
  function pull() {
    const methods = window.DpMessengerConnection?.parentMethods;
    if (!methods) return;
    const inner = methods.getSignedUserInfo;
    methods.getSignedUserInfo = async (id) => {
      if (id !== undefined && id !== info.messenger_id) return inner?.call(methods, id);
      if (held || (subject && left() < 10)) await check();
      return fresh();
    };
  }

  /** Calls a method of the Messenger, if it has it, and waits three seconds at most. */
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

  /** Ends the chat of whoever was here. */
  async function forget() {
    current = subject = null;
    delete window.DpMessengerOptions?.signedUserInfo;
    if (ready && !(await child("logout", info.messenger_id))) await anew();
  }

  /** There is no other way to be sure: the page is loaded anew, without the token. */
  const anew = () => new Promise(() => { location.reload(); });

  function signInButton() {
    const link = Object.assign(document.createElement("a"), { id: "countersign-sign-in", href: signInUrl(), textContent: settings.signInText ?? "Sign in to chat" });
    link.style.cssText = "position:fixed;inset:auto 1rem 1rem auto;z-index:2147483000;padding:.75rem 1.25rem;border-radius:1.5rem;background:#0b5c5c;color:#fff;font:600 1rem/1.25 system-ui,sans-serif;text-decoration:none;box-shadow:0 2px 8px #0005";
    (document.body ?? document.documentElement).append(link);
  }

  // Who was here last, so that a page that comes later knows whose chat may be left.
  const key = () => `countersign:${settings.messenger}`;
  const remember = (who) => keep(key(), who);
  const remembered = () => kept(key());
  function keep(name, value) {
    try { value ? localStorage.setItem(name, value) : localStorage.removeItem(name); } catch { /* then nothing is remembered */ }
  }
  function kept(name) {
    try { return localStorage.getItem(name); } catch { return null; }
  }
  const stranger = () => !ready && ![null, subject].includes(remembered());

  /** After sleep, another tab, the network's return: asks if that was a while ago. */
  function wake(event) {
    if (!settings || document.visibilityState === "hidden") return;
    const restored = event?.type === "pageshow" && event.persisted;
    if (restored) held = true;
    const due = current ? since(current.at) > 0.8 * current.expiresIn : false;
    if (restored || due || event?.type === "online" || performance.now() - asked > 10_000) check();
  }

  async function start(options = {}) {
    const { messenger = "default", tokenUrl, code, user, anonymous, signInText } = script?.dataset ?? {};
    const shown = settings?.user;
    settings = { messenger, tokenUrl, code, user, anonymous, signInText, ...window.CountersignOptions, ...options };
    turn += 1;
    // Whoever was shown before is gone, whatever the answer is.
    if (subject && settings.user !== shown) {
      await forget();
      emit("signed-out", { subject });
    }
    await asking;
    await check();
  }

  async function signOut() {
    const { getToken, tokenUrl } = settings ?? {};
    turn += 1;
    clearTimeout(timer);
    const before = asking;
    let wrong;
    const end = () => endSession().catch((error) => { wrong = error; });
    const ending = getToken || tokenUrl ? null : end();
    // Pages that are loaded anew must not find it still there: they see that it is ending, or it has ended first.
    if (!kept(ENDING)) await ending;
    shared?.postMessage({ type: "signed-out" });
    if (settings && subject !== null) await become(null);
    await ending;
    // What a code has begun meanwhile ends, too.
    if (ending && before) await before.then(end);
    if (wrong) throw wrong;
  }

  for (const type of ["online", "pageshow", "focus"]) addEventListener(type, wake);
  document.addEventListener("visibilitychange", wake);
  shared?.addEventListener("message", ({ data }) => {
    if (data?.type !== "signed-out" || !subject) return;
    turn += 1;
    become(null).catch(failed);
  });
  document.addEventListener("click", ({ target }) => {
    if (target?.closest?.("[data-countersign-sign-out]")) signOut().catch((error) => tell(error, null));
  });

  window.Countersign = {
    start,
    signOut,
    refresh: check,
    async token() {
      if (held || left() < 10) await check();
      return fresh();
    },
    get subject() { return subject; },
    on(type, listener) {
      (listeners[type] ??= new Set()).add(listener);
      return () => listeners[type].delete(listener);
    },
  };
  if (script && !("manual" in script.dataset)) start();
})();
