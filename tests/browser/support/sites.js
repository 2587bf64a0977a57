// Websites of other people, on origins of their own: pages that hold Countersign's helper.

import crypto from "node:crypto";
import { spawn } from "node:child_process";
import http from "node:http";
import { fileURLToPath } from "node:url";
import { shop } from "../sites/shop.js";

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

/** What the site of these pages allows: Countersign, the helpdesk, and its own inline script. */
export function policyOf({ accounts, desk, inline = "" }) {
  const hash = inline ? ` 'sha256-${crypto.createHash("sha256").update(inline).digest("base64")}'` : "";
  return [
    "default-src 'none'", `script-src ${accounts} ${desk}${hash}`, `connect-src 'self' ${accounts} ${desk}`,
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
<script>${OPTIONS}</script>
${pathname === "/other" ? "" : `<script src="${accounts}/embed.js"${attributes} async></script>`}`);
  });
}

/** The shop of `sites/shop.js`, running. */
export async function startShop({ accounts, desk, apiKey, by }) {
  if (by === "django") return startDjango({ accounts, desk, apiKey });
  return serve(await shop({ countersign: accounts, apiKey, by, policy: policyOf({ accounts, desk }) }));
}

/** The same in Django: `sites/django_shop.py`, a program of its own. */
function startDjango({ accounts, desk, apiKey }) {
  const here = (name) => fileURLToPath(new URL(name, import.meta.url));
  const args = [here("../sites/django_shop.py"), here("../../../recipes/django.py"), accounts, desk];
  const child = spawn("python3", args, { env: { ...process.env, COUNTERSIGN_API_KEY: apiKey }, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => { child.once("exit", resolve); });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the Django site ended with ${code}`)));
    child.stdout.setEncoding("utf8").once("data", (url) => resolve({
      url: url.trim(),
      async stop() {
        child.kill();
        await ended;
      },
    }));
  });
}
