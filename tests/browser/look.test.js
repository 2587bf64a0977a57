// Every page as people may meet it, in light and dark, on a phone of 320 px and on a desk: axe-core finds nothing,
// and nothing has to be scrolled sideways. With SCREENSHOTS set to a folder, each is photographed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axeViolations, launch, photograph, sidewaysScroll, visitor } from "./support/browser.js";
import { fillIn, launcher, openChat, signIn } from "./support/pages.js";
import { DEMO_PASSWORD, PASSWORD, startDemo, startSilentMessenger, startSite } from "./support/program.js";

const LONG = "Dr. Maria-Magdalena Wolfeschlegelsteinhausenbergerdorff-Hohenzollern-Sigmaringen";
const USERS = `login,email,email_verified,display_name,groups,plan,notes
ana,ana@example.com,true,Ana Kovač,3|5,gold,likes tea
long,${"a".repeat(60)}@${"sub.".repeat(20)}example.com,true,"${LONG} ${"x".repeat(120)}",${"123456789|".repeat(12)}7,${"unbroken".repeat(40)},"first line
second line"
`;
const MAPPING = {
  rules: [
    { claim: "email", from: { attribute: "email" } },
    { claim: "name", from: { attribute: "display_name" } },
    { claim: "usergroup_ids", from: { attribute: "groups" }, steps: [{ split: "|" }] },
    { claim: "labels", from: { attribute: "plan" } },
    { claim: "fields.9", from: { attribute: "notes" } },
  ],
};
const THEMES = ["light", "dark"];
const WIDTHS = [320, 1280];

let demo, messenger, site, browser;
before(async () => {
  [demo, messenger, browser] = await Promise.all([startDemo(), startSilentMessenger(), launch()]);
  site = await startSite({ users: USERS, mapping: MAPPING, settings: messenger.settings });
});
after(async () => {
  await browser?.close();
  await site?.stop();
  await messenger?.stop();
  await demo?.stop();
});

/** Looks at what `go` leads to, in every theme and width; `go` gives the frame to judge, or nothing for the page. */
function look(name, go, options = {}) {
  for (const colorScheme of THEMES) {
    for (const width of WIDTHS) {
      test(`${name}, ${colorScheme}, ${width} px`, async () => {
        const viewport = { width, height: width === 320 ? 640 : 800 };
        const person = await visitor(browser, { colorScheme, viewport, reducedMotion: "reduce", ...options });
        try {
          const page = await person.newPage();
          const frame = (await go(page)) ?? page.mainFrame();
          await photograph(page, `${name.replaceAll(/[^a-z]+/g, "-")}-${colorScheme}-${width}`);
          assert.deepEqual(await axeViolations(frame), []);
          if (frame !== page.mainFrame()) assert.deepEqual(await axeViolations(page.mainFrame()), []);
          for (const each of page.frames()) assert.equal(await sidewaysScroll(each), 0, `sideways scroll of ${each.url()}`);
        } finally {
          await person.close();
        }
      });
    }
  }
}

look("host signed out", async (page) => {
  await page.goto(demo.url);
  await launcher(page).waitFor();
});
look("host signed in", async (page) => {
  await signIn(page, demo.url, "ana", DEMO_PASSWORD);
  await launcher(page).waitFor();
});
look("host with a notice", async (page) => {
  await signIn(page, demo.url, "chris", DEMO_PASSWORD);
  await launcher(page).waitFor();
});
look("host with long values", async (page) => {
  await signIn(page, site.url, "long", PASSWORD);
});
look("host in german", async (page) => {
  await signIn(page, demo.url, "ana", DEMO_PASSWORD);
  await launcher(page).waitFor();
}, { locale: "de-DE" });
look("sign in", async (page) => {
  await page.goto(`${site.url}/login`);
});
look("sign in in german", async (page) => {
  await page.goto(`${site.url}/login`);
}, { locale: "de-DE" });
look("sign in with an error", async (page) => {
  await signIn(page, site.url, "ana", "not the password");
  // Whatever was wrong, it is said, and the guesses of this file are not counted together.
  await page.locator("#error-summary").waitFor();
  await site.cli(["user", "unlock", "ana"]);
});
look("sign in throttled", async (page) => {
  await page.goto(`${site.url}/login`);
  for (let guesses = 0; !(await page.getByRole("heading", { name: "Please wait a moment" }).count()); guesses += 1) {
    assert.ok(guesses < 25, "the guesses are limited");
    await fillIn(page, "somebody", "not the password");
  }
});
look("account", async (page) => {
  await signIn(page, demo.url, "ana", DEMO_PASSWORD);
  await page.goto(`${demo.url}/account`);
});
look("account in german", async (page) => {
  await signIn(page, site.url, "long", PASSWORD);
  await page.goto(`${site.url}/account`);
}, { locale: "de-DE" });
look("account with an error", async (page) => {
  await signIn(page, site.url, "ana", PASSWORD);
  await page.goto(`${site.url}/account`);
  await page.locator("#current").fill(PASSWORD);
  await page.locator("#new").fill("short");
  await page.getByRole("button", { name: "Change password" }).click();
  await page.locator("#error-summary").waitFor();
});
look("catalogue", async (page) => {
  await page.goto(`${site.url}/help/errors`);
});
look("catalogue of one error", async (page) => {
  await page.goto(`${site.url}/help/errors`);
  await page.getByRole("link", { name: "api_key_expired" }).click();
  await page.getByRole("heading", { name: "What to do" }).waitFor();
});
look("docs of the api", async (page) => {
  // A link to an operation opens it.
  await page.goto(`${site.url}/api/docs#mint`);
  await page.locator("#mint").waitFor();
  await page.evaluate(() => { for (const part of document.querySelectorAll("details")) part.open = true; });
});
look("handover", async (page) => {
  await site.allow(site.url, ["https://www.example.com"]);
  const [{ key }] = (await site.cli(["--json", "api-key", "create", "shop", "--scope", "users,handovers"])).trim().split("\n").map((line) => JSON.parse(line));
  const made = await fetch(`${site.url}/api/v1/handovers`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ external_id: "C-1", origin: "https://www.example.com", user: { display_name: LONG } }),
  });
  await page.goto(`${site.url}/handover?code=${(await made.json()).code}`);
});
look("error not found", async (page) => {
  await page.goto(`${site.url}/nothing`);
});
look("panel asking nobody", async (page) => {
  await page.goto(demo.url);
  return openChat(page);
});
look("panel confirmed", async (page) => {
  await signIn(page, demo.url, "ana", DEMO_PASSWORD);
  return openChat(page);
});
look("panel with a conversation", async (page) => {
  await signIn(page, demo.url, "bora", DEMO_PASSWORD);
  const panel = await openChat(page);
  await panel.locator("#text").fill("Where is my order? It was promised for last week, and nobody has called me since.");
  await panel.getByRole("button", { name: "Send" }).click();
  await panel.locator("#messages li[data-from=support]").last().waitFor();
  return panel;
});
look("panel refused", async (page) => {
  await signIn(page, demo.url, "dana", DEMO_PASSWORD);
  return openChat(page);
});
look("stand-in", async (page) => {
  await page.goto(demo.desk);
  await page.locator("#people tbody tr").first().waitFor();
  await page.locator("#verifications > li details summary").first().click();
});
