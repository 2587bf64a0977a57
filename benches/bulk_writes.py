#!/usr/bin/env python3
"""Writes of all users beside other work: who is refused, who waits, and how long one write transaction lasts.

    benches/bulk_writes.py target/release/countersign [--users 100000] [--database sqlite|postgres]

Runs each form of `attribute set`, and an import of all users, while others sign in, write users through the API,
fetch tokens and import small files. Prints for each: its seconds, the answers of the others, their longest
wait, and the longest write transaction. On SQLite that is the longest time for which a second program could not begin
to write (tried every millisecond), on PostgreSQL the oldest transaction with a number of its own.

Fails (exit 1) when an answer was 5xx or a command was refused.
"""

import argparse
import collections
import contextlib
import pathlib
import sqlite3
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/trials"))

from clocks import add_users  # noqa: E402
from trial import Client, Postgres, Psql, Site  # noqa: E402

SIGNERS = 20


class Prober:
    """Watches how long the longest write transaction lasts."""

    def __init__(self, site, postgres):
        self.site, self.longest, self.stop = site, 0.0, threading.Event()
        self.work = (lambda: self.postgres(postgres)) if postgres else self.sqlite
        self.thread = threading.Thread(target=self.work)

    def sqlite(self):
        connection = sqlite3.connect(self.site.folder / "trial.db", timeout=0, isolation_level=None)
        since = None
        while not self.stop.is_set():
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
                if since:
                    self.longest, since = max(self.longest, time.monotonic() - since), None
                time.sleep(0.005)
            except sqlite3.OperationalError:
                since = since or time.monotonic()
                time.sleep(0.001)
        if since:
            self.longest = max(self.longest, time.monotonic() - since)
        connection.close()

    def postgres(self, postgres):
        psql = Psql(postgres, self.site.name)
        statement = ("SELECT COALESCE(MAX(EXTRACT(EPOCH FROM clock_timestamp() - xact_start)), 0)::float8 AS seconds "
                     "FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
        while not self.stop.wait(0.02):
            self.longest = max(self.longest, psql.rows(statement)[0]["seconds"])
        psql.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


class Others:
    """People and programs who go on meanwhile."""

    def __init__(self, site, port, key, users):
        self.site, self.port, self.key, self.users = site, port, key, users
        self.stop, self.lock = threading.Event(), threading.Lock()
        self.answers, self.longest = collections.Counter(), collections.defaultdict(float)

    def note(self, what, status, seconds):
        with self.lock:
            self.answers[f"{what} {status}"] += 1
            self.longest[what] = max(self.longest[what], seconds)

    def loop(self, what, ask, pause=0.0):
        number = 0
        while not self.stop.is_set():
            number, begin = number + 1, time.monotonic()
            try:
                status = ask(number)
            except OSError as error:
                status = type(error).__name__
            self.note(what, status, time.monotonic() - begin)
            time.sleep(pause)

    def threads(self):
        browser, server, page = Client(self.port), Client(self.port, bearer=self.key), Client(self.port)
        page.sign_in("signer0")
        marks = iter(range(time.monotonic_ns() % 10**9, 10**18))

        def sign_in(number):
            browser.cookies = {}
            return browser.sign_in(f"signer{number % SIGNERS}").status

        def put(number):
            name = f"Name {time.monotonic_ns()}"
            return server.ask("PUT", f"/api/v1/users/user{number * 7919 % self.users}", {"display_name": name}).status

        def small_import(_):
            mark = next(marks)
            rows = "".join(f"user{number * 61 % self.users},Last {mark}\n" for number in range(mark * 500, mark * 500 + 500))
            file = self.site.file("login,last_name\n" + rows, "small.csv")
            done = self.site.try_cli("--json", "user", "import", file)
            return f"ended {done.status}" + (f" {done.errors.strip()[:60]}" if done.status else "")

        return [threading.Thread(target=self.loop, args=words) for words in (
            ("sign-in", sign_in), ("PUT", put), ("token", lambda _: page.token().status, 0.05), ("import of 500", small_import, 0.2))]

    def __enter__(self):
        self.running = self.threads()
        for thread in self.running:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.running:
            thread.join()


def measure(binary, postgres, users):
    site, is_bad = Site(binary, postgres), False
    try:
        rows = "".join(f"user{n},user{n},user{n}@example.com,yes,User {n},{n % 97},Company {n % 1013}\n" for n in range(users))
        everybody = site.file("external_id,login,email,email_verified,display_name,points,company\n" + rows, "everybody.csv")
        begin = time.monotonic()
        site.cli("user", "import", everybody)
        print(f"{site.database}, {users} users; imported alone in {time.monotonic() - begin:.1f} s", flush=True)
        site.cli("attribute", "set", "company")
        add_users(site, [f"signer{number}" for number in range(SIGNERS)])
        key, port = site.api_key()["key"], site.serve().port
        again = site.file(everybody.read_text().replace(",User ", ",Person "), "again.csv")
        works = [("nothing", None)]
        works += [(f"attribute set {' '.join(words)}", ("attribute", "set", *words)) for words in (
            ("company", "--searchable"), ("company", "--no-searchable"), ("points", "--type", "number"), ("points", "--type", "text"),
            ("company", "--type", "list"), ("company", "--type", "text"), ("company", "--trusted"), ("company", "--no-trusted"))]
        works += [(f"import of {users} that changes all", ("user", "import", again))]
        for title, words in works:
            with Prober(site, postgres) as prober, Others(site, port, key, users) as others:
                begin = time.monotonic()
                if words is None:
                    time.sleep(5)
                    said = ""
                else:
                    time.sleep(0.3)
                    begin = time.monotonic()
                    done = site.finish(site.start_cli(*words), timeout=1200)
                    said = "" if done.status == 0 else f"; REFUSED: {done.said[:120]}"
                took = time.monotonic() - begin
            answers = ", ".join(f"{what}: {number}" for what, number in sorted(others.answers.items()))
            longest = ", ".join(f"{what} {seconds:.2f}" for what, seconds in sorted(others.longest.items()))
            refused = sum(number for what, number in others.answers.items() if " 5" in what and not what.startswith("import"))
            is_bad |= refused > 0 or said != "" or any("ended 1" in what for what in others.answers)
            print(f"  {title}: {took:.1f} s{said}\n    5xx {refused}; longest write transaction {prober.longest:.2f} s; longest answers (s): {longest}\n    {answers}", flush=True)
    finally:
        site.close()
    return is_bad


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("binary")
    arguments.add_argument("--users", type=int, default=100_000)
    arguments.add_argument("--database", choices=("sqlite", "postgres"))
    chosen = arguments.parse_args()
    is_bad = False
    if chosen.database != "postgres":
        is_bad |= measure(chosen.binary, None, chosen.users)
    if chosen.database != "sqlite":
        with contextlib.closing(Postgres()) as postgres:
            is_bad |= measure(chosen.binary, postgres, chosen.users)
    return is_bad


if __name__ == "__main__":
    sys.exit(main())
