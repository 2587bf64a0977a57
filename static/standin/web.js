// The stand-in's init script, which replaces Deskpro's: it reads window.DpMessengerOptions and its own script tag,
// installs window.DpMessengerConnection, and draws a launcher that opens the panel in a frame of the stand-in's origin.
// It stores no token: the panel requests one over the bridge, and the page's current value is passed on.

import { bridge } from "./bridge.js";

const options = () => window.DpMessengerOptions ?? {};
const complain = (sentence) => console.error(`Messenger (stand-in for Deskpro): ${sentence}`);

const deployment = readDeployment();
if (deployment) start(deployment);

function readDeployment() {
  const tag = [...document.querySelectorAll("script[data-deskpro-url], script[data-messenger-id]")]
    .find((script) => script.src === import.meta.url);
  if (!tag) return complain("the script tag has neither data-deskpro-url nor data-messenger-id.");
  const { deskproUrl, messengerId } = tag.dataset;
  if (!messengerId) return complain("data-messenger-id is missing.");
  if (!URL.canParse(deskproUrl ?? "")) return complain(`data-deskpro-url is not a URL: ${deskproUrl}`);
  if (window.DpMessengerOptions === undefined) complain("window.DpMessengerOptions was not set before this script.");
  return { url: deskproUrl.replace(/\/$/, ""), origin: new URL(deskproUrl).origin, messengerId };
}

function start({ url, origin, messengerId }) {
  explainBlocks(origin);
  let drawn; // the elements, once the deployment has responded
  let call; // the connection to the panel, once there is a frame
  let started = false; // the panel has said that it is ready
  const ready = Promise.withResolvers(); // the same, as a promise

  const parentMethods = {
    async getSignedUserInfo(id) {
      return id === messengerId ? options().signedUserInfo : undefined;
    },
    ready() { started = true; ready.resolve(); },
    open() { return open(); },
    close() { return close(); },
    appEvent(event) {
      if (!drawn || event?.name !== "session") return;
      drawn.host.dataset.state = event.state;
      drawn.host.dataset.reason = event.reason ?? "";
    },
    getViewDimensions() {
      return { width: drawn?.panel.clientWidth ?? 0, height: drawn?.panel.clientHeight ?? 0 };
    },
  };
  const ours = (method, id) => {
    if (id !== messengerId) throw new TypeError(`${method} takes the id of this messenger, not ${id}`);
  };
  const childMethods = {
    // Both of Deskpro's mobile SDKs call it with the id and an object: any other call is refused.
    async init(id, how) {
      ours("init", id);
      if (typeof how !== "object" || how === null) throw new TypeError("init takes the messenger's id and an object");
      await drawing;
      // A page that replaces its whole body without a reload removes the chat, too.
      if (drawn && !drawn.host.isConnected) document.body.append(drawn.host);
      frame();
      await ready.promise;
      // The SDKs' `init` starts the chat, which then asks who the visitor is; an open chat asks again.
      if (drawn?.panel.open) await call("open", { takeFocus: false, userInfo: options().userInfo });
    },
    async logout(id) {
      ours("logout", id);
      await close();
      drawn?.host.removeAttribute("data-state");
      drawn?.host.removeAttribute("data-reason");
      // A panel that has not started yet knows no user, and a sign-out must not wait for it.
      if (started) await call("logout");
    },
    open: () => open(),
    close: () => close(),
    async setDeviceToken() { /* for push messages to apps: nothing to do on the web */ },
  };
  // A page may have set its own methods there first, as the mobile SDKs do; they stay.
  const connection = window.DpMessengerConnection ??= {};
  connection.parentMethods = { ...parentMethods, ...connection.parentMethods };
  connection.childMethods = { ...childMethods, ...connection.childMethods };

  const drawing = draw();

  // A page that is restored from the browser's memory may belong to another user by now.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && drawn?.panel.open) call("open", { takeFocus: false, userInfo: options().userInfo });
  });

  async function draw() {
    try {
      const answer = await fetch(`${url}/config?messenger=${encodeURIComponent(messengerId)}`, { credentials: "omit" });
      if (!answer.ok) return complain(`${url} has no messenger ${messengerId}.`);
    } catch {
      return complain(`${url} could not be asked. Is it reachable, and in the page's connect-src?`);
    }
    drawn = elements(origin);
    drawn.launcher.hidden = options().showLauncherButton === false;
    drawn.launcher.addEventListener("click", () => (drawn.panel.open ? close() : open(true)));
    drawn.host.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && drawn.panel.open) close();
    });
    drawn.panel.addEventListener("close", closed);
    if (!document.body) await new Promise((done) => { addEventListener("DOMContentLoaded", done, { once: true }); });
    document.body.append(drawn.host);
    if (options().openOnInit) open(false);
  }

  function frame() {
    if (call || !drawn) return;
    const { iframe } = drawn;
    iframe.src = `${url}/panel?${new URLSearchParams({ messenger: messengerId, host: location.origin })}`;
    call = bridge(() => iframe.contentWindow, origin, () => ({
      ...window.DpMessengerConnection.parentMethods,
      // Requested with the id of this deployment, whatever the panel says.
      getSignedUserInfo: () => window.DpMessengerConnection.parentMethods.getSignedUserInfo(messengerId),
    }));
    drawn.panel.append(iframe);
  }

  async function open(takeFocus = true) {
    await drawing;
    if (!drawn || drawn.panel.open) return;
    drawn.returnTo = document.activeElement === drawn.host ? null : document.activeElement;
    // On a phone the panel covers the page, so the keyboard must not reach the page either.
    if (matchMedia("(max-width: 480px)").matches) drawn.panel.showModal();
    else drawn.panel.open = true;
    drawn.launcher.setAttribute("aria-expanded", "true");
    frame();
    if (takeFocus) drawn.iframe.focus();
    await ready.promise;
    await call("open", { takeFocus, userInfo: options().userInfo });
  }

  async function close() {
    await drawing;
    if (!drawn?.panel.open) return;
    drawn.hadFocus = document.activeElement === drawn.host;
    drawn.panel.close();
  }

  function closed() {
    drawn.launcher.setAttribute("aria-expanded", "false");
    if (drawn.hadFocus || document.activeElement === drawn.host) {
      const target = drawn.launcher.hidden ? drawn.returnTo : drawn.launcher;
      target?.focus();
    }
    drawn.hadFocus = false;
    if (call) call("close").catch(() => {});
  }
}

/** The launcher and the panel, in a shadow root so that neither style sheet reaches into the other. */
function elements(origin) {
  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const sheet = (name) => make("link", { rel: "stylesheet", href: `${origin}/deskpro-messenger-init/${name}` });
  const launcher = make("button", { type: "button", className: "launcher", id: "launcher" },
    make("img", { src: `${origin}/deskpro-messenger-init/launcher.svg`, alt: "" }), "Support");
  launcher.setAttribute("aria-expanded", "false");
  launcher.setAttribute("aria-controls", "panel");
  const iframe = make("iframe", { title: "Support chat" });
  const panel = make("dialog", { className: "panel", id: "panel" },
    make("p", { className: "waiting", textContent: "Loading the chat…" }));
  panel.setAttribute("aria-label", "Support chat");
  const host = make("section", { id: "deskpro-standin" });
  host.setAttribute("aria-label", "Support chat");
  host.attachShadow({ mode: "open" }).append(sheet("tokens.css"), sheet("web.css"), launcher, panel);
  return { host, launcher, panel, iframe };
}

/** A page that forgot the helpdesk in its policy sees nothing at all; this says which directive it is. */
function explainBlocks(origin) {
  document.addEventListener("securitypolicyviolation", (event) => {
    if (event.blockedURI.startsWith(origin)) {
      complain(`the page's Content-Security-Policy keeps ${origin} out of ${event.effectiveDirective}.`);
    }
  });
}
