"""Self-tests of the oracle, with cases taken from the sentences of the specification.

    python -m unittest
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import jwt

import expect
import fuzz
import mapping
import users

HERE = pathlib.Path(__file__).parent
VERIFIED = {"login": "ann", "email": "ann@example.com", "email_verified": "true"}
EMAIL = {"claim": "email", "from": {"attribute": "email"}}
NAMES = ("plan", "groups", "interests", "newsletter", "member_since", "other_emails", "a/b")


def draft(*rules, **more):
    return {"rules": [EMAIL, *rules], **more}


def findings(*rules, **more):
    """The errors of a draft beside a correct rule for `email`, which is rule 0."""
    return mapping.check(json.dumps(draft(*rules, **more)), NAMES)


def payload(*rules, mapping_too={}, settings={}, **attributes):
    result = mapping.apply(draft(*rules, **mapping_too), {**VERIFIED, **attributes}, **settings)
    return result["payload"]


def made(value, *steps, claim="name", **rule):
    """What a rule for `claim` makes of one attribute, None when the claim is left out."""
    rule = {"claim": claim, "from": {"attribute": "plan"}, "steps": list(steps), **rule}
    made = payload(rule, plan=value)
    return made.get("fields", made).get(claim.removeprefix("fields.").removesuffix("[]"))


def refused(*rules, settings={}, attributes=VERIFIED, **more):
    return mapping.apply({"rules": list(rules), **more}, attributes, **settings).get("refused")


class Values(unittest.TestCase):
    def test_a_text_is_trimmed_and_a_blank_one_is_missing(self):
        for text, wanted in [
            (" Smith", "Smith"), ("\u00a0\u2028Smith\u3000\x85", "Smith"), ("\u200bSmith", "\u200bSmith"), ("\x1cx\x1c", "\x1cx\x1c"),
            ("", None), (" \t", None), ("\u200b", None), (" \u00ad\ufeff\x1c ", None), ("\u3164", "\u3164"), (None, None),
        ]:  # fmt: skip
            self.assertEqual(made(text), wanted, ascii(text))

    def test_a_text_above_8192_bytes_is_missing(self):
        read = lambda text: mapping.read({"plan": text}, "plan")
        self.assertEqual(len(read("x" * 8192)), 8192)
        self.assertIsNone(read("x" * 8193))
        self.assertIsNone(read("é" * 4096 + "x"))
        self.assertEqual(len(read("  " + "x" * 8192 + "\n")), 8192)
        self.assertIsNone(mapping.run_steps("ŉ" * 4096, ["upper"])[0])

    def test_a_list_of_more_than_1000_items_is_missing_and_blank_items_are_lost(self):
        self.assertEqual(made(["a", "", " ", "b"], claim="labels"), ["a", "b"])
        self.assertIsNone(made(["", "\u200b"], claim="labels"))
        numbers = [str(i) for i in range(1001)]
        self.assertEqual(len(made(numbers[1:], claim="labels")), 1000)
        self.assertEqual(len(made([*numbers[1:], ""], claim="labels")), 1000)
        self.assertIsNone(made(numbers, claim="labels"))
        self.assertIsNone(made(",".join(numbers), {"split": ","}, claim="labels"))

    def test_numbers_and_yes_no_as_text(self):
        for value, wanted in [
            (True, "true"), (False, "false"), (3.0, "3"), (0.1, "0.1"), (-0.0, "0"), (1e21, "1" + "0" * 21), (1e-7, "0.0000001"),
            (2500.50, "2500.5"), (2**64 - 1, "18446744073709551615"), (9007199254740993, "9007199254740993"), (-2.5, "-2.5"),
        ]:  # fmt: skip
            self.assertEqual(made(value), wanted)

    def test_letters_change_by_the_full_case_mappings(self):
        for text, step, wanted in [
            ("STRASSE", "lower", "strasse"), ("straße", "upper", "STRASSE"), ("ΑΣ ΑΣ.", "lower", "ας ας."),
            ("İ", "lower", "i̇"), ("ﬁ", "upper", "FI"), ("I", "lower", "i"),
        ]:  # fmt: skip
            self.assertEqual(made(text, step), wanted)

    def test_email_verified_that_says_neither_is_missing(self):
        rule = {"claim": "name", "from": {"attribute": "email_verified"}}
        read = lambda value: payload(rule, settings={"verified_only": False}, email_verified=value).get("name")
        self.assertEqual([read(v) for v in (" YES ", True, "0", "maybe", "")], ["true", "true", "false", None, None])

    def test_secret_names(self):
        for name in fuzz.SECRET_NAMES + ["user.pass", "PASSWORT_HASH", "myJWT", "JWTValue", "pwd1", "seed-value"]:
            self.assertTrue(mapping.is_secret_name(name), name)
        for name in fuzz.HARMLESS_NAMES + ["bypass", "plan", "Straße", "mytokenx", "notary"]:
            self.assertFalse(mapping.is_secret_name(name), name)


class Steps(unittest.TestCase):
    def test_dates(self):
        for form, text, wanted in [
            ("%Y-%m-%d", "2024-02-29", "20240229000000"), ("%Y-%m-%d", "2023-02-29", None), ("%Y-%m-%d", "2024-2-9", "20240209000000"),
            ("%Y%m%d", "2024229", None), ("%Y%m%d", "2024119", "20241109000000"), ("%Y-%m-%d", "24-02-09", None),
            ("%Y-%m-%d", "2024-02-09x", None), ("%Y-%m-%d", "0000-01-01", None), ("%Y-%m-%d", "0001-01-01", "00010101000000"),
            ("%d%%%m%%%Y %H", "09%02%2024 23", "20240209230000"), ("%d.%m.%Y %H:%M:%S", "09.02.2024 23:59:60", None),
            ("%s", "0", "19700101000000"), ("%s", "99999999999", "51381116094639"), ("%s", "-1", None),
            (" %Y-%m-%d ", "2024-02-29", "20240229000000"), ("%Y-%m-%d", "٢٠٢٤-01-01", None),
        ]:  # fmt: skip
            self.assertEqual(made(text, {"date": {"in": form, "out": "%Y%m%d%H%M%S"}}), wanted, (form, text))

    def test_the_grown_grammar_of_dates(self):
        for form, text, wanted in [
            ("%d.%m.%y", "29.02.68", "2068-02-29 00:00:00"), ("%d.%m.%y", "28.02.69", "1969-02-28 00:00:00"), ("%d.%m.%y", "05.01.2024", None),
            ("%d.%m.%y%*", "05.01.2024", None), ("%d.%m.%y%*", "05.01.24 x", "2024-01-05 00:00:00"), ("%d %b %Y", "1 MAY 2024", "2024-05-01 00:00:00"),
            ("%d %b %Y", "1 september 2024", "2024-09-01 00:00:00"), ("%d %B %Y", "1 Sep 2024", "2024-09-01 00:00:00"), ("%d %b %Y", "1 Sept 2024", None),
            ("%b%d%Y", "Sept12024", None), ("%Y-%m-%d %I:%M %p", "2024-02-29 12:01 am", "2024-02-29 00:01:00"),
            ("%Y-%m-%d %I:%M %p", "2024-02-29 12:01 PM", "2024-02-29 12:01:00"), ("%Y-%m-%d %I:%M %p", "2024-02-29 13:01 PM", None),
            ("%Y-%m-%d %I:%M %p", "2024-02-29 0:01 PM", None), ("%Y-%m-%d %p%I", "2024-02-29 PM3", "2024-02-29 15:00:00"),
            ("%Y-%m-%d.%f", "2024-02-29.123456789", "2024-02-29 00:00:00"), ("%Y-%m-%d.%f", "2024-02-29.1234567890", None), ("%Y-%m-%d.%f", "2024-02-29.", None),
            ("%Y-%m-%d%z", "2024-02-29+14:59", "2024-02-29 00:00:00"), ("%Y-%m-%d%z", "2024-02-29+15:00", None), ("%Y-%m-%d%z", "2024-02-29+02:60", None),
            ("%Y-%m-%d%z%*", "2024-02-29+02:60", "2024-02-29 00:00:00"), ("%Y-%m-%d%z%*", "2024-02-29+0260", None), ("%Y-%m-%d%z:60", "2024-02-29+02:60", "2024-02-29 00:00:00"),
            ("%Y-%m-%d %z", "2024-02-29 uTc", "2024-02-29 00:00:00"), ("%Y-%m-%d%z", "2024-02-29z", "2024-02-29 00:00:00"), ("%Y-%m-%d%z%*", "2024-02-29Zulu", None),
            ("%Y-%m-%d%*", "2024-02-29", "2024-02-29 00:00:00"), ("%Y-%m-%d %*", "2024-02-29", None), ("%Y-%m-%d %*", "2024-02-29 at noon", "2024-02-29 00:00:00"),
            ("%d %m %Y%*", "29 02 2024x", "2024-02-29 00:00:00"), ("%Y-%m-%dT%*", "2024-02-29Tx", None), ("%Y-%m-%dT%*", "2024-02-29T1", "2024-02-29 00:00:00"),
            ("%s", "100000000000", "1973-03-03 09:46:40"), ("%s", "99999999999999", "5138-11-16 09:46:39"), ("%s", "000000000999", "1970-01-01 00:00:00"),
            ("%s", "100000000000000", None),
        ]:  # fmt: skip
            self.assertEqual(made(text, {"date": {"in": form, "out": "%Y-%m-%d %H:%M:%S"}}), wanted, (form, text))
        for out, wanted in [("%d.%m.%y", "09.01.05"), ("%b %B", "Jan January"), ("%I:%M %p%p", "12:03 AMAM"), ("%y%y%%", "0505%")]:
            self.assertEqual(made("2005-01-09 0:3", {"date": {"in": "%Y-%m-%d %H:%M", "out": out}}), wanted)
        self.assertEqual(made("2005-01-09 13", {"date": {"in": "%Y-%m-%d %H", "out": "%I %p"}}), "01 PM")

    def test_a_lookup_compares_in_nfc_and_gives_nothing_where_its_output_is_null(self):
        lookup = lambda values, **more: {"lookup": {"values": values, **more}}
        self.assertEqual(made("e\u0301", lookup({"\u00e9": "7"})), "7")
        self.assertEqual(made("\u00e9", lookup({" e\u0301 ": "7"})), "7")
        self.assertEqual(made("e\u0301", lookup({"x": "7"}, keep=True)), "e\u0301")
        for more in ({}, {"keep": True}, {"otherwise": "o"}):
            self.assertIsNone(made("gold", lookup({"gold": None}, **more)))
        self.assertTrue(mapping.holds({"attribute": "plan", "is": "\u00e9"}, {"plan": "e\u0301"}))
        self.assertTrue(mapping.holds({"attribute": "plan", "in": ["x", "e\u0301"]}, {"plan": ["\u00e9"]}))

    def test_stored_passwords_and_new_names(self):
        for value in (*mapping.STORED, "{SHA}x", "{sSha512}x", "{crypt}$1$", " $y$j9T$"):
            self.assertTrue(mapping.is_stored_password(value), value)
        for value in ("", "$3 a month", "$Y$", "$2$", "x{SHA}", "SHA", "PBKDF2_", "{MD5}"):
            self.assertFalse(mapping.is_stored_password(value), value)
        for name in ("plan 2", "\u00e9", "first  name", "first\u00a0names"):
            self.assertTrue(mapping.can_be_new(name, ["plan"]), name)
        for name in ("e\u0301", "pl\u00adan", "Plan", "plan\u00a0", "Email", "email\u200b", "e\u00admail", "PLAN ", "a\nb", "x" * 65, "pass"):
            self.assertFalse(mapping.can_be_new(name, ["plan"]), name)

    def test_yes_no_and_lookup(self):
        yes_no = {"yes_no": {"yes": " 1 ", "no": "0"}}
        self.assertEqual([made(v, yes_no) for v in ("oN", "F", 1, "maybe", True)], ["1", "0", "1", None, "1"])
        values = {" gold ": " 7 ", "3": "three", "true": "t"}
        self.assertEqual([made(v, {"lookup": {"values": values}}) for v in ("gold", "Gold", 3.0, True)], ["7", None, "three", "t"])
        self.assertEqual(made("x", {"lookup": {"values": values, "keep": True}}), "x")
        self.assertEqual(made("x", {"lookup": {"values": values, "otherwise": " o"}}), "o")

    def test_steps_work_on_every_item_of_a_list(self):
        split, table = {"split": ","}, {"lookup": {"values": {"BIKES": "4", "CARS": "5"}}}
        self.assertEqual(made("bikes, , boats,cars,bikes", split, "upper", table, claim="fields.12[]"), ["4", "5"])
        self.assertEqual(made(["a,b", "b,c"], split, claim="labels"), ["a", "b", "c"])
        self.assertEqual(made("  a  ", {"split": " "}, claim="labels"), ["a"])


class Texts(unittest.TestCase):
    def test_parts(self):
        for text, wanted in [
            ("{first_name} {last_name}", None), ("{first_name|plan}", "gold"), ("{{{plan}}}", "{gold}"), (" {plan} ", "gold"),
            ("{interests|plan}", "gold"), ("{interests}", None), ("{{plan}}", "{plan}"), ("{last_name}", "{plan}"),
        ]:  # fmt: skip
            rule = {"claim": "name", "from": {"text": [text]}}
            made = payload(rule, plan="gold", interests=["x"], last_name="{plan}").get("name")
            self.assertEqual(made, wanted, text)

    def test_the_first_text_that_is_neither_blank_nor_too_long(self):
        rule = {"claim": "name", "from": {"text": ["{first_name}", "{plan}{plan}", "{last_name}"]}}
        self.assertEqual(payload(rule, plan="x" * 5000, last_name="Smith")["name"], "Smith")
        self.assertEqual(len(mapping.build(" {plan}" + "x" * 8188 + "  ", {"plan": "gold"})), 8192)


class Claims(unittest.TestCase):
    def test_ids_and_groups(self):
        for text, wanted in [("42", "42"), (" 42 ", "42"), (42, "42"), ("042", None), ("1" * 18, "1" * 18), ("1" * 19, None), ("５", None)]:
            self.assertEqual(made(text, claim="organization_id"), wanted)
        self.assertEqual(made("1|2|3|x|3", {"split": "|"}, claim="usergroup_ids"), ["3"])

    def test_time_zones(self):
        for text, wanted in [("EUROPE/berlin", "Europe/Berlin"), ("us/pacific", "US/Pacific"), ("Mars/Olympus", None), ("New_Yor\u212a", None)]:
            self.assertEqual(made(text, claim="timezone"), wanted)

    def test_addresses(self):
        for text, wanted in [
            ("Ann@Example.COM", "Ann@example.com"), ("ann@straße.de", "ann@xn--strae-oqa.de"), ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
            ("a@x", None), ("a@x.y.", None), ("a@x.123", None), ("a@x.1a", "a@x.1a"), ("a@ab--cd.example", "a@ab--cd.example"), ("a@x。y", "a@x.y"),
            ("a@x_y.com", None), ("a@☃.example", "a@xn--n3h.example"), ("ä@x.y", None), ("a..b@x.y", None), ('"q"@x.y', None), ("a@b@c.d", None),
            ("l" * 64 + "@x.y", "l" * 64 + "@x.y"), ("l" * 65 + "@x.y", None), ("a@" + "d" * 64 + ".y", None), ("a@1אב.example", None),
            ("a@אב.example", "a@xn--4dbc.example"), ("a@xn--a.example", None), ("a@-x.y", None),
            ("l" * 64 + "@" + ("d" * 62 + ".") * 2 + "d" * 60 + ".yz", "l" * 64 + "@" + ("d" * 62 + ".") * 2 + "d" * 60 + ".yz"),
            ("l" * 64 + "@" + ("d" * 62 + ".") * 2 + "d" * 61 + ".yz", None),
        ]:  # fmt: skip
            self.assertEqual(mapping.address(text), wanted, text)

    def test_a_list_for_a_scalar_claim_is_missing(self):
        self.assertIsNone(made(["x"]))
        self.assertEqual(made("x", claim="labels"), ["x"])

    def test_items_come_in_the_order_of_the_rules_without_duplicates(self):
        rules = [{"claim": "labels", "from": {"constant": c}, "steps": [{"split": ","}]} for c in ("b,a", "a,c")]
        self.assertEqual(payload(*rules)["labels"], ["b", "a", "c"])

    def test_emails_are_compared_folded_and_without_the_claim_email(self):
        rule = {"claim": "emails", "from": {"attribute": "other_emails"}, "steps": [{"split": "|"}], "missing": "refuse"}
        emails = lambda text: payload(rule, settings={"proved": ["other_emails"]}, other_emails=text).get("emails")
        self.assertEqual(emails("B@x.y|b@X.Y|ANN@example.com|no"), ["B@x.y"])
        self.assertIsNone(emails("ANN@Example.com"))

    def test_empty_lists(self):
        rules = [
            {"claim": "labels", "from": {"attribute": "plan"}},
            {"claim": "fields.3[]", "from": {"constant": "x"}, "when": {"attribute": "plan", "set": True}},
        ]
        self.assertEqual(payload(*rules), {"email": "ann@example.com"})
        sent = payload(*rules, mapping_too={"empty_lists": {"labels": "send", "fields.3[]": "send"}})
        self.assertEqual(sent, {"email": "ann@example.com", "labels": [], "fields": {"3": []}})

    def test_missing(self):
        self.assertEqual(made("x", claim="timezone", missing={"default": "etc/utc"}), "Etc/UTC")
        self.assertEqual(made("", claim="labels", missing={"default": ["b", "a", "b"]}), ["b", "a"])
        self.assertEqual(made("", "upper", missing={"default": "a"}), "a")

    def test_conditions(self):
        for when, attributes, wanted in [
            ({"set": True}, {}, False), ({"set": True, "not": True}, {}, True), ({"set": True}, {"plan": "\u200b"}, False),
            ({"true": True}, {"plan": "Y"}, True), ({"true": True}, {"plan": "maybe"}, False), ({"true": True, "not": True}, {"plan": "no"}, True),
            ({"is": " gold "}, {"plan": "gold\n"}, True), ({"is": "gold"}, {"plan": "Gold"}, False), ({"is": "1"}, {"plan": 1.0}, True),
            ({"in": ["a", "b"]}, {"plan": ["x", "b"]}, True), ({"in": ["a"], "not": True}, {"plan": ["a", "b"]}, False), ({"is": "x", "not": True}, {}, True),
        ]:  # fmt: skip
            self.assertEqual(mapping.holds({"attribute": "plan", **when}, attributes), wanted, (when, attributes))


class Refusals(unittest.TestCase):
    def test_the_order(self):
        name = {"claim": "name", "from": {"attribute": "plan"}, "missing": "refuse"}
        unverified = {**VERIFIED, "email_verified": "no"}
        missing = {"code": "missing", "claim": "name"}
        self.assertEqual(refused(EMAIL, settings={"disabled": True, "blocked": ["example.com"]}), {"code": "disabled"})
        self.assertEqual(refused(name, settings={"blocked": ["EXAMPLE.com"]}), {"code": "blocked"})
        self.assertEqual(refused(EMAIL, name, attributes=unverified), missing)
        self.assertEqual(refused({**EMAIL, "missing": "refuse"}, name, attributes=unverified), {"code": "unverified", "claim": "email"})
        self.assertEqual(refused(EMAIL, attributes=unverified), {"code": "unverified", "claim": "email"})
        self.assertIsNone(refused(EMAIL, attributes=unverified, settings={"verified_only": False}))
        self.assertEqual(refused(EMAIL, attributes={"email_verified": True}), {"code": "no_identifier"})

    def test_blocked(self):
        for entry, wanted in [
            ("ann@EXAMPLE.com", True), ("example.com", True), ("com", True), ("ample.com", False), ("mail.example.com", False), ("42", True), ("4", False),
        ]:  # fmt: skip
            attributes = {**VERIFIED, "deskpro_id": "42"}
            self.assertEqual(refused(EMAIL, attributes=attributes, settings={"blocked": [entry]}) is not None, wanted, entry)
        emails = {"claim": "emails", "from": {"attribute": "phone"}}
        settings = {"blocked": ["straße.de"], "proved": ["phone"]}
        attributes = {**VERIFIED, "phone": "x@XN--strae-oqa.de"}
        self.assertEqual(refused(EMAIL, emails, attributes=attributes, settings=settings), {"code": "blocked"})

    def test_proof(self):
        rule = {"claim": "deskpro_id", "from": {"attribute": "external_id"}}
        attributes = {"external_id": "42"}
        self.assertEqual(refused(rule, attributes=attributes), {"code": "unverified", "claim": "deskpro_id"})
        self.assertIsNone(refused(rule, attributes=attributes, settings={"proved": ["external_id"]}))
        self.assertEqual(refused(rule, attributes={"external_id": "x"}), {"code": "no_identifier"})
        self.assertIsNone(refused({"claim": "deskpro_id", "from": {"attribute": "deskpro_id"}}, attributes={"deskpro_id": "42"}))

    def test_a_token_of_the_id_alone(self):
        rules = [EMAIL, {"claim": "name", "from": {"attribute": "plan"}, "missing": "refuse"}, {"claim": "deskpro_id", "from": {"attribute": "deskpro_id"}}]
        result = mapping.apply({"token": "id", "rules": rules}, {**VERIFIED, "deskpro_id": "42"})
        self.assertEqual(result, {"payload": {"deskpro_id": "42"}})
        self.assertEqual(refused(*rules, token="id"), {"code": "no_identifier"})

    def test_too_large(self):
        rule = {"claim": "name", "from": {"attribute": "plan"}}
        self.assertEqual(refused(EMAIL, rule, attributes={**VERIFIED, "plan": "x" * 6500}), {"code": "too_large"})
        result = mapping.apply(draft(rule), {**VERIFIED, "plan": "x" * 100})
        token = jwt.encode({**result["payload"], "iat": 1_700_000_000, "exp": 1_700_000_300}, b"k" * 32)
        self.assertEqual(mapping.token_bytes(result["payload"]), len(token))


class Checking(unittest.TestCase):
    def check(self, rule, *wanted, **more):
        """A rule at /rules/1 and its findings, written as `code pointer-below-the-rule`."""
        wanted = [tuple(text.split(" ", 1)) for text in wanted]
        wanted = [(code, "/rules/1" + rest if not rest.startswith("=") else rest[1:]) for code, rest in wanted]
        self.assertEqual(findings(rule, **more), sorted(wanted), rule)

    def name(self, **rule):
        return {"claim": "name", "from": {"attribute": "plan"}, **rule}

    def test_the_example_has_no_errors(self):
        text = (HERE / "mapping.json").read_text("utf-8")
        names = "company credit_limit groups member_since newsletter notes other_emails phone plan".split()
        self.assertEqual(mapping.check(text, names), [])

    def test_the_whole(self):
        good = json.dumps(draft())
        deep = lambda n: mapping.check(good[:-1] + ',"x":' + "[" * n + "]" * n + "}")
        for text, wanted in [
            (good, []), (good + " " * (200_000 - len(good)), []), (good + " " * (200_001 - len(good)), [("draft_too_large", "")]),
            ("", [("not_json", "")]), (good + "x", [("not_json", "")]), ("NaN", [("not_json", "")]), ('"\\ud800"', [("not_json", "")]),
            ('{"\\u0000":1}', [("not_json", "")]), ("[" * 100_000, [("not_json", "")]), ("5", [("wrong_type", "")]),
            ('{"rules":[' + "1," * 500 + "1]}", [("draft_too_large", "")]), ("{}", [("missing_key", "")]), ('{"rules":5}', [("wrong_type", "/rules")]),
            ('{"rules":[]}', [("no_identifier", "/rules")]), (b"\xff", [("not_json", "")]),
        ]:  # fmt: skip
            self.assertEqual(mapping.check(text), wanted, text[:60])
        self.assertEqual(deep(99), [("unknown_key", "/x")])
        self.assertEqual(deep(100), [("not_json", "")])

    def test_duplicate_keys(self):
        text = '{"rules":[{"claim":"email","from":{"attribute":"email"},"claim":5}],"token":"all","token":"all"}'
        self.assertEqual(mapping.check(text), [("duplicate_key", "/rules/0/claim"), ("duplicate_key", "/token")])
        self.check(self.name(steps=[{"lookup": {"values": {"a/b": "x", " a/b": "y"}}}]), "duplicate_key /steps/0/lookup/values/ a~1b")
        self.check(self.name(steps=[{"lookup": {"values": {"\u00e9": "x", "e\u0301": "y"}}}]), "duplicate_key /steps/0/lookup/values/e\u0301")
        self.check(self.name(steps=[{"lookup": {"values": {"a": None, " ": None}, "otherwise": None}}]),
                   "blank_text /steps/0/lookup/values/ ", "wrong_type /steps/0/lookup/otherwise")  # fmt: skip

    def test_keys_and_types(self):
        self.check({}, "missing_key ")
        self.check(5, "wrong_type ")
        self.check(self.name(x=1), "unknown_key /x")
        self.check({"claim": "name", "from": {"x": 1}}, "unknown_key /from/x")
        self.check({"claim": "name", "from": {}}, "missing_key /from")
        self.check({"claim": "name", "from": {"attribute": "plan", "constant": 5}}, "wrong_type /from", "wrong_type /from/constant")
        self.check(self.name(steps=[{"title": True}, "title", {}]), "unknown_key /steps/0/title", "wrong_type /steps/1", "missing_key /steps/2")
        self.check(self.name(steps=[{"lookup": {"values": {}, "otherwise": "x", "keep": False}}]),
                   "wrong_type /steps/0/lookup", "wrong_type /steps/0/lookup/keep", "wrong_type /steps/0/lookup/values")  # fmt: skip
        self.check(self.name(when={"attribute": "plan", "x": 1}), "unknown_key /when/x")
        self.check(self.name(when={"attribute": "plan"}), "missing_key /when")
        self.check(self.name(when={"attribute": "plan", "set": False, "is": ""}), "wrong_type /when", "wrong_type /when/set", "blank_text /when/is")
        self.check(self.name(missing="x"), "wrong_type /missing")
        self.check(self.name(missing={}), "missing_key /missing")
        self.check(self.name(), "wrong_type =/token", token="ID")

    def test_names_and_texts(self):
        self.check(self.name(when={"attribute": "Plan", "set": True}), "unknown_attribute /when/attribute")
        text = lambda *texts: {"claim": "name", "from": {"text": list(texts)}}
        self.check(text("{password|nobody}", "{", "", "{{"), "secret_attribute /from/text/0", "unknown_attribute /from/text/0",
                   "bad_text /from/text/1", "blank_text /from/text/2")  # fmt: skip
        for bad in fuzz.BAD_TEMPLATES:
            if bad not in ("{ }", "{plan }"):
                self.check(text(bad), "bad_text /from/text/0")
        self.check(text(), "wrong_type /from/text")

    def test_dates(self):
        for good in fuzz.DATE_IN:
            self.check(self.name(steps=[{"date": {"in": good, "out": "%Y"}}]))
        for bad in fuzz.BAD_DATE_IN:
            self.check(self.name(steps=[{"date": {"in": bad, "out": "%Y"}}]), "bad_date /steps/0/date/in")
        for bad in fuzz.BAD_DATE_OUT:
            self.check(self.name(steps=[{"date": {"in": "%s", "out": bad}}]), "bad_date /steps/0/date/out")

    def test_claims(self):
        for claim in fuzz.BAD_CLAIMS:
            self.check({**self.name(), "claim": claim}, "unknown_claim /claim")
        self.check(self.name(), "unknown_claim =/empty_lists/labels", "unknown_claim =/empty_lists/name", empty_lists={"labels": "send", "name": "omit"})
        both = [{"claim": claim, "from": {"attribute": "plan"}} for claim in ("fields.7[]", "fields.7[]", "fields.7", "name", "name")]
        self.assertEqual(findings(*both), [("second_rule", "/rules/3/claim"), ("second_rule", "/rules/5/claim")])
        self.check(self.name(missing={"default": ["x"]}), "list_in_scalar /missing/default")

    def test_splits(self):
        split = {"split": ","}
        self.check(self.name(steps=[split]), "bad_split /steps/0")
        self.check({**self.name(steps=["lower", split]), "claim": "labels"}, "bad_split /steps/1")
        self.check({"claim": "labels", "from": {"text": ["{plan}"]}, "steps": [split]}, "bad_split /steps/0")
        self.check({**self.name(steps=[{"split": "-"}]), "claim": "emails"}, "bad_split /steps/0")
        self.check({**self.name(steps=[{"split": ""}]), "claim": "labels"}, "wrong_type /steps/0/split")
        self.check({**self.name(steps=[{"split": ""}]), "claim": "emails"}, "bad_split /steps/0")

    def test_identifiers(self):
        rule = {"claim": "deskpro_id", "from": {"constant": "42"}, "steps": ["lower", "upper", {"lookup": {"values": {"a": "1"}}}],
                "missing": {"default": "42"}}  # fmt: skip
        self.check(rule, "identifier_rule /from/constant", "identifier_rule /missing/default", "identifier_rule /steps/1", "identifier_rule /steps/2")
        self.assertEqual(findings(token="id"), [("no_identifier", "/rules")])

    def test_rejected_values(self):
        groups = lambda **rule: {"claim": "usergroup_ids", "from": {"attribute": "groups"}, **rule}
        self.check(groups(missing={"default": ["3", "1"]}), "rejected_value /missing/default/1")
        self.check(groups(steps=[{"lookup": {"values": {"a": "x", "b": "3"}, "otherwise": "2"}}]),
                   "rejected_value /steps/0/lookup/values/a", "rejected_value /steps/0/lookup/otherwise")  # fmt: skip
        self.check(groups(steps=[{"lookup": {"values": {"a": "x"}}}, "lower"]))
        self.check(groups(steps=[{"lookup": {"values": {"a": None}}}]))
        self.check({"claim": "name", "from": {"constant": "a"}, "steps": [{"lookup": {"values": {"a": None}}}]}, "rejected_value /from/constant")
        self.check(groups(missing={"default": "1"}, x=1), "unknown_key /x")
        self.check({"claim": "usergroup_ids", "from": {"constant": "3,2"}, "steps": [{"split": ","}]}, "rejected_value /from/constant")
        self.check({"claim": "usergroup_ids", "from": {"constant": "3,,4"}, "steps": [{"split": ","}]})
        self.check({"claim": "timezone", "from": {"text": ["{plan}", "utc", "x"]}}, "rejected_value /from/text/2")
        self.check({"claim": "name", "from": {"constant": "x" * 8193}}, "rejected_value /from/constant")


class Cases(unittest.TestCase):
    def test_the_same_seed_gives_the_same_cases_and_each_has_an_answer(self):
        kinds = set()
        for i in range(300):
            case = fuzz.Maker(f"1/{i}").case()
            self.assertEqual(case, fuzz.Maker(f"1/{i}").case())
            kinds |= set(expect.expect(json.loads(json.dumps(case))))
        self.assertEqual(kinds, {"findings", "names", "cells", "payload", "refused"})


class Comparing(unittest.TestCase):
    """The command line, over tokens that PyJWT signs."""

    KEY = "0123456789abcdef0123456789abcdef-ü"
    CSV = (
        "login,email,email_verified,plan\r\n"
        "Ann,Ann@Example.com,yes,gold\r\nbob,bob@example.com,no,\r\ncy,,,silver\r\neve,eve@example.com,1,\r\n"
    )

    def run_with(self, change=lambda lines: None):
        rules = draft({"claim": "labels", "from": {"attribute": "plan"}}, {"claim": "deskpro_id", "from": {"attribute": "deskpro_id"}})
        with tempfile.TemporaryDirectory() as folder:
            files = {name: str(pathlib.Path(folder) / name) for name in ("users.csv", "mapping.json", "tokens", "key", "extra")}
            write = lambda name, text: pathlib.Path(files[name]).write_bytes(text.encode("utf-8"))
            write("users.csv", self.CSV)
            write("mapping.json", json.dumps(rules))
            write("key", self.KEY + "\n")
            write("extra", '{"bob": {"deskpro_id": "42"}}')
            lines = []
            for user in users.read(files["users.csv"]):
                user |= {"deskpro_id": "42"} if user["login"] == "bob" else {}
                result = mapping.apply(rules, user)
                if "refused" in result:
                    lines.append({"login": user["login"], "refused": {"code": result["refused"]["code"], "message": "No."}})
                else:
                    claims = {**result["payload"], "iat": 1_700_000_000, "exp": 1_700_000_300}
                    lines.append({"login": user["login"], "claims": claims, "key": self.KEY, "expires_at": 1_700_000_300})
            change(lines)
            for line in lines:
                if "claims" in line:
                    line["token"] = jwt.encode(line.pop("claims"), line.pop("key").encode("utf-8"))
            write("tokens", "".join(json.dumps(line) + "\n" for line in lines))
            command = ["--users", files["users.csv"], "--mapping", files["mapping.json"], "--tokens", files["tokens"], "--key-file", files["key"],
                       "--extra", files["extra"], "--now", "1700000005"]  # fmt: skip
            return subprocess.run([sys.executable, str(HERE / "compare.py"), *command], capture_output=True, encoding="utf-8")

    def test_right_tokens_pass(self):
        done = self.run_with()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("issued + refused = rows: 3 + 1 = 4: ok", done.stdout)

    def test_each_difference_is_found(self):
        for change in [
            lambda lines: lines.pop(),
            lambda lines: lines.append(lines[2]),
            lambda lines: lines[0]["claims"].update(labels="gold"),
            lambda lines: lines[0]["claims"].update(sub="ann"),
            lambda lines: lines[0]["claims"].update(exp=1_700_000_300.0),
            lambda lines: lines[0]["claims"].update(email="ann@example.com"),
            lambda lines: lines[0]["claims"].pop("iat"),
            lambda lines: lines[0].update(key="x" * 32),
            lambda lines: lines[0].update(expires_at=1_700_000_301),
            lambda lines: lines[1]["claims"].update(deskpro_id=42),
            lambda lines: lines[2].update(refused={"code": "unverified", "message": "No."}),
        ]:
            done = self.run_with(change)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertNotIn("Traceback", done.stderr)


if __name__ == "__main__":
    unittest.main()
