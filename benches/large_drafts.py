#!/usr/bin/env python3
"""Drafts of nearly 200,000 bytes, right and wrong: how long the editor takes to answer.

Starts the given binary on SQLite with 5,000 users, keeps one large draft after another, and asks each
page and route that judges it.

    benches/large_drafts.py target/release/countersign

Prints milliseconds and their share of the 2 s that an answer may take; fails (exit 1) above that.
"""

import json
import sys
import time

from program import Program

LIMIT = 2.0  # seconds
MAX = 200_000  # bytes

EMAIL = {"claim": "email", "from": {"attribute": "email"}}


def fill(rule, count=498):
    """A draft of as many such rules as go in."""
    rules = [EMAIL]
    for number in range(count):
        rules.append(rule(number))
        if len(json.dumps({"rules": rules})) > MAX:
            rules.pop()
            break
    return json.dumps({"rules": rules})


def table(rows):
    values = {f"value {row}": str(row + 10) for row in range(rows)}
    rule = {"claim": "usergroup_ids", "from": {"attribute": "plan"}, "steps": [{"lookup": {"values": values}}]}
    return json.dumps({"rules": [EMAIL, rule]})


DRAFTS = {
    "one table of 8,000 rows": table(8_000),
    "the same with an error in each row": table(8_000).replace('": "1', '": "x1'),
    "498 rules of texts with 8 parts": fill(lambda n: {"claim": "labels", "from": {"text": ["{display_name|first_name} " * 8]}}),
    "498 rules with tables": fill(lambda n: {"claim": "labels", "from": {"attribute": "plan"}, "steps": ["lower", {"lookup": {"values": {f"v{i}": f"{n}" for i in range(18)}}}]}),
    "498 rules with four errors each": fill(lambda n: {"claim": f"claim {n}", "from": {"attribute": f"gone {n}"}, "steps": [{"date": {"in": "%Q", "out": ""}}], "when": {"attribute": "nobody", "is": ""}}),
    "498 second rules": fill(lambda n: {"claim": "name", "from": {"text": ["x" * 300]}}),
    "20,000 parts in one string": json.dumps({"rules": [EMAIL, {"claim": "name", "from": {"text": ["{login}" * 20_000]}}]}),
    "20,000 texts": json.dumps({"rules": [EMAIL, {"claim": "name", "from": {"text": ["{a}"] * 20_000}}]}),
    "10,000 steps": json.dumps({"rules": [EMAIL, {"claim": "name", "from": {"attribute": "login"}, "steps": ["lower"] * 18_000}]}),
    "30,000 keys twice": '{"rules": [' + json.dumps(EMAIL) + ', {"claim": "name", "from": {"attribute": "login"}, "steps": [{"lookup": {"values": {' + ", ".join(['"a": ""'] * 19_000) + "}}}]}]}",
    "lists in lists": '{"rules": [' + ", ".join(["[" * 90 + "]" * 90] * 490) + "]}",
    "no JSON": '{"rules": [' + "x" * 199_900,
}


def main():
    program = Program(sys.argv[1])
    rows = "".join(f"user{n},user{n}@example.com,true,User {n},value {n % 700}\n" for n in range(5_000))
    program.run("user", "import", program.file("users.csv", "login,email,email_verified,display_name,plan\n" + rows))
    program.add("ada", "--admin")
    program.start()
    slowest = 0
    try:
        ada = program.signed_in("ada")
        for name, text in DRAFTS.items():
            assert len(text) <= MAX, (name, len(text))
            took = {}

            def timed(what, ask):
                begin = time.monotonic()
                status = ask()
                took[what] = time.monotonic() - begin
                assert status < 500, (name, what, status)

            _, draft = ada.api("GET", "/mapping/draft")
            timed("keep", lambda: ada.api("PUT", "/mapping/draft", {"revision": draft["revision"], "text": text})[0])
            timed("check", lambda: ada.api("POST", "/mapping/check", {"text": text})[0])
            timed("preview", lambda: ada.api("POST", "/mapping/preview", {"login": "user1", "text": text})[0])
            for page in ["", "/rules/1?user=user1", "/publish", "/coverage", "/expected"]:
                timed(page or "/", lambda: ada.ask("GET", f"/admin/mapping{page}")[0].status)
            slowest = max(slowest, *took.values())
            times = ", ".join(f"{what} {seconds * 1000:.0f}" for what, seconds in took.items())
            print(f"{name} ({len(text)} bytes): {times} ms; at most {max(took.values()) / LIMIT:.0%} of the limit", flush=True)
    finally:
        program.stop()
    print(f"slowest: {slowest * 1000:.0f} ms, {slowest / LIMIT:.0%} of {LIMIT:.0f} s")
    sys.exit(slowest > LIMIT)


main()
