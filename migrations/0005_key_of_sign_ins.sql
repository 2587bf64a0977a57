-- The API key whose code started a session ('' for none), so that the session can end with the key.
ALTER TABLE sessions ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
