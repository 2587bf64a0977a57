#!/usr/bin/env python3
"""Every pair of writers of users, against each other, on both databases: no acknowledged write is lost.

    tests/trials/writers.py target/debug/countersign [--rounds 5] [--database sqlite|postgres]

Each writer writes its own attribute with a number that grows. Afterwards every user must have the last acknowledged
number of each writer (or one that was tried after it), disabled users are still disabled, new passwords are still
new, and no answer was 5xx or mentioned a deadlock. Further trials: codes are swapped while their API key is revoked
together with its sign-ins, many clients sign in as one user with the right password, users sign in while they are
disabled, and several programs write the settings of one messenger.

A writer is a command (many users: `import`, `convert`, `searchable`; one user: `set`, `disable`, `enable`,
`password`, `gone`) or a request (`put`, `mint`, `hand`, `rehash`: a sign-in that hashes an old password again).
"""

import argparse
import concurrent.futures
import itertools
import sys
import threading
import time

from trial import ORIGIN, OUTDATED, PASSWORD, Client, Postgres, Report, Site, together

NEW_PASSWORD = "quite another load of words"
MANY = ("import", "convert", "searchable")
COMMANDS = ("set", "disable", "enable", "password", "gone")
REQUESTS = ("put", "mint", "hand", "rehash")
ROUNDS_OF_ONE_DATABASE = 10  # Users of earlier rounds stay and make the writers of many slower.

report = Report(most=3)
numbers = itertools.count(1)


class User:
    """One user of one pair, and what was acknowledged of it."""

    def __init__(self, name, first, second):
        self.name, self.pair = name, (first, second)
        self.acknowledged, self.tried = {}, {}
        self.is_disabled = self.is_gone = self.has_new_password = self.is_rehashed = False

    def has(self, *writers):
        return any(writer in self.pair for writer in writers)

    def note(self, attribute, value, is_done):
        if is_done:
            self.acknowledged[attribute], self.tried[attribute] = value, []
        else:
            self.tried.setdefault(attribute, []).append(value)


class Round:
    """One round on one site: users for every pair, the pairs, and the comparison."""

    def __init__(self, number, site, ports, key, commands):
        self.number, self.site, self.ports, self.key, self.commands = number, site, ports, key, commands
        self.users, self.singles = [], (*commands, *REQUESTS)
        self.clients = threading.local()
        self.searchable = "w_put"

    def kind(self, user, what):
        return f"{self.site.database}: {' beside '.join(user.pair)}: {what}"

    def client(self, writer):
        """A connection of this thread; different writers ask different servers."""
        place = self.ports[REQUESTS.index(writer) % len(self.ports)] if writer in REQUESTS else self.ports[0]
        kept = self.clients.__dict__.setdefault("kept", {})
        return kept.setdefault(place, Client(place, bearer=self.key))

    def prepare(self):
        pairs = [(many, single) for many in MANY for single in self.singles for _ in range(2)]
        pairs += [pair for pair in itertools.combinations_with_replacement(self.singles, 2)]
        pairs += [("import", other) for other in MANY]
        for number, (first, second) in enumerate(pairs):
            self.users.append(User(f"r{self.number}-{first}-{second}-{number}", first, second))
        rows = "".join(f"{user.name},{user.name},{user.name}@example.com,yes,7\n" for user in self.users)
        file = self.site.file(f"external_id,login,email,email_verified,w_conv\n{rows}")
        self.site.cli("user", "import", file)
        if self.number % ROUNDS_OF_ONE_DATABASE == 0:
            for writer, side in itertools.product(("put", "set", "mint", "hand", "import"), ("", "_2")):
                self.site.cli("attribute", "set", f"w_{writer}{side}")
        with_password = [user.name for user in self.users if user.has("rehash", "password")]
        names = ", ".join(f"'{name}'" for name in with_password)
        self.site.sql.rows(f"UPDATE users SET password_hash = '{OUTDATED}' WHERE external_id IN ({names})")
        disabled = [user for user in self.users if user.has("enable")]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda user: self.site.cli("user", "disable", user.name), disabled))

    # --- What writers do --------------------------------------------------------------------------------------

    def judge_command(self, user, done, writer):
        """Whether a command did it; what it may not say is reported."""
        said = done.said.lower()
        for word in ("deadlock", "database is locked", "could not serialize", "panicked"):
            report.check(self.kind(user, f"{writer} says '{word}'"), word not in said, done.said[:300])
        if done.status != 0:
            is_fair = user.is_gone or user.has("gone", "disable")
            report.check(self.kind(user, f"{writer} is refused"), is_fair, done.said[:300])
        return done.status == 0

    def command(self, writer, user, side=1):
        value, name = str(next(numbers)), self.attribute(writer, user, side)
        words, typed = {
            "set": (("user", "set", user.name, f"{name}={value}"), ""),
            "disable": (("user", "disable", user.name), ""),
            "enable": (("user", "enable", user.name), ""),
            "password": (("user", "set-password", user.name), f"{NEW_PASSWORD}\n"),
            "gone": (("user", "gone", user.name), ""),
        }[writer]
        if writer == "set":
            user.note(name, value, False)
        is_done = self.judge_command(user, self.site.try_cli(*words, typed=typed), writer)
        if writer == "set" and is_done:
            user.note(name, value, True)
        if is_done:
            user.is_disabled |= writer in ("disable", "gone")
            user.is_gone |= writer == "gone"
            user.has_new_password |= writer == "password"

    @staticmethod
    def attribute(writer, user, side):
        """What a writer writes: beside itself, another one."""
        return f"w_{writer}_2" if side == 2 and user.pair[0] == user.pair[1] else f"w_{writer}"

    def request(self, writer, user, side=1):
        """One request; whether there is any use in another."""
        client, value, name = self.client(writer), str(next(numbers)), self.attribute(writer, user, side)
        if writer == "rehash":
            client = Client(client.port)
            answer = client.app(user.name)
            client.close()
        else:
            sent = {name: value}
            user.note(name, value, False)
            answer = {
                "put": lambda: client.ask("PUT", f"/api/v1/users/{user.name}", sent),
                "mint": lambda: client.ask("POST", "/api/v1/mint", {"external_id": user.name, "user": sent}),
                "hand": lambda: client.ask("POST", "/api/v1/handovers", {"external_id": user.name, "user": sent}),
            }[writer]()
        is_done = answer.status in (200, 201)
        report.check(self.kind(user, f"{writer} is answered {answer.status}"), answer.status < 500, answer)
        report.check(self.kind(user, f"{writer} mentions a deadlock"), "deadlock" not in answer.text.lower(), answer)
        if not is_done and answer.status < 500:
            is_fair = user.has("disable", "enable", "gone") or (writer == "rehash" and user.has("password"))
            report.check(self.kind(user, f"{writer} is refused"), is_fair, answer)
        if is_done and writer == "rehash":
            user.is_rehashed = True
        elif is_done:
            user.note(name, value, True)
        return is_done or writer != "rehash"

    def many(self, writer, users, instance=1):
        """A command that writes all users."""
        if writer == "import":
            name, value = "w_import" if instance == 1 else "w_import_2", str(next(numbers))
            # The second goes through the users from the other end.
            users = users if instance == 1 else users[::-1]
            file = self.site.file(f"external_id,{name}\n" + "".join(f"{user.name},{value}\n" for user in users), f"import-{instance}.csv")
            for user in users:
                user.note(name, value, False)
            done = self.site.try_cli("--json", "user", "import", file)
            self.judge_many(writer, done)
            rows = {row["row"]: row["action"] for row in done.objects if "action" in row}
            for number, user in enumerate(users, 1):
                if rows.get(number) in ("added", "changed", "unchanged"):
                    user.note(name, value, True)
        else:
            steps = {
                "convert": (("w_conv", "--type", "number"), ("w_conv", "--type", "text")),
                "searchable": ((self.searchable, "--no-searchable"), (self.searchable, "--searchable")),
            }[writer]
            for words in steps:
                self.judge_many(writer, self.site.try_cli("attribute", "set", *words))

    def judge_many(self, writer, done):
        kind = f"{self.site.database}: {writer} of many"
        for word in ("deadlock", "database is locked", "could not serialize", "panicked"):
            report.check(f"{kind} says '{word}'", word not in done.said.lower(), done.said[-300:])
        # Rows of users who are gone are refused or skipped; nothing else may be.
        is_fair = done.status == 0 or (writer == "import" and "gone" in done.said)
        report.check(f"{kind} is refused", is_fair, done.said[-300:])

    # --- Pairs ------------------------------------------------------------------------------------------------

    def beside_many(self, writer):
        """A writer of many runs again and again while every writer of one writes its own users."""
        users = [user for user in self.users if user.pair[0] == writer and user.pair[1] in self.singles]
        self.searchable = ("w_put", "w_set", "w_import")[self.number % 3]
        stop = threading.Event()

        def run(instance):
            for number in itertools.count():
                # A row of somebody who is gone would refuse the whole file.
                there = [user for user in self.users if not user.has("gone")]
                self.many(writer, there, instance)
                if stop.is_set() and number > 0:
                    return

        def singles(single):
            own = [user for user in users if user.pair[1] == single]
            for _ in range(3):
                for user in own:
                    if single in REQUESTS:
                        self.request(single, user)
                    elif not (single in ("gone", "password", "disable") and (user.is_disabled or user.has_new_password)):
                        self.command(single, user)

        def all_singles():
            together(*(lambda single=single: singles(single) for single in self.singles))
            stop.set()

        instances = (1, 2) if writer == "import" else (1,)
        together(all_singles, *(lambda instance=instance: run(instance) for instance in instances))
        if writer == "searchable":
            self.check_found()

    def many_beside_many(self):
        there = [user for user in self.users if not user.has("gone")]
        together(*(lambda writer=writer: self.many(writer, there) for writer in MANY))

    def pair(self, user):
        first, second = user.pair
        if first in self.commands and second in self.commands:
            together(lambda: self.command(first, user), lambda: self.command(second, user, 2))
        elif first in self.commands:
            stop = threading.Event()

            def slow():
                self.command(first, user)
                stop.set()

            def quick():
                for number in itertools.count():
                    if not self.request(second, user) or (stop.is_set() and number > 2):
                        return

            together(slow, quick)
        else:
            barrier = threading.Barrier(2)

            def hammer(writer, side):
                barrier.wait()
                for _ in range(5):
                    if not self.request(writer, user, side):
                        return

            together(lambda: hammer(first, 1), lambda: hammer(second, 2))

    def run(self):
        self.prepare()
        for writer in MANY:
            self.beside_many(writer)
        self.many_beside_many()
        rest = [user for user in self.users if user.pair[0] in self.singles]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(self.pair, rest))
        self.compare()

    # --- Afterwards -------------------------------------------------------------------------------------------

    def check_found(self):
        """Every user with a value in the attribute that was made searchable last is found by it."""
        by_name = {user["attributes"].get("external_id"): user for user in self.site.cli("user", "export")}
        keys = self.site.sql.rows("SELECT u.external_id, k.key FROM user_keys k JOIN users u ON u.id = k.user_id")
        found = {(row["external_id"], row["key"]) for row in keys}
        for user in self.users:
            value = by_name.get(user.name, {}).get("attributes", {}).get(self.searchable)
            if value is not None:
                report.check(self.kind(user, f"not found by {self.searchable} after searchable"), (user.name, str(value)) in found, user.name)

    def compare(self):
        by_name = {user["attributes"].get("external_id"): user for user in self.site.cli("user", "export")}
        rows = {row["external_id"]: row for row in self.site.sql.rows("SELECT external_id, password_hash, disabled FROM users")}
        devices = self.site.sql.rows("SELECT u.external_id, COUNT(*) AS n FROM devices d JOIN users u ON u.id = d.user_id GROUP BY u.external_id")
        devices = {row["external_id"]: row["n"] for row in devices}
        new = [user for user in self.users if user.has_new_password and not user.is_disabled and user.has("rehash", "password")]
        for user in self.users:
            row, found = rows.get(user.name), by_name.get(user.name)
            if not report.check(self.kind(user, "the user is lost"), row and found, user.name):
                continue
            attributes = found["attributes"]
            for name, value in user.acknowledged.items():
                fair = [value, *user.tried.get(name, [])]
                is_own = user.has("import") or not name.startswith("w_import")
                kind = self.kind(user, f"lost {name}") if is_own else f"{self.site.database}: writers of many: lost {name}"
                report.check(kind, attributes.get(name) in fair,
                             f"{user.name} has {attributes.get(name)!r}, acknowledged was {value!r}")
            report.check(self.kind(user, "w_conv is another"), str(attributes.get("w_conv")) in ("7", "7.0"), attributes.get("w_conv"))
            if user.is_disabled and not user.has("enable"):
                report.check(self.kind(user, "enabled again"), bool(row["disabled"]), user.name)
                report.check(self.kind(user, "a disabled user keeps a sign-in"), not devices.get(user.name), user.name)
            if user.is_gone:
                report.check(self.kind(user, "an account that is gone has a password"), row["password_hash"] is None, user.name)
            elif user.has_new_password:
                report.check(self.kind(user, "the old password is back"), row["password_hash"] not in (None, OUTDATED), user.name)
            elif user.is_rehashed and not user.has("gone"):
                report.check(self.kind(user, "the old hash is back"), "m=19456" in (row["password_hash"] or ""), user.name)
        # A sign-in that hashed the old password again may not have written it over the new one.
        for user in new if self.number % 3 == 0 else [user for user in new if user.has("rehash")]:
            client = Client(self.ports[0])
            answer = client.app(user.name, NEW_PASSWORD)
            client.close()
            report.check(self.kind(user, "the new password is refused"), answer.status == 201, answer)


def revoked(site, ports, number):
    """No sign-in that started with a key's code survives when the key is revoked together with its sign-ins."""
    name = f"revoked-{number}"
    made = site.api_key()
    clients = [Client(ports[number % len(ports)], bearer=made["key"]) for number in range(2)]
    clients[0].ask("PUT", f"/api/v1/users/{name}", {"email": f"{name}@example.com", "email_verified": True})
    codes = [clients[0].ask("POST", "/api/v1/handovers", {"external_id": name} | ({"origin": ORIGIN} if i % 2 else {})).body["code"] for i in range(24)]
    swapped, lock, begun = [], threading.Lock(), threading.Event()

    def swap(place):
        for number in range(place, len(codes), 4):
            client = Client(ports[place % len(ports)])
            answer = client.swap_page(codes[number]) if number % 2 else client.swap(codes[number])
            report.check(f"{site.database}: swap beside revoke is answered {answer.status}", answer.status in (201, 401, 403), answer)
            if answer.status == 201:
                if answer.body.get("device_token"):
                    client.bearer = answer.body["device_token"]
                with lock:
                    swapped.append(client)
            if number >= 4:
                begun.set()

    def revoke():
        begun.wait(5)
        done = site.try_cli("api-key", "revoke", made["id"], "--end-sign-ins")
        report.check(f"{site.database}: revoke beside swaps", done.status == 0, done.said)

    together(revoke, *(lambda place=place: swap(place) for place in range(4)))
    alive = still_alive(swapped)
    report.check(f"{site.database}: a sign-in survives the revoked key", not alive, f"{len(alive)} of {len(swapped)}")
    for client in [*clients, *swapped]:
        client.close()


def still_alive(clients):
    """Those that get a token even when every server has had a second to learn what a command has changed."""
    end = time.monotonic() + 1
    while True:
        clients = [client for client in clients if client.token().status == 200]
        if not clients or time.monotonic() > end:
            return clients


def crowd(site, ports, number):
    """Six at once with the right password of one user: everybody gets in."""
    for hashed in ("today's", "an outdated"):
        name = f"crowd-{number}-{hashed[0]}"
        site.cli("user", "add", name)
        if hashed == "today's":
            site.cli("user", "set-password", name, typed=f"{PASSWORD}\n")
        else:
            site.sql.rows(f"UPDATE users SET password_hash = '{OUTDATED}' WHERE login = '{name}'")

        def sign_in(place, name=name, hashed=hashed):
            for turn in range(6):
                client = Client(ports[place % len(ports)], "192.0.2.7")
                answer = client.sign_in(name) if turn % 2 else client.app(name)
                kind = f"{site.database}: one of six right passwords at once ({hashed} hash) is answered {answer.status}"
                report.check(kind, answer.status in (201, 303), answer)
                client.close()

        together(*(lambda place=place: sign_in(place) for place in range(6)))


def disabled(site, ports, number):
    """No sign-in that started while its user was disabled works when the user is enabled again."""
    name = f"off-{number}"
    site.cli("user", "add", name, "--set", f"external_id={name}", "--set", f"email={name}@example.com", "--set", "email_verified=yes")
    site.sql.rows(f"UPDATE users SET password_hash = '{OUTDATED}' WHERE login = '{name}'")
    made, lock, begun = [], threading.Lock(), threading.Event()
    site_key = site.trial_key

    def sign_in(place):
        keyed = Client(ports[place % len(ports)], bearer=site_key)
        for _ in range(4):
            client = Client(ports[place % len(ports)])
            if place % 2:
                answer = client.app(name)
            else:
                code = keyed.ask("POST", "/api/v1/handovers", {"external_id": name})
                answer = client.swap(code.body["code"]) if code.status == 201 else code
            report.check(f"{site.database}: sign-in beside disable is answered {answer.status}", answer.status in (201, 401, 403), answer)
            if answer.status == 201:
                client.bearer = answer.body["device_token"]
                with lock:
                    made.append(client)
            begun.set()
        keyed.close()

    def disable():
        begun.wait(5)
        site.cli("user", "disable", name)

    together(disable, *(lambda place=place: sign_in(place) for place in range(4)))
    alive = still_alive(made)
    site.cli("user", "enable", name)
    back = [client for client in made if client.token().status == 200]
    report.check(f"{site.database}: a sign-in survives its user's disabling", not alive, f"{len(alive)} of {len(made)}")
    report.check(f"{site.database}: a sign-in is back when its user is enabled", not back, f"{len(back)} of {len(made)}")
    for client in made:
        client.close()


def messengers(site, ports, number):
    """Settings of one messenger from two sides, beside its draft and its versions."""
    admin, name, base = Client(ports[-1]), "default", len(site.cli("mapping", "versions"))
    if admin.sign_in("ada").status != 303:
        report.check(f"{site.database}: the admin signs in", False, "not 303")
        return
    written, drafted, published = {}, [], []

    def set_one(setting, values):
        for value in values:
            done = site.try_cli("messenger", "set", name, f"{setting}={value}")
            if report.check(f"{site.database}: messenger set is refused", done.status == 0, done.said):
                written[setting] = value

    def draft():
        for value in range(6):
            text = f'{{"rules": [{{"claim": "email", "from": {{"attribute": "email"}}}}, {{"claim": "labels", "from": {{"constant": "n{value}"}}}}]}}'
            query = f"?messenger={name}"
            revision = admin.ask("GET", f"/api/v1/admin/mapping/draft{query}", X_Countersign="1").body.get("revision", 0)
            answer = admin.ask("PUT", f"/api/v1/admin/mapping/draft{query}", {"revision": revision, "text": text}, X_Countersign="1")
            if report.check(f"{site.database}: a draft beside `messenger set` is answered {answer.status}", answer.status == 200, answer):
                drafted.append(value)
            answer = admin.ask("POST", f"/api/v1/admin/mapping{query}", {"base": base + len(published), "text": text, "reason": "a trial"}, X_Countersign="1")
            if report.check(f"{site.database}: publishing beside `messenger set` is answered {answer.status}", answer.status == 201, answer):
                published.append(value)

    together(lambda: set_one("token_lifetime", range(100 + number, 108 + number)),
             lambda: set_one("csp_extra", [f"https://n{number}-{n}.example.com" for n in range(8)]), draft)
    shown = str(site.cli("messenger", "show", name))
    for setting, value in written.items():
        report.check(f"{site.database}: messenger set lost {setting}", str(value) in shown, f"{value} is not in {shown}")
    versions = admin.ask("GET", f"/api/v1/admin/mapping/versions?messenger={name}", X_Countersign="1").body
    report.check(f"{site.database}: versions that were published", len(versions["versions"]) == base + len(published), f"{base} and {len(published)} are not in {versions}")
    draft_now = admin.ask("GET", f"/api/v1/admin/mapping/draft?messenger={name}", X_Countersign="1").body
    report.check(f"{site.database}: the draft is the last one", not drafted or f"n{drafted[-1]}" in str(draft_now), draft_now)
    admin.close()


def site_of(binary, postgres):
    site = Site(binary, postgres, GUESSES_PER_ACCOUNT="20")
    site.cli("user", "add", "ada", "--admin")
    site.cli("user", "set-password", "ada", typed=f"{PASSWORD}\n")
    site.trial_key = site.api_key()["key"]
    return site, [site.serve().port for _ in range(2 if postgres else 1)]


def rounds(binary, postgres, count):
    commands, done, site = COMMANDS, 0, None
    while done < count:
        site, ports = site_of(binary, postgres)
        try:
            if done == 0 and not site.option("user", "gone"):
                report.say(f"{site.database}: not tried, because this program has no `user gone`: gone")
                commands = tuple(command for command in COMMANDS if command != "gone")
            for number in range(min(count - done, ROUNDS_OF_ONE_DATABASE)):
                Round(number, site, ports, site.trial_key, commands).run()
                revoked(site, ports, number)
                crowd(site, ports, number)
                disabled(site, ports, number)
                messengers(site, ports, number)
                done += 1
            logs = site.logs()
            report.check(f"{site.database}: the server's log has a panic", "panicked" not in logs, [line for line in logs.splitlines() if "panicked" in line][:2])
            report.say(f"{site.database}: {done} of {count} rounds; the server's log mentions deadlocks {logs.lower().count('deadlock')} times")
        finally:
            site.close()
    if postgres:
        report.say(f"PostgreSQL's own log: {postgres.log().count('deadlock detected')} deadlocks")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("binary")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--database", choices=("sqlite", "postgres"))
    chosen = arguments.parse_args()
    began = time.monotonic()
    if chosen.database != "postgres":
        rounds(chosen.binary, None, chosen.rounds)
    if chosen.database != "sqlite":
        postgres = Postgres("deadlock_timeout=200ms")
        try:
            rounds(chosen.binary, postgres, chosen.rounds)
        finally:
            postgres.close()
    report.say(f"{time.monotonic() - began:.0f} s")
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
