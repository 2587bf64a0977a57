#!/usr/bin/env python3
"""Incoming records through every door, compared with a model that was written from the decision table alone.

    tests/trials/identity.py target/debug/countersign [--count 500] [--seed N] [--database sqlite|postgres]

A history is a few users and the records that come in about them. The records recycle and swap ids, logins and
addresses, write them in another case or Unicode form, prove the address or not, and are about admins, disabled users,
users who are gone, and bare users. Each record goes through one door or several: a file with one row or many rows,
`PUT /users`, mint, hand-over. Every door must give the model's answer and leave the table as the model does. No token
may name an address or a person id that is not its user's own and proved. For each kind of difference the smallest
history is printed.
"""

import argparse
import collections
import random
import re
import sys
import time
import unicodedata

import identity_model as model
from identity_model import NOTHING, Record, World
from trial import ORIGIN, OUTDATED, Client, Postgres, Report, Site, claims, csv_line

AT_ONCE = 20  # histories whose users are imported together
STEPS = 14
WITHOUT_TOKEN = ("unverified", "missing", "no_identifier", "disabled", "blocked")
PREFIX = "shopb-"
MAPPING = '{"rules": [{"claim": "email", "from": {"attribute": "email"}}, {"claim": "deskpro_id", "from": {"attribute": "deskpro_id"}}]}'

report = Report(most=1)


# --- Histories: symbols only, so that they can be played again under other names ----------------------------------


def login_text(symbol, space):
    """A login's spellings; `symbol` is (number, spelling)."""
    number, spelling = symbol
    text = (f"ana{number}-{space}", f"zoë{number}-{space}", f"jürgen{number}-{space}")[number % 3]
    return {"plain": text, "capitals": text.upper(), "nfd": unicodedata.normalize("NFD", text), "spaces": f" {text} "}[spelling]


def email_text(symbol, space):
    number, spelling = symbol
    local, domain = f"p{number}.{space}", ("example.com", "bücher.example", "straße.example", "mail.example.org")[number % 4]
    if spelling == "capitals":
        return f"{local.upper()}@{domain if 'ß' in domain else domain.upper()}"
    if spelling == "nfd":
        return f"{local}@{unicodedata.normalize('NFD', domain)}"
    if spelling == "ascii":
        return model.address_of(f"{local}@{domain}")
    return f"{local}@{domain}"


def id_text(symbol, space):
    """C1 and c1 are two people: ids are compared exactly."""
    return f"{symbol}-{space}"


def people(pick):
    """Users to begin with: number, what each has."""
    base = [
        {"id": "C1", "login": 1, "email": 1, "verified": True},
        {"id": pick.choice(("C2", f"{PREFIX}C2")), "login": 2, "email": 2, "verified": False},
        {"id": None, "login": 3, "email": 3, "verified": True, "password": pick.random() < 0.5},
        {"id": None, "login": 4, "email": 4, "verified": pick.choice((None, False))},
        {"id": None, "login": 5, "email": None, "verified": None, "password": pick.random() < 0.5, "device": pick.random() < 0.3},
        {"id": None, "login": 6, "email": 6, "verified": False, "deskpro_id": pick.random() < 0.5, "device": pick.random() < 0.3},
        {"id": "C7", "login": 7, "email": 7, "verified": True, "deskpro_id": True, "disabled": pick.random() < 0.4},
        {"id": None, "login": 8, "email": 8, "verified": pick.random() < 0.5, "disabled": pick.random() < 0.4},
    ]
    chosen = pick.sample(base, pick.randint(3, 6))
    if pick.random() < 0.3:
        chosen.append({"id": "C9", "login": 9, "email": 9, "verified": True, "admin": True})
    return chosen


def spelled(pick, number, spellings):
    return (number, pick.choice(spellings) if pick.random() < 0.4 else "plain")


def a_record(pick, known, options):
    ids = [person["id"] for person in known if person["id"]]
    record = {"op": "record"}
    way = pick.random()
    if way < 0.4 and ids:
        record["id"] = pick.choice(ids)
    elif way < 0.75:
        record["id"] = pick.choice(("C11", "C12", "C13", "c1", "c11"))
    else:
        record["id"] = None
    if pick.random() < (0.45 if record["id"] else 0.8):
        record["login"] = spelled(pick, pick.choice((*range(1, 9), *range(1, 10), 11, 12)), ("capitals", "nfd", "spaces"))
    way = pick.random()
    if way < 0.65:
        record["email"] = spelled(pick, pick.choice((*range(1, 10), 11, 12)), ("capitals", "nfd", "ascii"))
        if pick.random() < 0.6:
            record["verified"] = pick.random() < 0.7
    elif way < 0.7:
        record["email"] = None
    if record["id"] is None:
        record["doors"] = ["import"]
    elif pick.random() < 0.3:
        record["doors"] = pick.sample(("import", "put", "mint", "hand"), 4)
    else:
        record["doors"] = [pick.choice(("import", "put", "mint", "hand"))]
    bare = [person for person in known if not person["id"]]
    if record["id"] and bare and pick.random() < 0.2:
        # A user of the site who is known here by a login or an address alone.
        person = pick.choice(bare)
        record["id"] = pick.choice(("C11", "C12", "C13"))
        record.pop("login", None)
        record.pop("email", None)
        if pick.random() < 0.7:
            record["login"] = spelled(pick, person["login"], ("capitals", "nfd", "spaces"))
        if person["email"] and pick.random() < 0.7 or "login" not in record:
            record["email"] = spelled(pick, person["email"] or 12, ("capitals", "nfd", "ascii"))
            record["verified"] = pick.random() < 0.8
    record["vouches"] = pick.random() < 0.3
    # The id as the second shop writes it: its key or its file puts the rest before it.
    can_prefix = "prefix" in options and ("import_prefix" in options or "import" not in record["doors"])
    if record["id"] and can_prefix and pick.random() < (0.7 if record["id"].startswith(PREFIX) else 0.15):
        record["id"], record["prefix"] = record["id"].removeprefix(PREFIX), True
    record["same_logins"] = "same_logins" in options and pick.random() < 0.2
    if record["doors"] == ["import"] and pick.random() < 0.08:
        record["deskpro_id"] = pick.choice((6, 7, 11))
    return record


def a_file(pick, known, options):
    """Rows of one file: known users who move, somebody new who takes what they leave, or any records."""
    with_id = [person for person in known if person["id"]]  # Admins too: their rows are left out and free nothing.
    rows, way = [], pick.random()
    if way < 0.65 and with_id:
        moving = pick.sample(with_id, min(len(with_id), pick.randint(1, 3)))
        what = pick.choice(("login", "email"))
        places = [person[what] for person in moving]
        turned = places[1:] + [places[0] if pick.random() < 0.5 else 12]
        for person, place in zip(moving, turned):
            row = {"id": person["id"], "login": (person["login"], "plain"), "email": (person["email"], "plain"), "verified": person["verified"]}
            row[what] = (place, "plain")
            rows.append(row)
        free = [place for place in places if place not in turned]
        if free and pick.random() < 0.7:
            rows.append({"id": "C13", "login": (free[0] if what == "login" else 11, "plain"),
                         "email": (free[0] if what == "email" else 11, "plain"), "verified": pick.random() < 0.7})
        pick.shuffle(rows)
    else:
        seen = set()
        for _ in range(6):
            record = a_record(pick, known, options)
            row = {"id": record["id"] or "C13", "login": record.get("login"), "email": record.get("email"), "verified": record.get("verified")}
            marks = {("id", row["id"]), *((name, row[name][0]) for name in ("login", "email") if row[name])}
            # Several rows about one user of today say more than the table does.
            marks |= {("all", person["login"]) for person in known if ("id", person["id"]) in marks
                      or ("login", person["login"]) in marks or ("email", person["email"]) in marks}
            if not marks & seen:
                seen |= marks
                rows.append(row)
        rows = rows[: pick.randint(2, 4)]
    return {"op": "file", "rows": rows, "same_logins": "same_logins" in options and pick.random() < 0.1}


def a_history(seed, options):
    pick = random.Random(seed)
    known, steps = people(pick), []
    for _ in range(STEPS):
        way = pick.random()
        person = pick.choice(known)
        if way < 0.7:
            steps.append(a_record(pick, known, options))
        elif way < 0.78:
            steps.append(a_file(pick, known, options))
        elif way < 0.82:
            steps.append({"op": "bare", "id": pick.choice([*(one["id"] for one in known if one["id"]), "C11"]), "doors": ["mint", "hand"]})
        elif way < 0.88 and "gone" in options:
            steps.append({"op": "gone", "login": person["login"], "by": pick.choice(("command", "API"))})
        elif way < 0.92:
            steps.append({"op": "disable", "login": person["login"]})
        elif way < 0.95:
            steps.append({"op": "enable", "login": person["login"]})
        else:
            steps.append({"op": pick.choice(("device", "page")), "id": pick.choice([*(one["id"] for one in known if one["id"]), "C11", "C12"])})
    return {"people": known, "steps": steps}


def shown_history(history):
    """A history as lines."""
    lines = []
    for person in history["people"]:
        has = ", ".join(name for name in ("admin", "password", "device", "deskpro_id", "disabled") if person.get(name))
        lines.append(f"      user: id {person['id']}, login {person['login']}, address {person['email']} "
                     f"{'verified' if person['verified'] else 'unverified'}{', ' if has else ''}{has}")
    for step in history["steps"]:
        lines.append("      " + ", ".join(f"{name} {value}" for name, value in step.items() if value not in (False, [])))
    return "\n".join(lines)


# --- Playing --------------------------------------------------------------------------------------------------------


class Different(Exception):
    """The program and the model differ; the history cannot go on."""


class Player:
    """One site, and histories on it."""

    def __init__(self, binary, postgres):
        helpdesk = "https://desk.example.com"
        self.site = Site(binary, postgres, GUESSES_PER_ACCOUNT="20", DESKPRO_URL=helpdesk, MESSENGER_ID="1",
                         INIT_SCRIPT_URL=f"{helpdesk}/deskpro-messenger-init/web.js")
        self.database, self.spaces = self.site.database, 0
        self.site.cli("mapping", "apply", self.site.file(MAPPING, "mapping.json"))
        found = {
            "gone": self.site.option("user", "gone"),
            "same_logins": self.site.option("user", "import", "--same-logins"),
            "import_vouches": self.site.option("user", "import", "--(?:email-)?verified"),
            "import_prefix": self.site.option("user", "import", "--[a-z-]*prefix"),
            "prefix": self.site.option("api-key", "create", "--[a-z-]*prefix"),
        }
        self.options = {name: option for name, option in found.items() if option}
        self.missing = sorted(set(found) - set(self.options))
        port = self.site.serve().port
        self.clients = {}
        for vouches in (False, True):
            for is_prefixed in (False, True)[: 1 + ("prefix" in self.options)]:
                words = ["--email-verified"] * vouches + [self.options.get("prefix"), PREFIX] * is_prefixed
                self.clients[vouches, is_prefixed] = Client(port, bearer=self.site.api_key(*words)["key"])
        self.port, self.records, self.asked = port, 0, collections.Counter()
        self.has_gone_at = self.knows_column("gone_at")

    def knows_column(self, name):
        try:
            self.site.sql.rows(f"SELECT {name} FROM users")
            return True
        except Exception:  # noqa: BLE001 - of two databases
            return False

    def space(self):
        self.spaces += 1
        return f"h{self.spaces}"

    # --- The table

    def rows(self, space):
        gone = ", gone_at" if self.has_gone_at else ""
        return self.site.sql.rows("SELECT id, login, external_id, email, email_verified, deskpro_id, role, disabled"
                                  f"{gone} FROM users WHERE last_name = '{space}'")

    def set_up(self, histories):
        """Makes the users of several histories: a world each."""
        cells, spaces = [], [self.space() for _ in histories]
        for history, space in zip(histories, spaces):
            for person in history["people"]:
                if not person.get("admin"):
                    cells.append([
                        id_text(person["id"], space) if person["id"] else "", login_text((person["login"], "plain"), space),
                        email_text((person["email"], "plain"), space) if person["email"] else "",
                        {True: "yes", False: "no", None: ""}[person["verified"]], space,
                        self.person_id(person["login"], space) if person.get("deskpro_id") else ""])
        header = ["external_id", "login", "email", "email_verified", "last_name", "deskpro_id"]
        if cells:
            self.site.cli("user", "import", self.site.file("".join(map(csv_line, [header, *cells])), "people.csv"), "--deskpro-id")
        worlds = []
        for history, space in zip(histories, spaces):
            for person in history["people"]:
                login = login_text((person["login"], "plain"), space)
                if person.get("admin"):
                    sets = [f"external_id={id_text(person['id'], space)}", f"email={email_text((person['email'], 'plain'), space)}",
                            "email_verified=yes", f"last_name={space}"]
                    self.site.cli("user", "add", login, "--admin", *(word for one in sets for word in ("--set", one)))
                if person.get("password"):
                    self.site.sql.rows(f"UPDATE users SET password_hash = '{OUTDATED}' WHERE login = '{login}'")
                if person.get("disabled"):
                    self.site.cli("user", "disable", login)
                elif person.get("device"):
                    self.site.sql.rows(
                        "INSERT INTO devices (id, digest, user_id, messenger_id, name, platform, created_at, used_at, address) "
                        f"SELECT '{login}', '{login}', id, '', 'phone', 'ios', {int(time.time())}, {int(time.time())}, '' "
                        f"FROM users WHERE login = '{login}'")
            worlds.append(self.world(history, space))
        return list(zip(spaces, worlds))

    def person_id(self, number, space):
        return f"{int(space[1:]) + 1}{number:02}"

    def world(self, history, space):
        by_login = {row["login"]: row for row in self.rows(space)}
        users = []
        for person in history["people"]:
            row = by_login[model.login_of(login_text((person["login"], "plain"), space))]
            users.append(model.User(
                row["id"], row["login"], row["external_id"], row["email"], person["verified"] if person["email"] else None,
                row["deskpro_id"], is_admin=bool(person.get("admin")), is_disabled=bool(person.get("disabled")),
                has_password=bool(person.get("password")), has_sign_in=bool(person.get("device") and not person.get("disabled"))))
        world = World(users)
        world.devices = []
        return world

    def compare(self, space, world, kind):
        """The table as the model has it; the model learns the ids of new users."""
        rows = {row["id"]: row for row in self.rows(space)}
        new = [row for row in rows.values() if row["id"] not in world.users]
        unknown = [user for user in world.users.values() if user.id not in rows]
        if unknown and not new:
            raise Different(f"{kind}: somebody who was there was changed, and nobody is new")
        if len(new) != 1 or len(unknown) != 1:
            pairs = [(user, row) for user in unknown for row in new if user.external_id == row["external_id"] and (user.login is None or user.login == row["login"])]
        else:
            pairs = [(unknown[0], new[0])]
        for user, row in pairs:
            del world.users[user.id]
            user.id, user.login = row["id"], user.login or row["login"]
            world.users[user.id] = user
        for user in world.users.values():
            row = rows.pop(user.id, None)
            if row is None:
                raise Different(f"{kind}: a user that must be there is not")
            verified = None if row["email_verified"] is None else bool(row["email_verified"])
            found = {"external_id": row["external_id"], "is_disabled": bool(row["disabled"]), "is_admin": row["role"] == "admin"}
            if not user.is_gone:
                found |= {"login": row["login"], "email": row["email"], "deskpro_id": row["deskpro_id"]}
                if row["email"]:
                    found["verified"] = bool(verified)
                    if user.verified == model.EITHER:
                        user.verified = verified
            for name, value in found.items():
                expected = getattr(user, name)
                if name == "verified":
                    expected = bool(expected)
                if value != expected:
                    raise Different(f"{kind}: {name} of {'an admin' if user.is_admin else 'a user'} is another than the model's")
        if rows:
            raise Different(f"{kind}: a user is there that must not be")

    # --- Doors

    def record(self, step, space, door):
        return Record(
            external_id=(PREFIX if step.get("prefix") else "") + id_text(step["id"], space) if step.get("id") else None,
            login=model.login_of(login_text(step["login"], space)) if step.get("login") else None,
            email=NOTHING if "email" not in step else model.address_of(email_text(step["email"], space)) if step["email"] else None,
            verified=step["verified"] if step.get("verified") is not None else NOTHING,
            deskpro_id=self.person_id(step["deskpro_id"], space) if step.get("deskpro_id") else None,
            vouches=bool(step.get("vouches")) and (door != "import" or "import_vouches" in self.options), is_file=door == "import",
            same_logins=bool(step.get("same_logins")) and door == "import")

    def ask_api(self, step, space, door):
        """`(None, token or None)`, or `(code, None)`."""
        client, sent = self.clients[bool(step.get("vouches")), bool(step.get("prefix"))], None
        if step["op"] == "record":
            sent = {"last_name": space}
            if step.get("login"):
                sent["login"] = login_text(step["login"], space)
            if "email" in step:
                sent["email"] = email_text(step["email"], space) if step["email"] else None
            if step.get("verified") is not None:
                sent["email_verified"] = step["verified"]
        external_id = id_text(step["id"], space)
        if door == "put":
            answer = client.ask("PUT", f"/api/v1/users/{external_id}", sent)
        else:
            body = {"external_id": external_id} | ({"user": sent} if sent is not None else {})
            answer = client.ask("POST", {"mint": "/api/v1/mint", "hand": "/api/v1/handovers"}[door], body)
        if answer.status >= 500:
            raise Different(f"{door}: answered {answer.status}")
        if answer.status in (200, 201):
            return None, answer.body
        if answer.status == 403 and answer.code in WITHOUT_TOKEN:
            return None, None
        return answer.code, None

    def ask_import(self, steps, flags):
        """`{row: codes}` of the rows that were refused; the code of one that has none is `None`."""
        names = ["external_id", "login", "email", "email_verified", "deskpro_id"]
        names = [name for name in names if any(cells.get(name) is not None for cells in steps)] + ["last_name"]
        lines = [csv_line(names), *(csv_line([cells.get(name) or "" for name in names]) for cells in steps)]
        done = self.site.try_cli("--json", "user", "import", self.site.file("".join(lines), "rows.csv"), *flags)
        if "panicked" in done.errors or done.status not in (0, 1):
            raise Different(f"import: ended with {done.status}: {done.errors[:200]}")
        found = {}
        for thing in done.objects:
            error = thing.get("error", thing)
            if "error" in thing or error.get("action") == "skipped" or (error.get("code") and "totals" not in error and error.get("action") is None):
                code = error.get("code")
                if code is None and error.get("action") == "skipped" and "admin" in (error.get("message") or ""):
                    code = "about_admin"  # A row that is left out says so in words alone.
                found.setdefault(error.get("row"), set()).add(code)
        if done.status == 1 and not found:
            found[1] = {done.errors.strip()[:80]}
        return found

    def cells(self, step, space):
        cells = {"last_name": space}
        if step.get("id"):
            cells["external_id"] = id_text(step["id"], space)
        if step.get("login"):
            cells["login"] = login_text(step["login"], space)
        if "email" in step:
            cells["email"] = email_text(step["email"], space) if step["email"] else ""
        if step.get("verified") is not None:
            cells["email_verified"] = "yes" if step["verified"] else "no"
        if step.get("deskpro_id"):
            cells["deskpro_id"] = self.person_id(step["deskpro_id"], space)
        return cells

    def play_record(self, step, space, world):
        for door in step["doors"]:
            self.records += 1
            record = self.record(step, space, door)
            expected = world.judge(record)
            self.asked[f"{expected}"] += 1
            if door == "import":
                flags = ["--same-logins"] * record.same_logins + ["--deskpro-id"] * bool(record.deskpro_id)
                flags += [self.options.get("import_vouches")] * record.vouches
                flags += [self.options.get("import_prefix"), PREFIX] * bool(step.get("prefix"))
                found = self.ask_import([self.cells(step, space)], flags)
                codes, token = (found.get(1) or next(iter(found.values()))) if found else None, None
            else:
                code, token = self.ask_api(step, space, door)
                codes = {code} if code else None
            got = "accepted" if codes is None else f"refused, {'/'.join(sorted(map(str, codes)))}"
            if expected.is_refused != (codes is not None):
                raise Different(f"{door}: the model says {expected}, the program {got if codes is None else 'refused'}")
            if expected.is_refused and expected.code != "any":
                # A file without any column of a key is refused as a whole.
                is_whole = door == "import" and not record.external_id and not record.login and record.email is NOTHING
                report.check(f"{self.database}: {door}: the code", is_whole or expected.code in codes, f"{expected.code} is spelled {got}",
                             f"\n{shown_history({'people': [], 'steps': [step]})}")
            user = world.apply(record, expected)
            self.compare(space, world, f"{door}: {expected}{', an address gives way' if expected.loses_address else ''}")
            if user is not None:
                user = next(one for one in world.users.values() if one.external_id == record.external_id) if record.external_id else None
                if door == "mint":
                    self.check_token(world, user, token, door)
                elif door == "hand" and user.is_disabled != (token is None):
                    raise Different("hand: a disabled user is handed over, or an enabled one is not")
            report.check(f"{self.database}: {door}", True)

    def check_token(self, world, user, answer, door):
        expected = world.token(user)
        found = claims(answer["token"]) if answer else None
        found = {name: found[name] for name in ("email", "deskpro_id") if name in found} if found else None
        if expected is not None and found is not None and "deskpro_id" in expected:
            found["deskpro_id"] = str(found.get("deskpro_id"))
        if found != expected:
            raise Different(f"{door}: a token names {'what is not its user’s own and proved' if found else 'nobody'}"
                            if expected is None or (found and set(found.items()) - set(expected.items())) else f"{door}: a token lacks what is proved")

    def play_file(self, step, space, world):
        rows = [{"op": "record", "doors": ["import"], **row, "email": row["email"]} for row in step["rows"]]
        self.records += len(rows)
        flags = ["--same-logins"] * bool(step["same_logins"])
        records = [self.record(row | {"same_logins": step["same_logins"]}, space, "import") for row in rows]
        with_column = {name: any(row.get(name) is not None for row in rows) for name in ("email", "verified")}
        for record in records:  # A column is there for all rows: a blank cell removes the value.
            if not with_column["email"]:
                record.email = NOTHING
            if record.verified is NOTHING and with_column["verified"]:
                record.verified = None
        answers, after = world.judge_file(records)
        cells = [self.cells(row, space) for row in rows]
        if not with_column["email"]:
            for row in cells:
                row.pop("email", None)
        found = self.ask_import(cells, flags)
        expected = {number for number, answer in enumerate(answers, 1) if answer.is_refused}
        if (set(found) == set()) != (expected == set()):
            said = ", ".join(sorted({str(answer) for answer in answers}))
            raise Different(f"file: the model says {said}; the program {'refuses it' if found else 'accepts it'}")
        for number in sorted(expected):
            code = answers[number - 1].code
            if code == "about_admin" and {answers[other - 1].code for other in expected} != {code}:
                continue  # The file is refused for other rows: nothing is left out.
            if len(expected) > 1 and code != "about_admin":
                continue  # What a refused row would have given up may be free for another one's code, or not.
            report.check(f"{self.database}: file: the code", code == "any" or code in found.get(number, ()),
                         f"{code} of row {number} is spelled {found}", f"\n{shown_history({'people': [], 'steps': [step]})}")
        world.users = after.users
        world.next = after.next
        self.compare(space, world, "file: behind it")
        report.check(f"{self.database}: file", True)

    def play_bare(self, step, space, world):
        for door in step["doors"]:
            self.records += 1
            user = world.find(external_id=id_text(step["id"], space))
            code, token = self.ask_api(step, space, door)
            expected = "unknown_user" if user is None else "about_admin" if user.is_admin else "gone" if user.is_gone else None
            if (code is None) != (expected is None):
                raise Different(f"{door} without attributes: the model says {expected}, the program {code}")
            report.check(f"{self.database}: {door} without attributes", code == expected, f"{expected} is spelled {code}")
            if code is None and door == "mint":
                self.check_token(world, user, token, door)

    def by_login(self, step, space, world):
        return world.find(login=model.login_of(login_text((step["login"], "plain"), space)))

    def play_other(self, step, space, world):
        if step["op"] in ("device", "page"):
            user = world.find(external_id=id_text(step["id"], space))
            if user is None or user.is_admin or user.is_gone or user.is_disabled:
                return
            is_page, client = step["op"] == "page", Client(self.port)
            made = self.clients[False, False].ask("POST", "/api/v1/handovers", {"external_id": user.external_id} | ({"origin": ORIGIN} if is_page else {}))
            begun = made if made.status != 201 else (client.swap_page if is_page else client.swap)(made.body.get("code"))
            if is_page and world.token(user) is None:
                if begun.status != 403 or begun.code not in WITHOUT_TOKEN:
                    raise Different(f"page: a code of a user without a token is answered {begun.status} {begun.code}")
                client.close()
                return
            if begun.status != 201:
                raise Different(f"{step['op']}: answered {begun.status} {begun.code}")
            if is_page:
                self.check_token(world, user, begun.body, "a swapped code")
            else:
                client.bearer = begun.body["device_token"]
            user.has_sign_in = True
            world.devices.append((user.id, client))
            return
        user = self.by_login(step, space, world)
        if user is None or user.is_admin:
            return
        if step.get("by") == "API" and user.external_id:
            answer = self.clients[False, False].ask("DELETE", f"/api/v1/users/{user.external_id}")
            if answer.status not in (200, 204):
                raise Different(f"DELETE of a user: answered {answer.status} {answer.code}")
        else:
            done = self.site.try_cli("user", step["op"], user.login)
            if done.status != 0 and step["op"] != "enable":
                raise Different(f"{step['op']}: refused")
        if step["op"] == "disable":
            if not user.is_gone:
                world.disable(user)
        elif step["op"] == "gone":
            world.gone(user)
        else:
            may = not user.is_disabled or world.may_enable(user)
            if may != (done.status == 0):
                raise Different(f"enable: the model says {'enabled' if may else 'refused'}, the program {done.said[:100]}")
            user.is_disabled = user.is_disabled and not may
        self.compare(space, world, step["op"])
        report.check(f"{self.database}: {step['op']}", True)

    def play(self, history, space, world):
        """Nothing, or how the two differ."""
        try:
            for step in history["steps"]:
                {"record": self.play_record, "file": self.play_file, "bare": self.play_bare}.get(step["op"], self.play_other)(step, space, world)
            for user_id, client in world.devices:
                user, answer = world.users[user_id], client.token()
                if user.is_disabled:
                    if answer.status == 200:
                        raise Different("device: a disabled user's device gets a token")
                else:
                    self.check_token(world, user, answer.body if answer.status == 200 else None, "token route")
                    if not client.bearer:
                        found = re.search(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+", client.ask("GET", "/").text)
                        self.check_token(world, user, {"token": found[0]} if found else None, "page")
            for user in [one for one in world.users.values() if not one.is_gone][:2]:
                done = self.site.try_cli("--json", "token", "issue", user.login)
                self.check_token(world, user, next((one for one in done.objects if "token" in one), None), "token issue")
            return None
        except Different as different:
            return str(different)
        finally:
            for _, client in world.devices:
                client.close()

    def again(self, history):
        (space, world), = self.set_up([history])
        return self.play(history, space, world)

    def smallest(self, history, difference):
        """Leaves out one step or one user after the other, as long as the same difference stays."""
        for part in ("steps", "people"):
            for number in reversed(range(len(history[part]))):
                less = history | {part: history[part][:number] + history[part][number + 1:]}
                if self.again(less) == difference:
                    history = less
        for number, step in enumerate(history["steps"]):
            for name in ("login", "email", "verified", "vouches", "same_logins", "deskpro_id"):
                if step["op"] == "record" and name in step:
                    less = {key: value for key, value in step.items() if key != name}
                    shorter = history | {"steps": [*history["steps"][:number], less, *history["steps"][number + 1:]]}
                    if self.again(shorter) == difference:
                        history, step = shorter, less
            if len(step.get("doors", ())) > 1:
                for door in step["doors"]:
                    shorter = history | {"steps": [*history["steps"][:number], step | {"doors": [door]}, *history["steps"][number + 1:]]}
                    if self.again(shorter) == difference:
                        history = shorter
                        break
        return history

    def run(self, count, seed, most):
        if self.missing:
            report.say(f"{self.database}: not tried, because this program has no {', '.join(self.missing)}")
        seen, number = {}, 0
        while self.records < count:
            histories = [a_history(f"{seed}-{number + one}", self.options) for one in range(AT_ONCE)]
            for history, (space, world) in zip(histories, self.set_up(histories)):
                difference = self.play(history, space, world)
                if difference:
                    seen.setdefault(difference, []).append((number, history))
                number += 1
                if self.records >= count:
                    break
        known = self.records
        for kind, found in sorted(seen.items(), key=lambda item: -len(item[1])):
            shown = ""
            if most > 0:
                most -= 1
                shown = "\n    The smallest history:\n" + shown_history(self.smallest(found[0][1], kind))
            report.check(f"{self.database}: {kind}", False, f"{len(found)} histories, the first is number {found[0][0]} of seed {seed}", shown)
        common = ", ".join(f"{what} {n}" for what, n in self.asked.most_common())
        report.say(f"{self.database}: {known} records in {number} histories, {sum(map(len, seen.values()))} histories differ; the model said: {common}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("binary")
    arguments.add_argument("--count", type=int, default=500, help="records on each database")
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    arguments.add_argument("--smallest", type=int, default=12, help="how many kinds of difference get their smallest history")
    arguments.add_argument("--database", choices=("sqlite", "postgres"))
    chosen = arguments.parse_args()
    report.say(f"seed {chosen.seed}")
    began, postgres = time.monotonic(), None
    try:
        for database in ("sqlite", "postgres"):
            if chosen.database in (None, database):
                postgres = Postgres() if database == "postgres" else None
                player = Player(chosen.binary, postgres)
                try:
                    player.run(chosen.count, chosen.seed, chosen.smallest)
                finally:
                    player.site.close()
    finally:
        if postgres:
            postgres.close()
    report.say(f"{time.monotonic() - began:.0f} s")
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
