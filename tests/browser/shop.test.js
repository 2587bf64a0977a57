// A website with its own login: its users have no password at Countersign, one route and one line make them known.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answered, launch, visitor } from "./support/browser.js";
import { openChat, seen } from "./support/pages.js";
import { startDemo } from "./support/program.js";
import { elsewhere, startShop } from "./support/sites.js";

let demo, browser, apiKey;
const shops = [];
before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  const made = await demo.cli(["--json", "api-key", "create", "shop", "--scope", "users,mint,handovers"]);
  apiKey = JSON.parse(made).key;
});
after(async () => {
  await browser?.close();
  await Promise.all([demo?.stop(), ...shops.map((shop) => shop.stop())]);
});

/** A shop that reaches Countersign by its own route, or by codes. */
async function open(by, asPasted = false) {
  const shop = await startShop({ accounts: demo.url, desk: demo.desk, apiKey, by, asPasted });
  shops.push(shop);
  // A page with a route of its own needs no place on the list.
  if (by === "code") await demo.allow(demo.url, [shop.url]);
  return shop;
}

/** WordPress has users with passwords, and its own names for the fields of its form. */
const PASSWORD = "of the shop";
const form = (name, by) => (by === "wordpress"
  ? ["/wp-login.php", { log: name, pwd: PASSWORD, redirect_to: "/" }]
  : ["/login", { name }]);

async function signIn(page, url, name, by) {
  await page.goto(url);
  await page.getByLabel("Name").fill(name);
  if (by === "wordpress") await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: /Welcome, / }).waitFor();
}
const known = (page) => page.waitForFunction(() => window.Countersign?.subject !== undefined);
const name = async (page) => (await seen(await openChat(page))).name;

/** Whom each shop has Mara for: her key there, and her address. */
const MARA = {
  token: { external_id: "C-1001", email: "mara@shop.example" },
  django: { external_id: "1", email: "mara@django.example" },
  laravel: { external_id: "1", email: "mara@laravel.example" },
  wordpress: { external_id: "2", email: "mara@wordpress.example" },
  code: { external_id: "C-1001", email: "mara@shop.example" },
};

for (const by of Object.keys(MARA)) {
  test(`by ${by}: signed in at the shop is confirmed to support, and the next user never sees the chat before`, async () => {
    const shop = await open(by);
    // Asking the token route by itself is for pages of the same site; the shop's own route serves any.
    const url = by === "code" ? shop.url : elsewhere(shop.url);
    const person = await visitor(browser);
    const page = await person.newPage();
    await page.goto(url);
    await known(page);
    assert.equal(await name(page), "Anonymous visitor");
    await signIn(page, url, "mara", by);
    await known(page);
    assert.equal(await name(page), "Mara Lind");
    await page.reload();
    await known(page);
    assert.equal(await name(page), "Mara Lind", "after a reload, too");
    const signInElsewhere = (name) =>
      page.evaluate(([path, fields]) => fetch(path, { method: "POST", body: new URLSearchParams(fields) }), form(name, by));
    // In another tab, say: a page from before her new session keeps her.
    await signInElsewhere("mara");
    await page.evaluate(() => window.Countersign.refresh());
    assert.notEqual(await page.evaluate(() => window.Countersign.subject), null, "she is still known");
    // Another user without a sign-out between, as shops allow.
    await signInElsewhere("tom");
    await page.reload();
    await known(page);
    assert.equal(await name(page), "Tom Osei");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await known(page);
    assert.equal(await page.evaluate(() => "signedUserInfo" in window.DpMessengerOptions), false);
    assert.equal(await name(page), "Anonymous visitor");
    person.calm();
    await person.close();
    const users = await demo.users();
    const mara = users.find((user) => user.attributes.email === MARA[by].email);
    assert.equal(mara.attributes.external_id, MARA[by].external_id);
    assert.equal(mara.has_password ?? false, false);
  });
}

for (const by of Object.keys(MARA)) {
  test(`by ${by}, as pasted: no address is vouched for, so nobody gets a token by one`, async () => {
    const { url } = await open(by, true);
    const person = await visitor(browser);
    const page = await person.newPage();
    await signIn(page, url, "mara", by);
    await known(page);
    assert.equal(await page.evaluate(() => window.DpMessengerOptions?.signedUserInfo), undefined);
    assert.equal(await name(page), "Anonymous visitor");
    await person.close();
  });
}

test("by wordpress: an address that its user took without a proof makes nobody known", async () => {
  const { url } = await open("wordpress");
  const person = await visitor(browser);
  const page = await person.newPage();
  await signIn(page, url, "tom", "wordpress");
  await known(page);
  assert.equal(await name(page), "Tom Osei");
  const taken = await page.evaluate(async () => {
    const nonce = await (await fetch("/wp-admin/admin-ajax.php?action=rest-nonce")).text();
    const body = new URLSearchParams({ email: "boss@wordpress.example" });
    return (await fetch("/?rest_route=/wp/v2/users/me", { method: "POST", headers: { "X-WP-Nonce": nonce }, body })).ok;
  });
  assert.ok(taken, "WordPress lets him");
  await page.reload();
  await known(page);
  assert.equal(await name(page), "Anonymous visitor");
  person.calm(answered(403));
  await person.close();
});

test("by token: an account that the shop deletes is gone, and no late call brings it back", async () => {
  const { url } = await open("token");
  const person = await visitor(browser);
  const page = await person.newPage();
  await signIn(page, url, "tom", "token");
  await known(page);
  assert.equal(await name(page), "Tom Osei");
  assert.equal(await page.evaluate(() => fetch("/close", { method: "POST" }).then((answer) => answer.status)), 204);
  await page.reload();
  await known(page);
  assert.equal(await name(page), "Anonymous visitor");
  const tom = (await demo.users()).find((user) => user.attributes.external_id === "C-1002");
  assert.match(tom.login, /^gone~/);
  await person.close();
});
