// Shows a judgement in the panel. All text is inserted as text nodes: names and labels come from untrusted sources.

const WORDS = { asking: "Asking the page…", confirmed: "Confirmed", unconfirmed: "Unconfirmed", refused: "Refused" };
const EVERYONE = "1 Everyone";
const REGISTERED = "2 Registered";

const identity = document.getElementById("identity");
const known = document.getElementById("known");
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

/** @param {object} judgement the server's answer, or one made here: `{ state, reason, message, … }` */
export function show(judgement, { userInfo, stale = false } = {}) {
  const { state, reason, person } = judgement;
  identity.dataset.state = state;
  identity.dataset.reason = reason ?? "";
  identity.setAttribute("aria-busy", String(state === "asking"));
  fill("state", WORDS[state]);
  fill("name", judgement.display_name ?? (state === "unconfirmed" ? "Anonymous visitor" : undefined));
  fill("hint", state === "unconfirmed" ? hint(userInfo) : undefined);
  fill("email", judgement.display_name === person?.email ? undefined : person?.email);
  fill("message", judgement.message);
  fill("advice", judgement.advice);
  fill("reason", reason);
  field("reason-line").hidden = !reason;
  field("notes").replaceChildren(...(judgement.notes ?? []).map((note) => element("li", note)));
  field("notes").hidden = !judgement.notes?.length;
  document.getElementById("again").hidden = state !== "refused";

  const facts = { confirmed: () => factsOf(person), unconfirmed: () => [["Groups", "groups", [EVERYONE]]] }[state]?.() ?? [];
  known.hidden = facts.length === 0;
  known.querySelector("dl").replaceChildren(...facts.flatMap(([label, name, value]) => {
    const dd = Array.isArray(value) ? element("dd", list(value)) : element("dd", value);
    dd.dataset.field = name;
    return [element("dt", label), dd];
  }));

  const mayWrite = state === "confirmed" || state === "unconfirmed";
  document.getElementById("conversation").hidden = !mayWrite;
  document.getElementById("composer").hidden = !mayWrite;
  showMessages(mayWrite ? judgement.messages ?? [] : []);
  if (!stale) known.open = !judgement.messages?.length;
}

/** Shows below the conversation what went wrong with a message. An empty call clears it. */
export function showProblem(sentence) {
  const problem = document.getElementById("problem");
  problem.textContent = sentence ?? "";
  problem.hidden = !sentence;
}

function factsOf(person) {
  const facts = [
    ["Person", "id", String(person.id)],
    ["Also", "emails", person.emails],
    ["Organization", "organization_id", person.organization_id],
    ["Groups", "groups", [EVERYONE, REGISTERED, ...person.usergroup_ids]],
    ["Labels", "labels", person.labels],
    ["Language", "language_id", person.language_id],
    ["Time zone", "timezone", person.timezone],
    ...Object.entries(person.fields).map(([key, value]) => [`Field ${key}`, `fields.${key}`, value]),
  ];
  return facts.filter(([, , value]) => value && value.length > 0);
}

/** What the page says about a visitor without proof. */
function hint(userInfo) {
  const name = userInfo?.name ?? [userInfo?.first_name, userInfo?.last_name].filter(Boolean).join(" ");
  const words = [name, userInfo?.email].filter((word) => typeof word === "string" && word !== "");
  return words.length ? `Says: ${words.join(", ")}` : undefined;
}

function showMessages(messages) {
  const ol = document.getElementById("messages");
  // Only new messages are added, so that a screen reader reads only those.
  const same = messages.length >= ol.children.length
    && [...ol.children].every((li, i) => li.querySelector(".text").textContent === messages[i].text);
  if (!same) ol.replaceChildren();
  for (const message of messages.slice(ol.children.length)) {
    const by = `${message.from_support ? "Stand-in" : "You"}, ${clock.format(message.at * 1000)}`;
    const li = element("li", Object.assign(element("p", by), { className: "by" }),
      Object.assign(element("p", message.text), { className: "text" }));
    li.dataset.from = message.from_support ? "support" : "visitor";
    ol.append(li);
  }
  document.querySelector("#conversation .empty").hidden = messages.length > 0;
}

function fill(name, text) {
  field(name).textContent = text ?? "";
  field(name).hidden = !text;
}

function field(name) {
  return identity.querySelector(`[data-field="${name}"]`);
}

function list(items) {
  return element("ul", ...items.map((item) => element("li", item)));
}

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}
