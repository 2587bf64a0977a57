// A website whose pages are what a test says: any file, any policy, a service worker, pages that frameworks swap.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { serve } from "../support/sites.js";

const packages = fileURLToPath(new URL("../node_modules/", import.meta.url));
const LIBRARIES = {
  "/turbo.js": "@hotwired/turbo/dist/turbo.es2017-umd.js",
  "/htmx.js": "htmx.org/dist/htmx.min.js",
  "/cookieconsent.js": "vanilla-cookieconsent/dist/cookieconsent.umd.js",
  "/cookieconsent.css": "vanilla-cookieconsent/dist/cookieconsent.css",
};

/** Serves `pages`: by path a text of HTML, or `{ body, status, type, headers }`, or a function of the URL that answers one. */
export function site(pages) {
  return serve(async (request, response) => {
    const url = new URL(request.url, "http://page");
    if (LIBRARIES[url.pathname]) {
      response.writeHead(200, { "Content-Type": url.pathname.endsWith(".css") ? "text/css" : "text/javascript" });
      return response.end(await readFile(packages + LIBRARIES[url.pathname]));
    }
    const found = pages[url.pathname];
    const made = typeof found === "function" ? await found(url) : found;
    if (made === undefined) return response.writeHead(404).end();
    const { body, status = 200, type = "text/html; charset=utf-8", headers = {} } = typeof made === "string" ? { body: made } : made;
    response.writeHead(status, { "Content-Type": type, ...headers });
    return response.end(body);
  });
}

/** The helper's tag. */
export const tag = (accounts, attributes = "", mark = "") => `<script src="${accounts}/embed.js"${mark} ${attributes} async></script>`;

/** A whole page. */
export const html = (body, head = "") =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">${head}</head><body>${body}</body></html>`;
