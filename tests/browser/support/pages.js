// What people do and see on the pages, in one place: the tests read as what happens to somebody.

/** Signs in by the form; `url` is the site's address. */
export async function signIn(page, url, login, password) {
  await page.goto(`${url}/login`);
  await fillIn(page, login, password);
}

/** Fills the form on show and sends it. */
export async function fillIn(page, login, password) {
  await page.locator("#login").fill(login);
  await page.locator("#password").fill(password);
  await Promise.all([page.waitForEvent("domcontentloaded"), page.locator("form[action$='/login'] [type=submit]").click()]);
  await page.waitForLoadState();
}

/** Signs out by the button of the host page. */
export async function signOut(page) {
  await Promise.all([page.waitForEvent("domcontentloaded"), page.locator("form[data-sign-out] button").click()]);
  await page.waitForLoadState();
}

export const launcher = (page) => page.locator("#deskpro-standin #launcher");

/** The panel's frame, once the stand-in has judged who is there. */
export async function openChat(page) {
  await launcher(page).click();
  return judged(page);
}

/** The frame of the open panel, once it says what it took the visitor for. */
export async function judged(page) {
  const element = page.locator("#deskpro-standin iframe");
  await element.contentFrame().locator("#identity:not([data-state=asking])").waitFor();
  return (await element.elementHandle()).contentFrame();
}

/** What the panel shows of its visitor, as a person reads it. */
export async function seen(panel) {
  const text = async (selector) => {
    const found = panel.locator(selector);
    return (await found.count()) && (await found.isVisible()) ? found.innerText() : undefined;
  };
  const items = (name) => panel.locator(`#known dd[data-field="${name}"] li`).allTextContents();
  return {
    state: await panel.locator("#identity").getAttribute("data-state"),
    badge: await text(".badge [data-field=state]"),
    name: await text("[data-field=name]"),
    email: await text("[data-field=email]"),
    hint: await text("[data-field=hint]"),
    reason: (await panel.locator("#identity").getAttribute("data-reason")) || undefined,
    groups: await items("groups"),
    labels: await items("labels"),
  };
}

/** The token that the page hands to the Messenger, if there is one. */
export const tokenOf = (page) => page.evaluate(() => window.DpMessengerOptions?.signedUserInfo);

/** Anything that looks like a signed token, anywhere in the page. */
export const tokensIn = async (page) => (await page.content()).match(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g) ?? [];
