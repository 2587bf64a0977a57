// Texts that try to be markup, script or direction, in every attribute that the mapping sends and in the Messenger's
// options: no page changes shape, nothing runs, and support reads the very same text.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { decodeJwt } from "jose";
import { launch, photograph, skeleton, visitor } from "./support/browser.js";
import { fillIn, openChat, seen, signIn, tokenOf } from "./support/pages.js";
import { DEMO_PASSWORD, messengerOf, startDemo, startSite } from "./support/program.js";

// Each begins and ends with a letter: what is trimmed or cut is not the matter here.
const HOSTILE = {
  script: "a</script><script>alert(1)</script>z",
  comment: "a<!-- <script> --!>z",
  lines: "a\u2028b\u2029c\r\nd\u0085z",
  quotes: `a"b'c\`d\\e\\"f\\u003cz`,
  direction: "a\u202Ereversed\u202D \u2066isolated\u200Fz",
  markup: `a<img src=x onerror=alert(1)><svg/onload=alert(1)>&lt;b&gt;&#60;&amp;z`,
  templates: "a{{7*7}}${7*7}#{7*7}<%= 7 %>{% raw %}%00%0d%0az",
  frames: `a</iframe></textarea></title></style><base href=//x>]]>z`,
};
const ALL = Object.values(HOSTILE).join(" ");
const HARMLESS = "a plain text of one user";

// What takes a text takes all of them; an address takes what RFC 5322 allows without quotes.
const ADDRESS = "o'b{c}|d`e&f=g/h?i^j*k!l$m#n%o~p+q@example.com";
const FIELDS = Object.keys(HOSTILE).map((name, i) => [name, String(20 + i)]);

const MAPPING = {
  rules: [
    { claim: "deskpro_id", from: { attribute: "deskpro_id" } },
    { claim: "email", from: { attribute: "email" } },
    { claim: "emails", from: { attribute: "other" } },
    { claim: "name", from: { attribute: "display_name" } },
    { claim: "first_name", from: { attribute: "first_name" } },
    { claim: "last_name", from: { attribute: "last_name" } },
    { claim: "organization_id", from: { attribute: "plan" } },
    { claim: "language_id", from: { attribute: "language" } },
    { claim: "usergroup_ids", from: { attribute: "groups" } },
    { claim: "timezone", from: { attribute: "timezone" } },
    { claim: "labels", from: { attribute: "plan" } },
    { claim: "labels", from: { text: ["{display_name}: {plan}"] } },
    ...FIELDS.map(([name, id]) => ({ claim: `fields.${id}`, from: { attribute: name } })),
    { claim: "fields.40[]", from: { attribute: "plan" } },
  ],
};

let demo, browser, person, page;
before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  for (const name of [...Object.keys(HOSTILE), "other"]) await demo.cli(["attribute", "set", name, "--trusted"]);
  await demo.applyMapping(MAPPING);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});
beforeEach(async () => {
  person = await visitor(browser);
  page = await person.newPage();
});
afterEach(() => person.close());

/** Everything of ana that is a text, and one that is an address. */
const attributes = (text, email, each) => ({
  display_name: text, first_name: text, last_name: text, plan: text,
  email, email_verified: "true", other: `x${email}`,
  // Of these only an id, or a time zone, can be sent: a text must simply vanish.
  groups: text, language: text, timezone: text,
  ...Object.fromEntries(Object.keys(HOSTILE).map((name) => [name, each(name)])),
});

/** The shapes of host page, panel and the stand-in's own page for ana as she is now, and her token. */
async function look(name) {
  await signIn(page, demo.url, "ana", DEMO_PASSWORD);
  const panel = await openChat(page);
  const shapes = { page: await skeleton(page), panel: await skeleton(panel) };
  const token = decodeJwt(await tokenOf(page));
  const shown = await seen(panel);
  const fields = await panel.locator("#known dd[data-field^='fields.']").allTextContents();
  await photograph(page, `${name}-host`);

  const operator = await person.newPage();
  await operator.goto(demo.desk);
  await operator.locator("#verifications > li details").first().locator("summary").click();
  await operator.locator("#people tbody tr").first().waitFor();
  shapes.operator = await operator.evaluate(() => {
    const shape = (element) =>
      `${element.localName}[${element.getAttributeNames().sort().join(" ")}](${[...element.children].map(shape).join(",")})`;
    return [shape(document.head), shape(document.querySelector("#verifications > li")), shape(document.querySelector("#people tbody tr"))];
  });
  await photograph(operator, `${name}-stand-in`);
  await operator.close();
  return { shapes, token, shown, fields };
}

test("hostile texts in every attribute change no page and reach support unchanged", async () => {
  await demo.setUser("ana", attributes(HARMLESS, "ana@example.com", () => HARMLESS));
  const harmless = await look("harmless");
  await person.context.clearCookies();
  await demo.setUser("ana", attributes(ALL, ADDRESS, (name) => HOSTILE[name]));
  const hostile = await look("hostile");

  assert.deepEqual(hostile.shapes, harmless.shapes);
  const { iat, exp, ...claims } = hostile.token;
  assert.deepEqual(claims, {
    email: ADDRESS, emails: [`x${ADDRESS}`],
    name: ALL, first_name: ALL, last_name: ALL,
    labels: [ALL, `${ALL}: ${ALL}`],
    fields: { ...Object.fromEntries(FIELDS.map(([name, id]) => [id, HOSTILE[name]])), 40: [ALL] },
  });
  assert.equal(hostile.shown.state, "confirmed");
  assert.deepEqual(hostile.shown.labels, [ALL, `${ALL}: ${ALL}`]);
  assert.deepEqual(hostile.fields, [...FIELDS.map(([name]) => HOSTILE[name]), ALL]);
  person.calm();
});

test("hostile texts in the Messenger's options stay texts", async () => {
  const users = "login,email,email_verified\nana,ana@example.com,true\n";
  const about = (text) => ({
    showLauncherButton: true,
    userInfo: { name: text, email: text },
    launcherButtonConfig: { [text]: text },
    messengerAppConfig: [text],
    [`key ${text}`]: text,
    // A setting cannot plant a token.
    signedUserInfo: text,
  });
  const shapes = {};
  for (const text of [HARMLESS, ALL]) {
    const site = await startSite({ users, settings: { ...(await messengerOf(demo)), MESSENGER_OPTIONS: JSON.stringify(about(text)) } });
    try {
      await page.goto(site.url);
      const { state, hint } = await seen(await openChat(page));
      assert.equal(state, "unconfirmed");
      if (text === HARMLESS) assert.equal(hint, `Says: ${HARMLESS}, ${HARMLESS}`);
      const { signedUserInfo, ...planted } = about(text);
      assert.deepEqual(await page.evaluate(() => window.DpMessengerOptions), planted);
      shapes[text] = await skeleton(page);
    } finally {
      await site.stop();
    }
  }
  assert.equal(shapes[ALL], shapes[HARMLESS]);
  person.calm();
});

test("hostile texts as login, as `next` and in the address come back as texts", async () => {
  const harmless = {};
  // A field of one line takes no line breaks.
  for (const text of [HARMLESS, ALL.replace(/[\r\n]/g, "")]) {
    const address = encodeURIComponent(text);
    await page.goto(`${demo.url}/login?next=${address}`);
    const fresh = await skeleton(page);
    await fillIn(page, text, text);
    // A control character comes back as a sign that can be seen.
    assert.equal(await page.locator("#login").inputValue(), text.replaceAll("\x85", "\ufffd"));
    const shapes = { fresh, again: await skeleton(page) };
    await page.goto(`${demo.url}/${address}?${address}#${address}`);
    shapes.missing = await skeleton(page);
    harmless.shapes ??= shapes;
    assert.deepEqual(shapes, harmless.shapes);
  }
  person.calm(/Failed to load resource.* (401|404) /);
});
