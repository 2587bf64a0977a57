// Back and forward: Chromium restores pages from its memory, token and all. The helper hands out nothing until it
// knows that it is still the same user.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, visitor } from "./support/browser.js";
import { fillIn, openChat, seen } from "./support/pages.js";
import { DEMO_PASSWORD, startDemo } from "./support/program.js";
import { startPages } from "./support/sites.js";

let demo, browser, pages;
before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch({ backForwardCache: true })]);
  pages = await startPages({ accounts: demo.url, desk: demo.desk });
  await demo.allow(demo.url, [pages.url]);
});
after(async () => {
  await browser?.close();
  await Promise.all([demo?.stop(), pages?.stop()]);
});

/** Ana's page, left for another one; everything that her page offers from then on is written down. */
async function left() {
  const person = await visitor(browser);
  const [account, page] = [await person.newPage(), await person.newPage()];
  await account.goto(`${demo.url}/login`);
  await fillIn(account, "ana", DEMO_PASSWORD);
  await page.goto(pages.url);
  await page.waitForFunction(() => window.Countersign?.subject);
  await page.evaluate(() => {
    addEventListener("pageshow", (event) => {
      window.restored = event.persisted;
      window.offered = [window.DpMessengerOptions.signedUserInfo];
      const look = () => { window.offered.push(window.DpMessengerOptions.signedUserInfo); };
      setInterval(look, 1);
    });
  });
  await page.getByRole("link", { name: "Another page" }).click();
  await page.waitForURL("**/other");
  return { person, account, page };
}

test("back after a sign-out hands out no token, not for a moment", async () => {
  const { person, account, page } = await left();
  await account.locator("form[data-sign-out] button").click();
  await account.waitForURL(`${demo.url}/?signed_out=1`);
  await page.evaluate(() => { history.back(); });
  await page.waitForURL(`${pages.url}/`, { waitUntil: "commit" });
  await page.waitForFunction(() => window.Countersign?.subject === null);
  const restored = await page.evaluate(() => window.restored);
  assert.equal(restored, true, "the page came from the browser's memory");
  assert.deepEqual((await page.evaluate(() => window.offered)).filter(Boolean), []);
  assert.equal((await seen(await openChat(page))).state, "unconfirmed");
  await person.close();
});

test("back while still signed in goes on as before", async () => {
  const { person, page } = await left();
  await page.evaluate(() => { history.back(); });
  await page.waitForURL(`${pages.url}/`, { waitUntil: "commit" });
  await page.waitForFunction(() => window.DpMessengerOptions?.signedUserInfo);
  assert.equal(await page.evaluate(() => window.restored), true);
  assert.equal((await seen(await openChat(page))).name, "Ana Kovač");
  await person.close();
});
