#!/usr/bin/env python3
"""What one outsider can cost: a table of figures, so that two builds can be compared. Nothing is judged here.

    benches/attacks.py target/release/countersign [--only NAME]… [--clients 300] [--sign-ins 10000] [--devices 50000]

Names: stalled, slow, sign_ins, devices, network, empty, origins, cookies, queue, typos. On SQLite; `typos` needs
libfaketime (Debian's package `faketime`). A debug build wants smaller numbers.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/trials"))

from trial import ORIGIN, PASSWORD, Client, Site, claims, together  # noqa: E402

HELD_AFTER = 35  # seconds
rows = []


def row(trial, what, figure):
    rows.append((trial, what, str(figure)))
    print(f"{trial:9} | {what:70} | {figure}", flush=True)


def memory(pid, field="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) // 1024
    return 0


def quantiles(seconds):
    """p50 and p95 in milliseconds."""
    if len(seconds) < 2:
        return f"{len(seconds)} only"
    cut = statistics.quantiles(seconds, n=20)
    return f"p50 {cut[9] * 1000:.0f} ms, p95 {cut[18] * 1000:.0f} ms, of {len(seconds)}"


def established(port):
    """Connections that the server holds, by the kernel's own list."""
    mine = f":{port:04X}"
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1].endswith(mine) and line.split()[3] == "01" for line in lines)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def health_meanwhile(port, seconds):
    """How long /healthz takes, and how often it was not answered within 2 s."""
    times, missing, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        client = Client(port)
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as plain:
                plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                answered = plain.recv(20).startswith(b"HTTP/1.1 200")
        except OSError:
            answered = False
        client.close()
        if answered:
            times.append(time.monotonic() - begin)
        else:
            missing += 1
        time.sleep(0.25)
    return f"{quantiles(times)}; not answered {missing}"


@contextlib.contextmanager
def a_site(binary, **settings):
    site = Site(binary, **settings)
    try:
        yield site
    finally:
        site.close()


def add_user(site, login="ana"):
    site.cli("user", "add", login, "--set", f"external_id={login}", "--set", f"email={login}@example.com", "--set", "email_verified=yes")
    site.cli("user", "set-password", login, typed=f"{PASSWORD}\n")


def count(site, table, where="1 = 1"):
    return site.sql.rows(f"SELECT COUNT(*) AS n FROM {table} WHERE {where}")[0]["n"]


def stalled(binary, chosen):
    """Clients that ask for much and read nothing."""
    with a_site(binary) as site:
        server = site.serve()
        asked = b"GET /api/openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200
        clients, before = [], descriptors(server.pid)
        for _ in range(chosen.clients):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(3)
            try:
                client.connect(("127.0.0.1", server.port))
                client.setblocking(False)
                client.send(asked)
                clients.append(client)
            except OSError:
                client.close()
        time.sleep(1)
        row("stalled", "descriptors for each connection", f"{(descriptors(server.pid) - before) / max(1, established(server.port)):.2f}")
        health = health_meanwhile(server.port, HELD_AFTER - 1)
        row("stalled", f"of {chosen.clients} that never read, held after {HELD_AFTER} s", established(server.port))
        row("stalled", "/healthz meanwhile", health)
        row("stalled", "memory (MiB)", memory(server.pid))
        for client in clients:
            client.close()


def slow(binary, chosen):
    """Clients that write a byte a second: half of them the head, half of them a body in chunks."""
    with a_site(binary) as site:
        server = site.serve()
        head = b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
        body = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
        clients = []
        for number in range(chosen.clients):
            with contextlib.suppress(OSError):
                client = socket.create_connection(("127.0.0.1", server.port), timeout=3)
                client.sendall(body if number % 2 else head)
                clients.append((client, b"1\r\na\r\n" if number % 2 else b"a"))
        stop = threading.Event()

        def drip():
            while not stop.wait(1):
                for client, piece in clients:
                    with contextlib.suppress(OSError):
                        client.sendall(piece)

        dripping = threading.Thread(target=drip)
        dripping.start()
        health = health_meanwhile(server.port, HELD_AFTER)
        row("slow", f"of {chosen.clients} that write a byte a second, held after {HELD_AFTER} s", established(server.port))
        row("slow", "/healthz meanwhile", health)
        stop.set()
        dripping.join()
        for client, _ in clients:
            client.close()


def sign_ins(binary, chosen):
    """Right passwords, again and again, by one user from one address."""
    with a_site(binary) as site:
        add_user(site)
        server = site.serve()
        audit, begin = count(site, "audit"), time.monotonic()
        statuses = collections.Counter()

        def work(_):
            client = Client(server.port, "192.0.2.7")
            statuses[client.sign_in("ana").status] += 1
            client.close()

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(chosen.sign_ins)))
        took = time.monotonic() - begin
        row("sign_ins", f"{chosen.sign_ins} right passwords: answers", dict(statuses))
        row("sign_ins", "seconds, and sign-ins a minute", f"{took:.0f} s, {statuses[303] / took * 60:.0f} a minute")
        row("sign_ins", "rows of sessions after it", count(site, "sessions"))
        row("sign_ins", "rows of audit more", count(site, "audit") - audit)
        row("sign_ins", "bytes of the database", sum(path.stat().st_size for path in site.folder.glob("trial.db*")))


def devices(binary, chosen):
    """Many devices of one user, each with a code."""
    with a_site(binary) as site:
        add_user(site)
        key, server = site.api_key()["key"], site.serve()
        begin, idle, statuses = time.monotonic(), memory(server.pid), collections.Counter()

        def work(share):
            site_server = Client(server.port, bearer=key)
            app = Client(server.port)
            for _ in range(share):
                code = site_server.ask("POST", "/api/v1/handovers", {"external_id": "ana"}).body["code"]
                statuses[app.swap(code).status] += 1

        together(*(lambda: work(chosen.devices // 4) for _ in range(4)))
        row("devices", f"{chosen.devices} devices of one user: answers, seconds", f"{dict(statuses)}, {time.monotonic() - begin:.0f} s")
        row("devices", "rows kept", count(site, "devices"))
        row("devices", "rows of handovers and of audit", f"{count(site, 'handovers')} and {count(site, 'audit')}")
        browser = Client(server.port)
        browser.sign_in("ana")
        begin = time.monotonic()
        page = browser.ask("GET", "/account")
        row("devices", "/account: bytes, seconds", f"{len(page.text.encode())} bytes, {time.monotonic() - begin:.2f} s")

        def ask():
            client = Client(server.port)
            client.cookies = dict(browser.cookies)
            client.ask("GET", "/account")

        together(*(ask for _ in range(16)))
        row("devices", "memory (MiB): idle, most while 16 asked at once", f"{idle}, {memory(server.pid, 'VmHWM')}")


def network(binary, chosen):
    """A network that must wait goes on asking from every address it has."""
    with a_site(binary, GUESSES_PER_NETWORK="20") as site:
        add_user(site)
        server = site.serve()
        statuses = collections.Counter()

        def guess(number):
            client = Client(server.port, f"2001:db8:1:2::{number:x}")
            answer = client.app(f"nobody{number}", "not this one, never")
            client.close()
            statuses[answer.status] += 1
            return answer.status

        for number in range(1, 60):
            if guess(number) == 429:
                break
        audit = collections.Counter(line["event"] for line in site.sql.rows("SELECT event FROM audit"))
        statuses.clear()
        for number in range(1000, 1000 + chosen.requests):
            guess(number)
        after = collections.Counter(line["event"] for line in site.sql.rows("SELECT event FROM audit"))
        row("network", f"{chosen.requests} guesses of an IPv6 /64 that must wait: answers", dict(statuses))
        row("network", "rows of audit that they made", dict(after - audit) or 0)


def empty(binary, _):
    """Variables that are set to nothing, as compose does with ${X:-}."""
    with a_site(binary) as site:
        add_user(site, "agent")
        deployment = {"init_script_url": "https://desk.example.com/deskpro-messenger-init/web.js", "deskpro_url": "https://desk.example.com", "messenger_id": "1"}
        site.cli("messenger", "set", "default", "blocked=agent@example.com", *(f"{name}={value}" for name, value in deployment.items()), "ios_deskpro_url=https://desk.example.com", "ios_messenger_id=2")

        def issued(**more):
            done = site.try_cli("token", "issue", "agent", "--json", **more)
            return "a token" if '"token"' in done.output else "no token"

        row("empty", "a blocked agent, nothing set", issued())
        row("empty", "a blocked agent, COUNTERSIGN_BLOCKED=", issued(BLOCKED=""))
        for name in ("BLOCKED", "IOS_MESSENGER_ID"):
            done = site.try_cli("check", **{name: ""})
            lines = [line.strip() for line in done.said.splitlines() if name.lower() in line.lower() or "messenger" in line.lower()]
            row("empty", f"`check` with COUNTERSIGN_{name}=: status, lines about it", f"{done.status}: {' / '.join(lines)[:200]}")
            try:
                server = site.serve(**{name: ""})
            except RuntimeError as error:
                row("empty", f"server with COUNTERSIGN_{name}=", f"does not start: {str(error)[-200:]}")
                continue
            client = Client(server.port)
            row("empty", f"server with COUNTERSIGN_{name}=: /, /login, /readyz", ", ".join(str(client.ask("GET", path).status) for path in ("/", "/login", "/readyz")))


def origins(binary, _):
    """Headers that grow with the settings."""
    for number in (0, 100, 300):
        with a_site(binary, ALLOWED_ORIGINS=",".join(f"https://shop-number-{n}.example.com" for n in range(number)) or None) as site:
            server = site.serve()
            answer = Client(server.port).ask("GET", "/login")
            size = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
            row("origins", f"bytes of the headers of /login with {number} allowed origins", size)


def cookies(binary, _):
    """Two session cookies of one name."""
    with a_site(binary) as site:
        add_user(site, "ana")
        add_user(site, "mallory")
        server = site.serve()
        held = {}
        for login in ("ana", "mallory"):
            client = Client(server.port)
            client.sign_in(login)
            held[login] = client.cookies["countersign"]

        def who(header, path="/api/v1/token"):
            client = Client(server.port)
            answer = client.ask("GET", path, Origin=ORIGIN, Cookie=header)
            if path != "/api/v1/token":
                return f"{answer.status} {[login for login in held if login in answer.text]}"
            return f"200 {claims(answer.body['token'])['email']}" if answer.status == 200 else repr(answer)[:40]

        ana, mallory = held["ana"], held["mallory"]
        row("cookies", "mallory's before ana's: token route", who(f"countersign={mallory}; countersign={ana}"))
        row("cookies", "mallory's before ana's: /account", who(f"countersign={mallory}; countersign={ana}", "/account"))
        row("cookies", "ana's before mallory's: token route", who(f"countersign={ana}; countersign={mallory}"))
        row("cookies", "ana's twice: token route", who(f"countersign={ana}; countersign={ana}"))
        row("cookies", "nonsense before ana's: token route", who(f"countersign=nonsense; countersign={ana}"))
        row("cookies", "a Latin-1 byte in another cookie: token route", who(f"city=M\xfcnchen; countersign={ana}"))


BUSY_DISK = """
import os, sys
with open(sys.argv[1], "wb") as file:
    while True:
        file.seek(0)
        file.write(os.urandom(1 << 24))
        file.flush()
        os.fsync(file.fileno())
"""


def queue(binary, chosen):
    """More sign-ins than can be hashed, with a disk that is busy and with one that is not."""
    for is_busy in (False, True):
        with a_site(binary) as site:
            for number in range(16):
                add_user(site, f"user{number}")
            server = site.serve()
            writers = [subprocess.Popen([sys.executable, "-c", BUSY_DISK, site.folder / f"busy-{n}"]) for n in range(6 * is_busy)]
            try:
                refusals, rights, statuses, end = [], [], collections.Counter(), time.monotonic() + chosen.seconds

                def work(number):
                    client = Client(server.port)
                    while time.monotonic() < end:
                        client.address = f"10.{number}.{int(time.monotonic() * 1000) >> 8 & 255}.{int(time.monotonic() * 1000) & 255}"
                        begin = time.monotonic()
                        answer = client.app(f"user{number % 16}")
                        (refusals if answer.status == 503 else rights).append(time.monotonic() - begin)
                        statuses[answer.status] += 1

                together(*(lambda n=n: work(n) for n in range(128)))
                disk = "a busy disk" if is_busy else "an idle disk"
                row("queue", f"128 clients for {chosen.seconds} s, {disk}: answers", dict(statuses))
                row("queue", f"refusals, {disk}", quantiles(refusals))
                row("queue", f"others, {disk}", quantiles(rights))
            finally:
                for writer in writers:
                    writer.kill()
                    writer.wait()


def typos(binary, _):
    """One typo every five minutes from one address, all day; then everybody comes with the right password."""
    from clocks import Clock, add_users
    with a_site(binary) as site:
        people = [f"user{number}" for number in range(24)]
        add_users(site, people)
        clock = Clock(site.folder / "clock")
        server = site.serve(preload=clock.environment())
        statuses, client = collections.Counter(), Client(server.port, "192.0.2.7")
        for number in range(24 * 12):
            clock.set(number * 300)
            statuses[client.app(people[number % 24], "not this one, never").status] += 1
        row("typos", "288 typos of one address in a day: answers", dict(statuses))
        statuses.clear()
        for number, login in enumerate(people):
            clock.set(24 * 12 * 300 + number * 10)
            statuses[client.app(login).status] += 1
        row("typos", "then 24 right passwords in four minutes: answers", dict(statuses))


TRIALS = (stalled, slow, sign_ins, devices, network, empty, origins, cookies, queue, typos)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("binary")
    arguments.add_argument("--only", action="append", choices=[trial.__name__ for trial in TRIALS])
    arguments.add_argument("--clients", type=int, default=300)
    arguments.add_argument("--sign-ins", type=int, default=10_000)
    arguments.add_argument("--devices", type=int, default=50_000)
    arguments.add_argument("--requests", type=int, default=1000)
    arguments.add_argument("--seconds", type=int, default=15)
    chosen = arguments.parse_args()
    for trial in TRIALS:
        if chosen.only is None or trial.__name__ in chosen.only:
            try:
                trial(chosen.binary, chosen)
            except Exception as error:  # noqa: BLE001 - the other figures are wanted all the same
                row(trial.__name__, "BROKE", repr(error)[:200])
    return any(what == "BROKE" for _, what, _ in rows)


if __name__ == "__main__":
    sys.exit(main())
