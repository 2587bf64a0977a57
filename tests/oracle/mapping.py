"""What a mapping means, written from its specification alone.

Two functions: `check` finds every error of a draft (section 4), `apply` makes
the payload of one user or says why there is none (sections 1 to 3). Nothing
here is fast, and nothing is shared with the server: it exists to disagree
with the server. Numbers in comments are sections of the specification.
Warnings (section 4) and the trace (section 5) are left out.
"""

import base64
import datetime
import decimal
import functools
import importlib.resources
import json
import re
import unicodedata

import idna

# --------------------------------------------------------------------------
# 1. Values

TEXT_BYTES = 8192  # a longer text is missing (1.2)
LIST_ITEMS = 1000  # a longer list is missing (1.2)

BUILT_IN = (
    "login", "external_id", "email", "email_verified", "display_name",
    "first_name", "last_name", "language", "timezone", "deskpro_id",
)  # fmt: skip

# Unicode White_Space. str.strip() without an argument would also take
# U+001C to U+001F, which are controls and no White_Space.
WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

YES = {"1", "true", "yes", "on", "y", "t"}
NO = {"0", "false", "no", "off", "n", "f"}


def trim(text):
    return text.strip(WHITE_SPACE)


def is_blank(text):
    return all(c in WHITE_SPACE or unicodedata.category(c) in ("Cc", "Cf") for c in text)


def is_too_long(text):
    return len(text.encode("utf-8")) > TEXT_BYTES


def clean(text):
    """The text as every reader and every step leaves it, None when missing (1.2)."""
    text = trim(text)
    return None if is_blank(text) or is_too_long(text) else text


def clean_list(items):
    """The items that are there. None when there are none, or too many (1.2)."""
    items = [item for item in items if item is not None]
    return items if 0 < len(items) <= LIST_ITEMS else None


def as_compared(text):
    """The text as `is`, `in` and `lookup` compare it (1.1)."""
    return unicodedata.normalize("NFC", trim(text))


def number_as_text(number):
    """The shortest decimal, without exponent or `.0` (1.3)."""
    if isinstance(number, int) and -(2**63) <= number < 2**64:
        return str(number)
    text = format(decimal.Decimal(repr(float(number))), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def scalar_as_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_as_text(value)
    return value if isinstance(value, str) else ""


def ascii_lower(text):
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def yes_or_no(text):
    """True, False, or None for what says neither (1.4)."""
    small = ascii_lower(text)
    return True if small in YES else False if small in NO else None


def read(attributes, name):
    """An attribute as None (missing), a text, or a list of texts (1.1 to 1.3)."""
    value = attributes.get(name)
    if isinstance(value, list):
        value = clean_list([clean(scalar_as_text(item)) for item in value])
    else:
        value = clean(scalar_as_text(value))
    if name == "email_verified":
        answer = yes_or_no(value) if isinstance(value, str) else None
        return None if answer is None else scalar_as_text(answer)
    return value


# --------------------------------------------------------------------------
# 1.5 Secret names

SECRET_WHOLE = {"pass", "userpass"}
SECRET_PARTS = (
    "password", "passwd", "passphrase", "secret", "apikey", "accesskey",
    "privatekey", "authtoken", "accesstoken", "refreshtoken", "pwdhash",
)  # fmt: skip
SECRET_WORDS = {"hash", "token", "totp", "otp", "seed", "salt", "pwd", "jwt", "credential"}
SECRET_WORDS |= {word + "s" for word in SECRET_WORDS} | {"hashes"}


def words(name):
    """The name cut at anything but letters, at aB, and at ABc."""
    found, word = [], ""
    for i, c in enumerate(name):
        if not c.isalpha():
            found, word = found + [word], ""
            continue
        before, after = word[-1:], name[i + 1 : i + 2]
        plural = after == "s" and not name[i + 2 : i + 3].islower()
        if c.isupper() and (before.islower() or (before.isupper() and after.islower() and not plural)):
            found, word = found + [word], ""
        word += c
    return [w.lower() for w in found + [word] if w]


def is_secret_name(name):
    name = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    squeezed = "".join(c for c in name.lower() if c.isalpha() or c.isdecimal())
    return (
        squeezed in SECRET_WHOLE
        or any(part in squeezed for part in SECRET_PARTS)
        or squeezed in SECRET_WORDS
        or any(word in SECRET_WORDS for word in words(name))
    )


STORED = (
    "$1$", "$2a$", "$2b$", "$2x$", "$2y$", "$5$", "$6$", "$7$", "$y$", "$gy$", "$argon2", "$scrypt$", "$pbkdf2",
    "$P$", "$H$", "$S$", "$wp$", "pbkdf2_", "scrypt:",
)  # fmt: skip
SCHEMES = ("{sha", "{ssha", "{crypt")


def is_stored_password(value):
    """Whether a value begins like a stored password."""
    value = trim(value)
    return value.startswith(STORED) or ascii_lower(value).startswith(SCHEMES)


# --------------------------------------------------------------------------
# 1.1 Names


def looks(name):
    """What names that look the same have in common."""
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf"))
    name = unicodedata.normalize("NFC", name)
    name = unicodedata.normalize("NFC", "".join(c.lower() for c in name))
    return " ".join(word for word in re.split(f"[{WHITE_SPACE}]+", name) if word)


def can_be_new(name, custom=()):
    """Whether a custom attribute of this name can be made beside these."""
    return (
        1 <= len(name) <= 64
        and not is_blank(name)
        and not any(c in "{}|" or unicodedata.category(c) in ("Cc", "Cf") for c in name)
        and unicodedata.is_normalized("NFC", name)
        and not is_secret_name(name)
        and all(looks(name) != looks(other) for other in (*BUILT_IN, *custom))
    )


# --------------------------------------------------------------------------
# 2. Claims

SCALARS = {
    "deskpro_id", "email", "name", "first_name", "last_name",
    "organization_id", "language_id", "timezone",
}  # fmt: skip
LISTS = {"emails", "usergroup_ids", "labels"}
IDENTIFIERS = {"email", "emails", "deskpro_id"}

ID = re.compile(r"[1-9][0-9]{0,17}")
FIELD = re.compile(r"fields\.([1-9][0-9]{0,17})(\[\])?")


def claim_kind(claim):
    """"scalar", "list", or None for an unknown claim."""
    if claim in SCALARS:
        return "scalar"
    if claim in LISTS:
        return "list"
    field = FIELD.fullmatch(claim)
    if field:
        return "list" if field[2] else "scalar"
    return None


# 3.1, 3.2 What a claim can hold


@functools.cache
def time_zones():
    names = (importlib.resources.files("tzdata") / "zones").read_text("utf-8").split()
    return {ascii_lower(name): name for name in names}


LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def decode_ace(label):
    """A label after `xn--`, decoded, or None when UTS #46 finds an error in it."""
    try:
        text = label[4:].encode("ascii").decode("punycode")
        if not text or text.isascii() or text.encode("punycode").decode("ascii") != label[4:]:
            return None
        # Every character must be valid as it stands: the mapping changes none.
        if idna.uts46_remap(text, std3_rules=False) != text:
            return None
    except (UnicodeError, OverflowError, ValueError):
        return None
    return text


def domain_in_ascii(domain):
    """The labels of a domain as UTS #46 writes them: non-transitional, with the
    checks of joiners and of text direction, without the check of hyphens at the
    third and fourth place (`ab--cd` is letters, digits and inner hyphens).
    None when it has an error, or a label is not as 3.2 wants it.
    """
    try:
        labels = idna.uts46_remap(domain, std3_rules=False).split(".")
        unicode_labels = [decode_ace(label) if label.startswith("xn--") else label for label in labels]
        if None in unicode_labels:
            return None
        right_to_left = any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in "".join(unicode_labels))
        for label in unicode_labels:
            if label and unicodedata.category(label[0])[0] == "M":
                return None
            if any(c in "\u200c\u200d" and not idna.core.valid_contextj(label, i) for i, c in enumerate(label)):
                return None
            if right_to_left and label:
                idna.check_bidi(label, check_ltr=True)
    except (UnicodeError, ValueError):
        return None
    labels = [u if u.isascii() else "xn--" + u.encode("punycode").decode("ascii") for u in unicode_labels]
    return labels if all(LABEL.fullmatch(label) and len(label) <= 63 for label in labels) else None


def address(text):
    """The address as it is stored and signed, or None when it is none (3.2)."""
    local, at, domain = text.partition("@")
    if not at or len(local) > 64 or not LOCAL_PART.fullmatch(local):
        return None
    labels = domain_in_ascii(domain)
    if labels is None or len(labels) < 2 or labels[-1].isdigit():
        return None
    text = local + "@" + ".".join(labels)
    return text if len(text) <= 254 else None


def hold(claim, text):
    """The text as the claim writes it, None when the claim cannot hold it (3.1)."""
    if claim in ("email", "emails"):
        return address(text)
    if claim in ("deskpro_id", "organization_id", "language_id", "usergroup_ids"):
        if not ID.fullmatch(text) or (claim == "usergroup_ids" and text in ("1", "2")):
            return None
        return text
    if claim == "timezone":
        return time_zones().get(ascii_lower(text))
    return text


# --------------------------------------------------------------------------
# 2. Texts with parts


class BadText(ValueError):
    """A single brace that opens or closes nothing, or a part without a name."""


def pieces(template):
    """The template as a list of literals (str) and parts (tuple of names)."""
    found, literal, i = [], "", 0
    while i < len(template):
        two = template[i : i + 2]
        if two in ("{{", "}}"):
            literal += two[0]
            i += 2
        elif template[i] == "}":
            raise BadText
        elif template[i] == "{":
            end = template.find("}", i)
            inside = template[i + 1 : end]
            names = tuple(inside.split("|"))
            if end < 0 or "{" in inside or "" in names:
                raise BadText
            if literal:
                found.append(literal)
                literal = ""
            found.append(names)
            i = end + 1
        else:
            literal += template[i]
            i += 1
    if literal:
        found.append(literal)
    return found


def has_parts(template):
    return any(isinstance(piece, tuple) for piece in pieces(template))


def build(template, attributes):
    """The text with its parts put in; None when a part is not there, or it is blank or too long.

    White space at its ends is cut before, so that it does not count.
    """
    text = ""
    for piece in pieces(trim(template)):
        if isinstance(piece, tuple):
            values = (read(attributes, name) for name in piece)
            piece = next((value for value in values if isinstance(value, str)), None)
            if piece is None:
                return None
        text += piece
        if is_too_long(text):
            return None
    return clean(text)


# --------------------------------------------------------------------------
# 2. Dates


class BadDate(ValueError):
    """A directive unknown, missing, or twice where it may be there once."""


MONTHS = (
    "january", "february", "march", "april", "may", "june", "july",
    "august", "september", "october", "november", "december",
)  # fmt: skip
NAMES_OF_MONTHS = "|".join(sorted((*MONTHS, *(name[:3] for name in MONTHS)), key=len, reverse=True))

# What each directive of `in` takes: the first alternative that fits, and nothing is given back.
ONE_OR_TWO = "[0-9]{1,2}"
TAKES = {
    "%Y": "[0-9]{4}", "%y": "[0-9]{2}", "%m": ONE_OR_TWO, "%b": NAMES_OF_MONTHS, "%B": NAMES_OF_MONTHS,
    "%d": ONE_OR_TWO, "%H": ONE_OR_TWO, "%I": ONE_OR_TWO, "%p": "am|pm", "%M": ONE_OR_TWO, "%S": ONE_OR_TWO,
    "%f": "[0-9]{1,9}(?![0-9])",
    "%z": "[+-](?:0[0-9]|1[0-4]):[0-5][0-9]|[+-](?:0[0-9]|1[0-4])[0-5][0-9]|[+-](?:0[0-9]|1[0-4])|utc|gmt|z",
    "%*": "(?s:.*)",
}  # fmt: skip
TAKES = {directive: re.compile(f"(?:{form})", re.ASCII | re.IGNORECASE) for directive, form in TAKES.items()}
CUTS_SOMETHING = re.compile("[0-9]{2}|[A-Za-z]{2}")

YEARS, MONTH_FORMS, HOURS = ("%Y", "%y"), ("%m", "%b", "%B"), ("%H", "%I")
AT_MOST_ONCE = (YEARS, MONTH_FORMS, ("%d",), HOURS, ("%p",), ("%M",), ("%S",), ("%f",), ("%z",), ("%*",))
WRITTEN = ("%Y", "%y", "%m", "%b", "%B", "%d", "%H", "%I", "%p", "%M", "%S")


def directives(form):
    """A date format as a list of directives (`%Y`) and characters as written."""
    found, i = [], 0
    form = trim(form)
    while i < len(form):
        if form[i] == "%":
            if form[i : i + 2] not in (*TAKES, "%s", "%%"):
                raise BadDate
            found.append(form[i : i + 2])
            i += 2
        else:
            found.append(form[i])
            i += 1
    return found


def is_directive(part):
    return len(part) == 2 and part != "%%"


def check_date_in(form):
    if trim(form) == "%s":
        return
    parts = directives(form)
    number = lambda group: sum(part in group for part in parts)
    if "%s" in parts or any(number(group) > 1 for group in AT_MOST_ONCE):
        raise BadDate
    if not all(number(group) for group in (YEARS, MONTH_FORMS, ("%d",))):
        raise BadDate
    if ("%I" in parts) != ("%p" in parts) or "%*" in parts[:-1]:
        raise BadDate


def check_date_out(form):
    parts = [part for part in directives(form) if is_directive(part)]
    if not parts or any(part not in WRITTEN for part in parts):
        raise BadDate


def read_date(text, form):
    """The moment a text names, None when it is unreadable."""
    if trim(form) == "%s":
        return read_unix(text)
    read, i = {}, 0
    for part in directives(form):
        if is_directive(part):
            taken = TAKES[part].match(text, i)
            if not taken or (part == "%*" and i > 0 and CUTS_SOMETHING.match(text, i - 1)):
                return None
            read[part], i = taken[0].lower(), taken.end()
        elif text[i : i + 1] == part[0]:
            i += 1
        else:
            return None
    if i != len(text):
        return None
    try:
        return datetime.datetime(
            year_of(read), month_of(read), int(read["%d"]), hour_of(read), int(read.get("%M", "0")), int(read.get("%S", "0"))
        )
    except ValueError:
        return None


def read_unix(text):
    if not re.fullmatch("[0-9]{1,14}", text):
        return None
    seconds = int(text) if len(text) <= 11 else int(text) // 1000
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)


def year_of(read):
    if "%Y" in read:
        return int(read["%Y"])
    year = int(read["%y"])
    return 2000 + year if year <= 68 else 1900 + year


def month_of(read):
    if "%m" in read:
        return int(read["%m"])
    name = read.get("%b") or read["%B"]
    return next(i for i, month in enumerate(MONTHS, 1) if month.startswith(name))


def hour_of(read):
    if "%I" not in read:
        return int(read.get("%H", "0"))
    hour = int(read["%I"])
    if not 1 <= hour <= 12:
        raise ValueError("no hour of half a day")
    return hour % 12 + (12 if read["%p"] == "pm" else 0)


def write_date(moment, form):
    month = MONTHS[moment.month - 1].capitalize()
    values = {
        "%Y": f"{moment.year:04}", "%y": f"{moment.year % 100:02}", "%m": f"{moment.month:02}", "%b": month[:3], "%B": month,
        "%d": f"{moment.day:02}", "%H": f"{moment.hour:02}", "%I": f"{moment.hour % 12 or 12:02}",
        "%p": "AM" if moment.hour < 12 else "PM", "%M": f"{moment.minute:02}", "%S": f"{moment.second:02}", "%%": "%",
    }  # fmt: skip
    return "".join(values.get(part, part) for part in directives(form))


# --------------------------------------------------------------------------
# 2. Steps


def step_on_text(text, step):
    """One step on one text; None when it is missing afterwards."""
    if step == "lower":
        return clean(text.lower())
    if step == "upper":
        return clean(text.upper())
    if "date" in step:
        moment = read_date(text, step["date"]["in"])
        return None if moment is None else clean(write_date(moment, step["date"]["out"]))
    if "yes_no" in step:
        answer = yes_or_no(text)
        return None if answer is None else clean(step["yes_no"]["yes" if answer else "no"])
    lookup = step["lookup"]
    table = {as_compared(key): output for key, output in lookup["values"].items()}
    if as_compared(text) in table:
        output = table[as_compared(text)]
        return None if output is None else clean(output)
    if "otherwise" in lookup:
        return clean(lookup["otherwise"])
    return text if lookup.get("keep") else None


def run_steps(value, steps):
    """The value after the steps, and whether one of its items was lost on the way.

    The blank items of a split are no loss: a list has none.
    """
    lost = False
    for step in steps:
        if value is None:
            break
        if isinstance(step, dict) and "split" in step:
            items = value if isinstance(value, list) else [value]
            value = clean_list([clean(part) for item in items for part in item.split(step["split"])])
        elif isinstance(value, list):
            items = [step_on_text(item, step) for item in value]
            lost = lost or None in items
            value = clean_list(items)
        else:
            value = step_on_text(value, step)
    return value, lost or value is None


# --------------------------------------------------------------------------
# 2. Conditions


def holds(when, attributes):
    value = read(attributes, when["attribute"])
    items = value if isinstance(value, list) else [] if value is None else [value]
    texts = [as_compared(item) for item in items]
    if "set" in when:
        answer = value is not None
    elif "true" in when:
        answer = any(yes_or_no(item) is True for item in items)
    elif "is" in when:
        answer = as_compared(when["is"]) in texts
    else:
        answer = any(as_compared(text) in texts for text in when["in"])
    return not answer if when.get("not") else answer


# --------------------------------------------------------------------------
# 3. Signing


def counts_as_proved(attribute, attributes, proved):
    """Whether an identifier from this attribute is proved (3.3)."""
    if attribute == "email":
        return read(attributes, "email_verified") == "true"
    return attribute == "deskpro_id" or attribute in proved


def give(rule, attributes, verified_only, proved):
    """What one rule gives after the checks of section 3, before its `missing`:
    the values its claim can hold, and whether one was left out as unproved."""
    claim, source = rule["claim"], rule["from"]
    if "attribute" in source:
        value = read(attributes, source["attribute"])
    elif "constant" in source:
        value = clean(source["constant"])
    else:
        built = (build(text, attributes) for text in source["text"])
        value = next((text for text in built if text is not None), None)
    value, _ = run_steps(value, rule.get("steps", []))
    if claim_kind(claim) == "scalar" and isinstance(value, list):
        return [], False
    items = value if isinstance(value, list) else [] if value is None else [value]
    values = [held for held in (hold(claim, item) for item in items) if held is not None]
    if values and claim in IDENTIFIERS and verified_only:
        if not counts_as_proved(source["attribute"], attributes, proved):
            return [], True
    return values, False


def default_values(rule):
    """The values of `missing`'s default; none when it is `omit` or `refuse`."""
    missing = rule.get("missing", "omit")
    if not isinstance(missing, dict):
        return []
    default = missing["default"]
    if isinstance(default, list):
        items = clean_list([clean(item) for item in default]) or []
    else:
        items = [item for item in [clean(default)] if item is not None]
    return [held for held in (hold(rule["claim"], item) for item in items) if held is not None]


class BlockList:
    """Addresses, domains with their subdomains, and ids (3.4)."""

    def __init__(self, entries):
        self.addresses, self.domains, self.ids = set(), set(), set()
        for entry in map(trim, entries):
            if "@" in entry[1:]:
                held = address(entry)
                if held is not None:
                    self.addresses.add(held.lower())
            elif re.fullmatch("[0-9]+", entry):
                self.ids.add(entry)
            else:
                labels = domain_in_ascii(entry.removeprefix("@"))
                if labels is not None:
                    self.domains.add(".".join(labels))

    def has_address(self, text):
        held = address(text) if text else None
        if held is None:
            return False
        held = held.lower()
        labels = held.partition("@")[2].split(".")
        return held in self.addresses or any(
            ".".join(labels[i:]) in self.domains for i in range(len(labels))
        )

    def has_id(self, text):
        return text in self.ids


def without_duplicates(items, key=lambda item: item):
    seen, kept = set(), []
    for item in items:
        if key(item) not in seen:
            seen.add(key(item))
            kept.append(item)
    return kept


def token_bytes(payload, iat=1_700_000_000, exp=1_700_000_300):
    """The length of the signed token, with `iat` and `exp` of ten digits each."""

    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    claims = {**payload, "iat": iat, "exp": exp}
    header = part(b'{"typ":"JWT","alg":"HS256"}')
    body = part(json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))
    return len(header) + 1 + len(body) + 1 + len(part(bytes(32)))


TOKEN_BYTES = 8192


def apply(mapping, attributes, *, disabled=False, verified_only=True, blocked=(), proved=()):
    """{"payload": …} or {"refused": {"code", "claim"?}} for one user.

    The mapping must be one in which `check` finds nothing.
    """
    if disabled:
        return {"refused": {"code": "disabled"}}
    block_list = BlockList(blocked)
    own_email, own_id = read(attributes, "email"), read(attributes, "deskpro_id")
    if isinstance(own_email, str) and block_list.has_address(own_email):
        return {"refused": {"code": "blocked"}}
    if isinstance(own_id, str) and block_list.has_id(own_id):
        return {"refused": {"code": "blocked"}}

    only_id = mapping.get("token", "all") == "id"
    rules = [rule for rule in mapping["rules"] if not only_id or rule["claim"] == "deskpro_id"]
    claims, refusal, unproved = {}, None, []
    for rule in rules:
        claim = rule["claim"]
        values = claims.setdefault(claim, [])
        if "when" in rule and not holds(rule["when"], attributes):
            continue
        given, left_out = give(rule, attributes, verified_only, proved)
        if left_out:
            unproved.append(claim)
        if not given:
            if rule.get("missing") == "refuse" and refusal is None:
                refusal = {"code": "unverified" if left_out else "missing", "claim": claim}
            given = default_values(rule)
        values.extend(given)
    if refusal:
        return {"refused": refusal}

    payload, fields = {}, {}
    email = claims.get("email")
    for claim, values in claims.items():
        if claim == "emails":
            values = without_duplicates(values, str.lower)
            if email:
                values = [value for value in values if value.lower() != email[0].lower()]
        field = FIELD.fullmatch(claim)
        into, key = (fields, field[1]) if field else (payload, claim)
        if claim_kind(claim) == "scalar":
            if values:
                into[key] = values[0]
            continue
        values = without_duplicates(values)
        if values or (not only_id and mapping.get("empty_lists", {}).get(claim) == "send"):
            into[key] = values
    if fields:
        payload["fields"] = fields

    addresses = [payload[c] for c in ("email",) if c in payload] + payload.get("emails", [])
    if any(map(block_list.has_address, addresses)) or block_list.has_id(payload.get("deskpro_id")):
        return {"refused": {"code": "blocked"}}
    if "email" not in payload and "deskpro_id" not in payload:
        # As with a rule that refuses, the answer names the claim: the first in the order of rules.
        left_out = [claim for claim in unproved if claim in ("email", "deskpro_id")]
        return {"refused": {"code": "unverified", "claim": left_out[0]} if left_out else {"code": "no_identifier"}}
    if token_bytes(payload) > TOKEN_BYTES:
        return {"refused": {"code": "too_large"}}
    return {"payload": payload}


# --------------------------------------------------------------------------
# 4. Checking

DRAFT_BYTES = 200_000
DRAFT_RULES = 500
DRAFT_DEPTH = 100


class Object:
    """A JSON object as written: pairs in order, keys perhaps twice."""

    def __init__(self, pairs):
        self.pairs = pairs


class Number:
    """A JSON number; a mapping has none, so its value does not matter."""

    def __init__(self, text):
        self.text = text


def no_constant(name):
    raise ValueError(f"{name} is no JSON")


def parse(text):
    """The draft as Objects, lists, texts, Numbers, True, False and None; ValueError when it is not_json."""
    decoder = json.JSONDecoder(
        object_pairs_hook=Object, parse_int=Number, parse_float=Number, parse_constant=no_constant
    )
    try:
        root = decoder.decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    level, nodes = 0, [root]
    while nodes:
        inside = []
        for node in nodes:
            if isinstance(node, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in node):
                raise ValueError("NUL or half a surrogate")
            if isinstance(node, Object):
                inside += [part for pair in node.pairs for part in pair] or [None]
            elif isinstance(node, list):
                inside += node or [None]
        level, nodes = level + 1, inside
    # The last level holds no list or object: there are level - 1 of them in one another.
    if level - 1 > DRAFT_DEPTH:
        raise ValueError("nested too deeply")
    return root


def under(pointer, key):
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def check(text, custom_attribute_names=()):
    """All errors of a draft, as a sorted list of (code, JSON Pointer)."""
    if isinstance(text, bytes):
        if len(text) > DRAFT_BYTES:
            return [("draft_too_large", "")]
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError:
            return [("not_json", "")]
    if len(text.encode("utf-8", "surrogatepass")) > DRAFT_BYTES:
        return [("draft_too_large", "")]
    try:
        root = parse(text)
    except ValueError:
        return [("not_json", "")]
    if isinstance(root, Object):
        rules = dict(reversed(root.pairs)).get("rules")
        if isinstance(rules, list) and len(rules) > DRAFT_RULES:
            return [("draft_too_large", "")]
    draft = Draft(set(BUILT_IN) | set(custom_attribute_names))
    draft.find_duplicate_keys(root, "")
    draft.judge(root)
    return sorted(draft.findings)


class Draft:
    """Collects the findings of one draft. Each method judges one node at its pointer."""

    def __init__(self, names):
        self.names = names
        self.findings = set()

    def error(self, code, pointer):
        self.findings.add((code, pointer))

    def find_duplicate_keys(self, node, at):
        """The later value of a key is judged by nobody: the first one counts."""
        if isinstance(node, list):
            for i, item in enumerate(node):
                self.find_duplicate_keys(item, under(at, i))
        if isinstance(node, Object):
            seen = set()
            for key, value in node.pairs:
                if key in seen:
                    self.error("duplicate_key", under(at, key))
                else:
                    seen.add(key)
                    self.find_duplicate_keys(value, under(at, key))

    def members(self, node, at, known, required=()):
        """The values under an object's known keys, or None when it is no object."""
        if not isinstance(node, Object):
            self.error("wrong_type", at)
            return None
        found = {}
        for key, value in node.pairs:
            if key not in known:
                self.error("unknown_key", under(at, key))
            elif key not in found:
                found[key] = value
        if any(key not in found for key in required):
            self.error("missing_key", at)
        return found

    def one_of(self, node, at, kinds, found):
        """Exactly one of the kinds: none is a missing key (an unknown one says it already), two the wrong type."""
        present = [kind for kind in kinds if kind in found]
        if len(present) > 1:
            self.error("wrong_type", at)
        if not present and not self.has_unknown_key(node, at):
            self.error("missing_key", at)
        return present

    def has_unknown_key(self, node, at):
        return any(("unknown_key", under(at, key)) in self.findings for key, _ in node.pairs)

    def text(self, node, at):
        """A text that is not blank."""
        if not isinstance(node, str):
            self.error("wrong_type", at)
        elif is_blank(node):
            self.error("blank_text", at)

    def texts(self, node, at, judge):
        """A list of texts that is not empty."""
        if not isinstance(node, list) or not node:
            self.error("wrong_type", at)
            return
        for i, item in enumerate(node):
            judge(item, under(at, i))

    def true(self, node, at):
        if node is not True:
            self.error("wrong_type", at)

    def name(self, name, at):
        if is_secret_name(name):
            self.error("secret_attribute", at)
        elif name not in self.names:
            self.error("unknown_attribute", at)

    def attribute(self, node, at):
        if isinstance(node, str):
            self.name(node, at)
        else:
            self.error("wrong_type", at)

    # The whole

    def judge(self, root):
        found = self.members(root, "", ("token", "rules", "empty_lists"), required=("rules",))
        if found is None:
            return
        token = found.get("token", "all")
        if token not in ("all", "id"):
            self.error("wrong_type", "/token")
        rules = found.get("rules")
        if isinstance(rules, list):
            claims = self.rules(rules)
            needed = {"deskpro_id"} if token == "id" else {"deskpro_id", "email"}
            if not needed & set(claims):
                self.error("no_identifier", "/rules")
        else:
            claims = None
            if "rules" in found:
                self.error("wrong_type", "/rules")
        if "empty_lists" in found:
            self.empty_lists(found["empty_lists"], claims)

    def empty_lists(self, node, claims):
        if not isinstance(node, Object):
            self.error("wrong_type", "/empty_lists")
            return
        seen = set()
        for key, value in node.pairs:
            if key in seen:
                continue
            seen.add(key)
            at = under("/empty_lists", key)
            if claim_kind(key) != "list" or (claims is not None and key not in claims):
                self.error("unknown_claim", at)
            if value not in ("omit", "send"):
                self.error("wrong_type", at)

    def rules(self, nodes):
        """Judges every rule; the claims that are known, in order."""
        claims = []
        for i, node in enumerate(nodes):
            at = under("/rules", i)
            found = self.members(node, at, ("claim", "from", "steps", "when", "missing"), ("claim", "from"))
            if found is None:
                continue
            claim = self.claim(found, at, claims)
            self.rule(found, at, claim)
            if claim:
                claims.append(claim)
                if not any(pointer == at or pointer.startswith(at + "/") for _, pointer in self.findings):
                    self.rejected_values(found, at, claim)
        return claims

    def claim(self, found, at, earlier):
        """The claim when it is known, else None."""
        claim, at = found.get("claim"), under(at, "claim")
        if "claim" not in found:
            return None
        if not isinstance(claim, str):
            self.error("wrong_type", at)
            return None
        kind = claim_kind(claim)
        if kind is None:
            self.error("unknown_claim", at)
            return None
        field = FIELD.fullmatch(claim)
        other = claim.removesuffix("[]") if kind == "list" else claim + "[]"
        if (kind == "scalar" and claim in earlier) or (field and other in earlier):
            self.error("second_rule", at)
        return claim

    def rule(self, found, at, claim):
        kinds = self.source(found["from"], under(at, "from"), claim) if "from" in found else []
        if "steps" in found:
            steps, steps_at = found["steps"], under(at, "steps")
            if isinstance(steps, list):
                for i, step in enumerate(steps):
                    self.step(step, under(steps_at, i), claim, first=i == 0, after_text="text" in kinds)
            else:
                self.error("wrong_type", steps_at)
        if "when" in found:
            self.when(found["when"], under(at, "when"))
        if "missing" in found:
            self.missing(found["missing"], under(at, "missing"), claim)

    def source(self, node, at, claim):
        kinds = ("attribute", "constant", "text")
        found = self.members(node, at, kinds)
        if found is None:
            return []
        present = self.one_of(node, at, kinds, found)
        for kind in present:
            inside = under(at, kind)
            if kind != "attribute" and claim in IDENTIFIERS:
                self.error("identifier_rule", inside)
            if kind == "attribute":
                self.attribute(found[kind], inside)
            elif kind == "constant":
                self.text(found[kind], inside)
            else:
                self.texts(found[kind], inside, self.template)
        return present

    def template(self, node, at):
        if not isinstance(node, str):
            self.error("wrong_type", at)
            return
        try:
            parts = pieces(node)
        except BadText:
            self.error("bad_text", at)
            return
        names = [name for piece in parts if isinstance(piece, tuple) for name in piece]
        if not names and is_blank("".join(parts)):
            self.error("blank_text", at)
        for name in names:
            self.name(name, at)

    def step(self, node, at, claim, first, after_text):
        if isinstance(node, str):
            if node not in ("lower", "upper"):
                self.error("wrong_type", at)
            elif node == "upper" and claim in IDENTIFIERS:
                self.error("identifier_rule", at)
            return
        kinds = ("split", "date", "yes_no", "lookup")
        found = self.members(node, at, kinds)
        if found is None:
            return
        for kind in self.one_of(node, at, kinds, found):
            inside = under(at, kind)
            if kind == "split":
                self.split(found[kind], at, claim, first, after_text)
                continue
            if claim in IDENTIFIERS:
                self.error("identifier_rule", at)
            if kind == "date":
                self.date(found[kind], inside)
            elif kind == "yes_no":
                self.yes_no(found[kind], inside)
            else:
                self.lookup(found[kind], inside)

    def split(self, separator, at, claim, first, after_text):
        misplaced = not first or after_text or (claim and claim_kind(claim) == "scalar")
        if misplaced:
            self.error("bad_split", at)
        elif not isinstance(separator, str):
            self.error("wrong_type", under(at, "split"))
        elif claim == "emails" and separator not in (",", ";", "|", " ", "\n", "\r\n"):
            self.error("bad_split", at)  # An empty one is something else, too, and this the only code for it.
        elif not separator:
            self.error("wrong_type", under(at, "split"))

    def date(self, node, at):
        found = self.members(node, at, ("in", "out"), required=("in", "out"))
        if found is None:
            return
        for key, check_form in (("in", check_date_in), ("out", check_date_out)):
            if key not in found:
                continue
            if not isinstance(found[key], str):
                self.error("wrong_type", under(at, key))
                continue
            try:
                check_form(found[key])
            except BadDate:
                self.error("bad_date", under(at, key))

    def yes_no(self, node, at):
        found = self.members(node, at, ("yes", "no"), required=("yes", "no"))
        for key, value in (found or {}).items():
            self.text(value, under(at, key))

    def lookup(self, node, at):
        found = self.members(node, at, ("values", "otherwise", "keep"), required=("values",))
        if found is None:
            return
        if "otherwise" in found and "keep" in found:
            self.error("wrong_type", at)
        if "otherwise" in found:
            self.text(found["otherwise"], under(at, "otherwise"))
        if "keep" in found:
            self.true(found["keep"], under(at, "keep"))
        if "values" in found:
            self.table(found["values"], under(at, "values"))

    def table(self, node, at):
        if not isinstance(node, Object) or not node.pairs:
            self.error("wrong_type", at)
            return
        seen = set()
        for key, value in node.pairs:
            here = under(at, key)
            if as_compared(key) in seen:
                self.error("duplicate_key", here)
                continue
            seen.add(as_compared(key))
            if is_blank(key):
                self.error("blank_text", here)
            if value is not None:
                self.text(value, here)

    def when(self, node, at):
        tests = ("set", "true", "is", "in")
        found = self.members(node, at, ("attribute", "not", *tests), required=("attribute",))
        if found is None:
            return
        self.one_of(node, at, tests, found)
        for key, value in found.items():
            here = under(at, key)
            if key == "attribute":
                self.attribute(value, here)
            elif key == "is":
                self.text(value, here)
            elif key == "in":
                self.texts(value, here, self.text)
            else:
                self.true(value, here)

    def missing(self, node, at, claim):
        if isinstance(node, str):
            if node not in ("omit", "refuse"):
                self.error("wrong_type", at)
            return
        found = self.members(node, at, ("default",), required=("default",))
        if not found:
            return
        default, here = found["default"], under(at, "default")
        if claim in IDENTIFIERS:
            self.error("identifier_rule", here)
        if isinstance(default, list):
            if claim and claim_kind(claim) == "scalar":
                self.error("list_in_scalar", here)
            self.texts(default, here, self.text)
        else:
            self.text(default, here)

    # What the rule itself writes

    def rejected_values(self, found, at, claim):
        """Judges a rule in which nothing else is wrong."""
        found = {key: plain(value) for key, value in found.items()}
        steps = found.get("steps", [])
        source = found["from"]
        if "constant" in source:
            if self.loses(clean(source["constant"]), steps, claim):
                self.error("rejected_value", f"{at}/from/constant")
        for i, template in enumerate(source.get("text", [])):
            if not has_parts(template) and self.loses(build(template, {}), steps, claim):
                self.error("rejected_value", f"{at}/from/text/{i}")
        if steps and isinstance(steps[-1], dict):
            for kind in ("lookup", "yes_no"):
                self.rejected_outputs(steps[-1].get(kind), f"{at}/steps/{len(steps) - 1}/{kind}", claim)
        missing = found.get("missing")
        if isinstance(missing, dict):
            default, here = missing["default"], f"{at}/missing/default"
            if isinstance(default, list):
                if len(default) > LIST_ITEMS:
                    self.error("rejected_value", here)
                for i, item in enumerate(default):
                    self.rejected_output(item, under(here, i), claim)
            else:
                self.rejected_output(default, here, claim)

    def loses(self, value, steps, claim):
        value, lost = run_steps(value, steps)
        items = value if isinstance(value, list) else [value]
        return lost or any(hold(claim, item) is None for item in items)

    def rejected_outputs(self, kind, at, claim):
        for key, output in (kind or {}).items():
            if key == "values":
                for entry, inner in output.items():
                    if inner is not None:
                        self.rejected_output(inner, under(under(at, "values"), entry), claim)
            elif key != "keep":
                self.rejected_output(output, under(at, key), claim)

    def rejected_output(self, output, at, claim):
        text = clean(output)
        if text is None or hold(claim, text) is None:
            self.error("rejected_value", at)


def plain(node):
    """A node without duplicate keys as Python's own dicts and lists."""
    if isinstance(node, Object):
        return {key: plain(value) for key, value in node.pairs}
    return [plain(item) for item in node] if isinstance(node, list) else node
