-- A user never becomes another user, and nothing that was acknowledged is lost.

-- When the site reported that an account is gone. Such a user is disabled, has given up login, address and
-- person, and keeps the external_id, so that a late record does not bring the account back.
ALTER TABLE users ADD COLUMN gone_at BIGINT;
-- A disabled user does not block an address for others.
UPDATE users SET email_key = NULL WHERE disabled = 1;

-- A transaction that writes many users, or adds one, takes this lock first.
INSERT INTO locks (name, n) VALUES ('bulk', 0);

-- When the console was last used: tokens that a tab fetches do not keep the console open. 0: like used_at.
ALTER TABLE sessions ADD COLUMN console_used_at BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET console_used_at = used_at;

-- Further messengers of a session that a code started: a code of the same user for another messenger
-- joins the session, so that one browser can have two messengers.
CREATE TABLE session_messengers (
    digest       TEXT NOT NULL REFERENCES sessions (digest) ON DELETE CASCADE,
    messenger_id TEXT NOT NULL,
    key_id       TEXT NOT NULL, -- the API key whose code joined the session
    PRIMARY KEY (digest, messenger_id)
);
CREATE INDEX session_messengers_by_key ON session_messengers (key_id);
CREATE INDEX sessions_by_key ON sessions (key_id);
CREATE INDEX devices_by_key ON devices (key_id);

-- The prefix of the external_ids that a key writes: customer 7 of one shop is not customer 7 of another.
ALTER TABLE api_keys ADD COLUMN prefix TEXT NOT NULL DEFAULT '';

-- Grows with every step of a job's worker. A worker that watches it sees whether the other worker is
-- alive, whatever the clocks of the two machines show.
ALTER TABLE jobs ADD COLUMN beat BIGINT NOT NULL DEFAULT 0;
