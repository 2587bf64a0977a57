#!/usr/bin/env python3
"""Kills the server again and again while it sends users to the stand-in, and counts the people there.

    benches/sync_kills.py PROGRAM [KILLS] [USERS]

Fails if somebody is missing or there twice after the last start. Each kill takes half a minute: so long is a dead server
waited for.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path

PROGRAM = str(Path(sys.argv[1]).resolve())
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 20
USERS = int(sys.argv[3]) if len(sys.argv) > 3 else 3000
KEY = "2:STANDINSTANDINSTANDINSTAN"


def people(desk, page=None):
    """How many people the stand-in has, or the addresses of one page."""
    query = f"count=200&page={page}" if page else "count=1"
    request = urllib.request.Request(f"{desk}/api/v2/people?{query}", headers={"Authorization": f"key {KEY}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        body = json.load(answer)
    if page is None:
        return body["meta"]["pagination"]["total"]
    return [person["primary_email"] for person in body["data"]], body["meta"]["pagination"]["total_pages"]


def start_stand_in(folder):
    """`countersign demo` only for its stand-in."""
    demo = subprocess.Popen(
        [PROGRAM, "demo", "--listen", "127.0.0.1:0", "--deskpro-listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": folder},
    )
    for line in demo.stdout:
        found = re.search(r"stand-in +(http://\S+?)/", line)
        if found:
            threading.Thread(target=demo.stdout.read, daemon=True).start()
            return demo, found.group(1)
    raise SystemExit("the demo did not start")


def main():
    folder = tempfile.mkdtemp(prefix="countersign-kills-")
    demo, desk = start_stand_in(folder)
    database = f"sqlite:{folder}/kills.db"
    env = {
        "PATH": os.environ["PATH"], "HOME": folder, "COUNTERSIGN_DATABASE_URL": database,
        "COUNTERSIGN_LISTEN": "127.0.0.1:0", "COUNTERSIGN_LOG": "error",
    }

    def cli(*words, text=""):
        done = subprocess.run([PROGRAM, *words], input=text, text=True, capture_output=True, env=env, cwd=folder)
        if done.returncode:
            raise SystemExit(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    try:
        rows = "".join(f"user{n},user{n}@kills.example.com,yes,User {n}\n" for n in range(USERS))
        Path(folder, "users.csv").write_text("login,email,email_verified,display_name\n" + rows)
        Path(folder, "mapping.json").write_text(json.dumps({"token": "id", "rules": [
            {"claim": "deskpro_id", "from": {"attribute": "deskpro_id"}},
            {"claim": "email", "from": {"attribute": "email"}},
            {"claim": "name", "from": {"attribute": "display_name"}},
        ]}))
        cli("user", "import", "users.csv")
        cli("mapping", "apply", "mapping.json")
        cli("messenger", "set", "default", f"deskpro_url={desk}/deskpro-messenger/1",
            f"init_script_url={desk}/deskpro-messenger-init/web.js", "messenger_id=X")
        cli("helpdesk", "connect", "--private", text=KEY + "\n")
        cli("helpdesk", "set", "every_minutes=0")
        cli("sync", "resume")
        before = people(desk)
        cli("sync", "run", "--no-wait")
        for kill in range(KILLS):
            known = people(desk)
            server = subprocess.Popen([PROGRAM, "serve"], env=env, cwd=folder, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 60
            while people(desk) == known and known < before + USERS and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(random.uniform(0, 0.3))
            server.send_signal(signal.SIGKILL)
            server.wait()
            print(f"kill {kill + 1}: {people(desk) - before} of {USERS} are there", flush=True)
        print(cli("sync", "retry").strip())
        server = subprocess.Popen([PROGRAM, "serve"], env=env, cwd=folder, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            done = subprocess.run([PROGRAM, "--json", "sync", "status"], capture_output=True, text=True, env=env, cwd=folder)
            status = json.loads(done.stdout)
            if status["health"] == "good":
                break
            time.sleep(0.5)
        server.terminate()
        server.wait()
        addresses, pages, page = [], 1, 1
        while page <= pages:
            found, pages = people(desk, page)
            addresses += [address for address in found if address and address.endswith("@kills.example.com")]
            page += 1
        doubles = [address for address, count in Counter(addresses).items() if count > 1]
        print(f"{KILLS} kills: {len(addresses)} people for {USERS} users, {len(doubles)} twice; state {status['health']}")
        sys.exit(0 if len(addresses) == USERS and not doubles and status["health"] == "good" else 1)
    finally:
        demo.terminate()
        demo.wait()


main()
