#!/usr/bin/env python3
"""What a token costs with many users, how much memory many sessions take, and how long the program takes to start.

    benches/many.py target/release/countersign [--sizes 1000,100000,1000000] [--seconds 3] [--database sqlite|postgres]

For each size a new database with so many users, each signed in on one device (on several, if there are fewer than
10,000). Prints the time from the start to the first
answer; the processor time (on PostgreSQL, its own included) of a token that is the first of its device and of one that is
remembered, with ratios to the smallest size; then the memory of a server whose devices all asked. Fails (exit 1) if an
answer is not 200, or if the memory for tokens grows beyond its limit. Needs wrk.
"""

import argparse
import contextlib
import hashlib
import itertools
import pathlib
import re
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request

from program import DONE, Program, children, free_port, load, memory

sys.path.append(str(pathlib.Path(__file__).parent.parent / "tests" / "trials"))
from trial import Postgres, Psql  # noqa: E402

LIMIT = 64
DEVICES = "INSERT INTO devices (id, digest, user_id, name, platform, created_at, used_at, address, messenger_id, key_id)"
LUA = """
local tokens = {}
for line in io.lines("%s") do tokens[#tokens + 1] = line end
local n = 0
request = function()
  n = n %% #tokens + 1
  return wrk.format("GET", nil, {["Authorization"] = "Bearer " .. tokens[n]})
end
"""


def ask(program, script, seconds):
    """Microseconds of processor time for each answer, and how many answers there were."""
    processes = [program.server.pid]
    if program.postgres:
        processes += [program.postgres.server.pid, *children(program.postgres.server.pid)]
    return load(f"http://127.0.0.1:{program.port}/api/v1/token", processes, script, seconds)


def start(program):
    """Starts it, and returns how many milliseconds that took."""
    begin = time.monotonic()
    program.server = subprocess.Popen([program.binary, "serve"], env=program.environment, cwd=program.folder.name)
    while True:
        try:
            with socket.create_connection(("127.0.0.1", program.port)) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert b" 200 " in connection.recv(1000)
            return (time.monotonic() - begin) * 1000
        except ConnectionRefusedError:
            time.sleep(0.0002)


def metric(program, name):
    text = urllib.request.urlopen(f"http://{program.environment['COUNTERSIGN_METRICS_LISTEN']}/metrics").read().decode()
    return float(re.search(rf"^{re.escape(name)} (.+)$", text, re.M)[1])


def prepared(binary, users, postgres):
    """A database with this many users and devices, and the tokens of the devices."""
    program = Program(binary)
    program.postgres = postgres
    if postgres:
        name = postgres.database()
        program.environment |= {"COUNTERSIGN_DATABASE_URL": postgres.url(name), "COUNTERSIGN_MASTER_KEY": "5a17" * 16}
    program.environment |= {
        "COUNTERSIGN_TOKEN_REQUESTS": "1000000",
        "COUNTERSIGN_LOG": "error",
        "COUNTERSIGN_TOKEN_CACHE": str(LIMIT),
        "COUNTERSIGN_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
    }
    path = program.file("users.csv", "login,email,email_verified,display_name\n")
    with open(path, "a", encoding="utf-8") as file:
        imported = min(users, 1_000) if postgres else users
        file.writelines(f"user{n},user{n}@example.com,true,Ana {n}\n" for n in range(imported))
    program.run("user", "import", path)
    # More than fit into 1 MiB.
    devices = max(users, 10_000)
    tokens = [f"device_{hashlib.sha256(str(n).encode()).hexdigest()[:43]}" for n in range(devices)]
    if postgres:
        psql = Psql(postgres, name)
        multiply(psql, users // imported)
        now = int(time.time())
        psql.rows(
            f"{DEVICES} SELECT 'device-' || d, encode(sha256(('device_' || left(encode(sha256(d::text::bytea), 'hex'), 43))::bytea), 'hex'), "
            f"id, 'a phone', 'ios', {now}, {now}, '', '', '' "
            "FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM users WHERE email IS NOT NULL) AS numbered "
            f"JOIN generate_series(0, {devices - 1}) AS d ON n = d % {users}"
        )
        psql.rows("VACUUM ANALYZE")
        psql.close()
        return program, tokens
    now = int(time.time())
    db = sqlite3.connect(f"{program.folder.name}/load.db")
    ids = [id for (id,) in db.execute("SELECT id FROM users WHERE email IS NOT NULL")]
    rows = ((f"device-{n}", hashlib.sha256(token.encode()).hexdigest(), id, now, now) for n, (id, token) in enumerate(zip(itertools.cycle(ids), tokens)))
    db.executemany(
        f"{DEVICES} VALUES (?, ?, ?, 'a phone', 'ios', ?, ?, '', '', '')",
        rows,
    )
    db.commit()
    db.close()
    return program, tokens


def multiply(psql, times):
    """Copies the users; only what must be unique differs. To import a million takes too long."""
    columns = [row["column_name"] for row in psql.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'users'")]
    different = {"id", "login", "email", "email_key"}
    values = [f"n || '-' || {column}" if column in different else column for column in columns]
    psql.rows(f"INSERT INTO users ({', '.join(columns)}) SELECT {', '.join(values)} FROM users CROSS JOIN generate_series(2, {times}) AS n")


def script(program, name, tokens):
    return program.file(f"{name}.lua", LUA % program.file(f"{name}.txt", "\n".join(tokens) + "\n") + DONE)


def main():
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("binary")
    read.add_argument("--sizes", default="1000,100000,1000000")
    read.add_argument("--seconds", type=int, default=3)
    read.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    asked = read.parse_args()
    with contextlib.ExitStack() as running:
        postgres = None
        if asked.database == "postgres":
            postgres = Postgres()
            running.callback(postgres.close)
        measure(asked, postgres)


def measure(asked, postgres):
    first = None
    print("| users and devices | start | first token | remembered | ratio to the smallest: first, remembered | memory, all asked |\n|---|---|---|---|---|---|")
    for users in map(int, asked.sizes.split(",")):
        program, tokens = prepared(asked.binary, users, postgres)
        # Far apart, so that the pages of the database are not the same.
        some = tokens[:: len(tokens) // 10_000][:10_000]
        few, all_of_them = script(program, "few", some), script(program, "all", tokens[:200_000])
        try:
            # So little that each is forgotten before its next turn.
            program.environment["COUNTERSIGN_TOKEN_CACHE"] = "1"
            start(program)
            # Opens the connections of PostgreSQL, whose processes are counted.
            ask(program, few, 1)
            runs = sorted(ask(program, few, asked.seconds) for _ in range(5))
            uncached = runs[2][0]
            # Each run begins with the same tokens.
            if metric(program, "countersign_token_cache_hits_total") > 0.02 * sum(answers for _, answers in runs):
                sys.exit("many tokens were remembered that should not have been")
            program.stop()
            program.environment["COUNTERSIGN_TOKEN_CACHE"] = str(LIMIT)
            starts = []
            for _ in range(5):
                starts.append(start(program))
                program.stop()
            start(program)
            idle = memory(program.server.pid, "VmRSS")
            ask(program, few, asked.seconds)
            cached = sorted(ask(program, few, asked.seconds)[0] for _ in range(5))[2]
            answers = 0
            while answers < min(len(tokens), 200_000) * 1.2:
                answers += ask(program, all_of_them, 10)[1]
            used = metric(program, "countersign_token_cache_bytes") / 2**20
            absent = metric(program, 'countersign_token_cache_misses_total{reason="absent"}')
            peak = memory(program.server.pid, "VmHWM")
            if used > LIMIT:
                sys.exit(f"{used:.0f} MiB for tokens, and {LIMIT} are allowed")
        finally:
            program.stop()
        first = first or (uncached, cached)
        print(
            f"| {users:,} | {sorted(starts)[2]:.1f} ms | {uncached:.1f} µs | {cached:.1f} µs | {uncached / first[0]:.2f}, {cached / first[1]:.2f} "
            f"| {used:.0f} MiB for tokens, {absent:,.0f} were not there; {peak:.0f} MiB in all, idle {idle:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
