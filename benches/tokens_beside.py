#!/usr/bin/env python3
"""Whether tokens come in time while many people sign in, and what a sign-in costs.

    benches/tokens_beside.py target/release/countersign [--clients 200] [--seconds 20]

The server runs on one core. One client asks from the other core, 3 ms after each answer: first alone, then while others sign
in all the time, each over a connection of its own; with remembered tokens, and with `token_cache=0`. Prints how much longer
a token takes meanwhile, the most memory, and the processor time of one sign-in beside Debian's libargon2 at the same
parameters (Debian: libargon2-1).

Fails (exit 1) if an answer is not one of 200, 303, 429, 503.
"""

import argparse
import collections
import contextlib
import ctypes
import http.client
import multiprocessing
import os
import random
import re
import statistics
import sys
import threading
import time

from program import PASSWORD, Client, Program, memory, processor_time


def latencies(port, cookie, seconds, found):
    """Asks for tokens, and puts how long each took (milliseconds)."""
    with contextlib.suppress(PermissionError):
        os.nice(-5)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.perf_counter()
        connection.request("GET", "/api/v1/token", headers={"Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        took.append((time.perf_counter() - begin) * 1000)
        if answer.status != 200:
            raise SystemExit(f"a token was answered {answer.status}")
        time.sleep(0.003)
    found.put(took)


def signing_in(port, clients, seconds, found):
    """People who sign in, each again and again: how often each status was the answer."""
    statuses, end = collections.Counter(), time.monotonic() + seconds

    def one(number):
        try:
            again_and_again(number)
        except Exception as error:
            statuses[f"{type(error).__name__}: {error}"] += 1

    def again_and_again(number):
        client = Client(port, number)
        _, page = client.ask("GET", "/login")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        form = {"csrf_token": token, "login": "", "password": PASSWORD, "next": ""}
        cookies = dict(client.cookies)
        while time.monotonic() < end:
            client.cookies = dict(cookies)
            client.address = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"
            answer, _ = client.ask("POST", "/login", form | {"login": f"user{random.randrange(200)}"})
            statuses[answer.status] += 1
            if answer.status in (429, 503):
                time.sleep(float(answer.headers["Retry-After"]) * random.uniform(1, 2))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.put(statuses)


def libargon2():
    """Milliseconds of processor time for one hash with our parameters."""
    library = ctypes.CDLL("libargon2.so.1")
    out = ctypes.create_string_buffer(32)
    begin = time.process_time()
    for _ in range(20):
        assert library.argon2id_hash_raw(2, 19456, 1, PASSWORD.encode(), len(PASSWORD), b"0123456789abcdef", 16, out, 32) == 0
    return (time.process_time() - begin) * 1000 / 20


def run(work, *arguments):
    """Work in a process of its own, on the core of the clients: the process, and where its result comes."""
    found = multiprocessing.Queue()
    # Inherited, also by its threads.
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {1})
    process = multiprocessing.Process(target=work, args=(*arguments, found))
    process.start()
    os.sched_setaffinity(0, own)
    return process, found


def percentiles(took):
    parts = statistics.quantiles(took, n=100)
    return parts[49], parts[89], parts[98]


def trial(asked, cache):
    program = Program(asked.binary)
    program.environment |= {"COUNTERSIGN_TOKEN_CACHE": cache, "COUNTERSIGN_TOKEN_REQUESTS": "1000000"}
    rows = "".join(f"user{n},user{n}@example.com,true\n" for n in range(200))
    program.run("user", "import", program.file("users.csv", "login,email,email_verified\n" + rows))
    for n in range(200):
        program.run("user", "set-password", f"user{n}", text=PASSWORD + "\n")
    program.start("taskset", "-c", "0")
    try:
        idle = memory(program.server.pid, "VmRSS")
        client = program.signed_in("user0")
        pid = program.server.pid
        process, found = run(latencies, program.port, client.cookie(), asked.seconds)
        alone = percentiles(found.get(timeout=asked.seconds + 60))
        process.join()
        others, statuses = run(signing_in, program.port, asked.clients, asked.seconds + 4)
        time.sleep(2)
        process, found = run(latencies, program.port, client.cookie(), asked.seconds)
        beside = percentiles(found.get(timeout=asked.seconds + 60))
        process.join()
        counted = statuses.get()
        others.join()
        begin = processor_time(pid)
        # One at a time, and nothing else.
        for number in range(40):
            assert Client(program.port, number).sign_in(f"user{number}", PASSWORD).status == 303
        cost = (processor_time(pid) - begin) * 1000 / 40
        peak = memory(pid, "VmHWM")
    finally:
        program.stop()
    if set(counted) - {303, 429, 503}:
        sys.exit(f"unexpected answers: {dict(counted)}")
    ratios = ", ".join(f"{name} {more / less:.2f} ({less:.2f} to {more:.2f} ms)" for name, less, more in zip(("p50", "p90", "p99"), alone, beside))
    print(f"| token_cache={cache} | {ratios} | {dict(counted)} | idle {idle:.0f}, most {peak:.0f} | {cost:.1f} |", flush=True)
    return cost


def main():
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("binary")
    read.add_argument("--clients", type=int, default=200)
    read.add_argument("--seconds", type=int, default=20)
    asked = read.parse_args()
    print("| setting | how much longer a token takes | sign-ins | MiB | ms of processor time for a sign-in |\n|---|---|---|---|---|")
    costs = [trial(asked, cache) for cache in ("64", "0")]
    theirs = libargon2()
    print(f"libargon2: {theirs:.1f} ms for a hash, {theirs / min(costs):.2f} × a whole sign-in")


if __name__ == "__main__":
    main()
