// The recipes for apps, compiled against what Deskpro's kits declare (tests/mobile). The one for Android is also run, as
// an app that signs in at the real program. The one for iOS needs `swiftc`, which few machines have: docs/apps.md.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PASSWORD, startSilentMessenger, startSite } from "./support/program.js";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const mobile = `${here}../mobile`;
const kotlin = `${here}node_modules/kotlin-compiler`;
/** Android's own org.json, as Debian's libandroid-json-java has it. */
const json = "/usr/share/java/com.android.json.jar";
const swiftc = process.env.SWIFTC ?? "swiftc";

const recipe = (name) => readFile(`${here}../../recipes/${name}`, "utf8");

let folder;
before(async () => { folder = await mkdtemp(`${here}recipe-`); });
after(() => rm(folder, { recursive: true }));

/** What kotlinc says about a recipe with this text, within the app around it. */
async function compileForAndroid(text) {
  await writeFile(`${folder}/Chat.kt`, text);
  const around = (await readdir(`${mobile}/android`)).map((name) => `${mobile}/android/${name}`);
  const { stdout, stderr } = await run("bash", [`${kotlin}/bin/kotlinc`, "-Werror", "-cp", json, "-d", `${folder}/android`,
    `${folder}/Chat.kt`, ...around]).catch((error) => error);
  return stdout + stderr;
}

test("the recipe for Android compiles as it stands, and not against another kit", async () => {
  const text = await recipe("android.kt");
  const wrong = [["DeskPro(app, config)", "DeskPro(config)"], ["authorizeUser(", "authorizeUser(jwtToken = "], [".present().show()", ".show()"]];
  const broken = wrong.reduce((broken, [right, other]) => {
    assert.ok(broken.includes(right), right);
    return broken.replace(right, other);
  }, text);
  const said = await compileForAndroid(broken);
  for (const error of ["no value passed for parameter 'messengerConfig'", "no parameter with name 'jwtToken' found", "unresolved reference 'show'"]) {
    assert.ok(said.toLowerCase().includes(error.toLowerCase()), `${error}:\n${said}`);
  }
  assert.equal(await compileForAndroid(text), "");
});

test("an app with the recipe for Android opens a chat with a fresh token, and forgets it after another start", async () => {
  const messenger = await startSilentMessenger();
  const site = await startSite({ users: "login,email,email_verified\nana,ana@example.com,true\n", settings: messenger.settings });
  const ask = async (method, path, headers, body) => {
    const answer = await fetch(site.url + path, { method, headers, body });
    return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
  };
  const app = async (route, token) => {
    const classes = [`${folder}/android`, json, `${kotlin}/lib/kotlin-stdlib.jar`].join(":");
    const { stdout } = await run("java", ["-cp", classes, "AppKt", route, token]);
    return stdout.trim().split("\n");
  };
  try {
    const signIn = JSON.stringify({ login: "ana", password: PASSWORD, name: "A phone", platform: "android" });
    const { status, body: device } = await ask("POST", "/api/v1/devices", { "Content-Type": "application/json" }, signIn);
    assert.equal(status, 201);
    const route = `${site.url}/api/v1/token?messenger=default`;
    const [stored, authorized, ...rest] = await app(route, device.device_token);
    assert.equal(stored, "apply");
    assert.match(authorized, /^authorizeUser [\w-]+\.[\w-]+\.[\w-]+$/);
    const { DESKPRO_URL: url, MESSENGER_ID: id } = messenger.settings;
    assert.deepEqual(rest, [`show ${url} ${id} true`, `forgetUser ${id}`, "deleteAllData"]);
    assert.deepEqual(await app("-", ""), ["deleteAllData"], "nothing is there to forget");

    const headers = { Authorization: `Bearer ${device.device_token}` };
    assert.equal((await ask("DELETE", "/api/v1/devices/current", headers)).status, 204);
    assert.equal((await ask("GET", "/api/v1/token?messenger=default", headers)).status, 401);
    await assert.rejects(app(route, device.device_token), /the route returned 401/);
  } finally {
    await site.stop();
    await messenger.stop();
  }
});

const hasSwift = () => {
  try {
    execFileSync(swiftc, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

test("the recipe for iOS compiles as it stands, and not against another kit", { skip: !hasSwift() && "there is no swiftc" }, async () => {
  const modules = `${folder}/ios`;
  await mkdir(modules);
  const compile = (...args) => run(swiftc, ["-parse-as-library", "-I", modules, ...args]).then(({ stdout, stderr }) => stdout + stderr, ({ stderr }) => stderr);
  for (const name of ["UIKit", "WebKit", "messenger_sdk_ios"]) {
    // The kit's Package.swift says 5.7.
    assert.equal(await compile("-swift-version", "5", "-module-name", name, "-emit-module", "-emit-module-path", `${modules}/${name}.swiftmodule`,
      `${mobile}/ios/${name}.swift`), "");
  }
  const text = await recipe("ios.swift");
  const check = async (version, text) => {
    await writeFile(`${folder}/Chat.swift`, text);
    return compile("-swift-version", version, "-warnings-as-errors", "-typecheck", `${folder}/Chat.swift`);
  };
  for (const version of ["5", "6"]) assert.equal(await check(version, text), "");
  for (const [right, wrong, error] of [
    ["import messenger_sdk_ios", "import DeskproFramework", "no such module 'DeskproFramework'"],
    ["authorizeUser(userJwt:", "authorizeUser(jwtToken:", "incorrect argument label"],
    [", containingViewController: controller", "", "missing argument for parameter 'containingViewController'"],
  ]) {
    assert.ok(text.includes(right), right);
    const said = await check("5", text.replace(right, wrong));
    assert.ok(said.includes(error), `${error}:\n${said}`);
  }
});
