#!/usr/bin/env python3
"""What a token costs: processor time of the server for each answer, beside a bare actix-web server and beside others
that do the same work.

Starts the given binary on SQLite with 1,000 users and as many sessions: once as it is set up by default, once with so
little memory that every request is the first of its session, once with `token_cache=0`, and twice on one PostgreSQL. The
example `bare` sends the same bytes and headers and does nothing else. wrk (Debian: wrk) asks each of them in turn over 64
connections, with another session for each request. The processor time is what the kernel counts for the server's
processes, those of PostgreSQL included.

    cargo build --release && cargo build --release --example bare
    benches/token_load.py target/release/countersign target/release/examples/bare [--rounds 5] [--seconds 3]

Prints a line for each target, as a table in Markdown. `--json FILE` writes the figures. Fails (exit 1) if an answer is
not 200, or not the token of the session's own user.
"""

import argparse
import contextlib
import json
import pathlib
import re
import statistics
import subprocess
import sys

from peers import KEY, Server, ask, bare, peers, user
from program import DONE, PASSWORD, Client, Program, children, free_port, load

sys.path.append(str(pathlib.Path(__file__).parent.parent / "tests" / "trials"))
from trial import Postgres  # noqa: E402

SESSIONS, USERS = 1000, 50
TOKEN = "/api/v1/token"

LUA = """
local cookies = {%s}
local n = 0
request = function()
  n = n %% #cookies + 1
  return wrk.format("GET", nil, {["Cookie"] = cookies[n]})
end
"""


class Product:
    """The product with its users, its mapping and their sessions, and servers with other settings on one database."""

    def __init__(self, binary, **settings):
        self.program = Program(binary)
        self.servers = []
        desk = "https://desk.example.com/deskpro-messenger"
        self.program.environment |= {
            "COUNTERSIGN_LOG": "warn",
            "COUNTERSIGN_TOKEN_REQUESTS": "1000000",
            "COUNTERSIGN_SIGNING_KEY": KEY,
            "COUNTERSIGN_INIT_SCRIPT_URL": f"{desk}-init/web.js",
            "COUNTERSIGN_DESKPRO_URL": f"{desk}/00000000-0000-0000-0000-000000000000",
            "COUNTERSIGN_MESSENGER_ID": "01HGFZRNX7M9S4PX2G3RIA8S0C",
            **settings,
        }

    def begin(self):
        """Users, their sessions, and one that is over."""
        fields = list(user(0))
        rows = [",".join([f"user{number}", *user(number).values(), "true"]) for number in range(1000)]
        table = "\n".join([",".join(["login", *fields, "email_verified"]), *rows]) + "\n"
        self.program.run("user", "import", self.program.file("users.csv", table))
        self.program.run("mapping", "apply", str(pathlib.Path(__file__).parent / "mapping.json"))
        for number in range(USERS):
            self.program.run("user", "set-password", f"user{number}", text=PASSWORD + "\n")
        self.program.start()
        self.users = [number % USERS for number in range(SESSIONS)]
        self.cookies = [self.session(number) for number in self.users]
        self.ended = self.session(0)
        client = Client(self.program.port, 1)
        client.cookies = dict([self.ended.split("=", 1)])
        _, page = client.ask("GET", "/")
        client.ask("POST", "/logout", {"csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', page)[1]})

    def session(self, number):
        client = Client(self.program.port, len(getattr(self, "cookies", [])) + number)
        assert client.sign_in(f"user{number}", PASSWORD).status == 303
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items() if name.endswith("countersign"))

    def first(self):
        """The server that has been running since the start."""
        return self.program.server.pid, self.program.port

    def another(self, **settings):
        """One more server on the same database: its process, and its port."""
        port = free_port()
        environment = self.program.environment | {"COUNTERSIGN_LISTEN": f"127.0.0.1:{port}", **settings}
        server = subprocess.Popen([self.program.binary, "serve"], env=environment, cwd=self.program.folder.name)
        self.servers.append(server)
        while True:
            try:
                ask(port, "/healthz", "")
                return server.pid, port
            except OSError:
                subprocess.run(["sleep", "0.05"], check=True)

    def target(self, name, place, path=TOKEN, beside=()):
        """A server as a target; `beside`: processes that work for it."""
        pid, port = place
        subprocess.run(["taskset", "-acp", "0", str(pid)], check=True, stdout=subprocess.DEVNULL)
        server = Server(name, path, port, [pid, *beside], self.cookies)
        if path == TOKEN:
            server.check(self.users, self.ended)
        return server

    def stop(self):
        for server in self.servers:
            server.terminate()
            server.wait()
        self.program.stop()


def table(figures):
    """The figures in Markdown: what a request costs, and the ratio to the bare server of the same round."""
    def cells(values, digits):
        return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"

    lines = ["| target | µs of processor time for each request | ratio to the bare server |", "|---|---|---|"]
    for name, costs in figures.items():
        ratios = [one / cost for one, cost in zip(figures["bare"], costs)]
        if name.startswith("page"):
            ratios = [one / cost for one, cost in zip(figures["page: bare"], costs)]
        lines.append(f"| {name} | {cells(costs, 1)} | {cells(ratios, 3)} |")
    ours = figures["remembered"]
    for name in ("Go net/http, golang-jwt", "Fastify, HMAC by hand", "Express, jsonwebtoken"):
        times = [cost / own for cost, own in zip(figures[name], ours)]
        lines.append(f"| a remembered token against {name} | | {cells(times, 1)} × |")
    return "\n".join(lines)


def measure(asked, running):
    """Microseconds for each request, by target, round by round; `running` ends what was started."""
    product = Product(asked.binary)
    running.callback(product.stop)
    product.begin()
    postgres = Postgres("fsync=on")
    running.callback(postgres.close)
    settings = {"COUNTERSIGN_DATABASE_URL": postgres.url(postgres.database()), "COUNTERSIGN_MASTER_KEY": "5a17" * 16}
    shared = Product(asked.binary, **settings)
    running.callback(shared.stop)
    shared.begin()
    targets = [
        product.target("remembered", product.first()),
        product.target("first of a session", product.another(COUNTERSIGN_TOKEN_CACHE="1")),
        product.target("token_cache=0", product.another(COUNTERSIGN_TOKEN_CACHE="0")),
        product.target("page: host page with token", product.first(), "/"),
    ]
    both = [shared.first(), shared.another()]
    first = shared.another(COUNTERSIGN_TOKEN_CACHE="1")
    beside = [postgres.server.pid, *children(postgres.server.pid)]
    for pid in beside:
        subprocess.run(["taskset", "-acp", "0", str(pid)], check=True, stdout=subprocess.DEVNULL)
    targets += [
        shared.target(f"remembered, PostgreSQL, instance {number}", place, beside=beside)
        for number, place in enumerate(both, 1)
    ]
    targets.append(shared.target("first of a session, PostgreSQL", first, beside=beside))
    folder = pathlib.Path(product.program.folder.name)
    for name, place in (("bare", targets[0]), ("page: bare", targets[3])):
        status, headers, body = ask(place.port, place.path, place.cookies[0])
        assert status == 200 and body.count("eyJ0eXAi") == 1, body
        program, server = bare(name, asked.bare, folder, place.path, headers, body)
        running.callback(program.terminate)
        server.cookies = place.cookies
        targets.append(server)
    for program, server in peers(folder, product.users):
        running.callback(program.terminate)
        targets.append(server)
    scripts = {}
    for target in targets:
        cookies = ",".join(json.dumps(cookie) for cookie in target.cookies)
        scripts[target.name] = product.program.file(f"{len(scripts)}.lua", LUA % cookies + DONE)
    figures = {target.name: [] for target in targets}
    for number in range(asked.rounds + 1):
        for target in targets:
            url = f"http://127.0.0.1:{target.port}{target.path}"
            cost, _ = load(url, target.processes, scripts[target.name], asked.seconds, ["taskset", "-c", "1"])
            # The first round only warms up.
            if number:
                figures[target.name].append(cost)
    return figures


def main():
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("binary")
    read.add_argument("bare")
    read.add_argument("--rounds", type=int, default=5)
    read.add_argument("--seconds", type=int, default=3)
    read.add_argument("--json")
    asked = read.parse_args()
    with contextlib.ExitStack() as running:
        figures = measure(asked, running)
    if asked.json:
        pathlib.Path(asked.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")
    print(table(figures))


if __name__ == "__main__":
    main()
