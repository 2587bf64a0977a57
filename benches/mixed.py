#!/usr/bin/env python3
"""Does everybody get their own token? 400 callers at once: browsers with sessions, devices, and a website with an API key.

    benches/mixed.py target/release/countersign [--callers 400] [--seconds 60]

The memory for tokens is so small that entries are forgotten all the time, and signing keys are switched meanwhile. Each
token's claims are compared with who asked, and its signature with the keys. Fails (exit 1) if one is another user's.
"""

import argparse
import base64
import hashlib
import hmac
import http.client
import json
import random
import sys
import threading
import time

from program import PASSWORD, Client, Program

USERS = 40


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Caller(threading.Thread):
    """Asks for its own user's token until the time is over."""

    def __init__(self, port, user, request, keys, until):
        super().__init__(daemon=True)
        self.port, self.user, self.request, self.keys, self.until = port, user, request, keys, until
        self.tokens, self.mixed, self.errors = 0, [], []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while time.monotonic() < self.until:
            method, path, headers, body = self.request
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
            except OSError as error:
                self.errors.append(repr(error))
                connection.close()
                continue
            if answer.status != 200:
                self.errors.append(f"{answer.status} {text[:200]}")
                continue
            self.judge(json.loads(text)["token"])

    def judge(self, token):
        signed, _, signature = token.rpartition(".")
        claims = json.loads(decoded(signed.split(".")[1]))
        right = [hmac.new(key, signed.encode(), hashlib.sha256).digest() for key in self.keys]
        self.tokens += 1
        if claims["email"] != f"{self.user}@example.com" or decoded(signature) not in right:
            self.mixed.append(f"{self.user}: {claims}")


def main():
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("binary")
    read.add_argument("--callers", type=int, default=400)
    read.add_argument("--seconds", type=int, default=60)
    asked = read.parse_args()
    program = Program(asked.binary)
    program.environment |= {"COUNTERSIGN_TOKEN_CACHE": "1", "COUNTERSIGN_TOKEN_REQUESTS": "1000000",
                            "COUNTERSIGN_API_KEY_REQUESTS": "1000000"}
    del program.environment["COUNTERSIGN_SIGNING_KEY"]
    rows = "".join(f"user{n},user{n}@example.com,true,id-{n}\n" for n in range(USERS))
    program.run("user", "import", program.file("users.csv", "login,email,email_verified,external_id\n" + rows))
    for n in range(USERS):
        program.run("user", "set-password", f"user{n}", text=PASSWORD + "\n")
    keys = [b"the signing key number 0 of this trial, long enough"]
    program.run("key", "add", text=keys[0].decode() + "\n")
    made = program.run("api-key", "create", "a website", "--scope", "mint", "--json")
    secret = json.loads(made)["key"]
    program.start()
    try:
        requests = []
        for n in range(asked.callers):
            user = f"user{n % USERS}"
            client = Client(program.port, n)
            if n % 3 == 0:
                assert client.sign_in(user, PASSWORD).status == 303
                cookie = client.cookie()
                requests.append((user, ("GET", "/api/v1/token", {"Cookie": cookie}, None)))
            elif n % 3 == 1:
                body = json.dumps({"login": user, "password": PASSWORD, "name": "a phone", "platform": "ios"})
                headers = {"Content-Type": "application/json", "X-Forwarded-For": client.address}
                client.connection.request("POST", "/api/v1/devices", body, headers)
                device = json.loads(client.connection.getresponse().read())["device_token"]
                requests.append((user, ("GET", "/api/v1/token", {"Authorization": f"Bearer {device}"}, None)))
            else:
                headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
                requests.append((user, ("POST", "/api/v1/mint", headers, json.dumps({"external_id": f"id-{n % USERS}"}))))
            client.connection.close()
        until = time.monotonic() + asked.seconds
        callers = [Caller(program.port, user, request, keys, until) for user, request in requests]
        random.shuffle(callers)
        for caller in callers:
            caller.start()
        switched = 0
        while time.monotonic() < until:
            switched += 1
            keys.append(f"the signing key number {switched} of this trial, long enough".encode())
            before = [key["id"] for key in map(json.loads, program.run("key", "list", "--json").splitlines())]
            # The newest comes first.
            added = json.loads(program.run("key", "add", "--json", text=keys[-1].decode() + "\n").splitlines()[0])
            program.run("key", "activate", added["id"])
            for id in before[3:]:
                program.run("key", "remove", id)
        for caller in callers:
            caller.join()
    finally:
        program.stop()
    tokens, mixed = sum(caller.tokens for caller in callers), [one for caller in callers for one in caller.mixed]
    errors = [one for caller in callers for one in caller.errors]
    print(f"{len(callers)} callers, {tokens:,} tokens, {switched} keys; mixed {len(mixed)}, errors {len(errors)}")
    if mixed or errors:
        sys.exit("\n".join((mixed + errors)[:10]))


if __name__ == "__main__":
    main()
