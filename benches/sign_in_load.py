#!/usr/bin/env python3
"""Many clients sign in at once: what they are answered, and what it costs.

Starts the given binary on SQLite with 20 users, lets 128 clients sign in for 20 seconds (half of
them with a wrong password now and then, each from a network of its own behind a trusted proxy),
and watches /healthz, /api/v1/token of somebody who is signed in, and the server's memory.

    benches/sign_in_load.py target/release/countersign [seconds] [clients]

Fails (exit 1) when an answer is not one of 303, 401, 429, 503, when a refusal has no Retry-After, or
when memory rises above idle + permits * 19 MiB + 150 MiB. Times are printed, not judged.
"""

import collections
import http.client
import os
import random
import sys
import threading
import time

from program import PASSWORD, Client, Program, memory, p95

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 20
CLIENTS = int(sys.argv[3]) if len(sys.argv) > 3 else 128


def main():
    program = Program(sys.argv[1])
    rows = "".join(f"user{n},user{n}@example.com,true\n" for n in range(20))
    program.run("user", "import", program.file("users.csv", "login,email,email_verified\n" + rows))
    for n in range(20):
        program.run("user", "set-password", f"user{n}", text=PASSWORD + "\n")
    program.start()
    try:
        measure(program.server.pid, program.port)
    finally:
        program.stop()


def measure(pid, port):
    watcher = Client(port, 0)
    assert watcher.sign_in("user0", PASSWORD).status == 303
    idle = memory(pid, "VmRSS")
    statuses, missing, refusals = collections.Counter(), [0], []
    lock, end = threading.Lock(), time.monotonic() + SECONDS

    def client(number):
        random.seed(number)
        browser = Client(port, number)
        while time.monotonic() < end:
            password = PASSWORD if random.random() < 0.7 else "a wrong guess at it"
            # Networks of their own, so that the limits do not hide the hashing.
            browser.address = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"
            begin = time.monotonic()
            try:
                answer = browser.sign_in(f"user{random.randrange(20)}", password)
            except (OSError, http.client.HTTPException) as error:
                with lock:
                    statuses[type(error).__name__] += 1
                browser = Client(port, number)
                continue
            with lock:
                statuses[answer.status] += 1
                if answer.status in (429, 503):
                    refusals.append(time.monotonic() - begin)
                    missing[0] += answer.headers.get("Retry-After") is None

    health, tokens = [], []

    def watch(path, times, cookies):
        browser = Client(port, 1)
        browser.cookies = cookies
        while time.monotonic() < end:
            begin = time.monotonic()
            answer, _ = browser.ask("GET", path)
            assert answer.status == 200, (path, answer.status)
            times.append(time.monotonic() - begin)
            time.sleep(0.05)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(2, CLIENTS + 2)]
    threads += [threading.Thread(target=watch, args=("/healthz", health, {})),
                threading.Thread(target=watch, args=("/api/v1/token", tokens, dict(watcher.cookies)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    peak, permits = memory(pid, "VmHWM"), max(1, os.cpu_count() - 1)
    bound = idle + permits * 19 + 150
    print(f"{CLIENTS} clients for {SECONDS:.0f} s on {os.cpu_count()} cores, the clients on the same machine")
    print(f"answers: {dict(statuses)}; refusals without Retry-After: {missing[0]}")
    print(f"memory: idle {idle:.0f} MiB, peak {peak:.0f} MiB, bound {bound:.0f} MiB ({permits} permits)")
    print(f"p95: /healthz {p95(health):.0f} ms, token {p95(tokens):.0f} ms, refusals {p95(refusals):.0f} ms")
    if set(statuses) - {303, 401, 429, 503} or missing[0] or peak > bound:
        sys.exit(1)


main()
