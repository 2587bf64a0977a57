// The panel: requests the token from the page whenever it opens and before every message, lets the stand-in judge it, and
// shows who the visitor is according to it. The token exists only in a variable of one call; nothing here stores it.

import { bridge } from "/deskpro-messenger-init/bridge.js";
import { show, showProblem } from "./view.js";

const query = new URLSearchParams(location.search);
const tenant = location.pathname.replace(/\/panel$/, "");
const messengerId = query.get("messenger");
const text = document.getElementById("text");
const title = document.getElementById("title");

let visitor = newVisitor(); // distinguishes unconfirmed visitors
let userInfo; // what the page says without proof
let turn = 0; // a response to an outdated request is dropped
let last; // the judgement that is shown

const call = bridge(() => window.parent, query.get("host"), () => ({ open, close, logout }));

document.getElementById("close").addEventListener("click", () => call("close"));
document.getElementById("again").addEventListener("click", async () => { await ask(); focusTitle(); });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) call("close");
});
document.getElementById("composer").addEventListener("submit", (event) => { event.preventDefault(); send(); });
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  }
});
text.addEventListener("input", () => showProblem());

if (window.parent === window) {
  const message = "This chat works only in a page that opens it: it gets the token from that page.";
  show({ state: "refused", reason: "no_page", message });
  document.getElementById("again").hidden = true;
} else {
  call("ready");
}

function open(how) {
  userInfo = how?.userInfo;
  if (how?.takeFocus) focusTitle();
  // The previous visitor may be another person: nothing about them stays visible while the page is asked.
  show({ state: "asking" });
  ask();
}

function close() {
  showProblem();
}

/** Forgets everything, so that the next visitor starts unknown. */
function logout() {
  turn += 1;
  visitor = newVisitor();
  userInfo = undefined;
  text.value = "";
  showProblem();
  show({ state: "asking" });
}

async function ask() {
  const mine = ++turn;
  const judgement = await judge("session", {});
  if (mine === turn) accept(judgement);
}

async function send() {
  const message = text.value.trim();
  if (!message) {
    showProblem("Write a message first.");
    text.focus();
    return;
  }
  const mine = ++turn;
  showProblem();
  text.value = "";
  const judgement = await judge("messages", { text: message });
  if (mine !== turn) return;
  if (judgement.state === "refused") text.value ||= message;
  if (judgement.reason === "no_answer") {
    showProblem("Your message was not sent. Try again.");
    return;
  }
  accept(judgement, true);
  if (judgement.state === "refused") focusTitle();
  else window.scrollTo(0, document.documentElement.scrollHeight);
}

function accept(judgement, afterMessage = false) {
  const samePerson = last?.state === judgement.state && last?.person?.id === judgement.person?.id;
  show(judgement, { userInfo, stale: afterMessage && samePerson });
  last = judgement;
  call("appEvent", { name: "session", state: judgement.state, reason: judgement.reason ?? null }).catch(() => {});
}

/** The page's token of this moment, in the body of a POST. */
async function judge(path, body) {
  try {
    const signedUserInfo = await call("getSignedUserInfo", messengerId);
    const answer = await fetch(`${tenant}/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      // JSON omits an undefined value, which means an anonymous visitor.
      body: JSON.stringify({ messenger_id: messengerId, signedUserInfo, visitor, ...body }),
    });
    if (!answer.ok) throw new Error((await answer.json()).error);
    return await answer.json();
  } catch (error) {
    return {
      state: "refused",
      reason: "no_answer",
      message: `We could not find out who you are: ${error.message}.`,
      advice: "Check that the page and the stand-in are both running, then try again.",
    };
  }
}

function focusTitle() {
  title.focus();
}

function newVisitor() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
