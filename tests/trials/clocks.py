#!/usr/bin/env python3
"""The server's clock is stepped while it runs, between any two actions of a person, on both databases.

    tests/trials/clocks.py target/debug/countersign [--without-waiting] [--database sqlite|postgres]

Needs libfaketime (Debian's package `faketime`). A file moves the server's wall clock; its monotonic clock stays true.
Time that passes is imitated by further steps forward where that is enough. The trial checks that

- users with the right password get in within 20 seconds after a step of -1 year to +1 year between two actions
  (sign-in, codes, devices, guesses, tokens), and after the clock was corrected;
- after one step back nothing lives longer than twice its limit (sign-ins, codes, a confirmed password). This is
  checked for things that are used right after the step, and for things that nobody uses. The second waits for a
  minute, because the server checks its rows once a minute;
- another server finishes the job of a server that died while its clock was ahead;
- `iat` and `exp` of a token follow the clock as it is now;
- with PostgreSQL, `check` warns when the server's clock and the database's clock differ.
"""

import argparse
import glob
import os
import re
import sys
import threading
import time

from trial import PASSWORD, Client, Postgres, Report, Site, claims

STEPS = {"-1 year": -31_536_000, "-3 h": -10_800, "-20 s": -20, "+20 s": 20, "+3 h": 10_800, "+1 year": 31_536_000}
IDLE, ABSOLUTE, CODE, CONFIRMED, LIFETIME = 200, 400, 60, 300, 60
WAIT = 66  # a bit more than the minute after which the server looks by itself
GAPS = 10
report = Report(most=2)


def library():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        sys.exit("libfaketime is missing. Install it: apt-get install faketime")
    return found[0]


class Clock:
    """A file that says how many seconds a server's clock is ahead."""

    def __init__(self, path):
        self.path, self.ahead = str(path), 0
        self.set(0)

    def set(self, seconds):
        self.ahead = seconds
        with open(f"{self.path}.new", "w", encoding="ascii") as file:
            file.write(f"{seconds:+d}\n")
        os.replace(f"{self.path}.new", self.path)

    def now(self):
        return time.time() + self.ahead

    def environment(self):
        return {"LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_NO_CACHE": "1",
                "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}


def new_site(binary, postgres, **more):
    settings = {"SESSION_IDLE": str(IDLE), "SESSION_ABSOLUTE": str(ABSOLUTE), "DEVICE_IDLE": str(IDLE), "DEVICE_ABSOLUTE": str(ABSOLUTE),
                "SESSION_KEPT": str(ABSOLUTE), "ADMIN_SESSION_IDLE": "2000", "ADMIN_SESSION_ABSOLUTE": "4000", "TOKEN_LIFETIME": str(LIFETIME), "LOG": "info"}
    return Site(binary, postgres, **(settings | more))


def add_users(site, names):
    rows = "".join(f"{name},{name},{name}@example.com,yes\n" for name in names)
    site.cli("user", "import", site.file("external_id,login,email,email_verified\n" + rows))
    first = names[0]
    site.cli("user", "set-password", first, typed=f"{PASSWORD}\n")
    hashed = site.sql.rows(f"SELECT password_hash FROM users WHERE login = '{first}'")[0]["password_hash"]
    site.sql.rows(f"UPDATE users SET password_hash = '{hashed}' WHERE role = 'user'")


def add_admin(site):
    site.cli("user", "add", "ada", "--admin", "--set", "email=ada@example.com", "--set", "email_verified=yes")
    site.cli("user", "set-password", "ada", typed=f"{PASSWORD}\n")


class Person:
    """One user in one browser and one app, at one address, who does what people do, step by step."""

    def __init__(self, site, port, clock, key, name, kind):
        self.clock, self.name, self.kind, self.key = clock, name, kind, key
        self.browser, self.device = Client(port), Client(port)
        self.device.address = self.browser.address
        self.server = Client(port, bearer=key)
        self.form = self.code = None
        self.port, self.site = port, site

    def expect(self, what, is_right, answer):
        report.check(f"{self.kind}: {what}", is_right, answer)

    def within(self, ask, has_waited=False):
        """Asks, and where it must wait, once more 20 seconds after the step: by one step forward."""
        answer = ask()
        if answer.status == 429 and not has_waited:
            self.clock.set(self.clock.ahead + 20)
            answer = ask()
        return answer

    def load_form(self):
        page = self.browser.ask("GET", "/login")
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        self.form = found[1] if found else ""

    def post_form(self):
        form = {"csrf_token": self.form, "login": self.name, "password": PASSWORD, "next": ""}
        answer = self.within(lambda: self.browser.ask("POST", "/login", form=form))
        if answer.status == 403:  # A form that was shown long ago is shown again.
            answer = self.within(lambda: self.browser.sign_in(self.name))
        self.expect("a right password in the form", answer.status == 303, answer.status)

    def page_token(self):
        answer = self.browser.token()
        if answer.status == 401:  # The sign-in may be over by now; signing in again may not be refused.
            again = self.within(lambda: self.browser.sign_in(self.name))
            self.expect("signing in again", again.status == 303, again.status)
            answer = self.browser.token()
        self.judge_token("token of a page", answer)

    def judge_token(self, what, answer):
        if not report.check(f"{self.kind}: {what}", answer.status == 200, answer):
            return
        found, now = claims(answer.body["token"]), self.clock.now()
        self.expect(f"{what} ends by the clock as it is", now - 5 < found["exp"] <= now + LIFETIME + 5, f"exp is {found['exp'] - now:+.0f} s from now")
        self.expect(f"{what} begins by the clock as it is", now - 70 <= found["iat"] <= now + 5, f"iat is {found['iat'] - now:+.0f} s from now")

    def make_device(self):
        answer = self.within(lambda: self.device.app(self.name))
        self.expect("a right password of an app", answer.status == 201, answer)
        if answer.status == 201:
            self.device.bearer = answer.body["device_token"]

    def use_device(self):
        answer = self.device.token()
        if answer.status == 401:
            self.make_device()
            answer = self.device.token()
        self.judge_token("token of an app", answer)

    def make_code(self):
        answer = self.server.ask("POST", "/api/v1/handovers", {"external_id": self.name})
        self.expect("a code is made", answer.status == 201, answer)
        self.code = answer.body.get("code")

    def swap_code(self):
        answer = Client(self.port).swap(self.code)
        if answer.status == 403:  # Too old by now: a fresh one works.
            self.make_code()
            answer = Client(self.port).swap(self.code)
        self.expect("a fresh code is swapped", answer.status == 201, answer)

    def guess_wrong(self):
        answer = self.device.app(self.name, "not this one, never")
        self.expect("a wrong password", answer.status in (401, 429), answer)

    def guess_right(self):
        self.make_device()

    def mint(self):
        self.judge_token("a minted token", self.server.ask("POST", "/api/v1/mint", {"external_id": self.name}))

    def steps(self):
        return (self.load_form, self.post_form, self.page_token, self.make_device, self.use_device, self.make_code,
                self.swap_code, self.guess_wrong, self.guess_right, self.mint)

    def gets_in(self, colleague):
        """After the correction: at once, or 20 seconds later."""
        has_waited = False
        for what, ask in (("with the form", lambda: Client(self.port, self.browser.address).sign_in(self.name)),
                          ("with an app", lambda: self.device.app(self.name)),
                          ("as a colleague at the same address", lambda: Client(self.port, self.browser.address).sign_in(colleague))):
            before = self.clock.ahead
            answer = self.within(ask, has_waited)
            has_waited |= self.clock.ahead != before
            self.expect(f"gets in {what} within 20 s of the correction", answer.status in (201, 303), answer.status)
        self.page_token()

    def close(self):
        for client in (self.browser, self.device, self.server):
            client.close()


def between(binary, postgres, name, seconds):
    """The clock is stepped at every gap of what a person does, and corrected afterwards."""
    site = new_site(binary, postgres)
    try:
        clock = Clock(site.folder / "clock")
        site.preload = clock.environment()
        add_users(site, ["colleague", *(f"ana{gap}" for gap in range(GAPS))])
        key, port = site.api_key("--days", "1000")["key"], site.serve().port
        for gap in range(GAPS):
            person = Person(site, port, clock, key, f"ana{gap}", f"{site.database}: step of {name}")
            for number, step in enumerate(person.steps()):
                if number == gap:
                    clock.set(clock.ahead + seconds)
                step()
            # Whatever was waited meanwhile has passed: no other step back is tried at the same time.
            clock.set(clock.ahead - seconds)
            person.gets_in("colleague")
            person.close()
        if postgres and abs(seconds) > 60:
            clock.set(seconds)
            said = site.try_cli("check").said
            report.check(f"{site.database}: the clock differs from the database's, and check does not warn", "clock" in said.lower(), name)
    finally:
        site.close()


def ages(binary, postgres, name, seconds, waits):
    """What was made before one step back does not live longer than twice its limit."""
    site = new_site(binary, postgres)
    try:
        clock, kind = Clock(site.folder / "clock"), f"{site.database}: after a step back of {name}"
        site.preload = clock.environment()
        add_users(site, ["ana", "bob"])
        add_admin(site)
        key, port = site.api_key("--days", "1000")["key"], site.serve().port

        def signed_in(login):
            client = Client(port)
            if client.sign_in(login).status != 303:
                report.check(f"{kind}: signs in before it", False, login)
            return client

        def app(login):
            client = Client(port)
            client.bearer = (client.app(login).body or {}).get("device_token")
            return client

        server = Client(port, bearer=key)

        def code():
            return server.ask("POST", "/api/v1/handovers", {"external_id": "ana"}).body.get("code")

        def needs_password(client):
            answer = client.ask("GET", "/admin/api-keys")
            return answer.status in (302, 303) or "confirm" in (answer.headers.get("Location") or "")

        touched = {"session": signed_in("ana"), "device": app("ana")}
        untouched = {"session": signed_in("bob"), "device": app("bob")}
        busy = {"session": signed_in("ana"), "device": app("bob")}
        ada, codes = signed_in("ada"), [code()]
        page = ada.ask("GET", "/admin/confirm")
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        ada.ask("POST", "/admin/confirm", form={"csrf_token": found[1] if found else "", "password": PASSWORD, "next": "/admin/api-keys"})
        report.check(f"{kind}: the password is confirmed before it", not needs_password(ada), "the page asks for it")
        # The step.
        clock.set(seconds)
        began = time.monotonic()
        for client in (*touched.values(), *busy.values()):
            client.token()
        needs_password(ada)
        if waits:
            time.sleep(WAIT)

        def at(passed):
            """So many seconds of true time after the step."""
            clock.set(round(seconds + passed - (time.monotonic() - began)))

        def use_busy():
            return {what: client.token().status for what, client in busy.items()}

        if waits:
            at(2 * CODE + 5)
            answer = Client(port).swap(codes[0])
            report.check(f"{kind}: a code works after {2 * CODE + 5} s", answer.status != 201, answer)
        passed = WAIT if waits else 0
        marks = {2 * IDLE + 5: "idle", 2 * CONFIRMED + 5: "confirmed", 2 * ABSOLUTE + 5: "absolute"}
        for moment in sorted({*range(passed + 50, 2 * ABSOLUTE + 1, 50), *marks}):
            at(moment)
            if marks.get(moment) == "idle":
                for what, client in touched.items():
                    report.check(f"{kind}: a {what} that was used after it lives unused after {moment} s", client.token().status == 401, "200")
                if waits:
                    for what, client in untouched.items():
                        report.check(f"{kind}: a {what} that nobody used lives after {moment} s", client.token().status == 401, "200")
            elif marks.get(moment) == "confirmed":
                report.check(f"{kind}: a confirmed password is believed after {moment} s", needs_password(ada), "the page opens")
            elif marks.get(moment) == "absolute":
                for what, status in use_busy().items():
                    report.check(f"{kind}: a busy {what} lives after {moment} s", status == 401, status)
            else:
                use_busy()
        # The right password still works.
        again = Client(port).sign_in("ana")
        report.check(f"{kind}: signing in afterwards", again.status == 303, again.status)
    finally:
        site.close()


def lease(binary, postgres, name, seconds):
    """A server whose clock is ahead dies in the middle of a job: another one finishes it."""
    site = new_site(binary, postgres, SESSION_IDLE="20000", SESSION_ABSOLUTE="40000", ADMIN_SESSION_IDLE="20000", ADMIN_SESSION_ABSOLUTE="40000")
    try:
        kind = f"{site.database}: a job of a server whose clock is {name}"
        ahead, right = Clock(site.folder / "ahead"), Clock(site.folder / "right")
        rows = "".join(f"user{n},user{n}@example.com,yes,plan{n % 7}\n" for n in range(6_000))
        site.cli("user", "import", site.file("login,email,email_verified,plan\n" + rows))
        add_admin(site)
        ahead.set(seconds)
        first = site.serve(preload=ahead.environment())
        ada = Client(first.port)
        ada.sign_in("ada")
        text = '{"rules": [{"claim": "email", "from": {"attribute": "email"}}, {"claim": "labels", "from": {"attribute": "plan"}}]}'
        draft = ada.ask("GET", "/api/v1/admin/mapping/draft", X_Countersign="1").body
        ada.ask("PUT", "/api/v1/admin/mapping/draft", {"revision": draft.get("revision", 0), "text": text}, X_Countersign="1")
        begun = ada.ask("POST", "/api/v1/admin/mapping/draft/comparison", X_Countersign="1")
        report.check(f"{kind}: is begun", begun.status == 202, begun)
        state = {}
        for _ in range(200):
            state = ada.ask("GET", "/api/v1/admin/mapping/draft/comparison", X_Countersign="1").body or {}
            if state.get("state") == "done" or state.get("done"):
                break
            time.sleep(0.01)
        first.kill()
        first.wait()
        if state.get("state") == "done":
            report.say(f"{kind}: was done before the server could be killed: not tried")
            return
        second = site.serve(preload=right.environment())
        ada = Client(second.port)
        ada.sign_in("ada")
        began = time.monotonic()
        while time.monotonic() - began < 60:
            state = ada.ask("GET", "/api/v1/admin/mapping/draft/comparison", X_Countersign="1").body or {}
            if state.get("state") == "done":
                break
            time.sleep(1)
        report.check(f"{kind}: is finished by another one within 60 s", state.get("state") == "done", state)
    finally:
        site.close()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("binary")
    arguments.add_argument("--without-waiting", action="store_true", help="leave out what needs a minute of waiting")
    arguments.add_argument("--database", choices=("sqlite", "postgres"))
    chosen = arguments.parse_args()
    library()
    began, threads = time.monotonic(), []
    postgres = Postgres() if chosen.database != "sqlite" else None
    databases = [None] * (chosen.database != "postgres") + [postgres] * (chosen.database != "sqlite")
    waits = not chosen.without_waiting
    # Those that wait go first, and beside everything else.
    works = [(ages, database, name, seconds, waits) for name, seconds in STEPS.items() if seconds < 0 for database in databases]
    if waits:
        works += [(lease, database, name, STEPS[name]) for name in ("+3 h", "+1 year") for database in databases]
    slots = threading.Semaphore(2)

    def run(work, words, slot=None):
        try:
            if slot:
                with slot:
                    work(chosen.binary, *words)
            else:
                work(chosen.binary, *words)
        except Exception as error:  # noqa: BLE001 - one trial must not end the others
            report.check(f"{work.__name__} of {words[1]}", False, repr(error))

    for work, *words in works:
        threads.append(threading.Thread(target=run, args=(work, words)))
    for name, seconds in STEPS.items():
        for database in databases:
            threads.append(threading.Thread(target=run, args=(between, (database, name, seconds), slots)))
    try:
        for thread in threads:
            thread.start()
            time.sleep(0.05)
        for thread in threads:
            thread.join()
    finally:
        if postgres:
            postgres.close()
    report.say(f"{time.monotonic() - began:.0f} s")
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
