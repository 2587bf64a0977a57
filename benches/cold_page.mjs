#!/usr/bin/env node
// What the embed script costs a page that nobody has visited before, on a slow line: bytes, time of the main thread, time
// until the page has loaded and until the chat can be used.
//
//     benches/cold_page.mjs target/release/countersign [runs]
//
// It needs the packages of the browser tests (`npm ci` in tests/browser) and Chromium (or CHROMIUM). A run of all pages
// takes 16 s. The line has 1.6 Mbit/s down, 750 kbit/s up and 150 ms for each request, and the processor is slowed down by
// four. Somebody who is signed in opens each page with an empty cache. The pages are opened in turn, so that a busy moment
// of the machine affects all of them, and the medians are printed.
//
// Deskpro is the stand-in of `countersign demo` here, and its script is not Deskpro's. So only differences from the page
// without a chat, and ratios to the page with Deskpro's snippet alone, say anything.
//
// A chat can be used when its launcher is in the page. What `click` loads includes the open chat; no other row does.

import { createRequire } from "node:module";
import path from "node:path";

process.env.COUNTERSIGN_PROGRAM = path.resolve(process.argv[2]);
const RUNS = Number(process.argv[3] ?? 7);
const { startDemo, DEMO_PASSWORD } = await import("../tests/browser/support/program.js");
const { launch } = await import("../tests/browser/support/browser.js");
const { serve } = await import("../tests/browser/support/sites.js");
const { fillIn } = await import("../tests/browser/support/pages.js");
const { version } = createRequire(new URL("../tests/browser/package.json", import.meta.url))("playwright-core/package.json");

const LINE = { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 };
const CPU = 4;
const QUIET = 500; // milliseconds without a request under way

/** A page of a shop: 20 kB of text, a style sheet of 30 kB and a picture of 60 kB, which are sent as they are. */
const noise = (bytes) => Array.from({ length: bytes }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26))).join("");
const FILES = {
  "/shop.css": ["text/css", `h1 { color: #135; }\n/* ${noise(30_000)} */`],
  "/shop.svg": ["image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300"><!-- ${noise(60_000)} --><rect width="400" height="300"/></svg>`],
};
const host = (script) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/shop.css"></head><body><h1>A shop</h1><img src="/shop.svg" alt=""><p>${noise(20_000)}</p>${script}</body></html>`;

const pages = {};
const [demo, browser, web] = await Promise.all([startDemo(), launch(), serve((request, response) => {
  const [type, body] = FILES[request.url] ?? ["text/html; charset=utf-8", pages[request.url]];
  response.writeHead(body ? 200 : 404, { "Content-Type": type });
  response.end(body);
})]);
await demo.allow(demo.url, [web.url]);

const signedIn = await (async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${demo.url}/login`);
  await fillIn(page, "ana", DEMO_PASSWORD);
  const state = await context.storageState();
  const { token } = await (await context.request.get(`${demo.url}/api/v1/token`)).json();
  await context.close();
  return { state, token };
})();
const { init_script_url, deskpro_url, messenger_id } = await (await fetch(`${demo.desk}/standin/state.json`)).json();

const ours = (attributes) => `<script src="${demo.url}/embed.js" ${attributes} async></script>`;
pages["/nothing"] = host("");
pages["/deskpro"] = host(`<script>window.DpMessengerOptions = { signedUserInfo: "${signedIn.token}" };</script>
<script type="module" src="${init_script_url}" data-deskpro-url="${deskpro_url}" data-messenger-id="${messenger_id}" async></script>`);
for (const load of ["now", "idle", "click", "consent"]) pages[`/${load}`] = host(ours(`data-load="${load}"`));

/** What starts the chat where something has to. */
const STARTS = {
  click: () => document.getElementById("countersign-launch").click(),
  consent: () => { window.Countersign.consent(); },
};

/** Opens the page cold: its figures by moment, "before" and "after" what starts the chat. */
async function open(name) {
  const context = await browser.newContext({ storageState: signedIn.state });
  try {
    const page = await context.newPage();
    // The moment at which the launcher is in the page; the helpdesk's elements are drawn by then.
    await page.addInitScript(() => {
      new MutationObserver(() => {
        if (!window.usable && document.getElementById("deskpro-standin")) window.usable = performance.now();
      }).observe(document, { subtree: true, childList: true });
    });
    const line = await context.newCDPSession(page);
    // Bytes by request. Not every answer is read to its end by the page, so what has arrived is added up.
    const arrived = new Map();
    const awaited = new Set();
    let last = 0;
    line.on("Network.requestWillBeSent", ({ requestId, request }) => {
      if (request.url.startsWith("data:")) return;
      arrived.set(requestId, 0);
      awaited.add(requestId);
    });
    const arrives = (id, bytes) => {
      if (!arrived.has(id)) return;
      arrived.set(id, bytes);
      awaited.delete(id);
      last = Date.now();
    };
    line.on("Network.responseReceived", ({ requestId, response }) => arrives(requestId, response.encodedDataLength));
    line.on("Network.dataReceived", ({ requestId, encodedDataLength }) => arrives(requestId, arrived.get(requestId) + encodedDataLength));
    line.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => arrives(requestId, encodedDataLength));
    line.on("Network.loadingFailed", ({ requestId }) => arrives(requestId, arrived.get(requestId)));
    await line.send("Network.enable");
    await line.send("Performance.enable");
    await line.send("Network.emulateNetworkConditions", LINE);
    await line.send("Emulation.setCPUThrottlingRate", { rate: CPU });
    const quiet = async () => {
      last = Date.now();
      while (awaited.size || Date.now() - last < QUIET) await new Promise((done) => { setTimeout(done, 20); });
    };
    const bytes = () => [...arrived.values()].reduce((sum, one) => sum + one, 0);
    const figures = async (since) => {
      const { metrics } = await line.send("Performance.getMetrics");
      const metric = (wanted) => metrics.find(({ name }) => name === wanted).value * 1000;
      const load = await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
      const usable = await page.evaluate(() => window.usable);
      return { atLoad, bytes: bytes(), requests: arrived.size, load, task: metric("TaskDuration"), script: metric("ScriptDuration"), usable: usable && usable - since };
    };
    await page.goto(web.url + `/${name}`, { waitUntil: "load" });
    const atLoad = bytes();
    const start = STARTS[name];
    if (start) await page.waitForFunction(() => window.Countersign);
    else if (name !== "nothing") await page.waitForFunction(() => window.usable);
    await quiet();
    const before = await figures(0);
    if (!start) return { [name]: before };
    const since = await page.evaluate(`(() => { const now = performance.now(); (${start})(); return now; })()`);
    await page.waitForFunction(() => window.usable);
    await quiet();
    return { [`${name}, before`]: before, [`${name}, after`]: await figures(since) };
  } finally {
    await context.close();
  }
}

const median = (numbers) => {
  const sorted = numbers.filter((number) => number !== undefined).sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor(sorted.length / 2)] : undefined;
};

const rows = {};
try {
  console.log(`Chromium ${browser.version()} under playwright-core ${version}, ${RUNS} runs`);
  for (let run = 0; run < RUNS; run += 1) {
    for (const name of ["nothing", "deskpro", "now", "idle", "click", "consent"]) {
      for (const [row, figures] of Object.entries(await open(name))) (rows[row] ??= []).push(figures);
    }
  }
  const medians = Object.fromEntries(Object.entries(rows).map(([row, all]) => [
    row, Object.fromEntries(Object.keys(all[0]).map((key) => [key, median(all.map((figures) => figures[key]))])),
  ]));
  const { nothing, deskpro } = medians;
  const shown = (value, digits = 0) => (value === undefined ? "-" : value.toFixed(digits));
  const columns = (cells) => console.log(cells.map((cell, n) => String(cell)[n ? "padStart" : "padEnd"](n ? 15 : 16)).join(" | "));
  columns(["page", "bytes at load", "bytes", "requests", "load ms", "usable ms", "main thread ms", "of it scripts"]);
  for (const [row, it] of Object.entries(medians)) {
    columns([row, it.atLoad, it.bytes, it.requests, shown(it.load), shown(it.usable), shown(it.task), shown(it.script)]);
  }
  console.log("\nBeyond the page without a chat, and as a ratio to Deskpro's snippet alone:");
  columns(["page", "bytes at load", "bytes", "ratio of load", "of usable", "of main thread", "usable ms"]);
  for (const [row, it] of Object.entries(medians)) {
    const usable = rows[row].map((figures) => figures.usable).filter(Boolean).sort((a, b) => a - b);
    columns([row, it.atLoad - nothing.atLoad, it.bytes - nothing.bytes, shown(it.load / deskpro.load, 2), shown(it.usable && it.usable / deskpro.usable, 2),
      shown(it.task / deskpro.task, 2), usable.length ? `${shown(usable[0])}…${shown(usable.at(-1))}` : "-"]);
  }
} finally {
  await browser.close();
  await Promise.all([demo.stop(), web.stop()]);
}
