// A page that the browser runs before anybody sees it (speculation rules): it asks nothing, spends nothing and ends
// nothing until it is seen. Playwright's switches keep Chromium from it, so another driver opens these pages.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { DEMO_PASSWORD, startDemo } from "./support/program.js";
import { html, site, tag } from "./sites/pages.js";

const pages = {};
let demo, web, browser;
before(async () => {
  [demo, web, browser] = await Promise.all([
    startDemo(), site(pages),
    puppeteer.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] }),
  ]);
  await demo.allow(demo.url, [web.url]);
});
after(async () => {
  await browser?.close();
  await Promise.all([demo?.stop(), web?.stop()]);
});

const until = async (holds, what) => {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    if (await holds()) return;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  assert.fail(`waited in vain for ${what}`);
};

test("a page that is run in advance asks nothing, and ends nobody's sign-in when it is seen", async () => {
  // The pages tell this site what they are, and when the helper is there.
  const told = [];
  const tell = `<script>
    const tell = (what) => fetch("/told?" + what);
    tell("prerendering-" + document.prerendering);
    document.addEventListener("countersign:signed-in", () => tell("signed-in-while-" + document.prerendering));
    addEventListener("load", () => tell("loaded-" + Boolean(window.Countersign)));
  </script>`;
  pages["/told"] = (url) => { told.push(url.search.slice(1)); return "told"; };
  for (const who of ["ana", "bora"]) {
    pages[`/${who}`] = html(tag(demo.url, `data-user="${who}"`).replace(" async", "") + tell);
    pages[`/before-${who}`] = html(`<a href="/${who}">on</a>`,
      `<script type="speculationrules">{"prerender":[{"urls":["/${who}"],"eagerness":"immediate"}]}</script>`);
  }
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.goto(`${demo.url}/login`);
  await page.type("#login", "ana");
  await page.type("#password", DEMO_PASSWORD);
  await Promise.all([page.waitForNavigation(), page.click("form[action$='/login'] [type=submit]")]);

  for (const who of ["bora", "ana"]) {
    told.length = 0;
    await page.goto(`${web.url}/before-${who}`);
    await until(() => told.includes("prerendering-true") && told.includes("loaded-true"), "the page that runs in advance");
    assert.ok(!told.some((line) => line.startsWith("signed-in")), "it knows nobody yet");
    await Promise.all([page.waitForNavigation(), page.click("a")]);
    await page.waitForFunction(() => window.Countersign?.subject !== undefined);
    assert.ok(await page.evaluate(() => performance.getEntriesByType("navigation")[0].activationStart > 0), "it is the one that ran in advance");
    const offered = await page.evaluate(() => window.DpMessengerOptions?.signedUserInfo);
    assert.equal(Boolean(offered), who === "ana");
    if (who === "ana") await until(() => told.includes("signed-in-while-false"), "the sign-in, seen");
    // Ana is still signed in, also after a page that shows somebody else.
    await page.goto(`${demo.url}/account`);
    assert.equal(new URL(page.url()).pathname, "/account");
  }
  await context.close();
});
