"""What the benchmarks share: the program on a database of its own, and browsers for it."""

import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.parse

PASSWORD = "a load of four words"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def memory(pid, field):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(rf"{field}:\s+(\d+)", status.read())[1]) / 1024


def processor_time(pid):
    """Seconds that the process and its children that have ended have used the processor."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def children(pid):
    """The processes that a process has started."""
    found = subprocess.run(["pgrep", "-P", str(pid)], check=False, stdout=subprocess.PIPE, encoding="utf-8").stdout
    return list(map(int, found.split()))


DONE = """
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format("answers %d %d\\n", summary.requests, errors.status + errors.read + errors.write + errors.timeout + errors.connect))
end
"""


def load(url, processes, script, seconds, command=()):
    """wrk over 64 connections, its script ended by DONE: microseconds of the processes' time for each answer, and how many
    answers there were. `command` goes before it. Exits if one was an error."""
    before = sum(map(processor_time, processes))
    words = [*command, "wrk", "-t1", "-c64", f"-d{seconds}s", "-s", script, url]
    out = subprocess.run(words, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    answers, errors = map(int, re.search(r"answers (\d+) (\d+)", out).groups())
    if errors:
        raise SystemExit(f"{url}: {errors} of {answers} answers were errors\n{out}")
    return (sum(map(processor_time, processes)) - before) * 1e6 / answers, answers


class Client:
    """A browser: one connection, the cookies it was given, an address of its own."""

    def __init__(self, port, number):
        self.port, self.cookies = port, {}
        self.address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def cookie(self):
        """The header with its cookies."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def ask(self, method, path, form=None):
        headers = {"X-Forwarded-For": self.address}
        if self.cookies:
            headers["Cookie"] = self.cookie()
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer, text

    def sign_in(self, login, password):
        self.cookies = {}
        _, page = self.ask("GET", "/login")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        answer, _ = self.ask("POST", "/login", {"csrf_token": token, "login": login, "password": password, "next": ""})
        return answer

    def api(self, method, path, body=None):
        """The admin API: the status and what it answered."""
        headers = {"X-Countersign": "1", "Content-Type": "application/json", "Cookie": self.cookie()}
        self.connection.request(method, f"/api/v1/admin{path}", None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        return answer.status, json.loads(text) if text else None


class Program:
    """The product with a database and settings of its own."""

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        self.environment = {
            "PATH": os.environ["PATH"],
            "COUNTERSIGN_DATABASE_URL": f"sqlite:{self.folder.name}/load.db",
            "COUNTERSIGN_LISTEN": f"127.0.0.1:{self.port}",
            "COUNTERSIGN_SIGNING_KEY": "a key of the load test, long enough",
            "COUNTERSIGN_TRUSTED_PROXIES": "127.0.0.1",
            "COUNTERSIGN_LOG": "error",
        }
        self.server = None

    def run(self, *words, text=None):
        """A command: what it printed."""
        done = subprocess.run([self.binary, *words], env=self.environment, cwd=self.folder.name, input=text,
                              text=True, check=True, stdout=subprocess.PIPE)
        return done.stdout

    def file(self, name, text):
        path = f"{self.folder.name}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def add(self, login, *words):
        """A user who can sign in."""
        self.run("user", "add", login, *words)
        self.run("user", "set-password", login, text=PASSWORD + "\n")

    def start(self, *before):
        """Starts it; `before`: a command that starts its last words, such as taskset."""
        self.server = subprocess.Popen([*before, self.binary, "serve"], env=self.environment, cwd=self.folder.name)
        for _ in range(400):
            try:
                Client(self.port, 0).ask("GET", "/healthz")
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the server did not start")

    def kill(self):
        """As kill -9 does."""
        self.server.kill()
        self.server.wait()

    def stop(self):
        if self.server:
            self.server.terminate()
            self.server.wait(15)

    def signed_in(self, login, number=1):
        client = Client(self.port, number)
        assert client.sign_in(login, PASSWORD).status == 303, login
        return client


def p95(seconds):
    """Milliseconds."""
    return statistics.quantiles(seconds, n=20)[18] * 1000 if len(seconds) > 1 else float("nan")
