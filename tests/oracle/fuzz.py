"""Random cases for two implementations of the mapping.

    python fuzz.py --seed 1 --number 10000 > cases.jsonl

One line of JSON per case: `{"mapping": <text of the draft>, "custom": [names],
"proved": [names], "attributes": {…}, "disabled": bool, "verified_only": bool,
"blocked": […], "names": [names], "cells": [values]}`: for each of `names`, whether
an attribute of that name can be made, and for each of `cells`, whether it begins
like a stored password. The same seed gives the same cases. About three drafts in five
are meant to be correct, the others are correct ones with something broken in
them. `attributes` holds only what the table can hold: a stored `email` is an
address already, a text has no NUL and at most 16 KiB.
"""

import argparse
import json
import random
import unicodedata

import mapping

# --------------------------------------------------------------------------
# What people write

CUSTOM = [
    "plan", "groups", "company", "phone", "other_emails", "member_since", "credit_limit", "vip", "interests",
    "notes", "Straße", "two words", "a/b", "~tilde", " lead", "日本", "Groupe spécial", "n" * 64,
]  # fmt: skip
UNKNOWN_NAMES = ["nobody", "Email", "PLAN", "plan ", "", " ", "emai1", "日", "display name"]
SECRET_NAMES = [
    "password", "Pass", "userPass", "ＰＡＳＳＷＯＲＤ", "password_hash", "api-key", "apiToken", "APIToken", "tokens",
    "reset_token", "otp", "o_t_p", "totp2", "jwt", "userSalt", "Credentials", "hashes", "access key", "pwd",
]  # fmt: skip
HARMLESS_NAMES = ["compass", "passport", "hashtag", "salty", "tokenized", "seedling", "desalted", "jwtx"]

WORDS = [
    "gold", "Gold", " gold ", "silver", "free", "x", "Ann", "Smith", "yes", "NO", "on", "T", "f", "0", "1", "tRuE",
    "a|b|c", "a,b;c d", ",a,, ,b,", "|", "gold|gold|silver", "a\nb\r\nc", "{plan}", "{{x}}", "}", "a\tb",
    "null", "false", "O'Neill", "</script>", "\u00e9", "e\u0301", "日本語", "👩🏽\u200d🚀",
]  # fmt: skip
BLANKS = ["", " ", "\t\r\n", "\u00a0", "\u200b", "\u2028", "\u3000\u2029", "\ufeff", "\u00ad\u200e", "\x1c", "\x85", "\x7f"]
PADDED = [
    "\u00a0nbsp\u00a0", "\u2028line\u2028", "\u200bzero", "zero\u200b", "\x1ccontrol\x1c", "\x85next\x85", "\ufeffbom",
    " \u200b x \u200b ", "\u180emongolian", "\u1680ogham\u1680", "in\u00a0side", "\u3164filler",
]  # fmt: skip
CASES = ["ΟΔΟΣ", "ΑΣ ΑΣ.", "İstanbul", "ıI", "ẞtraße", "ﬁsh", "ŉ", "ǆ ǅ", "ΐ", "ᾳ", "\u212a", "ſ", "Ａｂ", "Σ"]
NUMBERS = [
    0, 1, 2, -1, 7, 42, 3.0, -0.0, 0.1, -2.5, 1e21, 1e-7, 1.5e300, 5e-324, 2500.50, 123456789012345680.0,
    9007199254740993, 18446744073709551615, -9223372036854775808, 999999999999999999, 1709164800,
]  # fmt: skip
IDS = [
    "1", "2", "3", "42", "7", "12", " 42 ", "007", "0", "9" * 18, "1" + "0" * 18, "+5", "-5", "５", "4 2", "42.0", "x1", "٣",
]  # fmt: skip
ZONES = [
    "Europe/Berlin", "europe/berlin", "EUROPE/BERLIN", " Asia/Calcutta ", "us/pacific", "etc/gmt+5", "GMT0", "UTC", "zulu",
    "est5edt", "America/Argentina/Buenos_Aires", "Mars/Olympus", "Europe/ Berlin", "Europe\\Berlin", "America/New_Yor\u212a",
    "posixrules", "localtime", "leapseconds", "Europe", "+02:00", "right/UTC", "utc\u200b", "Europe/Kyiv", "asia/SAIGON",
]  # fmt: skip
DATES = [
    "2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "2024-2-9", "2024-04-31", "2024-13-01", "2024-00-10", "2024-01-00",
    "0001-01-01", "0000-01-01", "9999-12-31", "10000-01-01", "999-01-01", "20240229", "2024229", "20241111", "29.02.2024",
    "9.2.2024", "02/29/2024 23:59:59", "02/29/2024 24:00:00", "02/29/2024 7:5:9", "12/31/2016 23:59:60", "2024-02-29 05",
    "2024-02-29 ", "2024-02-29x", "٢٠٢٤-01-01", "29%02%2024", "0", "1", "1709164800", "99999999999", "100000000000", "-1", "+1",
    "00000000007", "2024-012-01", "2024 02 29", "2024\u00a002\u00a029",
    # The grown grammar.
    "29.02.24", "29.02.68", "29.02.69", "01.01.00", "5.1.2024", "05.01.2024 x", "29 Feb 2024", "29 FEBRUARY 2024", "1 mAy 2024",
    "31 June 2024", "29 Febr 2024", "29 Feb. 2024", "17-Feb-2026", "Feb 17 2026 03:34 PM", "Feb 17 2026 12:00 am", "Feb 17 2026 12:59 pM",
    "Feb 17 2026 0:34 PM", "Feb 17 2026 13:34 PM", "Feb 17 2026 3:34PM", "2024-02-29T10:11:12Z", "2024-02-29T10:11:12z",
    "2024-02-29T10:11:12.123Z", "2024-02-29T10:11:12.123456789+14:00", "2024-02-29T10:11:12.1234567890Z", "2024-02-29T10:11:12.Z",
    "2024-02-29T10:11:12+02:00", "2024-02-29T10:11:12-0930", "2024-02-29T10:11:12+02", "2024-02-29T10:11:12+15:00",
    "2024-02-29T10:11:12+02:60", "2024-02-29T10:11:12+0260", "2024-02-29T10:11:12+1459", "2024-02-29T10:11:12\u221202:00",
    "2024-02-29T10:11:12 utc", "2024-02-29T10:11:12 GMT", "2024-02-29T10:11:12 GMT+2", "2024-02-29T10:11:12Zulu", "2024-02-29T10:11:12+2:00",
    "2024-02-29 10:11:12.123456+00", "2021-07-01 00:00:00 +0200", "0000-00-00 00:00:00", "2024-02-29 10:11:12 (day)", "2024-02-29\nx",
    "20240229101112", "240229", "45351", "0000045351", "1488388800000", "14883888000001", "148838880000011", "000000000001", "99999999999999",
    "-86400", "2024-02-29\u0663", "2024-02-29é", "29/Feb/2024:10:11:12 +0000",
]  # fmt: skip
DATE_IN = [
    "%Y-%m-%d", " %Y-%m-%d ", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y %H:%M:%S", "%s", " %s\u00a0", "%d%%%m%%%Y", "%Y-%m-%d %H", "%Y %m %d",
    "%Y-%m-%d%H", "%m%d%Y",
    "%d.%m.%y", "%d.%m.%y%*", "%d.%m.%Y%*", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d %b %Y%*", "%b %d %Y %I:%M %p", "%b %d %Y %I:%M%p",
    "%p %I %d %m %Y", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%*", "%Y-%m-%dT%H:%M:%S%z%*", "%Y-%m-%d %H:%M:%S.%f%z",
    "%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d%*", "%Y-%m-%d %*", "%Y-%m-%dT%H:%M:%S %z%*", "%Y%m%d%H%M%S", "%y%m%d", "%y%m%d%*", "%d/%b/%Y:%H:%M:%S %z",
    "%Y-%m-%dT%*", "%Y-%m-%dT%H:%M:%S.%f%*",
]  # fmt: skip
DATE_OUT = [
    "%d.%m.%Y", "%Y", "%H:%M", "%%%Y%%", "%Y%Y", " %S ", "on %d/%m", "%Y-%m-%dT%H:%M:%S", "%m日", "%d.%m.%y", "%B %d, %Y", "%d %b %y",
    "%I:%M %p", "%p%p %I", "%Y-%m-%d %H:%M:%S",
]  # fmt: skip
BAD_DATE_IN = [
    "%Y-%m", "%Y-%m-%d %d", "%", "%s %Y", "%s%s", "", " ", "%Y-%m-%d%", "%%Y-%m-%d", "%e", "%Y-%m-%d%n", "x", "%Y %y-%m-%d", "%y-%m", "%Y %b %m %d",
    "%Y %b %B %d", "%Y-%m-%d %I", "%Y-%m-%d %p", "%Y-%m-%d %H %I %p", "%Y-%m-%d %H %p", "%Y-%m-%d %I %p %p", "%Y-%m-%d %I %I %p", "%Y-%m-%d%f%f",
    "%Y-%m-%d%z %z", "%Y-%m-%d%*%*", "%Y-%*%m-%d", "%Y-%m-%d%*x", "%*", "%s%*", "%Y-%b", "%b %d", "%Y-%m-%d %M %M", "%Z", "%-d", "%Y-%m-%d %j",
]  # fmt: skip
BAD_DATE_OUT = ["%s", "x", "%%", "%Q", "", "\u200b", "%Y %", "%d %s", "%%Y", "%f", "%Y %f", "%z", "%Y%z", "%*", "%Y%*", "%Z", "%A"]
ADDRESSES = [
    "ann@example.com", "Ann@Example.COM", "ANN@example.com", "bob@mail.example.com", "eve@example.org", "ann@strasse.de",
    "ann@straße.de", "ann@faß.example", "ann@xn--strae-oqa.de", "ann@XN--STRAE-OQA.DE", "ann@bücher.example", "ann@BÜCHER.example",
    "ann@xn--bcher-kva.example", "a.b+c/d=e@x.y", "a..b@x.y", ".a@x.y", "a.@x.y", '"q"@x.y', "a@x", "a@x.y.", "a@x..y", "a@-x.y",
    "a@x-.y", "a@ab--cd.example", "a@x.123", "a@x.1a", "a@1.2.3.4", "a@[1.2.3.4]", "ä@x.y", "a@x。y", "a@x。", "a@ＥＸＡＭＰＬＥ．com",
    "a@exa mple.com", "a@ex\u00adample.com", "a@x_y.com", "a@☃.example", "a@אב.example", "a@1אב.example", "1@a1.אב", "a@1a.אב",
    "a@xn--a.example", "a@xn--.example", "a@xn--abc-.example", "a@a\u200db.example", "a@ن\u200cا.example", "a@क\u094d\u200dष.example",
    "a@\u0301x.example", "a@b@c.d", "a b@x.y", "mailto:a@x.y", "@x.y", "a@", "@", "a@İ.example", "a@\u212aelvin.example",
    "a@ẞ.example", "a@x.y\u200b", "l" * 64 + "@x.y", "l" * 65 + "@x.y", "a@" + "d" * 63 + ".example", "a@" + "d" * 64 + ".example",
    "a@" + "ü" * 57 + ".example", "a@" + "ü" * 58 + ".example", "l" * 60 + "@" + ("d" * 61 + ".") * 3 + "example",
    "l" * 60 + "@" + ("d" * 61 + ".") * 3 + "examples", "l" * 64 + "@" + ("d" * 62 + ".") * 2 + "d" * 59 + ".yz",
    "l" * 64 + "@" + ("d" * 62 + ".") * 2 + "d" * 60 + ".yz", "日本@example.com", "a@日本.example", "a@日本｡jp",
]  # fmt: skip
BLOCKED = [
    "example.com", "EXAMPLE.org", "ann@example.com", "ANN@EXAMPLE.COM", "42", "7", "straße.de", "xn--bcher-kva.example", "ample.com",
    "bob@mail.example.com", "mail.example.com", "x.y", " example.com ",
]  # fmt: skip
TEMPLATES = [
    "{display_name}", "{first_name} {last_name}", "{first_name|last_name}", "{plan}", "{plan|company|email}", " {phone} ", "{{{plan}}}",
    "{{}}{plan}", "plain", "{{plain}}", "{plan}{plan}", "{email_verified}", "{credit_limit}!", "a {a/b} b", "{ lead}", "{日本|Straße}",
    "{notes} {notes}", "{login}\u2028", "\u200b{plan}", "}}{{",
]  # fmt: skip
BAD_TEMPLATES = ["{", "}", "{}", "{plan", "plan}", "{plan|}", "{|plan}", "{pl{an}", "{plan}}", "{plan}}}{", "{{{plan}}", "{ }", "{plan }", "{a||b}"]
CONSTANTS = ["newsletter", " padded ", "a,b", "{plan}", "Ünï", "42", "yes", "x" * 300, "2024-02-29", "Europe/Paris"]
SPLITS = [",", ";", "|", " ", "\n", "\r\n"]
OTHER_SPLITS = ["-", ", ", "||", "\t", "\u200b", "a", "é", "\u00a0", "\r"]

FREE = ["name", "first_name", "last_name", "fields.1", "fields.7", "fields.12", "fields." + "9" * 18]
ID_CLAIMS = ["organization_id", "language_id"]
LIST_CLAIMS = ["emails", "usergroup_ids", "labels", "fields.7[]", "fields.12[]", "fields.3[]"]
BAD_CLAIMS = [
    "Email", "e-mail", "fields", "fields.", "fields.0", "fields.07", "fields.x", "fields.7[", "fields.7[][]", "emails[]", "iat", "exp",
    "sub", "", " email", "fields.1" + "0" * 18, "fields.７", "field.7", "fields.7 ", "labels[]", "~/x",
]  # fmt: skip


# --------------------------------------------------------------------------
# Attributes


class Maker:
    """Everything random of one case comes from one generator."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def one(self, *pools):
        return self.random.choice(self.random.choice(pools))

    def some(self, pool, most):
        return self.random.sample(pool, self.random.randint(0, min(most, len(pool))))

    def long_text(self):
        n = self.random.choice([8190, 8191, 8192, 8193, 16384])
        return self.one(
            [
                "x" * n,
                " " + "x" * min(n, 16000),
                ("x" * n)[:16000] + " \u00a0",
                "é" * (n // 2),
                "é" * 4095 + "xx",
                "é" * 4096 + "x",
                "ŉ" * self.random.choice([2730, 2731, 4096]),
                "İ" * self.random.choice([2730, 2731]),
                "x," * self.random.choice([999, 1000, 1001, 4096]),
                ",".join(f"{i}" for i in range(self.random.choice([998, 999, 1000, 1001, 1600]))),
                "|".join(f"{i}" for i in range(3, self.random.choice([1002, 1003, 1004]))),
                "\u200b" * 2731 + "x",
                "l" * self.random.choice([5900, 6000, 6030, 6060]),
            ]
        )

    def text(self):
        if self.chance(0.02):
            return self.long_text()
        return self.one(WORDS, WORDS, BLANKS, PADDED, CASES, IDS, ZONES, DATES, ADDRESSES)

    def scalar(self):
        kind = self.random.random()
        return self.text() if kind < 0.8 else self.one(NUMBERS) if kind < 0.9 else self.chance(0.5)

    def value(self):
        if self.chance(0.82):
            return self.scalar()
        if self.chance(0.06):
            n = self.random.choice([998, 999, 1000, 1001])
            return [self.one(["", "3", str(i)]) if self.chance(0.01) else str(i) for i in range(3, n + 3)]
        if self.chance(0.3):
            return [self.one(ADDRESSES) for _ in range(self.random.randint(1, 5))]
        return [self.scalar() for _ in range(self.random.randint(0, 4))]

    def attributes(self, custom):
        found = {"login": self.one(["ann", "bob", "straße", "x" * 60])}
        pools = {
            "external_id": IDS + WORDS, "display_name": WORDS + BLANKS + PADDED, "first_name": WORDS + CASES,
            "last_name": WORDS + BLANKS, "language": ["de", "en-GB", "pt-BR", "", "xx"], "timezone": ZONES, "deskpro_id": ["42", "7", "12", " 3\u00a0"] * 4 + IDS,
        }  # fmt: skip
        for name, pool in pools.items():
            if self.chance(0.7):
                found[name] = self.one(pool)
        if self.chance(0.9):
            stored = [mapping.address(self.one(ADDRESSES)) for _ in range(6)]
            found.update({"email": address for address in stored if address is not None})
        if self.chance(0.9):
            found["email_verified"] = self.one([True, True, True, True, False, "true", "YES", " 1 ", "0", "maybe", ""])
        for name in custom:
            if self.chance(0.75):
                found[name] = self.fitting(name)
        while len(json.dumps(found, ensure_ascii=False).encode("utf-8")) > 60_000:
            del found[max(found, key=lambda name: len(json.dumps(found[name])))]
        return found

    def fitting(self, name):
        """A value such as the name promises, or any."""
        pools = {
            "other_emails": lambda: self.random.choice(SPLITS).join(self.some(ADDRESSES, 4)),
            "phone": lambda: self.one(ADDRESSES),
            "groups": lambda: self.random.choice(SPLITS).join(self.some(IDS, 5)),
            "member_since": lambda: self.one(DATES),
            "plan": lambda: self.one(["gold", "silver", "free", "Gold ", "42", "\u00e9", "e\u0301", "A\u030a"]),
            "credit_limit": lambda: self.one(NUMBERS),
            "vip": lambda: self.one([True, False, "yes", "n", "Y", 1, 0, 1.0, "maybe"]),
            "interests": lambda: [self.one(WORDS, IDS) for _ in range(self.random.randint(0, 6))],
        }
        return pools[name]() if name in pools and self.chance(0.6) else self.value()

    # ----------------------------------------------------------------------
    # Drafts that are meant to be correct

    def draft(self, names):
        claims = self.random.choice([["email"], ["email"], ["deskpro_id"], ["email", "deskpro_id"], ["email", "deskpro_id"]])
        scalars = self.some(FREE + ID_CLAIMS + ["timezone"], 5)
        lists = [self.random.choice(LIST_CLAIMS) for _ in range(self.random.randint(0, 6))]
        lists = [claim for claim in lists if claim.removesuffix("[]") not in scalars]
        claims = claims + scalars + lists
        self.random.shuffle(claims)
        draft = {"rules": [self.rule(claim, names) for claim in claims]}
        if self.chance(0.3):
            draft["token"] = "id" if "deskpro_id" in claims and self.chance(0.4) else "all"
        if lists and self.chance(0.6):
            listed = [claim for claim in dict.fromkeys(lists) if self.chance(0.7)]
            draft["empty_lists"] = {claim: self.one(["omit", "send", "send"]) for claim in listed}
        return draft

    def rule(self, claim, names):
        rule = {"claim": claim, "from": {"attribute": self.source(claim, names)}}
        if claim in mapping.IDENTIFIERS:
            steps = [{"split": self.random.choice(SPLITS)}] if claim == "emails" and self.chance(0.7) else []
            rule["steps"] = steps + ["lower"] * self.random.choice([0, 0, 1])
            if self.chance(0.1):
                rule["missing"] = self.one(["omit", "refuse"])
        else:
            self.fill(rule, claim, names)
        if not rule["steps"] and self.chance(0.7):
            del rule["steps"]
        if self.chance(0.06 if claim in ("email", "deskpro_id") else 0.3):
            rule["when"] = self.condition(names)
        return rule

    def source(self, claim, names):
        preferred = {
            "email": ["email", "email", "email", "email", "phone", "other_emails"],
            "emails": ["other_emails", "other_emails", "email", "phone", "interests"],
            "deskpro_id": ["deskpro_id", "deskpro_id", "deskpro_id", "external_id"],
            "usergroup_ids": ["groups", "interests", "plan"],
            "timezone": ["timezone"],
            "labels": ["interests", "notes", "plan", "groups"],
        }
        fitting = [name for name in preferred.get(claim, []) if name in names]
        return self.random.choice(fitting) if fitting and self.chance(0.93) else self.random.choice(names)

    def fill(self, rule, claim, names):
        """Steps, another source and a default for a claim that is no identifier."""
        is_list = mapping.claim_kind(claim) == "list"
        kind = self.random.random()
        steps = []
        if kind < 0.12:
            rule["from"] = {"constant": self.own(claim)}
        elif kind < 0.3 and claim not in ID_CLAIMS + ["usergroup_ids", "timezone"]:
            fitting = [text for text in TEMPLATES if self.knows(text, names)]
            rule["from"] = {"text": [self.random.choice(fitting) for _ in range(self.random.randint(1, 3))]}
            if any(not mapping.has_parts(text) for text in rule["from"]["text"]):
                rule["steps"] = []
                return
            steps = self.steps(claim, self.random.choice([0, 0, 1]))
        else:
            if is_list and self.chance(0.5):
                steps = [{"split": self.one(SPLITS, SPLITS, OTHER_SPLITS)}]
            steps += self.steps(claim, self.random.choice([0, 0, 1, 1, 2, 3]))
            made_for = {"date": "member_since", "yes_no": "vip", "lookup": "plan"}
            fitting = [made_for[key] for step in steps[:1] for key in step if key in made_for and made_for[key] in names]
            if fitting and self.chance(0.7):
                rule["from"] = {"attribute": fitting[0]}
        rule["steps"] = steps
        if self.chance(0.4):
            default = self.own(claim)
            if is_list and self.chance(0.5):
                default = [self.own(claim) for _ in range(self.random.randint(1, 4))]
            rule["missing"] = self.random.choice(["omit", {"default": default}])
            rule["missing"] = "refuse" if self.chance(0.1) else rule["missing"]

    def knows(self, text, names):
        parts = [name for piece in mapping.pieces(text) if isinstance(piece, tuple) for name in piece]
        return set(parts) <= set(names)

    def own(self, claim):
        """A text that the claim can hold."""
        if claim in ID_CLAIMS or claim == "usergroup_ids":
            return self.one(["3", " 42 ", "7", "9" * 18])
        if claim == "timezone":
            return self.one(["UTC", "europe/paris", "Asia/Calcutta", " utc"])
        return self.one(CONSTANTS)

    def steps(self, claim, number):
        return [self.step(claim) for _ in range(number)]

    def step(self, claim):
        kind = self.random.random()
        if kind < 0.3:
            return self.one(["lower", "upper"])
        if kind < 0.5:
            return {"date": {"in": self.one(DATE_IN), "out": self.one(DATE_OUT)}}
        if kind < 0.65:
            return {"yes_no": {"yes": self.own(claim), "no": self.own(claim)}}
        keys = ["gold", " silver", "free", "true", "1", "a/b", "~x", "", "29.02.2024", "e\u0301", "\u212b"]
        table = {key: None if self.chance(0.2) else self.own(claim) for key in self.some(keys, 4)}
        table.pop("", None)
        lookup = {"values": table or {"gold": self.own(claim)}}
        if self.chance(0.3):
            lookup["otherwise"] = self.own(claim)
        elif self.chance(0.4):
            lookup["keep"] = True
        return {"lookup": lookup}

    def condition(self, names):
        name = self.random.choice(names)
        test = self.random.choice(
            [
                {"set": True},
                {"true": True},
                {"is": self.one(["gold", " silver ", "42", "true", "0.1", "yes", "x", "\u00e9", "e\u0301"])},
                {"in": [self.one(["gold", "a", "e\u0301", "\u00c5", "3", "false", "1000000000000000000000"]) for _ in range(self.random.randint(1, 3))]},
            ]
        )
        when = {"attribute": name, **test}
        if self.chance(0.3):
            when["not"] = True
        return when

    # ----------------------------------------------------------------------
    # Drafts with something broken

    def junk(self):
        return self.random.choice(
            [
                None, True, False, 0, 1, -1.5, "", " ", "\u200b", "\u00a0", "x", "omit", "refuse", "lower", "upper", "title", "email",
                "labels", [], {}, [[]], [""], ["x"], ["x", 5], [None], {"x": "y"}, {"default": "x"}, {"default": ["42", ""]}, {"default": []},
                {"attribute": "email"}, {"constant": "x"}, {"text": ["x"]}, {"split": ""}, {"split": "|"}, {"upper": True},
                "x" * 8193, "1", "2", "Mars/Olympus", Pairs([("x", "y"), ("x", "z")]), Pairs([("attribute", "email"), ("attribute", "login")]),
            ]
        )  # fmt: skip

    def nasty_leaf(self, key):
        """Something that fits neither the key nor its kind, or only just."""
        pools = {
            "claim": [*FREE, *ID_CLAIMS, *LIST_CLAIMS, *LIST_CLAIMS, "email", "deskpro_id", "timezone", *BAD_CLAIMS],
            "attribute": [*UNKNOWN_NAMES, *SECRET_NAMES, *HARMLESS_NAMES, "email", "login"],
            "text": [*BAD_TEMPLATES, *BLANKS, "{nobody}", "{password}", "{password|nobody} {", "{pass|nobody|email}", "{{x}}", "42", "x"],
            "in": [*BAD_DATE_IN, *DATE_IN, *BLANKS],
            "out": [*BAD_DATE_OUT, *DATE_OUT],
            "split": ["", *SPLITS, *OTHER_SPLITS],
            "token": ["id", "all", "ID", ""],
            "missing": ["refuse", "omit", "default", "", {"default": "42"}, {"default": ["42", "1"]}, {"default": "Mars"}],
        }
        if key in pools and self.chance(0.8):
            return self.random.choice(pools[key])
        return self.one(BLANKS, IDS, ZONES, CONSTANTS, ["x" * 8192, "x" * 8193, "é" * 4097])

    def more(self, key):
        """A pair to put into an object that is found under this key."""
        pools = {
            "from": [("constant", "x"), ("text", ["{email}"]), ("attribute", "login"), ("text", []), ("constant", 5), ("text", "x")],
            "when": [("set", True), ("true", True), ("is", "x"), ("in", ["x"]), ("not", True), ("not", False), ("set", False), ("in", []), ("is", "")],
            "steps": [("split", ","), ("date", {"in": "%Y", "out": "x"}), ("yes_no", {"yes": "1"}), ("lookup", {}), ("lower", True), ("split", "")],
            "lookup": [("otherwise", "x"), ("otherwise", ""), ("keep", True), ("keep", False), ("default", "x")],
            "values": [("gold", None), ("\u00e9", "1"), ("e\u0301 ", None), ("\u00c5", "2"), ("gold ", "1"), (" gold", "2"), ("", "x"), ("\u00a0", "y"), ("a/b~c", ""), ("\u200b", "42"), ("x", 7)],
            "empty_lists": [("labels", "send"), ("emails", "keep"), ("name", "omit"), ("fields.7", "send"), ("x/y~z", "omit"), ("fields.3[]", 1)],
            "rules": [("steps", ["lower"]), ("steps", [{"split": ","}]), ("missing", {"default": ["x"]}), ("steps", {}), ("note", "x"), ("when", {})],
            "": [("token", "id"), ("empty_lists", {"labels": "send"}), ("version", 1), ("empty_lists", []), ("rules", [])],
        }  # fmt: skip
        return self.random.choice(pools.get(key, [("x", "y"), ("values", {}), ("yes", "")]))

    def break_one(self, root):
        """Breaks the draft, a tree of Pairs and lists, at one place."""
        place = self.random.choice(list(places(root)))
        holder, index, key = place
        node = root if holder is None else holder[index][1] if isinstance(holder, Pairs) else holder[index]

        def put(new):
            if isinstance(holder, Pairs):
                holder[index] = (holder[index][0], tree(new))
            elif holder is not None:
                holder[index] = tree(new)

        if isinstance(node, str):
            put(self.nasty_leaf(key) if self.chance(0.8) else self.junk())
        elif self.chance(0.15):
            put(self.junk())
        elif isinstance(node, Pairs):
            kind = self.random.random()
            if kind < 0.2 and node:
                node.pop(self.random.randrange(len(node)))
            elif kind < 0.4 and node:
                pair = self.random.choice(node)
                value = pair[1] if self.chance(0.5) else tree(self.junk())
                spelt = pair[0] + " " if key == "values" and self.chance(0.5) else pair[0]
                node.insert(self.random.randint(0, len(node)), (spelt, value))
            elif kind < 0.5 and node:
                i = self.random.randrange(len(node))
                node[i] = (self.one(["x", "claim", "attribute", "set", "is", "text", "", "a/b~c", "steps"]), node[i][1])
            else:
                name, value = self.more(key)
                node.append((name, tree(value)))
        elif isinstance(node, list):
            kind = self.random.random()
            if kind < 0.3 and node:
                node.pop(self.random.randrange(len(node)))
            elif kind < 0.5 and node:
                node.insert(self.random.randint(0, len(node)), self.random.choice(node))
            elif key == "steps":
                steps = [self.step("name"), {"split": self.one(SPLITS, OTHER_SPLITS)}, "title", "upper", {}, {"lookup": {"values": {"x": ""}}}]
                node.insert(self.random.randint(0, len(node)), tree(self.random.choice(steps)))
            else:
                node.append(tree(self.junk()))
        else:
            put(self.junk())

    def spoil(self, text):
        """Breaks the text of a draft as JSON, or brings it to a limit."""
        deep = self.random.choice([98, 99, 100, 101, 127, 128, 500, 20_000])
        long = self.random.choice([200_000, 200_001])
        many = self.random.choice([500, 501])
        rule = '{"claim":"labels","from":{"constant":"x"}}'
        return self.random.choice(
            [
                text[: self.random.randrange(len(text))],
                text + self.one([" x", "}", "{}", "\ufeff", "\u00a0", " \t\r\n"]),
                self.one(["\ufeff", "\u00a0", "//\n", "\n "]) + text,
                text.replace('"', "'", 2),
                text[:-1] + ",}",
                text.replace("email", "em\\u0000ail", 1),
                text.replace("email", "em\\ud800ail", 1),
                text.replace("email", "em\\udc00\\ud83dail", 1),
                text.replace("email", "em\\ud83d\\ude00ail", 1),
                text.replace("email", "\\u0065mail", 1),
                text.replace("email", "em\tail", 1),
                text.replace("email", "em\\xail", 1),
                text.replace("email", "em\x7fail", 1),
                text.replace('"rules"', '"x":' + self.one(["NaN", "Infinity", "01", "1.", ".5", "1e5", "-", "-0", "True", "nul", "1E+2"]) + ',"rules"', 1),
                text.replace('"rules"', '"x":' + "[" * deep + "]" * deep + ',"rules"', 1),
                text.replace('"rules"', '"x":' + '{"a":' * deep + "1" + "}" * deep + ',"rules"', 1),
                text + " " * (long - len(text.encode("utf-8"))),
                '{"rules":[' + ",".join([rule] * many) + "]}",
                '{"rules":[' + ",".join(["1"] * many) + '],"rules":[]}',
                self.one(["", " ", "null", "[]", "5", '"x"', "{}", '{"rules":[]}', '{"rules":{}}', '{"rules":null,"empty_lists":{"labels":"send"}}']),
            ]
        )

    def limits(self, names):
        """A draft that is correct or not only by a length."""
        n = self.random.choice([1000, 1001])
        parts = ",".join(str(i) for i in range(3, n + 3))
        rules = [{"claim": "email", "from": {"attribute": "email"}}]
        rules += self.random.choice(
            [
                [{"claim": "labels", "from": {"attribute": "email"}, "missing": {"default": [str(i) for i in range(n)]}}],
                [{"claim": "labels", "from": {"constant": parts}, "steps": [{"split": ","}]}],
                [{"claim": "labels", "from": {"constant": parts + ", ,,"}, "steps": [{"split": ","}]}],
                [{"claim": "usergroup_ids", "from": {"constant": "3,,4"}, "steps": [{"split": ","}]}],
                [{"claim": "usergroup_ids", "from": {"constant": "3,2,4"}, "steps": [{"split": ","}]}],
                [{"claim": "labels", "from": {"constant": "a,b"}, "steps": [{"split": ","}, {"lookup": {"values": {"a": "x"}}}]}],
                [{"claim": "name", "from": {"constant": "x" * (7192 + n)}}],
                [{"claim": "name", "from": {"constant": "ŉ" * 4096}, "steps": ["upper"]}],
                [{"claim": "name", "from": {"text": ["{email}", "x" * (7192 + n)]}}],
                [{"claim": "name", "from": {"text": ["{email}" + "x" * 8170 + " " * 40, "short"]}}],
                [{"claim": "name", "from": {"text": ["{login}" * 3000 + "{email}", "short"]}}],
                [{"claim": "name", "from": {"attribute": "login"}, "missing": {"default": " " * 20 + "x" * (7192 + n)}}],
                [{"claim": "fields.1", "from": {"attribute": "login"}, "steps": [{"lookup": {"values": {"ann": "x" * (7192 + n)}}}]}],
                [{"claim": "timezone", "from": {"constant": "2024-02-29"}, "steps": [{"date": {"in": "%d.%m.%Y", "out": "%Y"}}]}],
                [{"claim": "fields.1", "from": {"text": ["yes", "maybe"]}, "steps": [{"yes_no": {"yes": "1", "no": "0"}}]}],
                [{"claim": "labels", "from": {"constant": "x" * i}} for i in range(1, 104)],
                [{"claim": "labels", "from": {"constant": f"{i}"}} for i in range(self.random.choice([400, 498]))],
                [{"claim": "name", "from": {"constant": "n" * self.random.randint(5930, 6010)}}],
            ]
        )
        return {"rules": rules}

    # ----------------------------------------------------------------------
    # Dates by formats of any make

    def date_format(self):
        """A format for `in`, correct more often than not."""
        parts = [self.one(["%Y", "%y"]), self.one(["%m", "%b", "%B"]), "%d"]
        parts += [] if self.chance(0.4) else ["%H"] if self.chance(0.5) else ["%I", "%p"]
        parts += [part for part in ["%M", "%S", "%f", "%z"] if self.chance(0.4)]
        if self.chance(0.5):
            self.random.shuffle(parts)
        if self.chance(0.1):
            parts.insert(self.random.randint(0, len(parts)), self.one(sorted(mapping.TAKES)))
        between = self.one([["-"], [""], ["", "-", ".", " ", "/", ":", "T", "%%", "0", "x", "é"]])
        form = "".join(part + self.one(between) for part in parts)
        return form + "%*" if self.chance(0.4) else form

    def date_text(self, form):
        """A text that the format reads, or nearly."""
        try:
            parts = mapping.directives(form)
        except mapping.BadDate:
            return self.one(DATES)
        taken = {
            "%Y": ["2024", "1999", "0001", "0000", "24"], "%y": ["24", "00", "68", "69", "99", "4"], "%m": ["2", "02", "12", "0", "13"],
            "%d": ["1", "09", "29", "31", "0"], "%H": ["0", "7", "23", "24"], "%I": ["1", "12", "07", "0", "13"], "%p": ["AM", "pm", "Pm", "a.m."],
            "%M": ["0", "59", "60"], "%S": ["5", "05", "60"], "%f": ["1", "123", "123456789", "1234567890", ""],
            "%z": ["Z", "z", "UTC", "gmt", "+02", "-0930", "+14:59", "+15", "+15:00", "+0260", "+02:60", "+2", "CET", ""],
            "%*": ["", "", " x", "x", "1", "é", "\n", "Z"], "%s": ["0", "1709164800", "1709164800123", "012345678901"], "%%": ["%"],
        }  # fmt: skip
        months = [*mapping.MONTHS, "Feb", "MAY", "Sept", "sep", "Juni", "mar"]
        pick = lambda pool: pool[0] if self.chance(0.4) else self.one(pool)
        text = "".join(pick(months if part in ("%b", "%B") else taken.get(part, [part])) for part in parts)
        if text and self.chance(0.1):
            at = self.random.randrange(len(text))
            text = text[:at] + self.one(["", "0", "x", " ", "\u0663", "+"]) + text[at + 1 :]
        return text

    def dates(self):
        """A draft of dates and a user's values for it, which `attributes` puts in."""
        forms = [self.date_format() for _ in range(self.random.randint(1, 8))]
        rules = [{"claim": "email", "from": {"attribute": "email"}}]
        rules += [
            {"claim": "labels", "from": {"attribute": "member_since"}, "steps": [{"date": {"in": form, "out": self.one(DATE_OUT)}}]}
            for form in forms
        ]
        texts = [self.date_text(form) for form in forms for _ in range(6)]
        return {"rules": rules}, {"member_since": texts, "email": "ann@example.com", "email_verified": True}

    # ----------------------------------------------------------------------
    # Names of new attributes, and values of columns

    def name(self, names):
        """A name for a new attribute: often one that exists, written in another way."""
        name = self.one(names, CUSTOM, SECRET_NAMES, HARMLESS_NAMES, UNKNOWN_NAMES, ["Ländercode", "Prämie", "first name"])
        change = self.one(
            [
                lambda text: text,
                lambda text: unicodedata.normalize("NFD", text),
                lambda text: text.upper(),
                lambda text: text.replace(" ", self.one(["\u00a0", "  ", "\u2003"])),
                lambda text: text + self.one([" ", "\u00a0", "\u200b", "\u00ad", "\u2060", "x", "\n", "{", "\u0308"]),
                lambda text: self.one([" ", "\u00a0", "\ufeff", "\u200d", "\u202e", "x"]) + text,
                lambda text: text[: len(text) // 2] + self.one(["\u200b", "\u00ad", "\u200d", "|"]) + text[len(text) // 2 :],
            ]
        )
        return change(name)

    def cell(self):
        """A value of a column, perhaps one that begins like a stored password."""
        beginning = self.one([*mapping.STORED, *mapping.SCHEMES, "{MD5", "$3$", "$2$", "{S", "$", "scrypt", "pbkdf2"])
        beginning = self.one([str, str.upper, str.lower, str.title])(beginning)
        return self.one(["", "", "", " ", "\u00a0", "x"]) + beginning + self.one(["", "$10$abc", "}abc", " a month"])

    # ----------------------------------------------------------------------

    def case(self):
        custom = sorted(self.some(CUSTOM[:10], 10) + self.some(CUSTOM[10:], 4) + self.some(HARMLESS_NAMES, 1))
        more = {}
        names = list(mapping.BUILT_IN) + custom
        kind = self.random.random()
        draft = self.limits(names) if kind < 0.03 else self.draft(names)
        if 0.03 < kind < 0.1:
            custom = sorted({*custom, "member_since"})
            names = list(mapping.BUILT_IN) + custom
            draft, more = self.dates()
        if 0.6 < kind < 0.96:
            draft = tree(draft)
            for _ in range(self.random.choice([1, 1, 2, 3, 5])):
                self.break_one(draft)
        text = write(tree(draft), self.random)
        if kind >= 0.96:
            text = self.spoil(text)
        proved = [name for name in ["other_emails", "phone", "groups", "interests"] if self.chance(0.4)]
        return {
            "mapping": text,
            "custom": custom,
            "proved": [name for name in proved if name in names],
            "attributes": self.attributes(custom) | more,
            "disabled": self.chance(0.02),
            "verified_only": self.chance(0.7),
            "blocked": self.some(BLOCKED, 3) if self.chance(0.25) else [],
            "names": [self.name(names) for _ in range(3)],
            "cells": [self.cell() for _ in range(3)],
        }


# --------------------------------------------------------------------------
# JSON in which a key can stand twice


class Pairs(list):
    """A JSON object as a list of (key, value)."""


def tree(value):
    """A copy in which every dict is Pairs."""
    if isinstance(value, dict):
        return Pairs((key, tree(inner)) for key, inner in value.items())
    if isinstance(value, Pairs):
        return Pairs((key, tree(inner)) for key, inner in value)
    return [tree(item) for item in value] if isinstance(value, list) else value


def places(node, holder=None, index=None, key=""):
    """Every place of a tree as (holder, index in it, nearest key), the root first."""
    yield holder, index, key
    if isinstance(node, Pairs):
        for i, (name, inner) in enumerate(node):
            yield from places(inner, node, i, name)
    elif isinstance(node, list):
        for i, inner in enumerate(node):
            yield from places(inner, node, i, key)


def write(node, chooser):
    """The tree as JSON, with escapes and spaces as they come."""
    space = chooser.choice(["", "", " ", "\n  "])
    ascii_only = chooser.random() < 0.3

    def text_of(node):
        if isinstance(node, Pairs):
            pairs = (f"{json.dumps(key, ensure_ascii=ascii_only)}:{space}{text_of(inner)}" for key, inner in node)
            return "{" + f",{space}".join(pairs) + "}"
        if isinstance(node, list):
            return "[" + f",{space}".join(map(text_of, node)) + "]"
        return json.dumps(node, ensure_ascii=ascii_only)

    return text_of(node)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, default=1000)
    options = parser.parse_args()
    for i in range(options.number):
        print(json.dumps(Maker(f"{options.seed}/{i}").case()))


if __name__ == "__main__":
    main()
