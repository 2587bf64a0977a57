#!/usr/bin/env python3
"""Users kept in a stand-in for Deskpro by several servers, and beside a helpdesk that gives no answer.

    tests/trials/synchronization.py target/release/countersign [--seconds 150]

Needs libfaketime (Debian's package `faketime`). The trial checks that

- of two servers on one PostgreSQL whose clocks are two hours apart, one talks to the helpdesk, and each scheduled run begins
  once, while runs, webhook calls and page visits ask for more; after `kill -9` the other one goes on within 60 seconds;
- nobody is there twice;
- while the helpdesk gives no answer, sign-ins and tokens take about as long as before, and 1,000 pages of users whom it does
  not have yet hold no thread.
"""

import argparse
import base64
import json
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter

from clocks import Clock
from trial import PASSWORD, STARTED, Client, Postgres, Report, Site, together

KEY = "2:STANDINSTANDINSTANDINSTAN"
MAPPING = {"token": "id", "rules": [
    {"claim": "deskpro_id", "from": {"attribute": "deskpro_id"}},
    {"claim": "email", "from": {"attribute": "email"}},
    {"claim": "name", "from": {"attribute": "display_name"}},
]}
report = Report()


class StandIn:
    """`countersign demo`, only for its stand-in."""

    def __init__(self, binary):
        words = [binary, "demo", "--listen", "127.0.0.1:0", "--deskpro-listen", "127.0.0.1:0"]
        self.demo = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        STARTED.append(self.demo)
        for line in self.demo.stdout:
            found = re.search(r"stand-in +(http://\S+?)/", line)
            if found:
                self.url = found[1]
                threading.Thread(target=self.demo.stdout.read, daemon=True).start()
                return
        raise SystemExit("the demo did not start")

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}/standin/{path}", timeout=30) as answer:
            return json.load(answer)

    def put(self, path, body):
        request = urllib.request.Request(f"{self.url}/standin/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="PUT")
        with urllib.request.urlopen(request, timeout=30):
            pass

    def addresses(self):
        return Counter(person["email"].lower() for person in self.get("people.json") if person["email"])


def prepare(site, standin, users, **settings):
    rows = "".join(f"u{n},u{n}@people.example,yes,User {n}\n" for n in range(users))
    site.cli("user", "import", site.file("login,email,email_verified,display_name\n" + rows))
    site.cli("mapping", "apply", site.file(json.dumps(MAPPING), "mapping.json"))
    site.cli("messenger", "set", "default", f"deskpro_url={standin.url}/deskpro-messenger/1",
             f"init_script_url={standin.url}/web.js", "messenger_id=trial")
    site.cli("helpdesk", "connect", "--private", typed=KEY + "\n")
    site.cli("helpdesk", "set", *(f"{name}={value}" for name, value in settings.items()))
    return site.cli("helpdesk", "webhook")[0]


def two_servers(binary, postgres, seconds):
    standin = StandIn(binary)
    site = Site(binary, postgres)
    try:
        webhook = prepare(site, standin, 300, cron="* * * * *", every_minutes=0)
        clocks = [Clock(site.folder / f"clock-{n}") for n in range(2)]
        for clock, ahead in zip(clocks, (3_600, -3_600)):
            clock.set(ahead)
        first, second = (site.serve(preload=clock.environment()) for clock in clocks)
        site.cli("sync", "resume")
        for n in range(20):
            site.cli("user", "set-password", f"u{n}", typed=PASSWORD + "\n")
        until = time.monotonic() + seconds
        workers = set()

        def watch():
            while time.monotonic() < until:
                workers.update(row["worker"] for row in site.sql.rows("SELECT worker FROM desks") if row["worker"])
                time.sleep(0.2)

        def call():
            credentials = base64.b64encode(f"deskpro:{webhook['password']}".encode()).decode()
            n = 0
            while time.monotonic() < until:
                n += 1
                server = (first, second)[n % 2]
                client = Client(server.port)
                client.ask("POST", webhook["path"], {"id": 100 + n % 300}, Authorization=f"Basic {credentials}")
                client.close()
                time.sleep(0.2)

        def visit():
            while time.monotonic() < until:
                for n in range(20):
                    client = Client((first, second)[n % 2].port)
                    client.sign_in(f"u{n}")
                    client.ask("GET", "/")
                    client.close()

        def press():
            while time.monotonic() < until:
                # One that is going on is no error here.
                site.try_cli("sync", "run", "--no-wait")
                time.sleep(7)

        together(watch, call, visit, press)
        runs = site.sql.rows("SELECT cause, state, started_at FROM runs ORDER BY started_at")
        scheduled = [run["started_at"] // 60 for run in runs if run["cause"] == "schedule"]
        report.check("one scheduled run a minute", len(scheduled) == len(set(scheduled)) and len(scheduled) >= seconds // 60 - 1, scheduled)
        report.check("one server talks", len(workers) == 1, workers)
        running = [run for run in runs if run["state"] == "running"]
        report.check("one run at a time", len(running) <= 1, running)

        (worker,) = {row["worker"] for row in site.sql.rows("SELECT worker FROM desks")}
        first.kill()
        first.wait()
        began = time.monotonic()
        while time.monotonic() - began < 90 and site.sql.rows("SELECT worker FROM desks")[0]["worker"] == worker:
            time.sleep(0.1)
        took = time.monotonic() - began
        report.check("the other one goes on", took <= 60, f"{took:.1f} s")
        site.cli("sync", "run")
        twice = {address: count for address, count in standin.addresses().items() if count > 1}
        report.check("nobody is there twice", not twice, twice)
        missing = [n for n in range(300) if f"u{n}@people.example" not in standin.addresses()]
        report.check("everybody is there", not missing, missing)
        report.say(f"two servers, clocks two hours apart: {len(runs)} runs, {len(scheduled)} scheduled; taken over after {took:.1f} s")
    finally:
        site.close()
        standin.demo.terminate()


def threads(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return int(re.search(r"Threads:\s+(\d+)", status.read())[1])


def asleep(binary):
    standin = StandIn(binary)
    site = Site(binary)
    try:
        prepare(site, standin, 40, every_minutes=0, request_seconds=30, wait_ms=1500)
        for n in range(40):
            site.cli("user", "set-password", f"u{n}", typed=PASSWORD + "\n")
        server = site.serve()
        site.cli("sync", "resume")
        site.cli("sync", "run")
        own = [Client(server.port) for _ in range(20)]
        for n, client in enumerate(own):
            client.sign_in(f"u{n}")

        def measure():
            tokens, sign_ins = [], []
            for turn in range(40):
                for client in own:
                    began = time.perf_counter()
                    status = client.token().status
                    tokens.append(time.perf_counter() - began)
                    report.check("tokens go on", status == 200, status)
                client = Client(server.port)
                began = time.perf_counter()
                status = client.sign_in(f"u{turn}").status
                sign_ins.append(time.perf_counter() - began)
                report.check("sign-ins go on", status == 303, status)
                client.close()
            return [statistics.quantiles(them, n=20)[18] * 1000 for them in (tokens, sign_ins)]

        measure()
        before = measure()
        standin.put("faults", [{"fault": "hang", "on": "all"}])
        # Users whom the helpdesk does not have: each of their pages wants the person.
        rows = "".join(f"v{n},v{n}@people.example,yes,Visitor {n}\n" for n in range(50))
        site.cli("user", "import", site.file("login,email,email_verified,display_name\n" + rows))
        visitors = []
        for n in range(50):
            site.cli("user", "set-password", f"v{n}", typed=PASSWORD + "\n")
            client = Client(server.port)
            client.sign_in(f"v{n}")
            visitors.append(client.cookies)
        idle = threads(server)
        most, opened, ended = idle, 0, threading.Event()

        def visit(number):
            nonlocal opened
            for _ in range(20):
                client = Client(server.port)
                client.cookies = dict(visitors[number])
                began = time.monotonic()
                answer = client.ask("GET", "/")
                report.check("a page opens in time", answer.status == 200 and time.monotonic() - began < 10, time.monotonic() - began)
                opened += 1
                client.close()

        def watch():
            nonlocal most
            while not ended.is_set():
                most = max(most, threads(server))
                time.sleep(0.05)

        watcher = threading.Thread(target=watch)
        watcher.start()
        pages = threading.Thread(target=lambda: together(*(lambda number=number: visit(number) for number in range(50))))
        pages.start()
        beside = measure()
        pages.join()
        ended.set()
        watcher.join()
        # Threads for short work are kept for a few seconds after it.
        until = time.monotonic() + 40
        while threads(server) > idle and time.monotonic() < until:
            time.sleep(0.2)
        report.check("pages hold no thread", threads(server) <= idle, f"{idle} threads, at most {most}, in the end {threads(server)}")
        report.check("1,000 pages", opened == 1000, opened)
        ratios = [later / sooner for later, sooner in zip(beside, before)]
        report.say(
            f"helpdesk asleep: p95 of tokens {before[0]:.2f} ms, beside {beside[0]:.2f} ms ({ratios[0]:.2f} x); "
            f"of sign-ins {before[1]:.1f} ms, beside {beside[1]:.1f} ms ({ratios[1]:.2f} x); {opened} pages; threads {idle}, at most {most}"
        )
    finally:
        site.close()
        standin.demo.terminate()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=int, default=150)
    given = parser.parse_args()
    asleep(given.binary)
    postgres = Postgres()
    try:
        two_servers(given.binary, postgres, given.seconds)
    finally:
        postgres.close()
    sys.exit(report.end())


if __name__ == "__main__":
    main()
