#!/usr/bin/env python3
"""Compares what `examples/sync_trial.rs` left in the folder OUT with the file of users, field by field.

    benches/sync_check.py USERS.csv OUT

It knows the trial's mapping and nothing of the program's code.
"""

import csv
import json
import sys
from collections import Counter
from pathlib import Path

YES = {"true", "yes", "1", "y", "on", "t"}


def expected(row):
    """The person of a row as the trial's mapping says; None without a verified address."""
    email = row["email"].strip()
    if not email or row["email_verified"].strip().lower() not in YES:
        return None
    first, last = row["first_name"].strip(), row["last_name"].strip()
    both = f"{first} {last}" if first and last else ""
    name = row["display_name"].strip() or both or last or first or row["login"].strip()
    labels = [row["plan"].strip()] if row["plan"].strip() else []
    return {"email": email.lower(), "name": name, "timezone": row["timezone"].strip(), "labels": labels}


def main():
    file, out = Path(sys.argv[1]), Path(sys.argv[2])
    people = json.loads((out / "people.json").read_text())
    known = json.loads((out / "users.json").read_text())
    planted = {address.lower() for address in known["planted"]}
    by_email = Counter((person["email"] or "").lower() for person in people)
    persons = {(person["email"] or "").lower(): person for person in people}
    problems, there, refused, without = [], 0, 0, 0
    with file.open(newline="", encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        wanted = expected(row)
        login = row["login"].strip().lower()
        user = known["users"].get(login, {})
        if wanted is None:
            without += 1
            if user.get("state") == "sent":
                problems.append(f"{login}: sent without a verified address")
            continue
        if wanted["email"] in planted:
            refused += 1
            if user.get("state") not in ("refused", "conflict") or not user.get("words"):
                problems.append(f"{login}: planted, and {user}")
            continue
        count = by_email[wanted["email"]]
        if count != 1 or user.get("state") != "sent":
            problems.append(f"{login}: {count} people, {user}")
            continue
        person = persons[wanted["email"]]
        there += 1
        if str(person["id"]) != user["person"]:
            problems.append(f"{login}: person {user['person']}, and not {person['id']}")
        for field in ("name", "labels"):
            if person[field] != wanted[field]:
                problems.append(f"{login}: {field} is {person[field]!r}, not {wanted[field]!r}")
        zone = person["timezone"] or ""
        if zone and zone.lower() != wanted["timezone"].lower():
            problems.append(f"{login}: timezone is {zone!r}, not {wanted['timezone']!r}")
    doubles = [email for email, count in by_email.items() if email and count > 1]
    for problem in problems[:20]:
        print(problem)
    print(
        f"{len(rows)} rows: {there} there once with the right fields, {refused} planted and listed, "
        f"{without} without a verified address; {len(people)} people, {len(doubles)} of them twice; "
        f"{len(problems)} problems"
    )
    sys.exit(1 if problems or doubles else 0)


main()
