// Fills the stand-in's page and refreshes it while it is visible. Text is inserted only as text nodes.

const EVERY = 2_000; // milliseconds
const FEW = 8; // lines shown until all are requested
const WORDS = { confirmed: "Confirmed", unconfirmed: "Unconfirmed", refused: "Refused" };
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const all = document.getElementById("all");
const form = document.getElementById("play");
const saved = document.getElementById("saved");
let shown = ""; // the state on the page, as received
let played = ""; // the switches on the page

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch("/standin/play", {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(chosen()),
  }).catch(() => undefined);
  saved.toggleAttribute("data-failed", !answer?.ok);
  saved.textContent = answer?.ok
    ? `Saved at ${clock.format(Date.now())}. The next token is judged this way.`
    : "This could not be saved. Is the stand-in still running?";
  refresh();
});
form.addEventListener("input", () => { saved.textContent = ""; });

const faults = document.getElementById("faults");
faults.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { fault, on, about } = faults.elements;
  const which = on.value === "person" ? { person: about.value.trim() } : JSON.parse(on.value);
  const rules = fault.value ? [{ fault: JSON.parse(fault.value), on: which }] : [];
  const answer = await fetch("/standin/faults", {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(rules),
  }).catch(() => undefined);
  const status = document.getElementById("faulty");
  status.toggleAttribute("data-failed", !answer?.ok);
  status.textContent = answer?.ok
    ? `Saved at ${clock.format(Date.now())}. ${rules.length ? "Errors start with the next request." : "Requests are answered normally again."}`
    : "This could not be saved. Is the stand-in still running?";
});

all.addEventListener("click", () => {
  all.dataset.pressed = "yes";
  fold();
  // The button no longer exists: the first line that it had hidden gets the focus.
  const next = document.querySelectorAll("#verifications > li")[FEW];
  next.tabIndex = -1;
  next.focus();
});

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2_000);
  });
}

document.getElementById("renew").addEventListener("click", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const secret = btoa(String.fromCharCode(...bytes));
  const answer = await fetch("/standin/secret", {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ secret }),
  }).catch(() => undefined);
  document.getElementById("renewed").textContent = answer?.ok
    ? "From now on, tokens are verified only with this secret. Paste it into Countersign’s signing keys and switch to it."
    : "This could not be saved. Is the stand-in still running?";
  refresh();
});

refresh();
setInterval(() => { if (!document.hidden) refresh(); }, EVERY);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

async function refresh() {
  const text = await fetch("/standin/state.json").then((answer) => answer.text()).catch(() => undefined);
  document.getElementById("offline").hidden = text !== undefined;
  if (text === undefined || text === shown) return;
  shown = text;
  const state = JSON.parse(text);
  showPlay(state.play);
  showVerifications(state.verifications);
  showPeople(state.people);
  const count = document.getElementById("people-count");
  count.hidden = state.people_count <= state.people.length;
  count.textContent = `Showing the ${state.people.length} people changed most recently, of ${state.people_count}.`;
  document.getElementById("snippet").textContent = snippet(state);
  document.getElementById("secret").textContent = state.secret;
}

/** What Deskpro shows for a Messenger. */
const snippet = (state) => `<script>
  window.DpMessengerOptions = {
    showLauncherButton: true,
    signedUserInfo: jwt,
  };
</script>
<script
  type="module"
  src="${state.init_script_url}"
  data-deskpro-url="${state.deskpro_url}"
  data-messenger-id="${state.messenger_id}"
></script>`;

/** Only when somebody changed them at the server: what is being chosen here stays. */
function showPlay(play) {
  if (JSON.stringify(play) === played) return;
  played = JSON.stringify(play);
  for (const [name, value] of Object.entries(play)) {
    const control = form.elements[name];
    if (typeof value === "boolean") control.checked = value;
    else control.value = value;
  }
}

function chosen() {
  const { exp, unknown_claims, secret, omitted_lists, leeway, require_jwt } = form.elements;
  return {
    exp: exp.value,
    unknown_claims: unknown_claims.value,
    secret: secret.value,
    omitted_lists: omitted_lists.value,
    leeway: leeway.valueAsNumber,
    require_jwt: require_jwt.checked,
  };
}

/** New lines are added at the top and old ones are not changed, so that an opened payload stays open. */
function showVerifications(verifications) {
  const ol = document.getElementById("verifications");
  document.getElementById("no-verifications").hidden = verifications.length > 0;
  const newest = Number(ol.firstElementChild?.dataset.number ?? 0);
  // A restarted stand-in counts from 1.
  if (verifications.length && verifications[0].number < newest) ol.replaceChildren();
  const last = Number(ol.firstElementChild?.dataset.number ?? 0);
  ol.prepend(...verifications.filter(({ number }) => number > last).map(line));
  while (ol.children.length > verifications.length) ol.lastElementChild.remove();
  fold();
}

/** A button hides the oldest lines, so that the switches stay within reach on a phone. */
function fold() {
  const lines = [...document.getElementById("verifications").children];
  for (const [i, li] of lines.entries()) li.hidden = !all.dataset.pressed && i >= FEW;
  all.hidden = all.dataset.pressed || lines.length <= FEW;
  all.textContent = `Show all ${lines.length}`;
}

function line({ number, at, state, reason, message, notes, who, claims }) {
  const when = element("time", { textContent: clock.format(at * 1000), title: day.format(at * 1000) });
  when.dateTime = new Date(at * 1000).toISOString();
  const icon = document.getElementById("icons").content.querySelector(`[data-for="${state}"]`).cloneNode(true);
  const parts = [element("span", { className: "badge" }, icon, WORDS[state])];
  if (who) parts.push(element("span", { className: "who", textContent: who }));
  if (reason) parts.push(element("code", { textContent: reason }));
  const li = element("li", {}, element("div", { className: "line" }, ...parts, when),
    element("p", { className: "message", textContent: message }));
  if (notes.length) {
    const items = notes.map((note) => element("li", { textContent: note }));
    li.append(element("ul", { className: "notes" }, ...items));
  }
  if (claims) {
    li.append(element("details", {},
      element("summary", { textContent: "Claims of the token" }),
      element("pre", { textContent: readable(JSON.stringify(claims, null, 2)) })));
  }
  li.dataset.number = number;
  li.dataset.state = state;
  li.dataset.reason = reason ?? "";
  return li;
}

/** JSON in which characters that are invisible, or that would reverse the line, are written as escapes. */
function readable(json) {
  const escaped = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return json.replace(/[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, escaped);
}

function showPeople(people) {
  document.getElementById("no-people").hidden = people.length > 0;
  document.getElementById("people").hidden = people.length === 0;
  document.querySelector("#people tbody").replaceChildren(...people.map((person) => {
    const cells = [
      ["Person", person.id, "number"],
      ["Name", person.is_agent ? `${person.display_name} (works for support)` : person.display_name, "name"],
      ["Address", [person.email, ...person.emails].filter(Boolean).join(", ")],
      ["Groups", person.usergroup_ids.join(", ")],
      ["Labels", person.labels.join(", ")],
      ["Updated", day.format(person.updated_at * 1000)],
    ];
    const row = element("tr", {}, ...cells.map(([label, text, className = ""]) => {
      const cell = element("td", { textContent: text, className });
      cell.dataset.label = label;
      return cell;
    }));
    row.dataset.person = person.id;
    return row;
  }));
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
