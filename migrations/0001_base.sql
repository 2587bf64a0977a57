-- The first schema. One script for SQLite and PostgreSQL: only BIGINT and TEXT, times in unix
-- seconds, yes/no as 0 and 1, ids as UUIDv7 strings, JSON as text that SQL never reads.
-- Values that need case folding or Unicode forms are folded in Rust and stored.
-- On PostgreSQL every TEXT is written as TEXT COLLATE "C", so that both databases sort alike.

-- Facts about the whole installation, such as the fingerprint of the master key.
CREATE TABLE facts (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Names that a transaction locks with its first statement (UPDATE ... SET n = n + 1). This is how to
-- count and then write without a race on both databases.
CREATE TABLE locks (
    name TEXT NOT NULL PRIMARY KEY,
    n    BIGINT NOT NULL
);
INSERT INTO locks (name, n) VALUES ('admins', 0), ('attributes', 0), ('jobs', 0), ('set-up', 0);

-- Every write that could change a token or end a session takes the next number as its last
-- statement, so that the order of numbers is the order of commits. Other processes read the changes
-- above the number they know.
CREATE TABLE change_counter (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    n  BIGINT NOT NULL
);
INSERT INTO change_counter (id, n) VALUES (1, 0);
CREATE TABLE changes (
    seq     BIGINT NOT NULL PRIMARY KEY,
    kind    TEXT   NOT NULL, -- user, session, mapping, messenger, key, all
    subject TEXT   NOT NULL, -- the id of the changed thing, '' for all
    at      BIGINT NOT NULL
);

-- The website's users: the local user table. Custom attributes are JSON on the row, so that a
-- token needs one row.
CREATE TABLE users (
    id             TEXT   NOT NULL PRIMARY KEY,
    login          TEXT   NOT NULL UNIQUE,  -- NFC, lowercase
    external_id    TEXT   UNIQUE,           -- the site's own stable user ID
    email          TEXT,                    -- as mapping.md 3.2 writes it
    email_key      TEXT   UNIQUE,           -- the same in lowercase
    email_verified BIGINT,                  -- NULL: unknown
    display_name   TEXT,
    first_name     TEXT,
    last_name      TEXT,
    language       TEXT,
    timezone       TEXT,
    deskpro_id     TEXT,
    custom         TEXT   NOT NULL,         -- JSON object: attribute name to value
    role           TEXT   NOT NULL,         -- user, admin
    disabled       BIGINT NOT NULL,
    password_hash  TEXT,                    -- PHC string; NULL: cannot sign in with a password
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL
);
-- For counting admins, so that the last one is known.
CREATE INDEX users_by_role ON users (role, disabled);
-- Two users with the same person at Deskpro are a conflict, which is shown.
CREATE INDEX users_by_deskpro_id ON users (deskpro_id);

-- Search keys of users: a search is a range over `key`, so that it stays fast with a million users.
CREATE TABLE user_keys (
    key     TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (key, user_id)
);
CREATE INDEX user_keys_by_user ON user_keys (user_id);

-- Custom attributes. The program knows the built-in ones; they have a row if the site marks them as
-- trusted (proved).
CREATE TABLE attributes (
    name       TEXT   NOT NULL PRIMARY KEY,
    name_key   TEXT   NOT NULL UNIQUE, -- lowercase: no two names differ only by case
    type       TEXT   NOT NULL,        -- text, yes_no, number, list
    searchable BIGINT NOT NULL,
    proved     BIGINT NOT NULL,        -- its writer vouches that the value belongs to the user
    created_at BIGINT NOT NULL
);

-- Sessions of browsers. The table has only the SHA-256 of the session key: a copy of the table does
-- not give access to any session.
CREATE TABLE sessions (
    digest     TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL, -- the absolute limit counts from here
    used_at    BIGINT NOT NULL, -- written at most every five minutes; the idle limit counts from here
    address    TEXT   NOT NULL, -- the network address that the user signed in from
    agent      TEXT   NOT NULL  -- the browser's user agent, cut to 200 characters
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_use ON sessions (used_at);

-- Deployments of Deskpro Messenger. Settings of `default` in the environment override its row.
CREATE TABLE messengers (
    id         TEXT   NOT NULL PRIMARY KEY, -- a short name such as 'default'
    settings   TEXT   NOT NULL,             -- JSON: addresses, options, policy, lifetime, origins
    enabled    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
INSERT INTO messengers (id, settings, enabled, created_at, updated_at) VALUES ('default', '{}', 1, 0, 0);

-- Secrets shared with Deskpro, sealed with the master key. A key from the environment is never here.
CREATE TABLE signing_keys (
    id           TEXT   NOT NULL PRIMARY KEY,
    messenger_id TEXT   NOT NULL REFERENCES messengers (id) ON DELETE CASCADE,
    state        TEXT   NOT NULL, -- next, active, retired
    sealed       TEXT   NOT NULL,
    encoding     TEXT   NOT NULL, -- raw, base64, base64url, hex
    created_at   BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL
);
CREATE INDEX signing_keys_by_messenger ON signing_keys (messenger_id);

-- Every published mapping. The primary key makes the second publisher of a number fail.
CREATE TABLE mappings (
    messenger_id TEXT   NOT NULL REFERENCES messengers (id) ON DELETE CASCADE,
    version      BIGINT NOT NULL,
    text         TEXT   NOT NULL,
    author       TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (messenger_id, version)
);

-- Password guesses, reserved before they are checked. Keys are keyed digests of a login, a network, or
-- both, so a password that was typed into the login field cannot be read here.
CREATE TABLE attempts (
    key     TEXT   NOT NULL PRIMARY KEY,
    guesses BIGINT NOT NULL, -- checked or in progress since `since`
    since   BIGINT NOT NULL,
    at      BIGINT NOT NULL, -- the time of the last guess
    next_at BIGINT NOT NULL  -- no guess is checked before this time
);
CREATE INDEX attempts_by_time ON attempts (at);

-- Work that outlives a request. One worker takes a job with a lease; every step moves the cursor.
CREATE TABLE jobs (
    id          TEXT   NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,
    input       TEXT   NOT NULL, -- JSON
    cursor      TEXT   NOT NULL,
    done        BIGINT NOT NULL,
    total       BIGINT NOT NULL,
    state       TEXT   NOT NULL, -- waiting, running, done, failed, cancelled
    report      TEXT   NOT NULL, -- JSON
    worker      TEXT,
    lease_until BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE INDEX jobs_by_state ON jobs (state, created_at);

-- The audit log, append-only. Issued tokens are only counted; refusals have one row per user and code
-- per hour (`dedup`).
CREATE TABLE audit (
    id         TEXT   NOT NULL PRIMARY KEY, -- UUIDv7: sorts by time
    at         BIGINT NOT NULL,
    event      TEXT   NOT NULL,
    actor      TEXT   NOT NULL, -- user:ID, cli, system, anonymous
    subject    TEXT   NOT NULL,
    detail     TEXT   NOT NULL, -- JSON; never a secret
    request_id TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    dedup      TEXT   UNIQUE
);
CREATE INDEX audit_by_subject ON audit (subject, id);
CREATE INDEX audit_by_event ON audit (event, id);

-- Counts over time, per minute.
CREATE TABLE counts (
    minute    BIGINT NOT NULL, -- unix seconds, a multiple of 60
    kind      TEXT   NOT NULL, -- token_issued, token_refused, sign_in, ...
    code      TEXT   NOT NULL,
    messenger TEXT   NOT NULL,
    key       TEXT   NOT NULL, -- the signing key's id
    n         BIGINT NOT NULL,
    PRIMARY KEY (minute, kind, code, messenger, key)
);
