// Users kept in Deskpro, set up and looked after in the console: connected, tried, started, repaired, and rules written
// with names; with a script and without. Each page is looked at in both themes, narrow and wide.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as jose from "jose";
import { answered, axeViolations, launch, photograph, sidewaysScroll, visitor } from "./support/browser.js";
import { fillIn, openChat, seen, tokenOf } from "./support/pages.js";
import { DEMO_PASSWORD, PASSWORD, startDemo } from "./support/program.js";

const API_KEY = "2:STANDINSTANDINSTANDINSTAN";

let browser, demo;
before(async () => {
  [browser, demo] = await Promise.all([launch(), startDemo()]);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function admin(options) {
  const person = await visitor(browser, options);
  const page = await person.newPage();
  await page.goto(`${demo.url}/admin/sync`);
  await fillIn(page, "admin", DEMO_PASSWORD);
  return { person, page };
}

/** Waits for what only another look at the page shows. */
async function reload(page, locator) {
  for (let tries = 0; tries < 500 && !(await locator.isVisible()); tries += 1) await page.reload();
  await locator.waitFor();
}

test("without a script: a helpdesk is connected after a wrong key, tried, and started", async () => {
  const { person, page } = await admin({ javaScriptEnabled: false });
  const key = page.locator("#api_key");
  await key.fill("2:WRONG");
  await page.getByLabel("The helpdesk is in a private network").check();
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByText("Copy the key again from Deskpro").first().waitFor();
  assert.ok(await page.getByLabel("The helpdesk is in a private network").isChecked(), "what was chosen stays");
  await key.fill(API_KEY);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("heading", { name: "Not started yet" }).waitFor();
  assert.ok(!(await page.content()).includes(API_KEY));
  await page.getByRole("link", { name: "What would a run change?" }).click();
  await page.getByText("A person is created").first().waitFor();
  await page.goBack();
  await page.getByRole("button", { name: "Start the synchronization" }).click();
  await reload(page, page.getByRole("heading", { name: /All users are as they should be|Some users could not be sent/ }));
  person.calm(answered(422));
  await person.close();
});

for (const javaScriptEnabled of [false, true]) {
  test(`gold customers get the group Gold, and nobody types a number, ${javaScriptEnabled ? "with" : "without"} a script`, async () => {
    const { person, page } = await admin({ javaScriptEnabled });
    await page.goto(`${demo.url}/admin/mapping`);
    await page.locator("#claim").selectOption("usergroup_ids");
    await page.locator("#attribute").selectOption("plan");
    await page.locator("button[value=add]").click();
    await page.waitForURL(/\/admin\/mapping\/rules\/\d+/);
    await page.locator("[id='steps/new']").selectOption("lookup");
    await page.locator("button[value='steps.add']").click();
    await page.locator("[id='steps/0/lookup/values/0/key']").fill("gold");
    const output = page.locator("[id='steps/0/lookup/values/0/value']");
    // What the field offers is the list that the browser shows.
    const offered = await page.locator(`#${await output.getAttribute("list")} option`).evaluateAll((all) => all.map((it) => it.value));
    assert.ok(offered.includes("Gold (7)") && !offered.includes("Everyone (1)"), offered.join());
    await output.fill(javaScriptEnabled ? "Gold (7)" : "gold");
    await page.getByRole("button", { name: "Save and preview" }).click();
    await page.getByText("Gold (7)").first().waitFor();
    assert.equal(await output.inputValue(), "Gold (7)");
    const file = await page.evaluate(() => fetch("/admin/mapping/file").then((answer) => answer.text())).catch(() => "");
    if (javaScriptEnabled) assert.match(file, /"gold": "7"/);
    await page.goto(`${demo.url}/admin/mapping`);
    await page.getByRole("listitem").filter({ hasText: "gold → Gold (7)" }).first().waitFor();
    // The next admin begins anew.
    await page.getByRole("button", { name: /^Discard/ }).first().click();
    person.calm();
    await person.close();
  });
}

test("a webhook and alerts are set up, shown once, and tried", async () => {
  const { person, page } = await admin();
  await page.getByRole("link", { name: /^http/ }).first().click();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Create webhook" }).click();
  const password = await page.locator("#webhook-secret").textContent();
  assert.match(await page.locator("#webhook-url").textContent(), /\/api\/v1\/deskpro\/[0-9a-f-]{36}\/people$/);
  await page.getByLabel("URL", { exact: true }).fill("http://127.0.0.1:1/alerts");
  await page.getByRole("button", { name: "Send alerts to this URL" }).click();
  assert.match(await page.locator("#alert-secret").textContent(), /^whsec_/);
  assert.ok(!(await page.content()).includes(password), "shown once");
  await page.getByRole("button", { name: "Send a test" }).click();
  await page.getByText("The test did not arrive").waitFor();
  person.calm(answered(422));
  await person.close();
});

/** What the stand-in is told through its own page's addresses. */
const put = (path, body) => fetch(`${demo.desk}/standin/${path}`, {
  method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
}).then((answer) => assert.equal(answer.status, 204, path));
const json = (path) => fetch(`${demo.desk}/standin/${path}`).then((answer) => answer.json());

const USERS = 500;
const address = (n) => `u${n}@people.example`;
const file = (plan) => ["login,email,email_verified,display_name,plan,deskpro_id", ...Array.from({ length: USERS }, (_, n) => (
  // These have the number of a person who was merged into another one.
  `u${n},${address(n)},${n < 480},User ${n},${plan(n)},${n >= 120 && n < 140 ? 6_000 + n : ""}`
))].join("\n");

/** 8,000 people: 100 have the address in other letters, 20 as a second one, 20 were merged, 20 are agents. */
async function fillDesk() {
  const people = Array.from({ length: 7_780 }, (_, n) => ({ id: 10_000 + n, name: `Person ${n}`, email: `p${n}@elsewhere.example` }));
  for (let n = 0; n < 100; n += 1) people.push({ id: 5_000 + n, name: `Known ${n}`, email: address(n).toUpperCase() });
  for (let n = 100; n < 120; n += 1) people.push({ id: 5_000 + n, name: "Second", email: `s${n}@elsewhere.example`, emails: [address(n)] });
  for (let n = 120; n < 140; n += 1) {
    people.push({ id: 6_000 + n, name: "Lost", email: `old${n}@elsewhere.example` }, { id: 7_000 + n, name: "Kept", email: address(n) });
  }
  for (let n = 140; n < 160; n += 1) people.push({ id: 5_000 + n, name: "Agent", email: address(n), is_agent: true });
  for (let n = 480; n < 500; n += 1) people.push({ id: 5_000 + n, name: "Not proved", email: address(n) });
  await put("people", people);
  for (let n = 120; n < 140; n += 1) await put("merge", { loser: 6_000 + n, winner: 7_000 + n });
}

test("500 users meet 8,000 people: nobody twice, nobody who is not certain, and the token only names the person", async () => {
  await fillDesk();
  const { person, page } = await admin();
  await page.goto(`${demo.url}/admin/mapping`);
  await page.getByText("Start again from a preset").click();
  await page.getByRole("button", { name: /Deskpro knows my users already/ }).click();
  await page.locator("#claim").selectOption("labels");
  await page.locator("#attribute").selectOption("plan");
  await page.locator("button[value=add]").click();
  await page.getByRole("button", { name: "Save rule" }).click();
  await page.goto(`${demo.url}/admin/mapping/publish`);
  const reason = page.locator("#reason");
  await reason.fill("Users are kept in Deskpro");
  await page.getByRole("button", { name: /^Publish/ }).click();
  await page.waitForURL(/\/admin\/mapping(\/versions|\?|$)/);
  await person.close();

  await demo.importUsers(file((n) => (n % 2 ? "gold" : "silver")));
  await demo.cli(["sync", "run"]);
  const people = await json("people.json");
  const holders = new Map();
  for (const one of people) {
    for (const each of [one.email, ...one.emails].filter(Boolean).map((it) => it.toLowerCase())) {
      assert.ok(!holders.has(each), `${each} twice`);
      holders.set(each, one);
    }
  }
  for (let n = 0; n < USERS; n += 1) assert.ok(holders.has(address(n)) || n >= 480, address(n));
  const kept = new Map((await demo.lines(["sync", "status", "--state", "sent"])).map((line) => [line.login, line.deskpro_id]));
  const number = (n) => kept.get(`u${n}`);
  for (let n = 0; n < 100; n += 1) assert.equal(number(n), String(5_000 + n), `u${n} in other letters`);
  for (let n = 120; n < 140; n += 1) assert.equal(number(n), String(7_000 + n), `u${n} was merged`);
  for (const [from, to] of [[100, 120], [140, 160], [480, 500]]) {
    for (let n = from; n < to; n += 1) assert.equal(number(n), undefined, `u${n} is not certain`);
  }
  assert.equal([...kept.keys()].filter((login) => /^u\d/.test(login)).length, 440);

  await demo.cli(["user", "set-password", "u5"], `${PASSWORD}\n`);
  const visitors = await visitor(browser);
  const chat = await visitors.newPage();
  await chat.goto(`${demo.url}/login`);
  await fillIn(chat, "u5", PASSWORD);
  const payload = jose.decodeJwt(await tokenOf(chat));
  assert.deepEqual(Object.keys(payload).sort(), ["deskpro_id", "exp", "iat"]);
  assert.equal(payload.deskpro_id, "5005");
  assert.equal((await seen(await openChat(chat))).state, "confirmed");

  const before = (await json("requests.json"))["PUT 204"];
  await demo.importUsers(file((n) => (n === 5 ? "platinum" : n % 2 ? "gold" : "silver")));
  await chat.goto(`${demo.url}/`);
  const label = async () => (await json("people.json")).find((one) => one.id === 5_005).labels;
  for (let tries = 0; tries < 500 && !(await label()).includes("platinum"); tries += 1);
  assert.deepEqual(await label(), ["platinum"]);
  assert.equal((await json("requests.json"))["PUT 204"] - before, 1, "one person, one request");
  visitors.calm();
  await visitors.close();

  // The helpdesk sleeps: a page opens, and a user whom it does not have yet is an anonymous visitor.
  await put("faults", [{ fault: "hang", on: "all" }]);
  await demo.importUsers("login,email,email_verified\nnew,new@people.example,true\n");
  await demo.cli(["user", "set-password", "new"], `${PASSWORD}\n`);
  const late = await visitor(browser);
  const slow = await late.newPage();
  await slow.goto(`${demo.url}/login`);
  await fillIn(slow, "new", PASSWORD);
  assert.equal(await tokenOf(slow), undefined);
  assert.equal((await seen(await openChat(slow))).state, "unconfirmed");
  await put("faults", []);
  await late.close();
});

test("each page in both themes, narrow and wide", async () => {
  const { person, page } = await admin();
  await page.goto(`${demo.url}/admin/mapping/conflicts`);
  await page.getByRole("button", { name: "Check all users" }).click();
  await page.getByText(/No conflicts found|in conflict/).first().waitFor();
  await page.goto(`${demo.url}/admin/sync`);
  const desk = new URL(await page.getByRole("link", { name: /^http/ }).first().getAttribute("href"), page.url()).pathname;
  const pages = [
    "/admin/sync", desk, `${desk}/dry-run`, `${desk}/people?state=sent`, `${desk}/people?state=conflict`, `${desk}/settings`,
    "/admin/mapping/names", "/admin/mapping/conflicts",
  ];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: width === 320 ? 640 : 900 });
      for (const path of pages) {
        await page.goto(`${demo.url}${path}`);
        await photograph(page, `sync${path.replace(desk, "-desk").replaceAll(/[^a-z]+/g, "-")}-${colorScheme}-${width}`);
        assert.deepEqual(await axeViolations(page.mainFrame()), [], path);
        assert.equal(await sidewaysScroll(page.mainFrame()), 0, `${path} at ${width}`);
      }
    }
  }
  await person.close();
});
