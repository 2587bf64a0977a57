// A single-page application with its own login, built and served as its owners would: the user changes while the page
// stays. The recipe of its framework is in it as the console gives it.

import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import express from "express";
import session from "express-session";
import { compileScript, parse } from "vue/compiler-sfc";
import { USERS, copied, filled } from "../shop.js";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const FRAMEWORKS = {
  react: { files: ["react.tsx"], recipe: "react.tsx", savedAs: "Countersign.tsx" },
  vue: { files: ["vue.js", "App.vue"], recipe: "vue.vue", savedAs: "Countersign.vue" },
};

/** Components of one file, by Vue's own compiler. */
const vueFiles = {
  name: "vue",
  setup(bundler) {
    bundler.onLoad({ filter: /\.vue$/ }, async ({ path: filename }) => {
      const { descriptor, errors } = parse(await readFile(filename, "utf8"), { filename });
      if (errors.length > 0) return { errors: errors.map(({ message }) => ({ text: message })) };
      const { content } = compileScript(descriptor, { id: path.basename(filename), inlineTemplate: true });
      return { contents: content, loader: "js" };
    });
  },
};

/** The application's script. `mode` is what frameworks call it: "development" warns of more. */
async function bundled({ framework, countersign, mode }) {
  const { files, recipe, savedAs } = FRAMEWORKS[framework];
  const folder = await mkdtemp(path.join(tmpdir(), "countersign-spa-"));
  try {
    for (const name of files) await copyFile(here(name), path.join(folder, name));
    await writeFile(path.join(folder, savedAs), await filled(recipe, countersign));
    const { outputFiles } = await build({
      entryPoints: [path.join(folder, files[0])],
      bundle: true,
      write: false,
      format: "esm",
      target: "es2022",
      jsx: "automatic",
      minify: mode === "production",
      logLevel: "silent",
      plugins: [vueFiles],
      nodePaths: [here("../../node_modules")],
      define: {
        "process.env.NODE_ENV": JSON.stringify(mode),
        __VUE_OPTIONS_API__: "false", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
      },
    });
    return outputFiles[0].text;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Who signs in by which name where the users are Countersign's own: the site knows them by their logins. */
const COUNTERSIGNED = { ana: { id: "ana", name: "Ana" }, bora: { id: "bora", name: "Bora" } };

/** @param {{ countersign: string, framework: "react" | "vue", mode: string, apiKey?: string, policy: string }} how */
export async function spa({ countersign, framework, mode, apiKey, policy }) {
  const script = await bundled({ framework, countersign, mode });
  const app = express();
  app.use(session({ secret: "the application's own secret", resave: false, saveUninitialized: false, name: "spa" }));
  app.use((_, answer, next) => { answer.set("Content-Security-Policy", policy); next(); });

  app.post("/login", (request, answer) => {
    request.session.regenerate(() => {
      request.session.user = (apiKey ? USERS : COUNTERSIGNED)[request.query.name];
      answer.json(request.session.user);
    });
  });
  app.post("/logout", (request, answer) => request.session.destroy(() => answer.status(204).end()));
  if (apiKey) {
    const { chatToken } = await copied("express.js", countersign, apiKey);
    app.get("/chat-token", chatToken((request) => request.session.user));
  }

  app.get("/app.js", (_, answer) => answer.type("js").send(script));
  app.get("/", (_, answer) => answer.send(`<!doctype html><html lang="en"><title>The application</title><link rel="icon" href="data:,">
<div id="app"${apiKey ? ` data-token-url="/chat-token"` : ""}></div>
<script type="module" src="/app.js"></script>`));
  return app;
}
