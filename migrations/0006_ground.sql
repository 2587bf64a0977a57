-- Nobody becomes somebody else, and nothing acknowledged is lost.

-- When the site said that an account is gone. Such a user is disabled, has given up login, address and
-- person, and keeps the external_id, so that a late record does not bring the account back.
ALTER TABLE users ADD COLUMN gone_at BIGINT;
-- A disabled user keeps no address from others.
UPDATE users SET email_key = NULL WHERE disabled = 1;

-- Whoever writes many users, or adds one, has this lock first.
INSERT INTO locks (name, n) VALUES ('bulk', 0);

-- When the console was used last: tokens that a tab fetches keep no console open. 0: like used_at.
ALTER TABLE sessions ADD COLUMN console_used_at BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET console_used_at = used_at;

-- Further messengers of a sign-in that a code started: a code of the same user for another messenger
-- joins it, so that two messengers fit in one browser.
CREATE TABLE session_messengers (
    digest       TEXT NOT NULL REFERENCES sessions (digest) ON DELETE CASCADE,
    messenger_id TEXT NOT NULL,
    key_id       TEXT NOT NULL, -- the API key whose code joined it
    PRIMARY KEY (digest, messenger_id)
);
CREATE INDEX session_messengers_by_key ON session_messengers (key_id);
CREATE INDEX sessions_by_key ON sessions (key_id);
CREATE INDEX devices_by_key ON devices (key_id);

-- Put before the external_ids that a key writes: customer 7 of one shop is not customer 7 of another.
ALTER TABLE api_keys ADD COLUMN prefix TEXT NOT NULL DEFAULT '';

-- Grows with every step of a job's worker. A worker that watches it sees whether the other one is alive,
-- whatever the clocks of the two machines say.
ALTER TABLE jobs ADD COLUMN beat BIGINT NOT NULL DEFAULT 0;
