-- Tokens for pages and apps whose users do not sign in here with a password: the site's own server
-- vouches for them by an API key, an app holds a device token.

-- Keys of the site's own servers. Only the SHA-256 is here: a copy of the table opens nothing.
CREATE TABLE api_keys (
    id             TEXT   NOT NULL PRIMARY KEY,
    name           TEXT   NOT NULL,
    digest         TEXT   NOT NULL UNIQUE,
    hint           TEXT   NOT NULL, -- its last four characters, so that people know which one it is
    scopes         TEXT   NOT NULL, -- JSON list: users, mint, handovers
    messengers     TEXT   NOT NULL, -- JSON list of ids
    email_verified BIGINT NOT NULL, -- addresses that come by this key are verified
    created_by     TEXT   NOT NULL, -- as an actor of the audit
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT,          -- written at most every five minutes; NULL: never
    revoked_at     BIGINT           -- rows stay, so that a revoked key is told from an unknown one
);

-- One-time codes by which the site's server hands its user over to a browser or an app.
CREATE TABLE handovers (
    digest       TEXT   NOT NULL PRIMARY KEY, -- SHA-256 of the code
    user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    messenger_id TEXT   NOT NULL,
    origin       TEXT   NOT NULL, -- the page that may swap it; '' where only an app may
    key_id       TEXT   NOT NULL,
    expires_at   BIGINT NOT NULL,
    spent_at     BIGINT           -- NULL: not yet
);
CREATE INDEX handovers_by_end ON handovers (expires_at);

-- Sign-ins of native apps, each with a device token of which only the SHA-256 is here.
CREATE TABLE devices (
    id         TEXT   NOT NULL PRIMARY KEY,
    digest     TEXT   NOT NULL UNIQUE,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    messenger_id TEXT NOT NULL, -- the only one it gets tokens for; '' for any
    name       TEXT   NOT NULL, -- as the app calls it
    platform   TEXT   NOT NULL, -- ios, android
    created_at BIGINT NOT NULL, -- the absolute limit counts from here
    used_at    BIGINT NOT NULL, -- written at most every five minutes; the idle limit counts from here
    address    TEXT   NOT NULL  -- where it was used from last
);
CREATE INDEX devices_by_user ON devices (user_id);
CREATE INDEX devices_by_use ON devices (used_at);

-- How a session began: password, or handover where the site's server vouched.
ALTER TABLE sessions ADD COLUMN door TEXT NOT NULL DEFAULT 'password';
-- Whether its user asked to stay signed in on this device: other limits hold.
ALTER TABLE sessions ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
-- The only messenger that it gets tokens for; '' for any: who was handed over for one is known to that alone.
ALTER TABLE sessions ADD COLUMN messenger_id TEXT NOT NULL DEFAULT '';
