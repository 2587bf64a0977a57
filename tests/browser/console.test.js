// The console as an admin uses it: without JavaScript, by keyboard alone, and with the preview that follows what is
// typed. Each page is looked at in both themes, narrow and wide.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import * as jose from "jose";
import { answered, axeViolations, launch, photograph, sidewaysScroll, visitor } from "./support/browser.js";
import { enter, tabTo } from "./support/keyboard.js";
import { fillIn, openChat, seen } from "./support/pages.js";
import { DEMO_PASSWORD, PASSWORD, startDemo, startSite } from "./support/program.js";

const HOSTILE = "<img src=x onerror=alert(1)>";
const USERS = `login,email,email_verified,display_name,plan,${HOSTILE}
gil,gil@example.com,true,Gil Gold,gold,
sue,sue@example.com,true,Sue Silver,silver,
eve,eve@example.com,true,${HOSTILE},"</script><script>alert(1)</script>",{login}${HOSTILE}
`;

let browser, site;
before(async () => {
  [browser, site] = await Promise.all([launch(), startSite({ users: USERS })]);
  await site.cli(["user", "add", "ada", "--admin", "--set", "display_name=Ada Admin"]);
  await site.cli(["user", "set-password", "ada"], `${PASSWORD}\n`);
  await site.cli(["messenger", "add", "shop"]);
  await site.cli(["messenger", "set", "shop", "allowed_origins=https://shop.example.com", "blocked=example.net"]);
  for (const key of ["the first key of the shop, long enough", "the second key of the shop, long enough"]) {
    await site.cli(["key", "add", "--messenger", "shop"], `${key}\n`);
  }
  await site.cli(["api-key", "create", "the shop's server", "--scope", "users,mint,handovers", "--email-verified"]);
});
after(async () => {
  await browser?.close();
  await site?.stop();
});

const visitors = [];
afterEach(async () => {
  for (const person of visitors.splice(0)) await person.close();
});
async function admin(options) {
  const person = await visitor(browser, options);
  visitors.push(person);
  const page = await person.newPage();
  await page.goto(`${site.url}/admin/mapping`);
  assert.match(page.url(), /\/login\?next=/);
  await fillIn(page, "ada", PASSWORD);
  assert.equal(page.url(), `${site.url}/admin/mapping`);
  return { person, page };
}

/** Chooses in a list by typing the beginning of what it says, as one does by keyboard. */
async function choose(page, selector, words) {
  await tabTo(page, selector);
  await page.keyboard.type(words);
  const chosen = await page.locator(selector).evaluate((list) => list.selectedOptions[0].textContent);
  assert.ok(chosen.startsWith(words), `${words}: ${chosen}`);
}

test("an API key and a connection code are made with what must be filled in alone, and a code asks whose ids it is for", async () => {
  const shops = await startSite({ users: "login,external_id,display_name\ngus,1001,Gus Tor\n" });
  try {
    await shops.cli(["user", "add", "ada", "--admin"]);
    await shops.cli(["user", "set-password", "ada"], `${PASSWORD}\n`);
    const person = await visitor(browser);
    visitors.push(person);
    const page = await person.newPage();
    await page.goto(`${shops.url}/admin/api-keys`);
    await fillIn(page, "ada", PASSWORD);
    await page.getByLabel("What it is for").fill("shop server");
    await page.getByRole("button", { name: "Make the key" }).click();
    await page.getByRole("heading", { name: "The key “shop server” is ready" }).waitFor();
    const offer = async (answer) => {
      await page.goto(`${shops.url}/admin/integrate#wordpress`);
      await page.getByRole("heading", { name: "WordPress" }).click();
      await page.getByRole("button", { name: "Make a connection code" }).click();
      if (!answer) return;
      await page.getByRole("heading", { name: "Are these the same people?" }).waitFor();
      assert.match(await page.locator("#whose-ids").textContent(), /such as 1001, Gus Tor/);
      await page.getByLabel(answer).check();
      await page.getByRole("button", { name: "Make the connection code" }).click();
    };
    const code = () => page.locator("#secret").textContent();
    await offer("No, or I do not know");
    assert.match(await code(), /^connect_/);
    assert.match(await page.locator("table").textContent(), /prefix wordpress-/);
    await offer("Yes, the same ids");
    assert.match(await code(), /^connect_/);
    person.calm(answered(422));
  } finally {
    await shops.stop();
  }
});

test("in the demo another secret is made, pasted and switched to, and the chat goes on", async () => {
  const demo = await startDemo();
  try {
    const person = await visitor(browser);
    visitors.push(person);
    const [desk, page, chat] = await Promise.all([1, 2, 3].map(() => person.newPage()));
    await desk.goto(`${demo.desk}/`);
    const secret = () => desk.locator("#secret").textContent();
    await desk.locator("#secret", { hasText: /^[\w+/]{43}=$/ }).waitFor();
    const before = await secret();
    await desk.getByRole("button", { name: "Create another secret" }).click();
    await desk.getByText("tokens are verified only with this secret").waitFor();
    await desk.waitForFunction((before) => document.getElementById("secret").textContent !== before, before);

    await page.goto(`${demo.url}/admin/messengers/default/keys`);
    await fillIn(page, "admin", DEMO_PASSWORD);
    await page.locator("#signing_key").fill(await secret());
    await page.locator("#signing_key").press("Enter");
    await page.getByRole("button", { name: "Use this key now" }).click();
    await page.getByRole("row", { name: /signs/ }).getByText((await secret()).slice(-4)).waitFor();
    await person.context.clearCookies();

    await chat.goto(`${demo.url}/login`);
    await fillIn(chat, "ana", DEMO_PASSWORD);
    assert.equal((await seen(await openChat(chat))).state, "confirmed");
    assert.match(await desk.locator("#snippet").textContent(), /data-messenger-id="01JSTANDINDESKPR0MESSENGER"/);
    person.calm();
  } finally {
    await demo.stop();
  }
});

test("by keyboard and without JavaScript: gold customers get group 7, published", async () => {
  const { person, page } = await admin({ javaScriptEnabled: false });
  await page.locator("#claim").selectOption("usergroup_ids");
  await page.locator("#attribute").selectOption("plan");
  await page.locator("button[value=add]").press("Enter");
  await page.waitForURL(/\/admin\/mapping\/rules\/3/);
  await page.locator("[id='steps/new']").selectOption("lookup");
  await page.locator("button[value='steps.add']").press("Enter");
  await page.waitForURL(/focus=steps/);
  assert.equal(await page.locator(".field-error").count(), 0, "nothing is wrong yet with what waits to be filled in");
  await page.locator("[id='steps/0/lookup/values/0/key']").fill("gold");
  await page.locator("[id='steps/0/lookup/values/0/value']").fill("7");
  // Enter in a field saves the rule.
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/admin\/mapping\?/);
  assert.match(await page.locator("#rule-3 .rule").innerText(), /Groups usergroup_ids[^]*plan, looked up: gold → 7/);

  await page.locator("#user").fill("gil");
  await page.keyboard.press("Enter");
  await page.waitForURL(/user=gil/);
  const line = page.locator("#preview-result tr", { hasText: "usergroup_ids" });
  assert.match(await line.innerText(), /7/);
  assert.match(await line.innerText(), /differs/);

  await page.locator("button[value=compare]").press("Enter");
  await page.waitForURL(/\/publish/);
  await page.locator("dt", { hasText: "Lose their token" }).waitFor();
  assert.match(await page.locator(".numbers").innerText(), /Changed\s+1\s+Lose their token\s+0/);
  await page.locator("#reason").fill("gold customers");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/versions\/1/);
  assert.match(await page.locator("main").innerText(), /Version 1\s+current[^]*gold customers[^]*Added Groups/);

  const gil = await visitor(browser);
  visitors.push(gil);
  const chat = await gil.newPage();
  await chat.goto(`${site.url}/login`);
  await fillIn(chat, "gil", PASSWORD);
  const { token } = await chat.evaluate(async (url) => (await fetch(url)).json(), `${site.url}/api/v1/token`);
  assert.deepEqual(jose.decodeJwt(token).usergroup_ids, ["7"]);
  person.calm();
});

test("a rule is built by keyboard alone, and the preview follows what is typed", async () => {
  const { person, page } = await admin();
  await choose(page, "#claim", "Labels");
  await tabTo(page, "button[value=add]");
  await enter(page, /rules\/\d+/);
  await page.waitForFunction(() => document.activeElement.name === "from");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.locator("input[name=from]:checked").getAttribute("value"), "constant");
  await tabTo(page, "[id='from/constant']");
  assert.ok(await page.locator("[id='from/constant']").isVisible());
  assert.equal(await page.locator("[id='from/attribute']").isVisible(), false, "what the choice does not need is not shown");
  await page.keyboard.type("newcomer");
  await page.locator("#preview-result tr.open .given", { hasText: "newcomer" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "from/constant", "the focus stays");
  await enter(page, /\/admin\/mapping\?/);
  assert.match(await page.locator(".rules").innerText(), /Labels labels[^]*always newcomer/);

  await page.locator("button[value=discard]").press("Enter");
  await page.waitForURL(/\/admin\/mapping\?/);
  person.calm();
});

test("who gets a value from each rule, and which values are not in the table", async () => {
  const { person, page } = await admin({ javaScriptEnabled: false });
  await page.getByRole("button", { name: "Who gets a value from each rule" }).click();
  await page.getByRole("heading", { name: "Attributes" }).waitFor();
  const groups = page.locator("#rule-3");
  assert.match(await groups.innerText(), /1 of 4 users get a value \(25 %\)/);
  await groups.locator("summary").click();
  assert.match(await groups.locator("table").innerText(), /silver\s+1/);
  person.calm();
});

test("what users, attributes, mappings and reasons hold changes no page of the console", async () => {
  const { rules } = JSON.parse(await site.cli(["mapping", "show"]));
  await site.applyMapping({
    rules: [
      ...rules,
      { claim: "labels", from: { attribute: HOSTILE }, steps: [{ lookup: { values: { [HOSTILE]: HOSTILE }, keep: true } }] },
      { claim: "labels", from: { text: [`${HOSTILE}{${HOSTILE}}`] }, when: { attribute: HOSTILE, is: HOSTILE, not: true } },
      { claim: "labels", from: { constant: `</textarea>${HOSTILE}{{login}}` }, missing: { default: [HOSTILE] } },
    ],
  }, HOSTILE);
  const { person, page } = await admin();
  await page.locator("#claim").selectOption("labels");
  await page.locator("#attribute").selectOption(HOSTILE);
  await page.locator("button[value=add]").click();
  await page.waitForURL(/rules/);
  await page.goto(`${site.url}/admin/mapping/coverage`);
  await page.getByRole("button", { name: "Check all users" }).click();
  await page.getByRole("heading", { name: "Attributes" }).waitFor();
  const rule = (number) => `/admin/mapping/rules/${number}?user=eve`;
  for (const path of ["/admin/mapping?user=eve", rule(1), rule(4), rule(5), rule(6), "/admin/audit", "/admin/mapping/versions",
    "/admin/mapping/versions/2", "/admin/mapping/publish", "/admin/mapping/coverage", "/admin/mapping/expected",
    "/admin/mapping/expected/user?login=eve", `/admin/mapping?user=${encodeURIComponent(HOSTILE)}`]) {
    await page.goto(`${site.url}${path}`);
    assert.equal(await page.locator("main img").count(), 0, path);
    const shown = (await page.content()).includes("&lt;img");
    assert.ok(shown || /expected$/.test(path), `${path} shows it`);
  }
  // What was put in is never read again: a part in a user's own text stays as it is.
  const { claims } = JSON.parse(await site.cli(["--json", "mapping", "preview", "eve"]));
  assert.deepEqual(claims.labels, [`{login}${HOSTILE}`, `${HOSTILE}{login}${HOSTILE}`, `</textarea>${HOSTILE}{{login}}`]);
  await page.locator("button[value=discard]").click();
  await page.goto(`${site.url}/admin/mapping?user=${encodeURIComponent(HOSTILE)}`);
  assert.match(await page.locator("#preview-result").innerText(), /No user matches/);
  person.calm();
});

test("a form that comes after the session's end is asked about, and nothing is lost", async () => {
  const { person, page } = await admin();
  await page.goto(`${site.url}/admin/mapping/rules/0`);
  await page.locator("input[name=from][value=constant]").check();
  await page.locator("[id='from/constant']").fill("typed with care");
  await person.context.clearCookies();
  await page.locator("button[value=save]:not(.visually-hidden)").click();
  await page.getByRole("heading", { name: "What you typed is still here" }).waitFor();
  const second = await person.newPage();
  await second.goto(`${site.url}/login`);
  await fillIn(second, "ada", PASSWORD);
  await page.getByRole("button", { name: "I have signed in: send the form again" }).click();
  await page.getByRole("button", { name: "Yes, continue" }).click();
  await page.waitForURL(/\/admin\/mapping\?/);
  assert.match(await page.locator("#rule-0").innerText(), /always typed with care[^]*1 error/);
  await page.locator("button[value=undo]").click();
  await page.waitForURL(/\/admin\/mapping\?/);
  person.calm(answered(401));
});

const PAGES = {
  mapping: "/admin/mapping",
  rule: "/admin/mapping/rules/1",
  table: "/admin/mapping/rules/3",
  publish: "/admin/mapping/publish",
  coverage: "/admin/mapping/coverage",
  versions: "/admin/mapping/versions",
  version: "/admin/mapping/versions/1",
  messengers: "/admin/messengers",
  messenger: "/admin/messengers/shop",
  keys: "/admin/messengers/shop/keys",
  "api-keys": "/admin/api-keys",
  integrate: "/admin/integrate",
  audit: "/admin/audit",
  sync: "/admin/sync",
  expected: "/admin/mapping/expected",
  "expected-user": "/admin/mapping/expected/user?login=gil",
  confirm: "/admin/confirm",
};
for (const [name, path] of Object.entries(PAGES)) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [320, 768, 1280]) {
      test(`console ${name}, ${colorScheme}, ${width} px`, async () => {
        const { person, page } = await admin({ colorScheme, viewport: { width, height: 800 } });
        await page.goto(`${site.url}${path}`);
        assert.deepEqual(await axeViolations(page), []);
        assert.equal(await sidewaysScroll(page), 0);
        await photograph(page, `console-${name}-${colorScheme}-${width}`);
        person.calm();
      });
    }
  }
}
