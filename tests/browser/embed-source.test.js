// The helper as a file: its size, what linters say, and whether its types fit what developers write.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startDemo } from "./support/program.js";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const program = (name) => `${here}node_modules/.bin/${name}`;
const file = `${here}../../static/embed.js`;

test("the helper takes at most 6 kB on the way", async () => {
  const demo = await startDemo();
  try {
    const bytes = async (encoding) => {
      // `fetch` would unpack it.
      const answer = await new Promise((resolve, reject) => {
        http.get(`${demo.url}/embed.js`, { headers: { "Accept-Encoding": encoding } }, resolve).once("error", reject);
      });
      const parts = await answer.toArray();
      return { encoding: answer.headers["content-encoding"], length: Buffer.concat(parts).length };
    };
    const sizes = [await bytes("identity"), await bytes("gzip"), await bytes("br")];
    console.log(`embed.js: ${sizes.map(({ length, encoding }) => `${length} bytes ${encoding ?? "as it is"}`).join(", ")}`);
    assert.deepEqual(sizes.map(({ encoding }) => encoding), [undefined, "gzip", "br"]);
    assert.ok(sizes[1].length <= 6000 && sizes[2].length <= 6000, "6 kB");
  } finally {
    await demo.stop();
  }
});

test("what is sent is made from the source, for every browser that is promised", async () => {
  const { scripts } = JSON.parse(await readFile(`${here}package.json`, "utf8"));
  const args = scripts.embed.split(" ").slice(1).filter((word) => !word.startsWith("--outfile"));
  const { stdout } = await run(program("esbuild"), args, { cwd: here });
  const sent = await readFile(`${here}../../static/embed.min.js`, "utf8");
  assert.ok(stdout === sent, "static/embed.min.js is old: run `npm ci && npm run embed` in tests/browser");
});

test("ESLint finds nothing in the scripts of pages", async () => {
  const files = ["embed", "handover", "host"].map((name) => `${here}../../static/${name}.js`);
  const { stdout } = await run(program("eslint"), ["--config", `${here}eslint.config.js`, "--no-ignore", "--max-warnings=0", ...files], { cwd: `${here}../..` });
  assert.equal(stdout, "");
});

test("the recipe for React compiles as it stands", async () => {
  // Beside the packages, so that the compiler finds React's types.
  const folder = await mkdtemp(`${here}recipe-`);
  try {
    const text = await readFile(`${here}../../recipes/react.tsx`, "utf8");
    await writeFile(`${folder}/Countersign.tsx`, text);
    const { stdout } = await run(program("tsc"), ["--noEmit", "--strict", "--jsx", "react-jsx", "--target", "es2022", "--module", "esnext",
      "--moduleResolution", "bundler", "--lib", "es2022,dom", `${folder}/Countersign.tsx`]).catch((error) => error);
    assert.equal(stdout, "");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the recipe for Next compiles as it stands", async () => {
  const folder = await mkdtemp(`${here}recipe-`);
  try {
    await writeFile(`${folder}/route.ts`, await readFile(`${here}../../recipes/next.ts`, "utf8"));
    // What the recipe takes of @auth0/nextjs-auth0 (4.x: Auth0Client.getSession) and of Node.
    await writeFile(`${folder}/given.d.ts`, `declare module "@/lib/auth0" { export const auth0: { getSession(): Promise<{ user: Record<string, unknown> & { sub: string } } | null> }; }
declare const process: { env: Record<string, string | undefined> };`);
    const { stdout } = await run(program("tsc"), ["--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler",
      "--lib", "es2022,dom", "--types", "react", `${folder}/route.ts`, `${folder}/given.d.ts`]).catch((error) => error);
    assert.equal(stdout, "");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the types fit what developers write, and refuse what is wrong", async () => {
  const { stdout } = await run(program("tsc"), ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext",
    "--lib", "es2022,dom", "--skipLibCheck", "false", `${here}sites/usage.ts`]).catch((error) => error);
  assert.equal(stdout, "");
});
