-- What the console requires before changes take effect: a confirmed password, and users whose payload
-- the site knows in advance.

-- When the password was last typed in this session: some pages require it again after five minutes.
ALTER TABLE sessions ADD COLUMN confirmed_at BIGINT NOT NULL DEFAULT 0;

-- Expected payloads: what a mapping must produce for a user. Every draft is checked against them.
CREATE TABLE expected (
    messenger_id TEXT   NOT NULL REFERENCES messengers (id) ON DELETE CASCADE,
    user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    outcome      TEXT   NOT NULL, -- JSON: {"payload": {…}} or {"refused": "code"}
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (messenger_id, user_id)
);

-- The number of the latest change of each kind. Results about users are valid for the changes up to it.
CREATE TABLE changed (
    kind TEXT   NOT NULL PRIMARY KEY, -- as in changes
    seq  BIGINT NOT NULL
);
