// A person without a mouse: everything here is done by keys, and only what Tab reaches can be reached.

import assert from "node:assert/strict";

const STOPS = 400; // more than any page has

/** Moves the focus to an element by Tab alone, and makes sure that it can be reached so. */
export async function tabTo(page, selector) {
  for (let stops = 0; stops < STOPS; stops += 1) {
    if (await has(page, selector)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${selector} cannot be reached by keyboard on ${page.url()}`);
}

const has = (page, selector) => page.evaluate((it) => document.activeElement.matches(it), selector);

/** Presses Enter on what has the focus, and waits for the page it leads to. */
export async function enter(page, pattern) {
  await Promise.all([page.waitForEvent("domcontentloaded"), page.keyboard.press("Enter")]);
  if (pattern) await page.waitForURL(pattern);
}

/** Goes to a button or link and presses it. */
export async function press(page, selector, pattern) {
  await tabTo(page, selector);
  await enter(page, pattern);
}

/** Writes into a field, in place of what stands there. */
export async function write(page, selector, text) {
  await tabTo(page, selector);
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  // Typed line by line: Enter makes a new line in a field of several.
  for (const [i, line] of text.split("\n").entries()) {
    if (i > 0) await page.keyboard.press("Enter");
    await page.keyboard.type(line);
  }
}

/** Chooses in a list by the arrow keys: the option with this value. */
export async function choose(page, selector, value) {
  await tabTo(page, selector);
  const chosen = () => page.evaluate(() => document.activeElement.value);
  await page.keyboard.press("Home");
  for (let options = 0; options < 100 && await chosen() !== value; options += 1) await page.keyboard.press("ArrowDown");
  assert.equal(await chosen(), value, selector);
}

/** Chooses one of some radio buttons by the arrow keys. */
export async function choice(page, name, value) {
  await tabTo(page, `input[name="${name}"]`);
  for (let options = 0; options < 10; options += 1) {
    if (await has(page, `input[name="${name}"][value="${value}"]:checked`)) return;
    await page.keyboard.press("ArrowDown");
  }
  assert.fail(`${name} cannot be ${value}`);
}
