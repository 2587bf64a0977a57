// Consent banners with the lines of docs/embed.md, as they are written there: nothing is sent before the visitor agrees,
// and nothing stays when they take it back.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch, visitor } from "./support/browser.js";
import { fillIn, launcher, openChat, seen } from "./support/pages.js";
import { DEMO_PASSWORD, startDemo } from "./support/program.js";
import { html, site, tag } from "./sites/pages.js";

const pages = {};
let demo, browser, web, person, page, sent, documentation;
before(async () => {
  [demo, browser, web, documentation] = await Promise.all([
    startDemo(), launch(), site(pages), readFile(new URL("../../docs/embed.md", import.meta.url), "utf8"),
  ]);
  await demo.allow(demo.url, [web.url]);
});
after(async () => {
  await browser?.close();
  await Promise.all([demo?.stop(), web?.stop()]);
});
beforeEach(async () => {
  person = await visitor(browser);
  const account = await person.newPage();
  await account.goto(`${demo.url}/login`);
  await fillIn(account, "ana", DEMO_PASSWORD);
  await account.close();
  page = await person.newPage();
  // What goes to Countersign or Deskpro, the script itself aside.
  sent = [];
  person.context.on("request", (request) => {
    const { origin, pathname } = new URL(request.url());
    if ([demo.url, demo.desk].includes(origin) && pathname !== "/embed.js") sent.push(request.url());
  });
});
afterEach(() => person.close());

/** The lines of the document behind a sentence that begins so. */
function lines(sentence) {
  const [, code] = documentation.slice(documentation.indexOf(`\n${sentence}`)).split(/```(?:js)?\n/);
  assert.ok(code.includes("Countersign.consent()"), code);
  return code;
}

/** The script's tag, without `async` as the document says. */
const ours = () => tag(demo.url, 'data-load="consent"').replace(" async", "");

/** Opens a page that has settled, and makes sure that nothing was sent. */
async function nothing(path, ready) {
  sent.length = 0;
  await page.goto(web.url + path);
  await ready();
  await page.evaluate(() => {
    for (const type of ["focus", "online", "pageshow"]) window.dispatchEvent(new Event(type));
    return window.Countersign.refresh();
  });
  assert.deepEqual([sent, await page.evaluate(() => window.Countersign.subject), await launcher(page).count()], [[], undefined, 0]);
}
const chatOfAna = async () => {
  await launcher(page).waitFor();
  assert.equal((await seen(await openChat(page))).name, "Ana Kovač");
};
/** Does what takes the consent back; the page is loaded again by that. */
const takeBack = (act) => Promise.all([page.waitForEvent("load"), act()]);

test("CookieConsent 3 by orestbida: chat after the visitor accepts it, none before and none after it is taken back", async () => {
  const written = lines("With CookieConsent 3");
  const configuration = `
    hideFromBots: false,
    categories: { necessary: { enabled: true, readOnly: true }, chat: {}, statistics: {} },
    language: { default: "en", translations: { en: {
      consentModal: { title: "May we?", acceptAllBtn: "Accept all", acceptNecessaryBtn: "Reject all", showPreferencesBtn: "Choose" },
      preferencesModal: { title: "What we may", acceptAllBtn: "Accept all", savePreferencesBtn: "Save", sections: [
        { title: "Chat", linkedCategory: "chat" }, { title: "Statistics", linkedCategory: "statistics" },
      ] },
    } } },`;
  const place = /\/\*.*\*\//;
  assert.match(written, place);
  const made = html(`<button data-cc="show-preferencesModal">Cookies</button>${ours()}<script src="/cookieconsent.js"></script><script>${written.replace(place, configuration)}</script>`,
    '<link rel="stylesheet" href="/cookieconsent.css">');
  Object.assign(pages, { "/banner": made, "/next": made });
  const banner = page.getByRole("dialog", { name: "May we?" });
  await nothing("/banner", () => banner.waitFor());

  // Everything but the chat.
  await banner.getByRole("button", { name: "Reject all" }).click();
  await banner.waitFor({ state: "hidden" });
  await nothing("/next", () => page.getByRole("button", { name: "Cookies" }).waitFor());

  const choose = async (isWanted) => {
    await page.getByRole("button", { name: "Cookies" }).click();
    const preferences = page.getByRole("dialog", { name: "What we may" });
    await preferences.getByRole("checkbox", { name: "Chat" }).setChecked(isWanted, { force: true });
    await preferences.getByRole("button", { name: "Save" }).click();
  };
  await choose(true);
  await chatOfAna();
  await page.goto(`${web.url}/banner`);
  await chatOfAna();

  await takeBack(() => choose(false));
  await nothing("/next", () => page.getByRole("button", { name: "Cookies" }).waitFor());

  // The banner's own button, as most visitors press it.
  await page.context().clearCookies({ name: "cc_cookie" });
  await nothing("/banner", () => banner.waitFor());
  await banner.getByRole("button", { name: "Accept all" }).click();
  await chatOfAna();
  person.calm();
});

/** `Cookiebot` as https://www.cookiebot.com/en/developer/ describes it, which tells its events early or late in the page's load. */
function cookiebot(isEarly) {
  const KEY = "a banner's answer";
  const given = JSON.parse(localStorage.getItem(KEY));
  const tell = () => {
    const { preferences, statistics, marketing } = window.Cookiebot.consent;
    window.dispatchEvent(new Event(preferences || statistics || marketing ? "CookiebotOnAccept" : "CookiebotOnDecline"));
  };
  window.Cookiebot = {
    consent: { necessary: true, preferences: false, statistics: false, marketing: false, ...given },
    hasResponse: Boolean(given),
    submitCustomConsent(preferences, statistics, marketing) {
      Object.assign(window.Cookiebot.consent, { preferences, statistics, marketing });
      window.Cookiebot.hasResponse = true;
      localStorage.setItem(KEY, JSON.stringify({ preferences, statistics, marketing }));
      tell();
    },
  };
  if (given && isEarly) tell();
  else if (given) addEventListener("load", tell);
}

for (const isEarly of [false, true]) {
  test(`Cookiebot, by the events that Cookiebot documents, ${isEarly ? "early" : "late"} in the page: chat after the visitor accepts it, none before and none after it is taken back`, async () => {
    const made = html(`${ours()}<script>${lines("With Cookiebot")}</script>`, `<script>(${cookiebot})(${isEarly});</script>`);
    Object.assign(pages, { "/banner": made, "/next": made });
    const ready = () => page.waitForLoadState("load");
    const answer = (...kinds) => page.evaluate((kinds) => window.Cookiebot.submitCustomConsent(...kinds), kinds);
    await nothing("/banner", ready);
    await answer(false, false, false);
    await nothing("/next", ready);
    // Statistics alone: an acceptance, but not of the chat.
    await answer(false, true, false);
    await nothing("/banner", ready);
    await answer(true, true, false);
    await chatOfAna();
    await page.goto(`${web.url}/next`);
    await chatOfAna();
    // Taken back while statistics stay, and altogether.
    await takeBack(() => answer(false, true, false));
    await nothing("/banner", ready);
    await answer(true, false, false);
    await chatOfAna();
    await takeBack(() => answer(false, false, false));
    await nothing("/next", ready);
    person.calm();
  });
}
