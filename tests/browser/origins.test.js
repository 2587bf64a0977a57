// Pages of other origins, in a real browser: who is on the list reads tokens and signs out, on the same site; others
// read nothing; to another site the browser sends no cookie, and the answer says so.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as jose from "jose";
import { answered, launch, visitor } from "./support/browser.js";
import { fillIn } from "./support/pages.js";
import { PASSWORD, startOtherSite, startSite } from "./support/program.js";

let browser, site, listed, unlisted;
before(async () => {
  [listed, unlisted] = await Promise.all([startOtherSite("<h1>A page of the website</h1>"), startOtherSite("<h1>Another page</h1>")]);
  const elsewhere = listed.url.replace("127.0.0.1", "localhost");
  const users = "login,email,email_verified\nana,ana@example.com,true\n";
  [browser, site] = await Promise.all([launch(), startSite({ users, settings: { ALLOWED_ORIGINS: `${listed.url},${elsewhere}` } })]);
});
after(async () => {
  await browser?.close();
  await Promise.all([site?.stop(), listed?.stop(), unlisted?.stop()]);
});

/** Ana, signed in, with a tab of hers on another page. */
async function ana(url) {
  const person = await visitor(browser);
  const [account, page] = [await person.newPage(), await person.newPage()];
  await account.goto(`${site.url}/login`);
  await fillIn(account, "ana", PASSWORD);
  await page.goto(url);
  return { person, account, page };
}

/** What a page's own script gets: status and body, or that the browser gave it nothing. */
const ask = (page, path, options = {}) => page.evaluate(async ([url, init]) => {
  try {
    const answer = await fetch(url, { credentials: "include", ...init });
    return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
  } catch (error) {
    return { error: error.name };
  }
}, [`${site.url}${path}`, options]);

test("a page on the list reads the token, and signs out in every tab", async () => {
  const { person, account, page } = await ana(listed.url);
  const { status, body } = await ask(page, "/api/v1/token");
  assert.equal(status, 200);
  assert.equal(jose.decodeJwt(body.token).email, "ana@example.com");
  const signOut = { method: "DELETE", headers: { "X-Countersign": "1" } };
  assert.equal((await ask(page, "/api/v1/session", signOut)).status, 204);
  const after = await ask(page, "/api/v1/token");
  assert.deepEqual([after.status, after.body.code], [401, "signed_out"]);
  await account.goto(`${site.url}/`);
  assert.equal(await account.getByRole("link", { name: "Sign in" }).count() > 0, true);
  person.calm(answered(401));
  await person.close();
});

test("a page that is not on the list reads nothing and ends nothing", async () => {
  const { person, account, page } = await ana(unlisted.url);
  assert.deepEqual(await ask(page, "/api/v1/token"), { error: "TypeError" });
  for (const init of [{ method: "DELETE", headers: { "X-Countersign": "1" } }, { method: "DELETE" }]) {
    assert.deepEqual(await ask(page, "/api/v1/session", init), { error: "TypeError" });
  }
  const own = await account.evaluate(async () => (await fetch("/api/v1/token")).status);
  assert.equal(own, 200, "ana is still signed in");
  await person.close();
});

test("a page of another site is told that the browser kept the cookie back", async () => {
  const { person, page } = await ana(listed.url.replace("127.0.0.1", "localhost"));
  const { status, body } = await ask(page, "/api/v1/token");
  assert.deepEqual([status, body.code], [401, "cookie_not_sent"]);
  assert.equal(body.messenger.id, "default");
  await person.close();
});
