"""The rows of a CSV file as attributes, the way the product's import stores them.

Each cell is a text, a blank one is missing. A column with a built-in name keeps
its meaning, any other is a custom text attribute. Passwords and what becomes of
rows that are already there are left out: the oracle starts from an empty table.
"""

import csv
import unicodedata

import mapping

STORED_PASSWORDS = (
    "$2a$", "$2b$", "$2y$", "$argon2", "$scrypt$", "$pbkdf2", "$P$", "$wp$", "$5$", "$6$", "pbkdf2_", "{SSHA",
)  # fmt: skip


def read(path):
    """A list of attribute dicts, one per row, in the order of the file."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    columns = list(rows[0]) if rows else []
    for column in columns:
        if mapping.is_secret_name(column):
            raise ValueError(f"the column {column!r} has the name of a secret")
        if any(mapping.trim(row[column]).startswith(STORED_PASSWORDS) for row in rows):
            raise ValueError(f"the column {column!r} holds stored passwords")
    users = [attributes(row) for row in rows]
    for key in ("login", "email"):
        values = [user[key].lower() for user in users if key in user]
        if len(set(values)) < len(values):
            raise ValueError(f"two rows have the same {key}")
    return users


def attributes(row):
    """The attributes of one row."""
    found = {column: cell for column, cell in row.items() if not mapping.is_blank(cell)}
    found["login"] = log_in_name(found["login"])
    if "email" in found:
        email = mapping.address(mapping.trim(found["email"]))
        if email is None:
            raise ValueError(f"{found['login']}: {found['email']!r} is no address")
        found["email"] = email
    return found


def log_in_name(text):
    """A login is stored in NFC and small letters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", mapping.trim(text)).lower())


def custom_names(users):
    """The names that are not built in."""
    return sorted({name for user in users for name in user} - set(mapping.BUILT_IN))
