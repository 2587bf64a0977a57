-- Servers that use this database, so that a server whose settings differ from the others is noticed. Each
-- server writes its row every minute, and removes it when it stops.
CREATE TABLE instances (
    id       TEXT   NOT NULL PRIMARY KEY, -- UUIDv7, created when the server starts
    settings TEXT   NOT NULL, -- JSON: each setting that must be the same everywhere, as a digest with the master key
    seen_at  BIGINT NOT NULL
);

-- A comparison continues after the id of the user it checked last, no longer after the login.
UPDATE jobs SET state = 'cancelled', worker = NULL WHERE kind = 'compare' AND state IN ('waiting', 'running');
