#!/usr/bin/env python3
"""Who changes over 100,000 users: right, goes on after kill -9, and what sign-ins meanwhile feel of it.

Starts the given binary on SQLite, measures sign-ins alone, then beside the comparison of a draft, kills
the server in the middle of it, starts it again and waits for the end; holds the result against
`mapping compare`, which looks at everybody at once.

    benches/who_changes.py target/release/countersign [users]

Fails (exit 1) when the numbers differ. Times are printed, not judged.
"""

import http.client
import json
import sys
import threading
import time

from program import PASSWORD, Client, Program, p95

USERS = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
ALONE = 15  # seconds
ROUNDS = 5

DRAFT = json.dumps({"rules": [
    {"claim": "email", "from": {"attribute": "email"}, "steps": ["lower"]},
    {"claim": "name", "from": {"text": ["{display_name}"]}},
    {"claim": "usergroup_ids", "from": {"attribute": "plan"}, "steps": [{"lookup": {"values": {"gold": "7", "silver": "8"}}}]},
    {"claim": "labels", "from": {"attribute": "tags"}, "steps": [{"split": "|"}, "lower"], "missing": "refuse"},
]})


def sign_ins(program, end):
    """Sign-ins and tokens one after the other until `end` says so: seconds of each."""
    signing, tokens, number = [], [], 0
    while not end():
        number += 1
        client = Client(program.port, number)
        try:
            begin = time.monotonic()
            assert client.sign_in("guest", PASSWORD).status == 303
            signing.append(time.monotonic() - begin)
            for _ in range(10):
                begin = time.monotonic()
                assert client.ask("GET", "/api/v1/token")[0].status == 200
                tokens.append(time.monotonic() - begin)
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)  # it was killed
    return signing, tokens


def main():
    program = Program(sys.argv[1])
    plans, tags = ["gold", "silver", "", "free"], ["A|b", "", "c", "D|d|e", "f", "g"]
    rows = "".join(f"user{n},user{n}@example.com,{'true' if n % 9 else ''},User {n},{plans[n % 4]},{tags[n % 6]}\n" for n in range(USERS))
    program.run("user", "import", program.file("users.csv", "login,email,email_verified,display_name,plan,tags\n" + rows))
    program.add("ada", "--admin")
    program.add("guest", "--set", "email=guest@example.com", "--set", "email_verified=yes")
    program.start()
    try:
        until = time.monotonic() + ALONE
        alone = sign_ins(program, lambda: time.monotonic() > until)
        ada = program.signed_in("ada")
        # Several drafts one after the other, so that enough sign-ins fall beside the work.
        done, beside = threading.Event(), []
        thread = threading.Thread(target=lambda: beside.append(sign_ins(program, done.is_set)))
        thread.start()
        begin = time.monotonic()
        for number in range(ROUNDS):
            compare(ada, DRAFT.replace("silver", f"silver {number}"))
            wait(ada)
        took = time.monotonic() - begin
        done.set()
        thread.join()

        compare(ada, DRAFT)
        while ada.api("GET", "/mapping/draft/comparison")[1]["done"] < USERS / 2:
            time.sleep(0.02)
        program.kill()
        program.start()
        ada = reconnected(program, ada)
        _, found = ada.api("GET", "/mapping/draft/comparison")
        print(f"killed; after the restart it is {found['state']} at {found['done']} of {found['total']}", flush=True)
        begin = time.monotonic()
        effect = wait(ada)["effect"]
        print(f"it went on by itself and was done {time.monotonic() - begin:.0f} s later")
    finally:
        program.stop()
    known = json.loads(program.run("mapping", "compare", program.file("draft.json", DRAFT), "--json"))
    print(f"{effect['users']} users, {took / ROUNDS:.1f} s each of {ROUNDS} drafts beside sign-ins")
    print(f"as a job: {numbers(effect)}")
    print(f"at once:  {numbers(known)}")
    for name, i in [("sign-in", 0), ("token", 1)]:
        without, with_it = p95(alone[i]), p95(beside[0][i])
        print(f"p95 {name}: {without:.1f} ms alone, {with_it:.1f} ms beside it, ratio {with_it / without:.2f} ({len(beside[0][i])} asked)")
    sys.exit(effect != known)


def compare(client, text):
    _, draft = client.api("GET", "/mapping/draft")
    assert client.api("PUT", "/mapping/draft", {"revision": draft["revision"], "text": text})[0] == 200
    assert client.api("POST", "/mapping/draft/comparison")[0] == 202


def wait(client):
    while True:
        _, found = client.api("GET", "/mapping/draft/comparison")
        if found["state"] == "done":
            return found
        time.sleep(0.2)


def reconnected(program, client):
    again = Client(program.port, 1)
    again.cookies = client.cookies
    return again


def numbers(effect):
    refused = {code: tally["users"] for code, tally in effect["refused"].items()}
    claims = {claim: tally["users"] for claim, tally in effect["claims"].items()}
    return {"unchanged": effect["unchanged"], "changed": effect["changed"], "refused": refused, "accepted": effect["accepted"]["users"], "claims": claims}


main()
