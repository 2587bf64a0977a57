-- Servers that work with this database, so that one with other settings than the rest is noticed. Each writes
-- its row every minute, and takes it away when it stops.
CREATE TABLE instances (
    id       TEXT   NOT NULL PRIMARY KEY, -- UUIDv7, made when the server starts
    settings TEXT   NOT NULL, -- JSON: of each setting that must be the same everywhere a digest under the master key
    seen_at  BIGINT NOT NULL
);

-- A comparison goes on behind the id of the user it looked at last, no longer behind the login.
UPDATE jobs SET state = 'cancelled', worker = NULL WHERE kind = 'compare' AND state IN ('waiting', 'running');
