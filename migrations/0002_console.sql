-- The console: mappings while they are edited, and who changes by them.

-- Mappings as admins edit them, right or wrong: one per messenger and admin, kept until it is
-- published or thrown away.
CREATE TABLE drafts (
    messenger_id TEXT   NOT NULL REFERENCES messengers (id) ON DELETE CASCADE,
    user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    text         TEXT   NOT NULL,
    base         BIGINT NOT NULL, -- the version it was begun from; 0: none was published
    revision     BIGINT NOT NULL, -- grows with every change, so that a second window is noticed
    updated_at   BIGINT NOT NULL,
    did          TEXT   NOT NULL, -- what the last change was, in words
    undo         TEXT   NOT NULL, -- the text before it
    PRIMARY KEY (messenger_id, user_id)
);

-- What a job is about, in the words of its kind: by that it is found again.
ALTER TABLE jobs ADD COLUMN subject TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_by_subject ON jobs (kind, subject, created_at);
