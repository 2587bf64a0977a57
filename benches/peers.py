"""What others need for a token: a bare actix-web server, and small programs in Go and JavaScript (`peers/`) that do the
same work. Each looks up session and user in SQLite, makes nine claims, signs them with HS256 and answers with JSON.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import sqlite3
import subprocess
import time
import urllib.parse

from program import free_port

PEERS = pathlib.Path(__file__).parent / "peers"
KEY = "a key of the load test, long enough"
FIELDS = ["email", "display_name", "first_name", "last_name", "timezone", "language", "plan", "member_since"]


def user(number):
    """What the table says about a user."""
    values = [f"user{number}@example.com", f"Ana {number}", "Ana", f"Kovač {number}", "Europe/Zagreb", "en", "gold", "2021-04-17"]
    return dict(zip(FIELDS, values))


def claims_of(number):
    """The nine claims about a user."""
    return {
        "email": f"user{number}@example.com",
        "name": f"Ana {number}",
        "first_name": "Ana",
        "last_name": f"Kovač {number}",
        "timezone": "Europe/Zagreb",
        "language_id": "1",
        "usergroup_ids": ["7", "9"],
        "labels": ["gold"],
        "fields": {"9": "17.04.2021"},
    }


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def ask(port, path, cookie):
    """Status, headers and text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    return answer.status, answer.getheaders(), answer.read().decode()


def check(name, token, number):
    """Fails unless the token is about this user, and signed with the key."""
    signed, _, signature = token.rpartition(".")
    right = hmac.new(KEY.encode(), signed.encode(), hashlib.sha256).digest()
    claims = json.loads(decoded(signed.split(".")[1]))
    times = claims.pop("exp") - claims.pop("iat")
    if decoded(signature) != right or claims != claims_of(number) or times != 660:
        raise SystemExit(f"{name}: another token for user{number}: {claims}")


class Server:
    """A server on processor 0: its processes, its path, and the cookies of its sessions."""

    def __init__(self, name, path, port, processes, cookies=("session=none",)):
        self.name, self.path, self.port, self.cookies = name, path, port, list(cookies)
        self.processes = processes

    def check(self, users, ended):
        """Fails unless 20 sessions get their own user's token, and a session that is over gets none."""
        for place in range(0, len(self.cookies), len(self.cookies) // 20):
            status, _, text = ask(self.port, self.path, self.cookies[place])
            found = text.split('eyJ', 1)[-1].split('"', 1)[0]
            if status != 200:
                raise SystemExit(f"{self.name}: {status} {text}")
            check(self.name, f"eyJ{found}", users[place])
        status, _, text = ask(self.port, self.path, ended)
        if status != 401:
            raise SystemExit(f"{self.name}: {status} for a session that is over: {text}")


def started(command, port, path):
    """A program on processor 0, once it answers."""
    program = subprocess.Popen(["taskset", "-c", "0", *command])
    for _ in range(200):
        try:
            ask(port, path, "session=none")
            return program
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{command[0]} does not answer")


def bare(name, binary, folder, path, headers, body):
    """The bare server with one answer: the process, and the server."""
    file = folder / f"{name}.answer"
    lines = [f"{header}: {value}" for header, value in headers if header not in ("content-length", "date")]
    file.write_text("\n".join(lines) + "\n\n" + body, encoding="utf-8")
    port = free_port()
    program = started([os.path.abspath(binary), f"127.0.0.1:{port}", str(file)], port, path)
    return program, Server(name, path, port, [program.pid])


def digest(id):
    return hashlib.sha256(id.encode()).hexdigest()


def database(folder, sessions, users):
    """The peers' database with a session for each of the numbers of users, and one that is over. Those who store what the
    browser has find it there, and those who store its digest, too."""
    file = folder / "peers.db"
    db = sqlite3.connect(file)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"CREATE TABLE users (id INTEGER PRIMARY KEY, {', '.join(f'{field} TEXT' for field in FIELDS)})")
    db.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY, user_id INTEGER NOT NULL, ends_at INTEGER NOT NULL)")
    rows = [(number, *user(number).values()) for number in range(users)]
    db.executemany(f"INSERT INTO users VALUES (?{', ?' * len(FIELDS)})", rows)
    ends_at = int(time.time()) + 86_400
    rows = [(id, number, ends_at) for id, number in [*sessions, *((digest(id), number) for id, number in sessions)]]
    rows += [(id, 1, ends_at - 90_000) for id in ("over", digest("over"))]
    db.executemany("INSERT INTO sessions VALUES (?, ?, ?)", rows)
    db.commit()
    db.close()
    return file


def signed_cookie(id):
    """The cookie of express-session."""
    signature = base64.b64encode(hmac.new(KEY.encode(), id.encode(), hashlib.sha256).digest()).decode().rstrip("=")
    return f"session={urllib.parse.quote(f's:{id}.{signature}', safe='')}"


def peers(folder, users):
    """The programs in `peers/` with a session for each of the numbers of users: each process with its server."""
    sessions = [(base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("="), number) for number in users]
    file = str(database(folder, sessions, max(users) + 1))
    plain, over = [f"session={id}" for id, _ in sessions], "session=over"
    go = folder / "peer"
    gopath = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(folder / "go")}
    subprocess.run(["go", "build", "-o", str(go), str(PEERS / "peer.go")], env=gopath, check=True)
    for name, command, cookies, ended in [
        ("Go net/http, golang-jwt", [str(go), "127.0.0.1:{}"], plain, over),
        ("Fastify, HMAC by hand", ["node", str(PEERS / "fastify.js"), "{}"], plain, over),
        ("Express, jsonwebtoken", ["node", str(PEERS / "express.js"), "{}"], [signed_cookie(id) for id, _ in sessions],
         signed_cookie("over")),
    ]:
        port = free_port()
        words = [word.format(port) for word in command]
        program = started([*words, file, KEY], port, "/token")
        server = Server(name, "/token", port, [program.pid], cookies)
        yield program, server
        server.check(users, ended)
