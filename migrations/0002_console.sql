-- The console: mappings while they are edited, and which users they change.

-- Mappings as admins edit them, valid or not: one per messenger and admin, stored until it is
-- published or discarded.
CREATE TABLE drafts (
    messenger_id TEXT   NOT NULL REFERENCES messengers (id) ON DELETE CASCADE,
    user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    text         TEXT   NOT NULL,
    base         BIGINT NOT NULL, -- the version that it started from; 0: none was published
    revision     BIGINT NOT NULL, -- grows with every change, so that changes in a second window are noticed
    updated_at   BIGINT NOT NULL,
    did          TEXT   NOT NULL, -- the last change, in words
    undo         TEXT   NOT NULL, -- the draft before that change
    PRIMARY KEY (messenger_id, user_id)
);

-- The subject of a job, in the form of its kind. The job is found again by it.
ALTER TABLE jobs ADD COLUMN subject TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_by_subject ON jobs (kind, subject, created_at);
