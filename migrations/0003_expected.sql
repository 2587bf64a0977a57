-- What the console asks before it counts: a password again, and users of whom the site knows what
-- they must get.

-- When the password was last typed in this session: some pages ask for it again after five minutes.
ALTER TABLE sessions ADD COLUMN confirmed_at BIGINT NOT NULL DEFAULT 0;

-- Expected payloads: what a mapping must make of a user, held against every draft.
CREATE TABLE expected (
    messenger_id TEXT   NOT NULL REFERENCES messengers (id) ON DELETE CASCADE,
    user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    outcome      TEXT   NOT NULL, -- JSON: {"payload": {…}} or {"refused": "code"}
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (messenger_id, user_id)
);

-- The number of the latest change of each kind: what was found out about users is as old as that.
CREATE TABLE changed (
    kind TEXT   NOT NULL PRIMARY KEY, -- as in changes
    seq  BIGINT NOT NULL
);
