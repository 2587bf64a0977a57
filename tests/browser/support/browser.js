// Debian's Chromium under playwright-core: started without network habits of its own, watched for everything that
// must not happen on a page, looked at by axe-core, photographed when SCREENSHOTS names a folder.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

const ARGS = [
  "--no-sandbox", // as root, which containers of CI are, Chromium has none
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const BACK_FORWARD_CACHE = "--disable-back-forward-cache"; // playwright-core switches it off by default

/** @param {{ backForwardCache?: boolean }} how */
export function launch({ backForwardCache = false } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ARGS,
    ignoreDefaultArgs: backForwardCache ? [BACK_FORWARD_CACHE] : [],
  });
}

/** A visitor: a browser of its own (cookies, language, theme) whose pages are watched. */
export async function visitor(browser, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(30_000);
  // Violations of the policy are events; the console is the one way out of every frame.
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy violated: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  const errors = [];
  context.on("dialog", (dialog) => {
    errors.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  context.on("weberror", (error) => errors.push(`error: ${error.error().message}`));
  context.on("console", (message) => {
    if (message.type() === "error") errors.push(`console: ${message.text()} (${message.location().url})`);
  });
  return {
    context,
    newPage: () => context.newPage(),
    close: () => context.close(),
    /** Nothing happened that must not: no dialog, no error, no violation. `expected` are patterns that may be there. */
    calm(...expected) {
      const left = errors.filter((error) => !expected.some((pattern) => pattern.test(error)));
      assert.deepEqual(left, []);
    },
  };
}

/** The console's own line for a page that is answered with this status. */
export const answered = (status) => new RegExp(`Failed to load resource.* ${status} `);

/** What axe-core finds wrong in a page or frame, each as a line; an empty list is what we want. */
export async function axeViolations(frame) {
  // Handed over as an expression: the page's policy, rightly, allows no further script.
  if (!(await frame.evaluate(() => "axe" in globalThis))) await frame.evaluate(`${axe.source};undefined`);
  const { violations, passes } = await frame.evaluate(() => globalThis.axe.run(document, { iframes: false }));
  assert.ok(passes.length > 5, "axe-core has looked at the page");
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target} ${failureSummary}`));
}

/** How many pixels a page or frame is wider than its window. */
export const sidewaysScroll = (frame) => frame.evaluate(() => {
  const { scrollWidth, clientWidth } = document.scrollingElement;
  return scrollWidth - clientWidth;
});

/** A picture for whoever looks at the pages, when SCREENSHOTS names a folder. */
export async function photograph(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  // The window as it is seen first, and the whole page where there is more of it.
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true, animations: "disabled" });
}

/** The shape of a page: elements, the names of their attributes, shadow trees; no text and no value. */
export const skeleton = (frame) => frame.evaluate(() => {
  const shape = (element) => {
    const names = element.getAttributeNames().sort().join(" ");
    const children = [...(element.shadowRoot?.children ?? []), ...element.children].map(shape);
    return `${element.localName}[${names}](${children.join(",")})`;
  };
  return shape(document.documentElement);
});
