-- Deskpro says that a person has changed.

ALTER TABLE desks ADD COLUMN webhook_id TEXT; -- the secret of its calls, in `secrets`; NULL: it may not call
ALTER TABLE desks ADD COLUMN called_at BIGINT; -- about when it called last

-- Since when the person is to be looked at, because Deskpro said that it has changed.
ALTER TABLE people ADD COLUMN look_at BIGINT;
CREATE INDEX people_by_look ON people (desk, look_at);
