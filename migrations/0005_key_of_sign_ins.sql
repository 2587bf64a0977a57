-- By which API key's code a sign-in began ('' for none), so that it can end with the key.
ALTER TABLE sessions ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
