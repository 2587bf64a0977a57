-- Users who are kept in Deskpro through its API, before they chat.

-- Everything that is encrypted with the master key, so that a new master key cannot miss any of it.
CREATE TABLE secrets (
    id      TEXT NOT NULL PRIMARY KEY, -- also the context of the encryption
    purpose TEXT NOT NULL,             -- signing_key, api_key
    sealed  TEXT NOT NULL
);
INSERT INTO secrets (id, purpose, sealed) SELECT id, 'signing_key', sealed FROM signing_keys;
ALTER TABLE signing_keys DROP COLUMN sealed;

-- Desks: each is one helpdesk with its API key. What people look like there comes from one mapping.
CREATE TABLE desks (
    id           TEXT   NOT NULL PRIMARY KEY,
    origin       TEXT   NOT NULL UNIQUE,
    messenger_id TEXT   NOT NULL REFERENCES messengers (id), -- whose published mapping describes its people
    key_id       TEXT   NOT NULL REFERENCES secrets (id),    -- the API key
    is_private   BIGINT NOT NULL, -- it may be on this machine, in a private network, or without TLS
    settings     TEXT   NOT NULL, -- JSON: budget, schedule, policies, as strings by name
    paused_at    BIGINT,          -- when an admin paused it
    stopped      TEXT   NOT NULL DEFAULT '', -- why it stopped by itself: key_refused, wrong_helpdesk, ...
    words        TEXT   NOT NULL DEFAULT '', -- the same in words
    stopped_at   BIGINT,
    requested    TEXT   NOT NULL DEFAULT '', -- who wants a run as soon as possible: button, cli, import, mapping
    kind         TEXT   NOT NULL DEFAULT '', -- which run is wanted: sync, verify
    seen         BIGINT NOT NULL, -- the number of the last change of users that was looked at
    spent        TEXT   NOT NULL DEFAULT '', -- JSON: requests of the last day by minute, and until when to wait
    worker       TEXT   NOT NULL DEFAULT '', -- who talks to Deskpro
    beat         BIGINT NOT NULL DEFAULT 0,  -- grows while the worker is alive
    beat_at      BIGINT,                     -- the same as a time, for people to read
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);

-- What is known of each user at each desk. A user without a row was not looked at yet.
CREATE TABLE people (
    desk          TEXT   NOT NULL REFERENCES desks (id) ON DELETE CASCADE,
    user_id       TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    deskpro_id    TEXT,            -- the person, once it is certain
    digest        TEXT   NOT NULL DEFAULT '', -- of what Deskpro accepted last
    tried         TEXT   NOT NULL DEFAULT '', -- of what was refused last: it is not sent again by itself
    user_groups   TEXT   NOT NULL DEFAULT '', -- the ids of groups that were sent last, with commas
    address       TEXT   NOT NULL DEFAULT '', -- the address that was sent last, in lowercase
    former        TEXT   NOT NULL DEFAULT '', -- the one before: the person may still have it
    sending_since BIGINT,          -- a person may have been created since then, and the answer was not stored
    state         TEXT   NOT NULL, -- new, sent, waiting, refused, conflict, no_address, left_out, failed, retired
    code          TEXT   NOT NULL DEFAULT '',
    words         TEXT   NOT NULL DEFAULT '', -- Deskpro's words, or what to do
    waits_for     TEXT   NOT NULL DEFAULT '', -- the user who has to give up an address first
    tried_at      BIGINT,          -- when it was last compared or sent
    due_at        BIGINT,          -- when somebody needs it: as soon as possible after that
    PRIMARY KEY (desk, user_id)
);
CREATE UNIQUE INDEX people_by_deskpro_id ON people (desk, deskpro_id);
CREATE INDEX people_by_state ON people (desk, state, user_id);
CREATE INDEX people_by_due ON people (desk, due_at);
CREATE INDEX people_by_address ON people (desk, address);
CREATE INDEX people_by_former ON people (desk, former);
CREATE INDEX people_by_user ON people (user_id);

-- Runs over all users, with their results.
CREATE TABLE runs (
    id         TEXT   NOT NULL PRIMARY KEY,
    desk       TEXT   NOT NULL REFERENCES desks (id) ON DELETE CASCADE,
    kind       TEXT   NOT NULL, -- sync, verify
    cause      TEXT   NOT NULL, -- schedule, button, cli, import, mapping
    mapping    BIGINT NOT NULL, -- the version that it began with
    state      TEXT   NOT NULL, -- running, done, stopped
    cursor     TEXT   NOT NULL DEFAULT '', -- the last user whose page is done
    total      BIGINT NOT NULL DEFAULT 0,
    counts     TEXT   NOT NULL DEFAULT '{}', -- JSON: compared, created, changed, refused, ...
    code       TEXT   NOT NULL DEFAULT '',
    words      TEXT   NOT NULL DEFAULT '',
    started_at BIGINT NOT NULL,
    moved_at   BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE INDEX runs_by_desk ON runs (desk, started_at);

-- The user's persons by desk, as `people` has them: `DESK=ID`, or `DESK=` if none may be used there. Here
-- too, so that a token needs one row.
ALTER TABLE users ADD COLUMN people TEXT NOT NULL DEFAULT '';
-- The helpdesk that `deskpro_id` belongs to: the one of `default` when it was written. NULL: there was none.
ALTER TABLE users ADD COLUMN deskpro_origin TEXT;
