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
