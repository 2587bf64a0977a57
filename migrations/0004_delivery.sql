-- Tokens for pages and apps whose users do not sign in to Countersign with a password: the site's own
-- server vouches for them with an API key, and an app has a device token.

-- Keys of the site's own servers. The table has only the SHA-256: a copy of the table gives no access.
CREATE TABLE api_keys (
    id             TEXT   NOT NULL PRIMARY KEY,
    name           TEXT   NOT NULL,
    digest         TEXT   NOT NULL UNIQUE,
    hint           TEXT   NOT NULL, -- its last four characters, so that people can recognise it
    scopes         TEXT   NOT NULL, -- JSON list: users, mint, handovers
    messengers     TEXT   NOT NULL, -- JSON list of ids
    email_verified BIGINT NOT NULL, -- addresses sent with this key are verified
    created_by     TEXT   NOT NULL, -- as an actor of the audit log
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT,          -- written at most every five minutes; NULL: never
    revoked_at     BIGINT           -- rows stay, so that a revoked key differs from an unknown one
);

-- One-time handover codes: with one, the site's server signs its user in to a browser or an app.
CREATE TABLE handovers (
    digest       TEXT   NOT NULL PRIMARY KEY, -- SHA-256 of the code
    user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    messenger_id TEXT   NOT NULL,
    origin       TEXT   NOT NULL, -- the page that may exchange it; '' if only an app may
    key_id       TEXT   NOT NULL,
    expires_at   BIGINT NOT NULL,
    spent_at     BIGINT           -- NULL: not yet
);
CREATE INDEX handovers_by_end ON handovers (expires_at);

-- Sessions of native apps, each with a device token. The table has only its SHA-256.
CREATE TABLE devices (
    id         TEXT   NOT NULL PRIMARY KEY,
    digest     TEXT   NOT NULL UNIQUE,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    messenger_id TEXT NOT NULL, -- the only one it gets tokens for; '' for any
    name       TEXT   NOT NULL, -- as the app calls it
    platform   TEXT   NOT NULL, -- ios, android
    created_at BIGINT NOT NULL, -- the absolute limit counts from here
    used_at    BIGINT NOT NULL, -- written at most every five minutes; the idle limit counts from here
    address    TEXT   NOT NULL  -- the network address that it was last used from
);
CREATE INDEX devices_by_user ON devices (user_id);
CREATE INDEX devices_by_use ON devices (used_at);

-- How a session started: password, or handover if the site's server vouched.
ALTER TABLE sessions ADD COLUMN door TEXT NOT NULL DEFAULT 'password';
-- Whether its user asked to stay signed in on this device: then other limits apply.
ALTER TABLE sessions ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
-- The only messenger that it gets tokens for; '' for any. A handover code for one messenger gives tokens
-- for that messenger only.
ALTER TABLE sessions ADD COLUMN messenger_id TEXT NOT NULL DEFAULT '';
