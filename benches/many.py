#!/usr/bin/env python3
"""What a token costs with many users, and how much memory many sessions take.

    benches/many.py target/release/countersign [--sizes 1000,100000,1000000] [--seconds 3]

For each size a new SQLite database with so many users, each signed in on one device. Prints the processor time of a token
that is the first of its device and of one that is remembered, with ratios to the smallest size; then the memory of a server
whose devices all asked. Fails (exit 1) if an answer is not 200, or if the memory for tokens grows beyond its limit.
Needs wrk.
"""

import argparse
import hashlib
import re
import sqlite3
import sys
import time
import urllib.request

from program import DONE, Program, free_port, load, memory

LIMIT = 64
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
    return load(f"http://127.0.0.1:{program.port}/api/v1/token", [program.server.pid], script, seconds)


def metric(program, name):
    text = urllib.request.urlopen(f"http://{program.environment['COUNTERSIGN_METRICS_LISTEN']}/metrics").read().decode()
    return float(re.search(rf"^{re.escape(name)} (.+)$", text, re.M)[1])


def prepared(binary, users):
    """A database with so many users and devices, and the file of their tokens."""
    program = Program(binary)
    program.environment |= {
        "COUNTERSIGN_TOKEN_REQUESTS": "1000000",
        "COUNTERSIGN_LOG": "error",
        "COUNTERSIGN_TOKEN_CACHE": str(LIMIT),
        "COUNTERSIGN_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
    }
    path = program.file("users.csv", "login,email,email_verified,display_name\n")
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(f"user{n},user{n}@example.com,true,Ana {n}\n" for n in range(users))
    program.run("user", "import", path)
    now = int(time.time())
    db = sqlite3.connect(f"{program.folder.name}/load.db")
    ids = [id for (id,) in db.execute("SELECT id FROM users WHERE email IS NOT NULL")]
    tokens = [f"device_{hashlib.sha256(str(n).encode()).hexdigest()[:43]}" for n in range(len(ids))]
    rows = ((f"device-{n}", hashlib.sha256(token.encode()).hexdigest(), id, now, now) for n, (id, token) in enumerate(zip(ids, tokens)))
    db.executemany(
        "INSERT INTO devices (id, digest, user_id, name, platform, created_at, used_at, address, messenger_id, key_id) "
        "VALUES (?, ?, ?, 'a phone', 'ios', ?, ?, '', '', '')",
        rows,
    )
    db.commit()
    db.close()
    return program, tokens


def script(program, name, tokens):
    return program.file(f"{name}.lua", LUA % program.file(f"{name}.txt", "\n".join(tokens) + "\n") + DONE)


def main():
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("binary")
    read.add_argument("--sizes", default="1000,100000,1000000")
    read.add_argument("--seconds", type=int, default=3)
    asked = read.parse_args()
    first = None
    print("| users and devices | first token | remembered | ratio to the smallest: first, remembered | memory, all asked |\n|---|---|---|---|---|")
    for users in map(int, asked.sizes.split(",")):
        program, tokens = prepared(asked.binary, users)
        # Far apart, so that the pages of the database are not the same.
        some = tokens[:: max(1, len(tokens) // 5000)][:5000]
        few, all_of_them = script(program, "few", some), script(program, "all", tokens[:200_000])
        try:
            # So little that each is forgotten before its next turn.
            program.environment["COUNTERSIGN_TOKEN_CACHE"] = "1"
            program.start()
            runs = sorted(ask(program, few, asked.seconds) for _ in range(5))
            uncached = runs[2][0]
            # Each run begins with the same tokens.
            if metric(program, "countersign_token_cache_hits_total") > 0.02 * sum(answers for _, answers in runs):
                sys.exit("many tokens were remembered that should not have been")
            program.stop()
            program.environment["COUNTERSIGN_TOKEN_CACHE"] = str(LIMIT)
            program.start()
            idle = memory(program.server.pid, "VmRSS")
            ask(program, few, asked.seconds)
            cached = sorted(ask(program, few, asked.seconds)[0] for _ in range(5))[2]
            answers = 0
            while answers < min(users, 200_000) * 1.2:
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
            f"| {users:,} | {uncached:.1f} µs | {cached:.1f} µs | {uncached / first[0]:.2f}, {cached / first[1]:.2f} "
            f"| {used:.0f} MiB for tokens, {absent:,.0f} were not there; {peak:.0f} MiB in all, idle {idle:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
