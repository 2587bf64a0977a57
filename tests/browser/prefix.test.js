// The site below a path, behind a proxy, as COUNTERSIGN_PUBLIC_URL says: nothing may point outside the path.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as jose from "jose";
import { answered, launch, visitor } from "./support/browser.js";
import { fillIn, launcher, openChat, seen, signOut, tokenOf, tokensIn } from "./support/pages.js";
import { PASSWORD, SIGNING_KEY, messengerOf, startDemo, startSite } from "./support/program.js";

const USERS = "login,email,email_verified,display_name\nana,ana@example.com,true,Ana Kovač\n";
const MAPPING = { rules: [{ claim: "email", from: { attribute: "email" } }, { claim: "name", from: { attribute: "display_name" } }] };

let demo, site, browser;
before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  site = await startSite({ users: USERS, mapping: MAPPING, settings: await messengerOf(demo), path: "/accounts" });
});
after(async () => {
  await browser?.close();
  await site?.stop();
  await demo?.stop();
});

test("below a path one signs in, has a token and a chat, and signs out", async () => {
  const person = await visitor(browser);
  const page = await person.newPage();
  const origin = new URL(site.url).origin;
  const outside = [];
  person.context.on("request", (request) => {
    const { origin: to, pathname } = new URL(request.url());
    if (to === origin && !pathname.startsWith("/accounts/")) outside.push(request.url());
  });

  await page.goto(`${site.url}/`);
  await page.getByRole("main").getByRole("link", { name: "Sign in" }).click();
  assert.equal(page.url(), `${site.url}/login`);
  await fillIn(page, "ana", "not the password");
  assert.equal(page.url(), `${site.url}/login`);
  await fillIn(page, "ana", PASSWORD);
  assert.equal(page.url(), `${site.url}/`);

  const token = await tokenOf(page);
  const { payload } = await jose.jwtVerify(token, new TextEncoder().encode(SIGNING_KEY), { algorithms: ["HS256"] });
  assert.equal(payload.email, "ana@example.com");
  const answer = await page.evaluate(async (url) => (await fetch(url)).json(), `${site.url}/api/v1/token`);
  assert.equal(answer.subject, await page.locator("script[data-subject]").getAttribute("data-subject"));
  await launcher(page).waitFor();
  // The stand-in has another secret; that it was asked is what counts here.
  assert.equal((await seen(await openChat(page))).reason, "bad_signature");

  for (const cookie of await person.context.cookies()) assert.equal(cookie.path, "/accounts");
  await page.getByRole("link", { name: "Deutsch" }).click();
  await page.locator("html[lang=de]").waitFor();
  assert.ok(page.url().startsWith(`${site.url}/`), page.url());

  await signOut(page);
  assert.equal(page.url(), `${site.url}/?signed_out=1`);
  assert.deepEqual(await tokensIn(page), []);
  assert.deepEqual((await person.context.cookies()).map(({ name }) => name).filter((name) => name === "countersign"), []);

  const missing = await page.goto(`${site.url}/nothing/here`);
  assert.equal(missing.status(), 404);
  await page.getByRole("main").getByRole("link").first().click();
  assert.equal(page.url(), `${site.url}/`);
  assert.deepEqual(outside, []);
  person.calm(answered(401), answered(404));
  await person.close();
});
