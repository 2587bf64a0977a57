#!/usr/bin/env python3
"""What a token costs: processor time of the server for each answer, beside a bare actix-web server.

Starts the given binary on SQLite with 1,000 users and as many sessions, and the example `bare`, which sends the same
bytes and headers and does nothing else. wrk (Debian: wrk) asks each of them in turn over 64 connections, with another
session for each request. The processor time is what the kernel counts for the server's process.

    cargo build --release && cargo build --release --example bare
    benches/token_load.py target/release/countersign target/release/examples/bare [rounds] [seconds]

Prints a line for each target: microseconds of processor time for each request (the median of the rounds, and their
spread), and the ratio to the bare server, formed round by round. Fails (exit 1) if an answer is not 200.
"""

import http.client
import json
import os
import re
import statistics
import subprocess
import sys

from program import PASSWORD, Client, Program, free_port

BINARY, BARE = sys.argv[1:3]
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
SECONDS = int(sys.argv[4]) if len(sys.argv) > 4 else 3
SESSIONS, USERS = 1000, 50

RULES = [
    {"claim": "email", "from": {"attribute": "email"}},
    {"claim": "name", "from": {"text": ["{display_name}", "{first_name} {last_name}"]}},
    {"claim": "first_name", "from": {"attribute": "first_name"}},
    {"claim": "last_name", "from": {"attribute": "last_name"}},
    {"claim": "timezone", "from": {"attribute": "timezone"}, "missing": {"default": "UTC"}},
    {"claim": "language_id", "from": {"attribute": "language"}, "steps": [{"lookup": {"values": {"en": "1", "de": "2"}}}]},
    {"claim": "usergroup_ids", "from": {"attribute": "plan"}, "steps": [{"lookup": {"values": {"gold": "7", "silver": "8"}}}]},
    {"claim": "usergroup_ids", "from": {"constant": "9"}},
    {"claim": "labels", "from": {"attribute": "plan"}},
    {"claim": "fields.9", "from": {"attribute": "member_since"}, "steps": [{"date": {"in": "%Y-%m-%d", "out": "%d.%m.%Y"}}]},
]

LUA = """
local cookies = {%s}
local n = 0
request = function()
  n = n %% #cookies + 1
  return wrk.format("GET", nil, {["Cookie"] = cookies[n]})
end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format("answers %%d %%d\\n", summary.requests, errors.status + errors.read + errors.write + errors.timeout + errors.connect))
end
"""


def processor_time(pid):
    """Seconds that the process has used the processor."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(pid, port, path, script, seconds):
    """Microseconds of the server's processor time for each request."""
    before = processor_time(pid)
    command = ["taskset", "-c", "1", "wrk", "-t1", "-c64", f"-d{seconds}s", "-s", script, f"http://127.0.0.1:{port}{path}"]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    answers, errors = map(int, re.search(r"answers (\d+) (\d+)", out).groups())
    if errors:
        sys.exit(f"{errors} of {answers} answers were errors\n{out}")
    return (processor_time(pid) - before) * 1e6 / answers, answers / seconds


def ask(port, path, cookie):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    body = answer.read().decode()
    assert answer.status == 200 and body.count("eyJ0eXAi") == 1, body
    return [(name, value) for name, value in answer.getheaders() if name not in ("content-length", "date")], body


def sessions(program):
    """The cookies of the sessions."""
    cookies = []
    for number in range(SESSIONS):
        client = Client(program.port, number)
        assert client.sign_in(f"user{number % USERS}", PASSWORD).status == 303
        cookies.append("; ".join(f"{name}={value}" for name, value in client.cookies.items() if name.endswith("countersign")))
    return cookies


def start_bare(program, path, cookie):
    """The bare server, with one answer of the product."""
    headers, body = ask(program.port, path, cookie)
    file = program.file(f"answer{path.replace('/', '_')}", "\n".join(f"{name}: {value}" for name, value in headers) + "\n\n" + body)
    port = free_port()
    bare = subprocess.Popen(["taskset", "-c", "0", os.path.abspath(BARE), f"127.0.0.1:{port}", file])
    for _ in range(100):
        try:
            ask(port, path, cookie)
            return bare, port, len(body)
        except OSError:
            subprocess.run(["sleep", "0.05"], check=True)
    sys.exit("the bare server does not answer")


def main():
    program = Program(BINARY)
    program.environment["COUNTERSIGN_TOKEN_REQUESTS"] = "1000000"
    program.environment["COUNTERSIGN_LOG"] = "warn"
    desk = "https://desk.example.com/deskpro-messenger"
    program.environment["COUNTERSIGN_INIT_SCRIPT_URL"] = f"{desk}-init/web.js"
    program.environment["COUNTERSIGN_DESKPRO_URL"] = f"{desk}/00000000-0000-0000-0000-000000000000"
    program.environment["COUNTERSIGN_MESSENGER_ID"] = "01HGFZRNX7M9S4PX2G3RIA8S0C"
    names = "login,email,email_verified,display_name,first_name,last_name,timezone,language,plan,member_since\n"
    rows = "".join(
        f"user{n},user{n}@example.com,true,Ana {n},Ana,Kovač {n},Europe/Zagreb,en,gold,2021-04-17\n" for n in range(1000)
    )
    program.run("user", "import", program.file("users.csv", names + rows))
    program.run("mapping", "apply", program.file("mapping.json", json.dumps({"rules": RULES})))
    for n in range(USERS):
        program.run("user", "set-password", f"user{n}", text=PASSWORD + "\n")
    program.start()
    bare = []
    try:
        subprocess.run(["taskset", "-acp", "0", str(program.server.pid)], check=True, stdout=subprocess.DEVNULL)
        cookies = sessions(program)
        script = program.file("sessions.lua", LUA % ",".join(json.dumps(cookie) for cookie in cookies))
        pairs = []
        for path in ("/api/v1/token", "/"):
            server, port, size = start_bare(program, path, cookies[0])
            bare.append(server)
            pairs.append((path, server.pid, port, size))
        figures = {}
        for number in range(ROUNDS + 1):
            for path, pid, port, _ in pairs:
                one = load(pid, port, path, script, SECONDS)
                other = load(program.server.pid, program.port, path, script, SECONDS)
                # The first round only warms up.
                if number:
                    figures.setdefault(path, []).append((one, other))
        for path, _, _, size in pairs:
            rounds = figures[path]
            of_bare = [one[0] for one, _ in rounds]
            of_ours = [other[0] for _, other in rounds]
            ratios = [one[0] / other[0] for one, other in rounds]
            print(f"{path} ({size} bytes)")
            for name, values in (("bare", of_bare), ("countersign", of_ours)):
                print(f"  {name:12} {statistics.median(values):7.1f} µs ({min(values):.1f} to {max(values):.1f})")
            print(f"  ratio        {statistics.median(ratios):7.3f}    ({min(ratios):.3f} to {max(ratios):.3f})")
    finally:
        for server in bare:
            server.terminate()
        program.stop()


if __name__ == "__main__":
    main()
