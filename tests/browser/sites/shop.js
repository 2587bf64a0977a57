// A website with its own login, written as its owners would: Express, a session cookie, and for the chat one route on
// the server and one line in the page. Its users have no password at Countersign.

import { readFile, writeFile, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import express from "express";
import session from "express-session";

/** A recipe as the console gives it. */
export async function filled(name, countersign) {
  const text = await readFile(new URL(`../../../recipes/${name}`, import.meta.url), "utf8");
  return text.replaceAll("{{accounts}}", countersign).replaceAll("{{messenger}}", "default");
}

/** A recipe for Express, copied into a site whose owners say how they know that an address is proved, if they do. */
export async function copied(name, countersign, apiKey, says = "user.confirmed === true") {
  process.env.COUNTERSIGN_API_KEY = apiKey;
  const file = path.join(await mkdtemp(path.join(tmpdir(), "countersign-recipe-")), "countersign.cjs");
  const recipe = await filled(name, countersign);
  const pasted = "const isProved = (user) => false;";
  if (!recipe.includes(pasted)) throw new Error(`${name} vouches for somebody`);
  await writeFile(file, says ? recipe.replace(pasted, `const isProved = (user) => ${says};`) : recipe);
  return import(pathToFileURL(file));
}

export const USERS = {
  mara: { id: "C-1001", name: "Mara Lind", email: "mara@shop.example", confirmed: true, plan: "gold" },
  tom: { id: "C-1002", name: "Tom Osei", email: "tom@shop.example", confirmed: true, plan: "silver" },
};

/** @param {{ countersign: string, apiKey: string, by?: "token" | "code", policy?: string }} where */
export async function shop({ countersign, apiKey, by = "token", policy, asPasted = false }) {
  const [{ chatToken, gone }, { chatCode }] = await Promise.all(
    ["express.js", "handover.js"].map((name) => copied(name, countersign, apiKey, asPasted ? "" : undefined)));
  // The recipe's line for pages, which is written as a template of JavaScript.
  const line = new Function("user", "code", `return \`${await filled(by === "code" ? "handover/page.html" : "express/page.html", countersign)}\``);
  const app = express();
  app.use(express.urlencoded({ extended: false }));
  app.use(session({ secret: "the shop's own secret", resave: false, saveUninitialized: false, name: "shop" }));
  if (policy) app.use((_, answer, next) => { answer.set("Content-Security-Policy", policy); next(); });

  app.post("/login", (request, answer) => {
    request.session.regenerate(() => {
      request.session.user = USERS[request.body.name];
      answer.redirect("/");
    });
  });
  app.post("/logout", (request, answer) => request.session.destroy(() => answer.redirect("/")));

  app.post("/close", async (request, answer) => {
    answer.status((await gone(request.session.user.id)).status).end();
  });

  // The one route: who is signed in here, vouched for by Countersign.
  app.get("/chat-token", chatToken((request) => request.session.user));

  app.get("/", async (request, answer) => {
    const { user } = request.session;
    const code = by === "code" ? await chatCode(user, `${request.protocol}://${request.get("host")}`) : undefined;
    answer.send(`<!doctype html><html lang="en"><title>The shop</title>
<h1>${user ? `Welcome, ${user.name}` : "Welcome"}</h1>
<input id="note" aria-label="Note">
${user ? `<form method="post" action="/logout"><button data-countersign-sign-out>Sign out</button></form>`
    : `<form method="post" action="/login"><input name="name" aria-label="Name"><button>Sign in</button></form>`}
${line(user, code)}`);
  });
  return app;
}
