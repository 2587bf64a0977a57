"""What the trials share: a PostgreSQL of their own, the program with a database and servers, clients, and a report.

Every process that is started here is ended here, also when this one gets a signal. The trials know only what the
program prints and answers, and the names of the columns that they read afterwards.
"""

import contextlib
import http.client
import itertools
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.parse

PASSWORD = "a load of four words"
# The same password with the Argon2id parameters of years ago: it is hashed again at the next sign-in.
OUTDATED = "$argon2id$v=19$m=4096,t=1,p=1$YW4gb2xkIHNhbHQgMTYgYg$3kyjH8NGuhGMAFMzb6LjDGtSg3465O4kqu07OY4/IDE"
KEY = "the signing key of the trials, long enough for everybody"
ORIGIN = "https://www.example.com"


STARTED, FOLDERS = [], []


def end_everything(*_):
    """On a signal: ends every process and removes every folder."""
    for process in STARTED:
        if process.poll() is None:
            process.terminate()
    time.sleep(0.5)
    for process in STARTED:
        if process.poll() is None:
            process.kill()
    for folder in FOLDERS:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, end_everything)
    signal.signal(signal.SIGINT, end_everything)


class Report:
    """Counts what held, and prints what did not, each kind of finding a few times."""

    def __init__(self, most=4):
        self.passed, self.failed, self.most = 0, 0, most
        self.kinds, self.lock = {}, threading.Lock()

    def check(self, kind, is_right, finding="", more=""):
        """One point. Of the findings of one kind only the first few are printed; the rest is counted. A finding is one
        line; `more` may be several."""
        with self.lock:
            if is_right:
                self.passed += 1
                return True
            self.failed += 1
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            if self.kinds[kind] <= self.most:
                line = " ".join(str(finding).split())[:400] if isinstance(finding, (Answer, str)) else str(finding)[:400]
                print(f"FAILED {kind}: {line}{more}", flush=True)
            return False

    def say(self, text):
        with self.lock:
            print(text, flush=True)

    def end(self):
        """Prints the sums; the exit status."""
        for kind, number in self.kinds.items():
            if number > self.most:
                print(f"FAILED {kind}: {number} times in all")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


def binaries():
    """Where initdb and postgres are: Debian keeps them out of PATH."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return found[-1].parent if found else pathlib.Path(shutil.which("initdb") or "initdb").parent


class Postgres:
    """A server of our own on a socket in a temporary folder, as a user who is not root."""

    def __init__(self, *settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="countersign-trials-pg-"))
        FOLDERS.append(self.folder)
        self.as_user, self.numbers = [], itertools.count()
        if os.getuid() == 0:
            self.as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
            shutil.chown(self.folder, "postgres", "postgres")
        self.bin, data = binaries(), self.folder / "db"
        initdb = [self.bin / "initdb", "-D", data, "-U", "countersign", "-A", "trust", "-E", "UTF8",
                  "--locale=C.UTF-8", "--no-sync"]
        subprocess.run([*self.as_user, *initdb], cwd="/", stdout=subprocess.DEVNULL, check=True)
        options = ["listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=200",
                   "shared_buffers=64MB", "unix_socket_permissions=0777", *settings]
        server = [self.bin / "postgres", "-D", data, "-k", self.folder]
        server += [word for option in options for word in ("-c", option)]
        with open(self.folder / "log", "w", encoding="utf-8") as log:
            self.server = subprocess.Popen([*self.as_user, *server], cwd="/", stdout=log, stderr=log)
        STARTED.append(self.server)
        ready = [self.bin / "pg_isready", "-q", "-h", self.folder, "-U", "countersign"]
        for _ in range(600):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.05)
        self.close()
        raise RuntimeError("PostgreSQL does not start")

    def database(self):
        """A new, empty database: its name."""
        name = f"trial_{next(self.numbers)}"
        words = [self.bin / "psql", "-q", "-h", self.folder, "-U", "countersign", "-d", "postgres"]
        subprocess.run([*words, "-c", f"CREATE DATABASE {name}"], check=True)
        return name

    def url(self, name):
        return f"postgres://countersign@{str(self.folder).replace('/', '%2F')}/{name}"

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def close(self):
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Psql:
    """One psql that stays: rows of a statement, as dicts."""

    def __init__(self, postgres, name):
        words = [postgres.bin / "psql", "-qAtX", "-v", "ON_ERROR_STOP=0", "-h", postgres.folder, "-U", "countersign", "-d", name]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        self.lock = threading.Lock()

    def rows(self, statement):
        is_query = statement.lstrip().upper().startswith("SELECT")
        if is_query:
            statement = f"SELECT row_to_json(found) FROM ({statement}) AS found"
        with self.lock:
            self.process.stdin.write(f"{statement};\n\\echo ---\n")
            self.process.stdin.flush()
            lines = list(itertools.takewhile(lambda line: line != "---\n", iter(self.process.stdout.readline, "")))
        if any(line.startswith(("ERROR", "FATAL")) for line in lines):
            raise RuntimeError("".join(lines))
        return [json.loads(line) for line in lines] if is_query else []

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Sqlite:
    """The same for a file."""

    def __init__(self, path):
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=20)
        self.connection.row_factory = sqlite3.Row
        self.lock = threading.Lock()

    def rows(self, statement):
        with self.lock:
            return [dict(row) for row in self.connection.execute(statement).fetchall()]

    def close(self):
        self.connection.close()


class Done:
    """What a command ended with."""

    def __init__(self, words, status, output, errors):
        self.words, self.status, self.output, self.errors = words, status, output, errors

    @property
    def objects(self):
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]

    @property
    def said(self):
        return f"{self.output}{self.errors}".strip()


class Site:
    """The product with a database and settings of its own, and as many servers as asked for."""

    def __init__(self, binary, postgres=None, preload=None, **settings):
        self.binary = os.path.abspath(binary)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="countersign-trials-"))
        FOLDERS.append(self.folder)
        self.is_postgres = postgres is not None
        self.database = "PostgreSQL" if postgres else "SQLite"
        self.name = None
        if postgres:
            self.name = postgres.database()
            url = postgres.url(self.name)
        else:
            url = f"sqlite:{self.folder / 'trial.db'}"
        base = {"DATABASE_URL": url, "MASTER_KEY": secrets.token_hex(32), "LISTEN": "127.0.0.1:0", "SIGNING_KEY": KEY,
                "TRUSTED_PROXIES": "127.0.0.1", "ALLOWED_ORIGINS": ORIGIN, "LOG": "info",
                "API_KEY_REQUESTS": "1000000", "TOKEN_REQUESTS": "1000000"}
        self.settings = {name: value for name, value in (base | settings).items() if value is not None}
        self.preload = preload or {}
        self.servers, self.files = [], itertools.count()
        self.cli("attribute", "list")  # Makes the database.
        self.sql = Psql(postgres, self.name) if postgres else Sqlite(self.folder / "trial.db")

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
        own = {f"COUNTERSIGN_{name}": value for name, value in (self.settings | more).items() if value is not None}
        return kept | {"HOME": str(self.folder)} | self.preload | own

    def start_cli(self, *words, **more):
        """A command that runs beside others; `finish` waits for it."""
        words = [self.binary, *map(str, words)]
        return subprocess.Popen(words, env=self.environment(**more), cwd=self.folder, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")

    @staticmethod
    def finish(process, typed="", timeout=120):
        output, errors = process.communicate(typed, timeout=timeout)
        return Done(process.args[1:], process.returncode, output, errors)

    def try_cli(self, *words, typed="", **more):
        return self.finish(self.start_cli(*words, **more), typed)

    def cli(self, *words, typed="", **more):
        """A command that must succeed: the objects that it printed."""
        done = self.try_cli("--json", *words, typed=typed, **more)
        if done.status != 0:
            raise RuntimeError(f"{words}: {done.said}")
        return done.objects

    def option(self, *words):
        """What a command's help calls its last word, a pattern; None where this version does not know it."""
        done = self.try_cli(*words[:-1], "--help")
        found = re.search(rf"(?:^|\s)({words[-1]})(?![\w-])", done.output) if done.status == 0 else None
        return found[1] if found else None

    def file(self, text, name=None):
        path = self.folder / (name or f"file-{next(self.files)}.csv")
        path.write_text(text, encoding="utf-8")
        return path

    def api_key(self, *words, scopes="users,mint,handovers"):
        return self.cli("api-key", "create", "trial", "--scope", scopes, *words)[0]

    def serve(self, preload=None, **more):
        """Starts a server: its port is known when this returns."""
        number = len(self.servers)
        log = self.folder / f"server-{number}.log"
        with open(log, "w", encoding="utf-8") as out:
            environment = self.environment(**more) | (preload or {})
            process = subprocess.Popen([self.binary, "serve"], env=environment, cwd=self.folder, stdout=out, stderr=out)
        self.servers.append(process)
        STARTED.append(process)
        process.log = log
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            found = re.search(r"listening on (?:http://)?[\d.]+:(\d+)", log.read_text(errors="replace"))
            if found:
                process.port = int(found[1])
                return process
            time.sleep(0.02)
        raise RuntimeError(f"the server did not start:\n{log.read_text()}")

    def logs(self):
        return "".join(server.log.read_text(errors="replace") for server in self.servers)

    def close(self):
        for server in self.servers:
            if server.poll() is None:
                server.terminate()
        for server in self.servers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(15)
            if server.poll() is None:
                server.kill()
                server.wait()
        if hasattr(self, "sql"):
            self.sql.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Answer:
    """A status, headers, and the body: JSON where it is some."""

    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text
        self.body = None
        if "json" in (headers.get("Content-Type") or ""):
            with contextlib.suppress(ValueError):
                self.body = json.loads(text)

    @property
    def code(self):
        return self.body.get("code") if isinstance(self.body, dict) else None

    def __repr__(self):
        return f"{self.status} {self.code or ''} {self.text[:200]}".strip()


class Client:
    """One connection that stays, the cookies it was given, an address of its own behind the trusted proxy."""

    numbers = itertools.count(1)

    def __init__(self, port, address=None, bearer=None):
        number = next(self.numbers)
        self.port, self.cookies, self.bearer = port, {}, bearer
        self.address = address or f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        self.connection = None

    def ask(self, method, path, body=None, form=None, **headers):
        """Asks; a connection that was closed meanwhile is opened again, once."""
        sent = {"X-Forwarded-For": self.address} | {name.replace("_", "-"): value for name, value in headers.items()}
        if self.bearer:
            sent["Authorization"] = f"Bearer {self.bearer}"
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        data = None
        if form is not None:
            data, sent["Content-Type"] = urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        for is_last in (False, True):
            is_new = self.connection is None
            if is_new:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                self.connection.request(method, path, data, sent)
                answer = self.connection.getresponse()
                text = answer.read().decode("utf-8", "replace")
                break
            except (OSError, http.client.HTTPException):
                self.close()
                if is_last or is_new:
                    raise
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return Answer(answer.status, answer.headers, text)

    def sign_in(self, login, password=PASSWORD):
        """By the form of the page, as a browser."""
        page = self.ask("GET", "/login")
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        token = found[1] if found else ""
        return self.ask("POST", "/login", form={"csrf_token": token, "login": login, "password": password, "next": ""})

    def app(self, login, password=PASSWORD):
        """By password, as an app."""
        return self.ask("POST", "/api/v1/devices", {"login": login, "password": password, "name": "phone", "platform": "ios"})

    def swap(self, code):
        """A code for a device."""
        return self.ask("POST", "/api/v1/devices", {"code": code, "name": "phone", "platform": "ios"})

    def swap_page(self, code):
        """A code for a session, as a page of the allowed origin."""
        return self.ask("POST", "/api/v1/session", {"code": code}, Origin=ORIGIN, X_Countersign="1")

    def token(self):
        return self.ask("GET", "/api/v1/token", Origin=ORIGIN)

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


def claims(token):
    """What is in a token, without asking for the signature."""
    import base64
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def csv_line(cells):
    quoted = ['"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in '",\r\n') else cell for cell in cells]
    return ",".join(quoted) + "\n"


def together(*works):
    """Runs functions at once, waits for all of them, and raises what one of them raised."""
    errors = []

    def run(work):
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
