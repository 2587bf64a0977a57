"""Compares the tokens of every user with what the oracle expects.

    python compare.py --users users.csv --mapping mapping.json --tokens tokens.jsonl --key-file key.txt

`tokens.jsonl` is the output of `countersign token issue --all --json` after an
import of `users.csv` into an empty table. Prints one line per check and leaves
with 1 when something differs, after the first differences.
"""

import argparse
import base64
import collections
import json
import sys
import warnings

import jwt

import mapping
import users

SHOWN = 20
HEADER = {"typ": "JWT", "alg": "HS256"}
LIFETIME = (30, 24 * 60 * 60)  # plausible exp - iat, in seconds
CLOCK = 60 * 60  # plausible distance of iat from --now, in seconds

TYPES = {
    "deskpro_id": str, "email": str, "emails": list, "name": str, "first_name": str, "last_name": str,
    "organization_id": str, "language_id": str, "usergroup_ids": list, "fields": dict, "timezone": str,
    "labels": list,
}  # fmt: skip


def main():
    options = arguments()
    rows = users.read(options.users)
    names = set(users.custom_names(rows))
    by_login = {row["login"]: row for row in rows}
    for login, extra in read_json(options.extra, {}).items():
        by_login[users.log_in_name(login)].update(extra)
        names |= set(extra) - set(mapping.BUILT_IN)
    with open(options.mapping, encoding="utf-8") as file:
        text = file.read()
    with open(options.key_file, encoding="utf-8", newline="") as file:
        key = file.read().removesuffix("\n").removesuffix("\r").encode("utf-8")
    with open(options.tokens, encoding="utf-8", newline="\n") as file:
        lines = [json.loads(line) for line in file if line.strip()]

    report = Report()
    findings = mapping.check(text, names)
    report.check("the mapping has no errors", 1, [f"{code} at {pointer!r}" for code, pointer in findings])
    if findings:
        return report.close()

    settings = {
        "verified_only": not options.unverified_too,
        "blocked": options.blocked,
        "proved": options.trusted,
    }
    disabled = {users.log_in_name(login) for login in options.disabled}
    expected = {
        login: mapping.apply(json.loads(text), row, disabled=login in disabled, **settings)
        for login, row in by_login.items()
    }
    compare(report, lines, expected, key, options.now)
    return report.close()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", required=True, help="the CSV file that was imported")
    parser.add_argument("--mapping", required=True, help="the published mapping")
    parser.add_argument("--tokens", required=True, help="JSON lines of `token issue --all --json`")
    parser.add_argument("--key-file", required=True, help="the signing key as pasted; one line end is cut off")
    parser.add_argument("--now", type=int, help="the time of issuing in unix seconds")
    parser.add_argument("--extra", help="JSON object: login -> attributes that were set after the import")
    parser.add_argument("--trusted", action="append", default=[], metavar="NAME", help="a trusted attribute")
    parser.add_argument("--blocked", action="append", default=[], metavar="ENTRY", help="an entry of the block list")
    parser.add_argument("--disabled", action="append", default=[], metavar="LOGIN", help="a disabled user")
    parser.add_argument("--unverified-too", action="store_true", help="the server asks for no proof")
    return parser.parse_args()


def read_json(path, default):
    if path is None:
        return default
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Report:
    """One line per check, and the first differences at the end."""

    def __init__(self):
        self.differences = []

    def check(self, what, number, differences):
        result = "ok" if not differences else f"{len(differences)} DIFFER"
        print(f"{what}: {number}: {result}")
        self.differences += [f"{what}: {difference}" for difference in differences]

    def close(self):
        for difference in self.differences[:SHOWN]:
            print(difference, file=sys.stderr)
        return 1 if self.differences else 0


def compare(report, lines, expected, key, now):
    issued = {line["login"]: line for line in lines if "token" in line}
    refused = {line["login"]: line["refused"] for line in lines if "refused" in line}
    tally(report, lines, issued, refused, expected)
    payloads = verify(report, issued, key, now)
    types(report, payloads)
    claims(report, payloads, expected)


def tally(report, lines, issued, refused, expected):
    """Every user once, issued or refused, and for the same reasons."""
    times = collections.Counter(line["login"] for line in lines)
    report.check(
        "issued + refused = rows",
        f"{len(issued)} + {len(refused)} = {len(expected)}",
        [f"{len(lines)} lines for {len(expected)} rows"] * (len(lines) != len(expected))
        + [f"{login!r} has {n} lines" for login, n in times.items() if n != 1]
        + [f"{login!r} is both issued and refused" for login in issued.keys() & refused.keys()]
        + [f"{login!r} has no line" for login in expected.keys() - times.keys()]
        + [f"{login!r} is no row" for login in times.keys() - expected.keys()]
        + [f"{line['login']!r} has other keys: {sorted(line)}" for line in lines if not has_the_right_keys(line)],
    )
    ours = collections.Counter(result["refused"]["code"] for result in expected.values() if "refused" in result)
    theirs = collections.Counter(refusal["code"] for refusal in refused.values())
    for code in sorted(ours | theirs):
        report.check(
            f"refused as {code}",
            theirs[code],
            [f"{ours[code]} expected"] * (ours[code] != theirs[code]),
        )
    report.check(
        "the reason of each row",
        len(expected),
        [
            f"{login!r}: {found} instead of {wanted}"
            for login, wanted, found in (
                (login, reason(result), outcome(login, issued, refused)) for login, result in expected.items()
            )
            if found != wanted
        ],
    )
    named = {login: refusal for login, refusal in refused.items() if refusal.get("claim") is not None}
    report.check(
        "the claim of a refusal, where the line has one",
        len(named),
        [
            f"{login!r}: {refusal['claim']!r}"
            for login, refusal in named.items()
            if refusal["claim"] != expected.get(login, {}).get("refused", {}).get("claim")
        ],
    )
    report.check(
        "a refusal has a message",
        len(refused),
        [login for login, refusal in refused.items() if not str(refusal.get("message") or "").strip()],
    )


def has_the_right_keys(line):
    if "refused" in line:
        return set(line) == {"login", "refused"}
    return set(line) == {"login", "token", "expires_at"}


def reason(result):
    return result["refused"]["code"] if "refused" in result else "issued"


def outcome(login, issued, refused):
    if login in issued:
        return "issued"
    return refused[login]["code"] if login in refused else "no line"


def verify(report, issued, key, now):
    """The payloads of the tokens whose signature is right. Reports what is wrong in signatures, headers, times, sizes."""
    payloads, signatures, headers, times, sizes = {}, [], [], [], []
    for login, line in issued.items():
        token = line["token"]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about the length of the key, which the test chooses
                jwt.decode(token, key, algorithms=["HS256"], options=ONLY_THE_SIGNATURE)
            header, payload = (segment(part) for part in token.split(".")[:2])
        except (jwt.PyJWTError, ValueError) as error:
            signatures.append(f"{login!r}: {error}")
            continue
        if header != HEADER:
            headers.append(f"{login!r}: {header}")
        if len(token) > mapping.TOKEN_BYTES:
            sizes.append(f"{login!r}: {len(token)}")
        times += [f"{login!r}: {wrong}" for wrong in wrong_times(payload, line.get("expires_at"), now)]
        payloads[login] = payload
    report.check("signed with HS256 under the key, each part strict JSON", len(issued), signatures)
    report.check(f"the header is {json.dumps(HEADER)}", len(payloads), headers)
    report.check("iat and exp are integers and plausible", len(payloads), times)
    report.check(f"no token above {mapping.TOKEN_BYTES} bytes", len(payloads), sizes)
    return payloads


ONLY_THE_SIGNATURE = {
    "verify_signature": True, "verify_exp": False, "verify_iat": False, "verify_nbf": False,
    "verify_aud": False, "verify_iss": False, "verify_sub": False, "verify_jti": False,
}  # fmt: skip


def segment(text):
    """One part of a token: base64url without padding, an object, no key twice."""
    if "=" in text:
        raise ValueError("padding")
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    return json.loads(data.decode("utf-8"), object_pairs_hook=without_a_key_twice)


def without_a_key_twice(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice")
    return found


def wrong_times(payload, expires_at, now):
    iat, exp = payload.get("iat"), payload.get("exp")
    if type(iat) is not int or type(exp) is not int:
        return [f"iat {iat!r}, exp {exp!r}"]
    wrong = []
    if not LIFETIME[0] <= exp - iat <= LIFETIME[1]:
        wrong.append(f"exp - iat is {exp - iat}")
    if expires_at != exp:
        wrong.append(f"expires_at {expires_at!r}, exp {exp}")
    if now is not None and not (abs(iat - now) <= CLOCK and exp > now):
        wrong.append(f"iat {iat}, exp {exp}, now {now}")
    return wrong


def types(report, payloads):
    """No claim but the twelve, iat and exp; each of its JSON type, with nothing empty in it."""
    differences = []
    for login, payload in payloads.items():
        for claim, value in payload.items():
            if claim in ("iat", "exp"):
                continue
            if claim not in TYPES:
                differences.append(f"{login!r}: another claim {claim!r}")
            elif type(value) is not TYPES[claim] or not is_filled(value):
                differences.append(f"{login!r}: {claim} is {value!r}")
    report.check("no other claim, and every claim of its type", sum(map(len, payloads.values())), differences)


def is_filled(value):
    """Texts that are not blank, lists of them, and fields of both."""
    if isinstance(value, dict):
        return bool(value) and all(
            mapping.ID.fullmatch(key) and type(inner) in (str, list) and is_filled(inner)
            for key, inner in value.items()
        )
    if isinstance(value, list):
        return all(type(item) is str and is_filled(item) for item in value)
    return value == mapping.trim(value) and not mapping.is_blank(value)


def claims(report, payloads, expected):
    """Every claim equal to what is expected."""
    compared = {claim: 0 for claim in TYPES}
    differences = {claim: [] for claim in TYPES}
    for login, payload in payloads.items():
        wanted = expected.get(login, {}).get("payload")
        if wanted is None:
            continue  # `tally` has reported it
        for claim in TYPES:
            compared[claim] += claim in wanted
            if exact(payload, claim) != exact(wanted, claim):
                difference = f"{login!r}: {exact(payload, claim)} instead of {exact(wanted, claim)}"
                differences[claim].append(difference)
    for claim in TYPES:
        report.check(f"the claim {claim}", compared[claim], differences[claim])


def exact(payload, claim):
    """A claim as text in which `true`, `1` and `"1"` differ."""
    return json.dumps(payload[claim], ensure_ascii=False, sort_keys=True) if claim in payload else "nothing"


if __name__ == "__main__":
    sys.exit(main())
