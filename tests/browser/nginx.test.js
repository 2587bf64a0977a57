// A website behind nginx that serves Countersign below a path of its own, by the recipe and the settings that its
// comment names.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { launch, visitor } from "./support/browser.js";
import { fillIn, openChat, seen } from "./support/pages.js";
import { PASSWORD, messengerOf, startDemo, startNginx, startSite } from "./support/program.js";
import { filled } from "./sites/shop.js";

const USERS = "login,email,email_verified,display_name\nana,ana@example.com,true,Ana Kovač\n";
const MAPPING = { rules: [{ claim: "email", from: { attribute: "email" } }, { claim: "name", from: { attribute: "display_name" } }] };

let demo, site, website, browser;
before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  const { secret } = await (await fetch(`${demo.desk}/standin/state.json`)).json();
  const page = `<link rel="icon" href="data:,">${await filled("page.html", "/countersign")}${await filled("page/ways.html", "/countersign")}`;
  site = await startSite({
    users: USERS,
    mapping: MAPPING,
    settings: { ...(await messengerOf(demo)), SIGNING_KEY: secret },
    path: "/countersign",
    behind: () => startNginx(page),
  });
  website = new URL(site.url).origin;
});
after(async () => {
  await browser?.close();
  await site?.stop();
  await demo?.stop();
});

const known = (page) => page.waitForFunction(() => window.Countersign?.subject !== undefined);

test("behind nginx one signs in below the path, is known on the website's own pages, and signs out", async () => {
  const person = await visitor(browser);
  const page = await person.newPage();
  await page.goto(`${website}/`);
  await known(page);
  assert.equal((await seen(await openChat(page))).state, "unconfirmed");

  const signOut = page.getByRole("button", { name: "Sign out" });
  assert.equal(await signOut.count(), 0, "nobody is signed in yet");

  await page.getByRole("link", { name: "Sign in" }).click();
  await fillIn(page, "ana", PASSWORD);
  assert.equal(page.url(), `${website}/`);
  await known(page);
  const { state, name } = await seen(await openChat(page));
  assert.deepEqual({ state, name }, { state: "confirmed", name: "Ana Kovač" });
  const cookies = await person.context.cookies(site.url);
  for (const cookie of cookies) assert.equal(cookie.path, "/countersign");
  const session = (cookie) => cookie.name === "countersign";
  assert.ok(cookies.some(session));

  await page.goto(site.url);
  assert.equal(page.url(), `${site.url}/`, "the path without its slash leads there, too");
  await page.goBack();
  await known(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForFunction(() => window.Countersign.subject === null);
  assert.equal((await seen(await openChat(page))).state, "unconfirmed");
  assert.ok(!(await person.context.cookies(site.url)).some(session));
  person.calm();
  await person.close();
});

test("behind nginx the address is the visitor's, whatever they say themselves, and long mappings come through", async () => {
  const ask = (path, { body, ...how } = {}) => new Promise((resolve, reject) => {
    const asked = http.request(`${site.url}${path}`, how, (answer) => answer.resume().once("end", () => resolve(answer.statusCode)));
    asked.once("error", reject).end(body);
  });
  // All of 127.0.0.0/8 is this machine; only 127.0.0.1 is trusted to speak for others.
  const headers = { "X-Forwarded-For": "203.0.113.9" };
  assert.equal(await ask("/help/errors/unknown_host", { localAddress: "127.0.0.2", headers }), 200);
  const [, address] = await site.prints(/route="?\S*help\S*errors\S*.* address="?([\d.]+)/);
  assert.equal(address, "127.0.0.2");
  // As long as a mapping may be: refused for want of a sign-in, not for its length.
  const mapping = JSON.stringify("x".repeat(2 * 1024 * 1024 - 2));
  assert.equal(await ask("/api/v1/admin/mapping/draft", { method: "PUT", headers: { "Content-Type": "application/json" }, body: mapping }), 401);
});
