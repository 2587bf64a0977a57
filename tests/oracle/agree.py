"""Compares two files of answers to the cases of `fuzz.py`.

    python fuzz.py --seed 1 --number 10000 > cases.jsonl
    python expect.py cases.jsonl > expected.jsonl
    cargo run --example oracle cases.jsonl > answered.jsonl
    python agree.py cases.jsonl expected.jsonl answered.jsonl

Prints how many agree, and of what kind the answers are; then the first cases in
which they differ. Leaves with 1 when there is one.
"""

import collections
import itertools
import json
import sys

SHOWN = 20


def main():
    lines = [open(path, encoding="utf-8", newline="\n") for path in sys.argv[1:4]]
    kinds, different = collections.Counter(), 0
    for number, (case, expected, answered) in enumerate(itertools.zip_longest(*lines, fillvalue="null"), 1):
        expected, answered = json.loads(expected), json.loads(answered)
        kinds[kind(expected)] += 1
        if exact(expected) == exact(answered):
            continue
        different += 1
        if different <= SHOWN:
            print(f"case {number}: {exact(answered)} instead of {exact(expected)}", file=sys.stderr)
            print(f"  {short(case)}", file=sys.stderr)
    found = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    print(f"{sum(kinds.values())} cases ({found}), {different} differ")
    return 1 if different or not kinds else 0


def kind(answer):
    if answer is None:
        return "nothing"
    if answer["findings"]:
        return "a draft with errors"
    return "a payload" if "payload" in answer else answer["refused"]["code"]


def exact(answer):
    """An answer as text in which `true`, `1` and `"1"` differ."""
    return json.dumps(answer, ensure_ascii=False, sort_keys=True)


def short(case):
    return case if len(case) < 4000 else case[:4000] + " …"


if __name__ == "__main__":
    sys.exit(main())
