// The token endpoint as an Express program has it: express-session over SQLite, jsonwebtoken. The store writes nothing
// when a session is used, and the key is prepared once, as the documentation of both advises.
//
// node express.js PORT DATABASE KEY
import { createSecretKey } from "node:crypto";

import Database from "better-sqlite3";
import express from "express";
import session from "express-session";
import jwt from "jsonwebtoken";

const [port, file, secret] = process.argv.slice(2);
const db = new Database(file, { readonly: true });
const now = () => Math.floor(Date.now() / 1000);
const ofSession = db.prepare("SELECT user_id FROM sessions WHERE id = ? AND ends_at > ?");
const ofUser = db.prepare("SELECT * FROM users WHERE id = ?");
const key = createSecretKey(Buffer.from(secret));
const languages = { en: "1", de: "2" };
const groups = { gold: "7", silver: "8" };

class Store extends session.Store {
  get(id, callback) {
    const row = ofSession.get(id, now());
    callback(null, row ? { cookie: {}, userId: row.user_id } : null);
  }

  set(_id, _session, callback) {
    callback(new Error("this store is only read"));
  }

  destroy(_id, callback) {
    callback(new Error("this store is only read"));
  }
}

const app = express();
app.disable("etag");
app.use(session({ name: "session", secret, store: new Store(), resave: false, saveUninitialized: false }));
app.get("/token", (request, response) => {
  const { userId } = request.session;
  const user = userId === undefined ? undefined : ofUser.get(userId);
  if (!user) {
    response.status(401).json({ error: "signed out" });
    return;
  }
  const [year, month, day] = user.member_since.split("-");
  const at = now();
  const claims = {
    email: user.email,
    name: user.display_name,
    first_name: user.first_name,
    last_name: user.last_name,
    timezone: user.timezone,
    language_id: languages[user.language],
    usergroup_ids: [groups[user.plan], "9"],
    labels: [user.plan],
    fields: { 9: `${day}.${month}.${year}` },
    iat: at - 60,
    exp: at + 600,
  };
  const token = jwt.sign(claims, key, { algorithm: "HS256" });
  response.set("cache-control", "private, no-store");
  response.json({ token, expires_at: at + 600, expires_in: 600, refresh_in: 480, server_time: at });
});
app.listen(Number(port), "127.0.0.1");
