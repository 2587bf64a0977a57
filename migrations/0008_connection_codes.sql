-- A key may wait for a plugin that fetches it with a connection code. The key itself is created only then, so
-- no person ever handles it.

-- The digest of the code, stored after it was used, so that a second use differs from a wrong code.
ALTER TABLE api_keys ADD COLUMN code_digest TEXT;
-- Until when the code works; NULL after it was used, and if there never was a code.
ALTER TABLE api_keys ADD COLUMN code_until BIGINT;
CREATE UNIQUE INDEX api_keys_by_code ON api_keys (code_digest);
