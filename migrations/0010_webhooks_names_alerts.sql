-- Deskpro says that a person has changed.

ALTER TABLE desks ADD COLUMN webhook_id TEXT; -- the secret of its calls, in `secrets`; NULL: it may not call
ALTER TABLE desks ADD COLUMN called_at BIGINT; -- about when it called last

-- Since when the person is to be looked at, because Deskpro said that it has changed.
ALTER TABLE people ADD COLUMN look_at BIGINT;
CREATE INDEX people_by_look ON people (desk, look_at);

-- What helpdesks call the ids in payloads.
CREATE TABLE catalogues (
    origin  TEXT   NOT NULL PRIMARY KEY, -- the helpdesk
    names   TEXT   NOT NULL, -- JSON: groups, languages, organizations, fields
    source  TEXT   NOT NULL, -- api, file
    missing TEXT   NOT NULL DEFAULT '', -- the lists that the API did not give, and why
    read_at BIGINT NOT NULL
);

-- Alerts about a synchronization.
ALTER TABLE desks ADD COLUMN alert_url TEXT; -- where they are sent; NULL: nowhere
ALTER TABLE desks ADD COLUMN alert_id TEXT;  -- the secret that signs them, in `secrets`
CREATE TABLE alerts (
    desk       TEXT   NOT NULL REFERENCES desks (id) ON DELETE CASCADE,
    kind       TEXT   NOT NULL, -- stopped, overdue, refused, conflicts
    is_raised  BIGINT NOT NULL DEFAULT 0, -- the receiver knows of the problem, and not yet of its end
    raised_at  BIGINT,          -- when the receiver was told last that there is a problem
    number     BIGINT NOT NULL DEFAULT 0, -- how many users it was about then
    busy_until BIGINT,          -- a server sends it until then; or it could not be sent, and is tried again then
    problem    TEXT   NOT NULL DEFAULT '', -- why it could not be sent
    PRIMARY KEY (desk, kind)
);
