// The real program, started as a person would: `countersign demo`, or `countersign serve` with a database prepared
// by its own command line. Everything it writes is in a temporary folder; each process that is started here is ended
// here, by itself.

import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const PROGRAM = process.env.COUNTERSIGN_PROGRAM
  ?? path.join(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, "target"), "debug", "countersign");

/** Unpacked by tests/run. */
const NGINX = path.join(ROOT, "tests/.nginx/usr/sbin/nginx");

/** Everybody's in these tests; the demo has one of its own. */
export const PASSWORD = "four words for tests";
export const DEMO_PASSWORD = "a demo of four words";
/** The secret that `serve` signs with here. */
export const SIGNING_KEY = "the browser tests sign with this key, and only they";

const PATIENCE = 60_000; // milliseconds, for a start or an end on a busy machine

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/** The environment of a person who has set nothing but `settings`, given without the prefix. */
function environment(folder, settings) {
  const set = Object.entries(settings).map(([name, value]) => [`COUNTERSIGN_${name}`, value]);
  return { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, ...Object.fromEntries(set) };
}

/** Starts the program and waits until it has printed what `ready` looks for. */
async function start(args, folder, settings, ready, program = PROGRAM) {
  const child = spawn(program, args, { cwd: folder, env: environment(folder, settings), stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const ended = new Promise((resolve) => {
    child.once("error", resolve);
    child.once("exit", resolve);
  }).finally(() => running.delete(child));
  let printed = "";
  const streams = [child.stdout, child.stderr];
  for (const stream of streams) stream.setEncoding("utf8").on("data", (text) => { printed += text; });
  /** Waits until it has printed what `pattern` looks for. */
  const prints = (pattern) => new Promise((resolve) => {
    const look = () => {
      const match = pattern.exec(printed);
      if (match) resolve(match);
    };
    for (const stream of streams) stream.on("data", look);
    look();
  });
  const tooLate = timer(PATIENCE);
  const match = await Promise.race([prints(ready), ended, tooLate.over]);
  tooLate.clear();
  if (!Array.isArray(match)) {
    child.kill("SIGKILL");
    throw new Error(`${program} ${args.join(" ")} did not start:\n${printed || match}`);
  }
  const end = async (signal = "SIGTERM") => {
    child.kill(signal);
    const impatience = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
    await ended;
    clearTimeout(impatience);
  };
  return {
    match,
    prints,
    end,
    async stop() {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function timer(milliseconds) {
  let id;
  const over = new Promise((resolve) => { id = setTimeout(resolve, milliseconds, "it took too long"); });
  return { over, clear: () => clearTimeout(id) };
}

const newFolder = () => mkdtemp(path.join(tmpdir(), "countersign-browser-"));

/** The command line for one database: `cli(["user", "list"])`, with a text for standard input if it needs one. */
function commandLine(folder, settings) {
  return (args, input = "") => new Promise((resolve, reject) => {
    const child = execFile(PROGRAM, args, { cwd: folder, env: environment(folder, settings), maxBuffer: 1 << 26 },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`countersign ${args.join(" ")}: ${stdout}${stderr}${error.signal ?? ""}`));
        else resolve(stdout);
      });
    // A command that reads nothing may have ended before anything was written to it.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** What the tests do by the command line, on a running site or before it starts. */
function tools(folder, settings) {
  const cli = commandLine(folder, settings);
  const users = async () => (await cli(["--json", "user", "list"])).trim().split("\n").map((line) => JSON.parse(line));
  return {
    cli,
    users,
    async applyMapping(mapping, reason = "") {
      const file = path.join(folder, "mapping.json");
      await writeFile(file, JSON.stringify(mapping));
      await cli(["mapping", "apply", file, "--reason", reason]);
    },
    /** Lets pages of these origins ask, and waits until the running server at `url` knows it. */
    async allow(url, origins, ...more) {
      await cli(["messenger", "set", "default", `allowed_origins=${origins.join(",")}`, ...more]);
      for (const end = Date.now() + PATIENCE; ;) {
        const answer = await fetch(`${url}/api/v1/token?optional=1`, { headers: { Origin: origins.at(-1) } });
        if (answer.headers.get("Access-Control-Allow-Origin") === origins.at(-1)) return;
        if (Date.now() > end) throw new Error(`${origins} are still not allowed`);
      }
    },
    /** Imports users from the text of a file. */
    async importUsers(text) {
      const file = path.join(folder, "import.csv");
      await writeFile(file, text);
      await cli(["user", "import", file, "--deskpro-id"]);
    },
    /** What a command prints as JSON, line by line. */
    lines: async (words) => (await cli(["--json", ...words])).trim().split("\n").filter(Boolean).map((line) => JSON.parse(line)),
    setUser: (login, attributes) =>
      cli(["user", "set", login, ...Object.entries(attributes).map(([name, value]) => `${name}=${value}`)]),
    /** The user's row as `user list --json` has it. */
    user: async (login) => (await users()).find((row) => row.login === login),
  };
}

/** `countersign demo` on free ports: `{ url, desk, stop, cli, … }`; `url` is the website, `desk` the stand-in. */
export async function startDemo() {
  const folder = await newFolder();
  const args = ["demo", "--listen", "127.0.0.1:0", "--deskpro-listen", "127.0.0.1:0"];
  const { match, stop } = await start(args, folder, {}, /website +(http:\S+?)\/\s[^]*stand-in +(http:\S+?)\/\s[^]*Ctrl-C/);
  const [data] = (await readdir(folder)).filter((name) => name.startsWith("countersign-demo-"));
  const settings = { DATABASE_URL: `sqlite:${path.join(folder, data, "demo.db")}` };
  return { url: match[1], desk: match[2], stop, ...tools(folder, settings) };
}

/**
 * `countersign serve` on a free port.
 * `users` is the text of a CSV file; everybody in it gets PASSWORD, unless `passwords` is false. `proved` are
 * attributes marked so.
 * `settings` are COUNTERSIGN_… without the prefix.
 * `path` puts the site below a path of a proxy's address, as COUNTERSIGN_PUBLIC_URL has it; `behind` starts the proxy.
 */
export async function startSite({ users, mapping, proved = [], settings = {}, passwords = true, path: prefix = "", behind = startProxy }) {
  const folder = await newFolder();
  const proxy = prefix ? await behind() : undefined;
  const all = {
    DATABASE_URL: `sqlite:${path.join(folder, "site.db")}`,
    LISTEN: "127.0.0.1:0",
    SIGNING_KEY,
    ...(proxy && { PUBLIC_URL: `${proxy.url}${prefix}`, TRUSTED_PROXIES: "127.0.0.1" }),
    ...settings,
  };
  const tool = tools(folder, all);
  const file = path.join(folder, "users.csv");
  await writeFile(file, users);
  await tool.cli(["user", "import", file, "--deskpro-id"]);
  for (const name of proved) await tool.cli(["attribute", "set", name, "--trusted"]);
  const withPassword = passwords ? await tool.users() : [];
  for (const { login } of withPassword) await tool.cli(["user", "set-password", login], `${PASSWORD}\n`);
  if (mapping) await tool.applyMapping(mapping);
  const serve = (LISTEN) => start(["serve"], folder, { ...all, LISTEN }, /listening on (?:http:\/\/)?([\d.]+:\d+)/);
  let server = await serve(all.LISTEN);
  const address = server.match[1];
  await proxy?.leadTo(address);
  return {
    url: proxy ? `${proxy.url}${prefix}` : `http://${address}`,
    prints: (pattern) => server.prints(pattern),
    /** Ends the server as a crash does; what it has written stays. */
    kill: () => server.end("SIGKILL"),
    /** Starts it again where it was. */
    async again() { server = await serve(address); },
    async stop() {
      await proxy?.stop();
      await server.stop();
    },
    ...tool,
  };
}

/** A reverse proxy as sites have one: it passes everything on, `Host` included, and says whom it speaks for. */
async function startProxy() {
  let target;
  const server = http.createServer((request, response) => {
    const [host, port] = target.split(":");
    const headers = { ...request.headers, "x-forwarded-for": request.socket.remoteAddress };
    const onward = http.request({ host, port, method: request.method, path: request.url, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  return { ...(await listen(server)), leadTo: (address) => { target = address; } };
}

/**
 * Debian's nginx with a website of its own, whose `server { … }` holds our recipe as it stands, but for the port that
 * it leads to. `page` is what every page of the website has in its body. Everything is in a temporary folder, and it
 * is one process, which runs as whoever runs the tests.
 */
export async function startNginx(page) {
  const free = await listen(http.createServer());
  const { host, port } = new URL(free.url);
  await free.stop();
  let stop = () => {};
  return {
    url: `http://${host}`,
    async leadTo(address) {
      const folder = await newFolder();
      await mkdir(path.join(folder, "website"));
      await writeFile(path.join(folder, "website", "index.html"), `<!doctype html><html lang="en"><title>The website</title>${page}`);
      const recipe = await readFile(path.join(ROOT, "recipes", "nginx.conf"), "utf8");
      await writeFile(path.join(folder, "countersign.conf"), recipe.replace("{{listen}}", address));
      await writeFile(path.join(folder, "nginx.conf"), `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events {}
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${kind};`).join(" ")}
  server {
    listen 127.0.0.1:${port};
    root website;
    # As websites have it for their own files.
    location ~* \.(js|css|svg|png)$ { expires 30d; }
    include countersign.conf;
  }
}
`);
      const args = ["-p", folder, "-e", "stderr", "-c", "nginx.conf"];
      // It listens before it tells how it waits for connections.
      ({ stop } = await start(args, folder, {}, /using the "\w+" event method/, NGINX));
    },
    stop: () => stop(),
  };
}

/** Any other website: it answers every request with `body`, to pages of every origin. */
export async function startOtherSite(body, type = "text/html") {
  const server = http.createServer((request, response) => {
    response.writeHead(200, { "Content-Type": `${type}; charset=utf-8`, "Access-Control-Allow-Origin": "*" });
    response.end(body);
  });
  return listen(server);
}

async function listen(server) {
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}

/** Settings that let a `serve` show the Messenger of a demo's stand-in, which has another key. */
export async function messengerOf(demo) {
  const { init_script_url, deskpro_url, messenger_id } = await (await fetch(`${demo.desk}/standin/state.json`)).json();
  return { INIT_SCRIPT_URL: init_script_url, DESKPRO_URL: deskpro_url, MESSENGER_ID: messenger_id };
}

/** A Messenger that does nothing at all, for pages that are looked at without it: `{ settings, stop }`. */
export async function startSilentMessenger() {
  const { url, stop } = await startOtherSite("// nothing", "text/javascript");
  return {
    settings: { INIT_SCRIPT_URL: `${url}/web.js`, DESKPRO_URL: `${url}/deskpro-messenger/nobody`, MESSENGER_ID: "01SILENT" },
    stop,
  };
}
