// Back after a sign-out. Chromium keeps pages in memory, `no-store` ones included, and shows them again as they were:
// neither a token nor a name may come back that way. These tests run with that cache on.
//
// A page whose scripts fetched something `no-store` is never kept, and the stand-in's script does just that. So every
// test runs twice: with the stand-in, and with a Messenger that lets its page be kept.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, visitor } from "./support/browser.js";
import { signIn, signOut, tokenOf, tokensIn } from "./support/pages.js";
import { DEMO_PASSWORD, PASSWORD, startDemo, startSilentMessenger, startSite } from "./support/program.js";

const USERS = `login,email,email_verified,display_name
ana,ana@example.com,true,Ana Kovač
bora,bora@example.com,true,王 博拉
chris,chris@example.com,false,Chris Oduya
`;
const MAPPING = { rules: [{ claim: "email", from: { attribute: "email" } }, { claim: "name", from: { attribute: "display_name" } }] };

let demo, messenger, site, browser;
before(async () => {
  [demo, messenger, browser] = await Promise.all([startDemo(), startSilentMessenger(), launch({ backForwardCache: true })]);
  site = await startSite({ users: USERS, mapping: MAPPING, settings: messenger.settings });
});
after(async () => {
  await browser?.close();
  await site?.stop();
  await messenger?.stop();
  await demo?.stop();
});

// What is in sight on the host page, once it is not hidden.
const SIGNED_IN = "html:not([hidden]) form[data-sign-out]";
const SIGNED_OUT = "html:not([hidden]) main a[href$='/login']";

/** Somebody in front of a browser, and what they do. */
async function somebody(where) {
  const [{ url, cli }, password] = where === "demo" ? [demo, DEMO_PASSWORD] : [site, PASSWORD];
  const person = await visitor(browser);
  // Notes whether the page was restored, and whether it was hidden at that moment.
  await person.context.addInitScript(() => {
    addEventListener("pageshow", (event) => {
      if (event.persisted) sessionStorage.setItem("restored", document.documentElement.hidden ? "hidden" : "in sight");
    });
  });
  const page = await person.newPage();
  return {
    page, url, cli, password,
    signInAs: (login, tab = page) => signIn(tab, url, login, password),
    // The server learns within a second what another process has changed.
    isOut: async () => {
      const isSignedIn = () => page.evaluate(async () => (await (await fetch("/")).text()).includes("data-sign-out"));
      while (await isSignedIn());
    },
    goElsewhere: () => page.goto(`${url}/nothing`),
    /** In another tab: sign out whoever is signed in, and sign in somebody else. */
    async changeTo(login) {
      const tab = await person.newPage();
      await tab.goto(url);
      if (await tab.locator(SIGNED_IN).count()) await signOut(tab);
      if (login) await signIn(tab, url, login, password);
    },
    /** Goes back, until the host page is in sight as it should be. */
    async goBack(expected, steps = 1) {
      // The page that is left may take its answer along.
      const left = (error) => assert.match(error.message, /context was destroyed/);
      await page.evaluate((by) => { history.go(-by); }, steps).catch(left);
      // A page that comes back from memory is not loaded: it is only there.
      await page.waitForURL(`${url}/`, { waitUntil: "commit" });
      await page.locator(expected).waitFor();
      await page.waitForFunction(() => document.readyState === "complete");
    },
    restored: () => page.evaluate(() => sessionStorage.getItem("restored")),
    heading: () => page.getByRole("heading", { level: 1 }).innerText(),
    close: () => person.close(),
  };
}

async function nothingOfAna({ page }) {
  assert.equal(await tokenOf(page), undefined);
  assert.deepEqual(await tokensIn(page), []);
  assert.ok(!(await page.content()).includes("Kovač"));
}

for (const where of ["demo", "site"]) {
  const how = where === "demo" ? "with the stand-in" : "from memory";
  const scene = (name, play) => test(`${name} (${how})`, async () => {
    const person = await somebody(where);
    try {
      await play(person);
    } finally {
      await person.close();
    }
  });

  scene("a user who is still signed in goes back to their page", async (person) => {
    await person.signInAs("ana");
    await person.goElsewhere();
    await person.goBack(SIGNED_IN);
    assert.match(await person.heading(), /Ana Kovač/);
    assert.ok(await tokenOf(person.page));
    // This is what makes the other tests of this file mean something.
    if (where === "site") assert.equal(await person.restored(), "hidden", "restored, and not in sight before it was checked");
  });

  scene("back after signing out shows no token and no name", async (person) => {
    await person.signInAs("ana");
    await signOut(person.page);
    await person.goElsewhere();
    await person.goBack(SIGNED_OUT, 2);
    await nothingOfAna(person);
  });

  scene("back after the session ended on the server shows no token and no name", async (person) => {
    await person.signInAs("ana");
    await person.goElsewhere();
    // No cookie changes in this browser, so nothing but the page's own script keeps it from coming back.
    await person.cli(["user", "set-password", "ana"], `${person.password}\n`);
    await person.isOut();
    await person.goBack(SIGNED_OUT);
    await nothingOfAna(person);
    if (where === "site") assert.equal(await person.restored(), "hidden");
  });

  scene("after another user signed in from another tab, back shows them and nothing of the one before", async (person) => {
    await person.signInAs("ana");
    await person.goElsewhere();
    await person.changeTo("bora");
    await person.goBack(SIGNED_IN);
    assert.match(await person.heading(), /王 博拉/);
    assert.ok(!(await person.page.content()).includes("Kovač"));
  });

  scene("after a sign-in in another tab, back does not show the page of nobody", async (person) => {
    await person.page.goto(person.url);
    await person.goElsewhere();
    await person.changeTo("ana");
    await person.goBack(SIGNED_IN);
    assert.match(await person.heading(), /Ana Kovač/);
  });

  scene("the page of a user without a token is checked as well", async (person) => {
    await person.signInAs("chris");
    await person.goElsewhere();
    await person.changeTo();
    await person.goBack(SIGNED_OUT);
    assert.ok(!(await person.page.content()).includes("Oduya"));
  });
}
