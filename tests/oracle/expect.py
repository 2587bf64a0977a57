"""Prints the oracle's answer for each line of `fuzz.py`.

    python fuzz.py --seed 1 --number 10000 > cases.jsonl
    python expect.py cases.jsonl > expected.jsonl

One line of JSON per case, keys sorted: `{"findings": [[code, pointer], …], "names":
[bool, …], "cells": [bool, …]}`, and where there are none also `"payload"` or `"refused"`.
"""

import json
import sys

import mapping


def main():
    with open(sys.argv[1], encoding="utf-8", newline="\n") if len(sys.argv) > 1 else sys.stdin as file:
        for line in file:
            print(json.dumps(expect(json.loads(line)), sort_keys=True))


def expect(case):
    findings = mapping.check(case["mapping"], case["custom"])
    judged = {
        "findings": findings,
        "names": [mapping.can_be_new(name, case["custom"]) for name in case["names"]],
        "cells": [mapping.is_stored_password(cell) for cell in case["cells"]],
    }
    if findings:
        return judged
    settings = {key: case[key] for key in ("disabled", "verified_only", "blocked", "proved")}
    result = mapping.apply(json.loads(case["mapping"]), case["attributes"], **settings)
    return {**judged, **result}


if __name__ == "__main__":
    main()
