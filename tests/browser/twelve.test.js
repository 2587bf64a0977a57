// An admin who has never seen JSON builds a mapping of all twelve claims, by keyboard alone and without JavaScript,
// beginning with an empty page. It must make the same tokens as the file of the same mapping, for every user.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import * as jose from "jose";
import { launch, visitor } from "./support/browser.js";
import { choice, choose, enter, press, tabTo, write } from "./support/keyboard.js";
import { fillIn } from "./support/pages.js";
import { PASSWORD, startSite } from "./support/program.js";

const here = (file) => new URL(file, import.meta.url);
const MAPPING = JSON.parse(await readFile(here("../oracle/mapping.json")));
const SEPARATORS = [",", ";", "|", " "];

let browser, site;
before(async () => {
  const users = await readFile(here("../data/users.csv"), "utf8");
  [browser, site] = await Promise.all([launch(), startSite({ users, passwords: false, proved: ["other_emails"] })]);
  await site.setUser("amberduncan1", { deskpro_id: "4711", email_verified: "yes" });
  await site.cli(["user", "add", "ada", "--admin"]);
  await site.cli(["user", "set-password", "ada"], `${PASSWORD}\n`);
});
after(async () => {
  await browser?.close();
  await site?.stop();
});

/** What every user's token holds, or why there is none, but for the moment it was issued. */
async function issued() {
  const lines = (await site.cli(["--json", "token", "issue", "--all"])).trim().split("\n");
  return lines.map((line) => {
    const { login, token, refused } = JSON.parse(line);
    if (!token) return { login, refused };
    const { iat, exp, ...claims } = jose.decodeJwt(token);
    assert.ok(exp > iat);
    return { login, claims };
  });
}

/** Adds a rule from the list of rules, and leads to its form. */
async function add(page, claim, attribute) {
  const [, number, list] = /^fields\.(\d+)(\[\])?$/.exec(claim) ?? [];
  await choose(page, "#claim", number ? `fields.N${list ?? ""}` : claim);
  if (attribute) await choose(page, "[id='attribute']", attribute);
  await press(page, "button[value='add']", /\/rules\/\d+/);
  if (number) await write(page, "#field", number);
}

async function fillSource(page, { constant, text }) {
  if (constant !== undefined) {
    await choice(page, "from", "constant");
    await write(page, "[id='from/constant']", constant);
  }
  if (text) {
    await choice(page, "from", "text");
    for (const [i, template] of text.entries()) {
      await press(page, i === 0 ? ".only-text button[value='preview']" : "button[value='from/text.add']", /rules/);
      await write(page, `[id='from/text/${i}']`, template);
    }
  }
}

async function fillStep(page, i, step) {
  const [kind, how] = typeof step === "string" ? [step] : Object.entries(step)[0];
  const at = (part) => `[id='steps/${i}/${part}']`;
  await choose(page, "[id='steps/new']", kind);
  await press(page, "button[value='steps.add']", /focus=steps/);
  if (kind === "split") {
    await choose(page, at("split/kind"), SEPARATORS.includes(how) ? how : "other");
    if (!SEPARATORS.includes(how)) await write(page, at("split"), how);
  } else if (kind === "date") {
    await write(page, at("date/in"), how.in);
    await write(page, at("date/out"), how.out);
  } else if (kind === "yes_no") {
    await write(page, at("yes_no/yes"), how.yes);
    await write(page, at("yes_no/no"), how.no);
  } else if (kind === "lookup") {
    const rows = Object.entries(how.values);
    if (rows.length > 5) {
      await tabTo(page, ".paste > summary");
      await page.keyboard.press("Enter");
      await write(page, at("lookup/paste"), rows.map(([key, value]) => `${key} = ${value}`).join("\n"));
    } else {
      for (const [row, [key, value]] of rows.entries()) {
        if (row > 0) await press(page, `button[value='steps/${i}/lookup.add']`, /focus=steps/);
        await write(page, at(`lookup/values/${row}/key`), key);
        await write(page, at(`lookup/values/${row}/value`), value);
      }
    }
  }
}

async function fillCondition(page, { attribute, not, ...test }) {
  const [kind, how] = Object.entries(test)[0];
  await choose(page, "[id='when']", `${not ? "not-" : ""}${kind}`);
  await choose(page, "[id='when/attribute']", attribute);
  if (kind === "is") await write(page, "[id='when/is']", how);
  if (kind === "in") {
    for (const [i, text] of how.entries()) {
      await press(page, "button[value='when/in.add']", /focus=when/);
      await write(page, `[id='when/in/${i}']`, text);
    }
  }
}

async function fillMissing(page, missing) {
  if (missing === "refuse") return choose(page, "[id='missing']", "refuse");
  const texts = [missing.default].flat();
  await choose(page, "[id='missing']", Array.isArray(missing.default) ? "defaults" : "default");
  if (!Array.isArray(missing.default)) return write(page, "[id='missing/default']", texts[0]);
  for (const [i, text] of texts.entries()) {
    await press(page, "button[value='missing/default.add']", /focus=missing/);
    await write(page, `[id='missing/default/${i}']`, text);
  }
}

test("all twelve claims by keyboard and without JavaScript, from an empty page", async () => {
  const person = await visitor(browser, { javaScriptEnabled: false });
  const page = await person.newPage();
  await page.goto(`${site.url}/admin`);
  await fillIn(page, "ada", PASSWORD);
  assert.equal(page.url(), `${site.url}/admin/mapping`);
  while (await page.locator("button[value='remove-0']").count()) await press(page, "button[value='remove-0']", /mapping/);
  assert.match(await page.locator("main").innerText(), /There are no rules yet/);

  for (const { claim, from, steps = [], when, missing } of MAPPING.rules) {
    await add(page, claim, from.attribute);
    await fillSource(page, from);
    for (const [i, step] of steps.entries()) await fillStep(page, i, step);
    if (when) await fillCondition(page, when);
    if (missing && missing !== "omit") await fillMissing(page, missing);
    await press(page, "p.actions button[value='save']", /\/admin\/mapping\?/);
    const said = await page.locator("main").innerText();
    assert.doesNotMatch(said, /Fix \d+ problems? before publishing/, claim);
  }
  await tabTo(page, "#settings > summary");
  await page.keyboard.press("Enter");
  for (const [claim, sent] of Object.entries(MAPPING.empty_lists)) {
    if (sent !== "send") continue;
    await tabTo(page, `[name='empty/${claim}']`);
    await page.keyboard.press("Space");
  }
  await press(page, "button[value='settings']", /mapping/);

  await press(page, "button[value='compare']", /publish/);
  await page.locator("dt", { hasText: "Lose their token" }).waitFor({ timeout: 120_000 });
  await write(page, "#reason", "all twelve claims");
  await enter(page, /versions\/1/);
  person.calm();
  await person.close();

  const built = await issued();
  assert.equal(built.length, 5001); // with ada
  await site.applyMapping(MAPPING);
  assert.deepEqual(await issued(), built);
  const claims = new Set(built.flatMap((user) => Object.keys(user.claims ?? {})));
  assert.deepEqual([...claims].sort(), ["deskpro_id", "email", "emails", "fields", "first_name", "labels", "language_id",
    "last_name", "name", "organization_id", "timezone", "usergroup_ids"]);
});
