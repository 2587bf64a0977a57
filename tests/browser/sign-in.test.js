// Signing in as people do it: by keyboard alone, without JavaScript, with a wrong password, too often, on the way to
// some other page, in German.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { answered, launch, visitor } from "./support/browser.js";
import { fillIn, signIn, signOut, tokenOf, tokensIn } from "./support/pages.js";
import { PASSWORD, startOtherSite, startSilentMessenger, startSite } from "./support/program.js";

const USERS = `login,email,email_verified,display_name
ana,ana@example.com,true,Ana Kovač
`;
const MAPPING = { rules: [{ claim: "email", from: { attribute: "email" } }] };

let browser, messenger, friend, site;
before(async () => {
  [browser, messenger, friend] = await Promise.all([launch(), startSilentMessenger(), startOtherSite("<!doctype html><title>A friend</title>")]);
  const settings = { ...messenger.settings, ALLOWED_ORIGINS: friend.url };
  site = await startSite({ users: USERS, mapping: MAPPING, settings });
});
after(async () => {
  await browser?.close();
  await site?.stop();
  await Promise.all([messenger?.stop(), friend?.stop()]);
});

const visitors = [];
afterEach(async () => {
  for (const person of visitors.splice(0)) await person.close();
  // The wrong guesses of one test are not the next one's.
  await site.cli(["user", "unlock", "ana"]);
});
async function newVisitor(options) {
  const person = await visitor(browser, options);
  visitors.push(person);
  return { person, page: await person.newPage() };
}

/** Waits until an element has the focus: a page gives it once it is drawn, which is after it has loaded. */
const takesFocus = (page, id) => page.waitForFunction((it) => document.activeElement.id === it, id);
const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
const isSignedIn = async (page) => (await page.locator("form[data-sign-out]").count()) === 1;

/** Whether what has the focus can be told from the same thing without it. */
const focusIsVisible = (page) => page.evaluate(() => {
  const element = document.activeElement;
  const look = () => {
    const { outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor, transform } = getComputedStyle(element);
    return JSON.stringify([outlineStyle === "none" ? "" : outlineWidth, boxShadow, borderColor, backgroundColor, transform]);
  };
  const withFocus = look();
  element.blur();
  const without = look();
  element.focus({ focusVisible: true });
  return withFocus !== without;
});

test("one signs in, and out, by keyboard alone, and always sees where one is", async () => {
  const { person, page } = await newVisitor();
  await page.goto(site.url);

  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Skip to content");
  assert.ok(await page.getByRole("link", { name: "Skip to content" }).isVisible());
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Sign in");
  assert.ok(await focusIsVisible(page));
  await page.keyboard.press("Enter");
  await page.waitForURL("**/login");

  await takesFocus(page, "login"); // the first field is ready to be typed into
  assert.ok(await focusIsVisible(page));
  await page.keyboard.type("ana");
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "password");
  assert.ok(await focusIsVisible(page));
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Show");
  assert.ok(await focusIsVisible(page));
  await page.keyboard.press("Space");
  assert.deepEqual(await page.locator("#password").evaluate(({ type, value }) => [type, value]), ["text", PASSWORD]);
  await page.keyboard.press("Space");
  assert.equal(await page.locator("#password").getAttribute("type"), "password");
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "keep");
  assert.ok(await focusIsVisible(page));
  assert.equal(await page.locator("#keep").isChecked(), false, "nobody stays signed in without asking");
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Sign in");
  assert.ok(await focusIsVisible(page));
  for (let back = 0; back < 3; back += 1) await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${site.url}/`);
  assert.ok(await isSignedIn(page));

  for (let stops = 0; (await focused(page)) !== "Sign out"; stops += 1) {
    assert.ok(stops < 10, "the button is within reach");
    await page.keyboard.press("Tab");
    assert.ok(await focusIsVisible(page));
  }
  await page.keyboard.press("Enter");
  await page.getByRole("main").getByRole("link", { name: "Sign in" }).waitFor();
  person.calm();
});

test("without JavaScript one signs in and out, and is told what was wrong", async () => {
  const { person, page } = await newVisitor({ javaScriptEnabled: false });
  await signIn(page, site.url, "ana", "not the password");
  assert.ok(await page.locator("#error-summary").isVisible());
  assert.equal(await page.locator("#login").inputValue(), "ana");
  await page.locator("#password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${site.url}/`);
  assert.match(await page.getByRole("heading", { level: 1 }).innerText(), /Ana Kovač/);
  await signOut(page);
  assert.equal(await isSignedIn(page), false);
  assert.deepEqual(await tokensIn(page), []);
  person.calm(answered(401));
});

test("a wrong password keeps the login, empties the password, and the summary has the focus", async () => {
  const { person, page } = await newVisitor();
  await signIn(page, site.url, "ana", "not the password");
  assert.equal(page.url(), `${site.url}/login`);
  await takesFocus(page, "error-summary");
  assert.match(await page.locator("#error-summary").innerText(), /You are not signed in yet\s+The user name or password is incorrect/);
  assert.match(await page.title(), /^Problem: Sign in/);
  assert.equal(await page.locator("#login").inputValue(), "ana");
  assert.equal(await page.locator("#password").inputValue(), "");
  await page.locator("#error-summary a").click();
  assert.equal(await focused(page), "login", "the summary leads to the field");

  // The same for somebody who does not exist.
  const known = await page.locator("#error-summary").innerText();
  await fillIn(page, "nobody", "not the password");
  assert.equal(await page.locator("#error-summary").innerText(), known);
  await fillIn(page, "ana", PASSWORD);
  assert.ok(await isSignedIn(page));
  person.calm(answered(401));
});

test("after too many guesses the page says how long to wait, and keeps the login", async () => {
  const { person, page } = await newVisitor();
  await page.goto(`${site.url}/login?next=/nothing`);
  // The waits double, so sooner or later one is longer than a guess takes here.
  for (let guesses = 0; !(await page.getByRole("heading", { name: "Please wait a moment" }).count()); guesses += 1) {
    assert.ok(guesses < 25, "the guesses are limited");
    await fillIn(page, "ana", "not the password");
  }
  assert.match(await page.locator("#error-summary").innerText(), /Too many sign-in attempts[^]*try again in \d+ (second|minute)s?\./);
  await takesFocus(page, "error-summary");
  assert.equal(await page.locator("#error-summary a").count(), 0, "there is nothing to correct");
  assert.equal(await page.locator("#login").inputValue(), "ana");
  assert.equal(await page.locator("input[name=next]").inputValue(), "/nothing");
  person.calm(answered(401), answered(429));
});

test("`next` leads to the page one came for, also after a wrong password", async () => {
  const { person, page } = await newVisitor();
  await page.goto(`${site.url}/login?next=${encodeURIComponent("/nothing?a=b&c=d#e")}`);
  await fillIn(page, "ana", "not the password");
  await fillIn(page, "ana", PASSWORD);
  assert.equal(page.url(), `${site.url}/nothing?a=b&c=d#e`);
  // Who is signed in already is led on at once.
  await page.goto(`${site.url}/login?next=${encodeURIComponent("/other")}`);
  assert.equal(page.url(), `${site.url}/other`);
  person.calm(answered(401), answered(404));
});

test("`next` leads to a page of an allowed origin, and to no other", async () => {
  const { person, page } = await newVisitor();
  await page.goto(`${site.url}/login?next=${encodeURIComponent(`${friend.url}/shop?id=1`)}`);
  await fillIn(page, "ana", PASSWORD);
  assert.equal(page.url(), `${friend.url}/shop?id=1`);
  const { port, host } = new URL(friend.url);
  for (const bad of [`http://localhost:${port}/`, `//${host}/`, `https://${host}/`, `${friend.url}@evil.example/`, "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]) {
    await page.goto(`${site.url}/login?next=${encodeURIComponent(bad)}`);
    assert.equal(page.url(), `${site.url}/`, bad);
  }
  person.calm();
});

test("a browser that prefers German is spoken to in German", async () => {
  const { person, page } = await newVisitor({ locale: "de-AT" });
  await page.goto(site.url);
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  await page.getByRole("main").getByRole("link", { name: "Anmelden" }).click();
  await fillIn(page, "ana", "not the password");
  assert.match(await page.locator("#error-summary").innerText(), /Benutzername oder Passwort ist falsch/);
  await fillIn(page, "ana", PASSWORD);
  assert.match(await page.getByRole("heading", { level: 1 }).innerText(), /Sie sind angemeldet als\s+Ana Kovač/);
  assert.ok(await tokenOf(page));
  await page.goto(`${site.url}/nothing`);
  assert.match(await page.getByRole("heading", { level: 1 }).innerText(), /Seite nicht gefunden/);
  person.calm(answered(401), answered(404));
});

test("another language keeps what was typed and `next`, judges nothing, and is remembered", async () => {
  const { person, page } = await newVisitor({ javaScriptEnabled: false });
  await page.goto(`${site.url}/login?next=${encodeURIComponent("/nothing?a=b&c=d")}`);
  await page.locator("#login").fill("ana");
  await page.locator("#password").fill("not the password");
  await page.getByRole("button", { name: "Deutsch" }).click();
  await page.getByRole("heading", { level: 1, name: "Anmelden" }).waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  assert.equal(await page.locator("#error-summary").count(), 0);
  assert.equal(await page.locator("#login").inputValue(), "ana");
  assert.equal(await page.locator("#password").inputValue(), "");
  await page.locator("#password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${site.url}/nothing?a=b&c=d`);
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  await page.getByRole("link", { name: "English" }).click();
  await page.locator("html[lang=en]").waitFor();
  person.calm(answered(404));
});

test("a form whose cookie is gone is shown again with the login in it", async () => {
  const { person, page } = await newVisitor();
  await page.goto(`${site.url}/login`);
  await person.context.clearCookies();
  await fillIn(page, "ana", PASSWORD);
  await takesFocus(page, "error-summary");
  assert.match(await page.locator("#error-summary").innerText(), /had to be reloaded/);
  assert.equal(await page.locator("#login").inputValue(), "ana");
  await page.locator("#password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${site.url}/`);
  assert.ok(await isSignedIn(page));
  person.calm(answered(403));
});
