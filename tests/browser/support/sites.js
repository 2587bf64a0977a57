// Websites of other people, on origins of their own: pages that hold Countersign's helper.

import crypto from "node:crypto";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { shop } from "../sites/shop.js";
import { spa } from "../sites/spa/server.js";

/** `127.0.0.1` is the same site as Countersign in these tests, `localhost` is another. */
export const elsewhere = (url) => url.replace("127.0.0.1", "localhost");

/** Serves until it is stopped: `{ url, stop }`. */
export async function serve(listener) {
  const server = http.createServer(listener);
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}

/** What the site of these pages allows: Countersign, the helpdesk, and its own script, inline or (`own`) in files. */
export function policyOf({ accounts, desk, inline = "", own = false }) {
  const hash = inline ? ` 'sha256-${crypto.createHash("sha256").update(inline).digest("base64")}'` : "";
  return [
    "default-src 'none'", `script-src ${accounts} ${desk}${hash}${own ? " 'self'" : ""}`, `connect-src 'self' ${accounts} ${desk}`,
    `frame-src ${desk}`, `style-src ${desk}`, `img-src ${desk} data:`, "form-action 'self'",
  ].join("; ");
}

/** The page's own options, which the helper must keep. */
const OPTIONS = 'window.DpMessengerOptions = { showLauncherButton: true, launcherButtonConfig: { label: "Ask us" } };';

/**
 * A page of a website whose users sign in at Countersign. `attributes` of the helper may differ by page: the path's
 * query is taken, too, so that a page can show somebody (`/?user=ana`).
 */
export function startPages({ accounts, desk }) {
  const policy = policyOf({ accounts, desk, inline: OPTIONS });
  return serve((request, response) => {
    const { searchParams, pathname } = new URL(request.url, "http://page");
    const attributes = [...searchParams].map(([name, value]) => ` data-${name}="${value}"`).join("");
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy });
    response.end(`<!doctype html><html lang="en"><title>${pathname}</title><link rel="icon" href="data:,"><h1>A page of the website</h1>
<a href="/other">Another page</a> <a data-countersign-sign-in href="#" hidden>Sign in</a>
<textarea id="note" aria-label="Note"></textarea> <button data-countersign-sign-out type="button">Sign out</button>
<button data-countersign-sign-out="auto" type="button" hidden>Leave</button>
<script>${OPTIONS}</script>
${pathname === "/other" ? "" : `<script src="${accounts}/embed.js"${attributes} async></script>`}`);
  });
}

/** The shop of `sites/shop.js`, or one in another language, running. */
export async function startShop({ accounts, desk, apiKey, by, asPasted = false }) {
  const policy = policyOf({ accounts, desk });
  if (by in PROGRAMS) return startProgram(by, { accounts, policy, apiKey, asPasted });
  return serve(await shop({ countersign: accounts, apiKey, by, policy, asPasted }));
}

/** Shops that are programs of their own, and the recipes that they copy. */
const PROGRAMS = {
  django: ["python3", "sites/django_shop.py", "django.py"],
  laravel: ["php", "sites/laravel_shop.php", "laravel.php"],
  wordpress: ["php", "sites/wordpress_shop.php", "wordpress"],
};

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** One of them, running: it writes into a folder of its own alone, and the first address that it prints is its own. */
async function startProgram(by, { accounts, policy, apiKey = "", asPasted }) {
  const here = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
  const [command, site, recipe] = PROGRAMS[by];
  const folder = await mkdtemp(path.join(tmpdir(), "countersign-shop-"));
  const args = [here(site), here(`../../recipes/${recipe}`), accounts, policy, folder];
  const child = spawn(command, args, { env: { ...process.env, COUNTERSIGN_API_KEY: apiKey, ...(asPasted && { AS_PASTED: "1" }) }, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const ended = new Promise((resolve) => { child.once("error", resolve).once("exit", resolve); }).finally(() => {
    running.delete(child);
    return rm(folder, { recursive: true, force: true });
  });
  const url = await new Promise((resolve, reject) => {
    let found;
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the site in ${by} ended with ${code}`)));
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on("line", (line) => {
        const said = found ? null : /http:\/\/[\d.]+:\d+/.exec(line);
        if (said) resolve(found = said[0]);
        else console.error(line);
      });
    }
  });
  return {
    url,
    async stop() {
      child.kill();
      await ended;
    },
  };
}

/**
 * The single-page application of `sites/spa/`, running. With an API key it has a login and a token route of its own;
 * without, `users` are those of Countersign.
 */
export async function startApp({ accounts, desk, ...how }) {
  return serve(await spa({ countersign: accounts, policy: policyOf({ accounts, desk, own: true }), ...how }));
}
