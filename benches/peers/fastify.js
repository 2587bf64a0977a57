// The token endpoint as a careful Fastify program has it: HMAC by hand, the header encoded once, a schema for the
// answer, better-sqlite3 with prepared statements.
//
// node fastify.js PORT DATABASE KEY
import { createHash, createHmac, createSecretKey } from "node:crypto";

import Database from "better-sqlite3";
import Fastify from "fastify";

const [port, file, secret] = process.argv.slice(2);
const db = new Database(file, { readonly: true });
const ofSession = db.prepare("SELECT user_id FROM sessions WHERE id = ? AND ends_at > ?").pluck();
const ofUser = db.prepare("SELECT * FROM users WHERE id = ?");
const key = createSecretKey(Buffer.from(secret));
const header = Buffer.from('{"typ":"JWT","alg":"HS256"}').toString("base64url");
const languages = { en: "1", de: "2" };
const groups = { gold: "7", silver: "8" };

function digestOf(cookies = "") {
  const pair = cookies.split("; ").find((pair) => pair.startsWith("session=")) ?? "";
  return createHash("sha256").update(pair.slice(8)).digest("hex");
}

function sign(claims) {
  const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

const integer = { type: "integer" };
const schema = {
  response: {
    200: {
      type: "object",
      properties: {
        token: { type: "string" },
        expires_at: integer,
        expires_in: integer,
        refresh_in: integer,
        server_time: integer,
      },
    },
  },
};

const app = Fastify();
app.get("/token", { schema }, (request, reply) => {
  const now = Math.floor(Date.now() / 1000);
  const id = ofSession.get(digestOf(request.headers.cookie), now);
  const user = id === undefined ? undefined : ofUser.get(id);
  if (!user) {
    reply.code(401).send({ error: "signed out" });
    return;
  }
  const [year, month, day] = user.member_since.split("-");
  const token = sign({
    email: user.email,
    name: user.display_name,
    first_name: user.first_name,
    last_name: user.last_name,
    timezone: user.timezone,
    language_id: languages[user.language],
    usergroup_ids: [groups[user.plan], "9"],
    labels: [user.plan],
    fields: { 9: `${day}.${month}.${year}` },
    iat: now - 60,
    exp: now + 600,
  });
  reply.header("cache-control", "private, no-store");
  reply.send({ token, expires_at: now + 600, expires_in: 600, refresh_in: 480, server_time: now });
});
await app.listen({ host: "127.0.0.1", port: Number(port) });
