// Makes the README's pictures in docs/images from the demo: npm run pictures
import { mkdir } from "node:fs/promises";
import { launch, visitor } from "./support/browser.js";
import { openChat, seen, signIn } from "./support/pages.js";
import { DEMO_PASSWORD, startDemo } from "./support/program.js";

const folder = new URL("../../docs/images/", import.meta.url).pathname;
await mkdir(folder, { recursive: true });
const [demo, browser] = await Promise.all([startDemo(), launch()]);
for (const colorScheme of ["light", "dark"]) {
  const look = { colorScheme, viewport: { width: 1000, height: 640 } };
  const ana = await visitor(browser, look);
  const page = await ana.newPage();
  await signIn(page, demo.url, "ana", DEMO_PASSWORD);
  const panel = await openChat(page);
  await seen(panel);
  await page.screenshot({ path: `${folder}chat-${colorScheme}.png` });
  await ana.close();
  const admin = await visitor(browser, { ...look, viewport: { width: 1280, height: 800 } });
  const console = await admin.newPage();
  await signIn(console, demo.url, "admin", DEMO_PASSWORD);
  await console.goto(`${demo.url}/admin/mapping?user=ana`);
  await console.screenshot({ path: `${folder}mapping-${colorScheme}.png` });
  await admin.close();
}
await browser.close();
await demo.stop();
