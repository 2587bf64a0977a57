-- A key may wait for a plugin that picks it up with a connection code: the key itself is made only then, and never
-- passes through anybody's hands.

-- The digest of the code, kept after it was used, so that a second use is told from a wrong code.
ALTER TABLE api_keys ADD COLUMN code_digest TEXT;
-- Until when the code works; NULL once it was used, and where there never was one.
ALTER TABLE api_keys ADD COLUMN code_until BIGINT;
CREATE UNIQUE INDEX api_keys_by_code ON api_keys (code_digest);
