"""Which user an incoming record is: a second implementation, written from the decision table alone.

It knows nothing of the program. A `World` holds users; `judge` says what becomes of one record, `judge_file` of a
file's rows, and `apply` writes it. Where the table is silent, these sentences were added:

- An unverified address of another user gives way only where the record then succeeds as a new user or as a change
  of X or Y, never together with an adoption; where it would be refused anyway, the first refusal is the answer.
- "An address that is not Y's" is compared with the address on Y's row, also where Y is disabled.
- Addresses are the same when they are the same in lowercase. Whether the proof stays when the same address comes in
  other letters is the program's own matter.
- A login that a program must make of an external_id is the program's own matter.
"""

import dataclasses
import unicodedata

import idna

ATEXT = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~")


def login_of(text):
    """Logins are compared in NFC and lowercase, without white space around them."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).lower())


def address_of(text):
    """An address as it is stored (domain in ASCII and lowercase), or None where it is none."""
    local, at, domain = text.strip().partition("@")
    atoms = local.split(".")
    if not at or len(local) > 64 or not all(atom and set(atom) <= ATEXT for atom in atoms):
        return None
    try:
        ascii_domain = idna.encode(domain, uts46=True, std3_rules=True, transitional=False).decode()
    except idna.IDNAError:
        return None
    labels = ascii_domain.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or "" in labels:
        return None
    return f"{local}@{ascii_domain}"


def folded(address):
    return address.lower() if address else None


@dataclasses.dataclass
class User:
    """A user as the table sees one."""

    id: str
    login: str | None
    external_id: str | None = None
    email: str | None = None
    verified: bool | None = None
    deskpro_id: str | None = None
    is_admin: bool = False
    is_disabled: bool = False
    is_gone: bool = False
    has_password: bool = False
    has_sign_in: bool = False  # a device or a session

    @property
    def address(self):
        """The address that this user holds: a disabled user holds none."""
        return None if self.is_disabled or self.is_gone else folded(self.email)

    @property
    def is_bare(self):
        has = self.external_id or self.deskpro_id or (self.email and self.verified) or self.has_password or self.has_sign_in
        return not has


EITHER = "either"  # A proof of which the table says nothing: what the program has is taken.
NOTHING = object()  # A record does not name this; None means that it removes the value.


@dataclasses.dataclass
class Record:
    """What came in. `email` and `verified` are NOTHING where they are not named."""

    external_id: str | None = None
    login: str | None = None
    email: object = NOTHING
    verified: object = NOTHING
    deskpro_id: str | None = None
    vouches: bool = False  # its key or import vouches for addresses
    is_file: bool = False
    same_logins: bool = False

    @property
    def address(self):
        return folded(self.email) if isinstance(self.email, str) else None

    @property
    def is_proved(self):
        return self.verified is True or (self.vouches and self.verified is not False)


@dataclasses.dataclass
class Answer:
    """`created`, `updated`, `adopted` with the user's id, or `refused` with a code."""

    what: str
    user: str | None = None
    code: str | None = None
    loses_address: str | None = None  # the user whose unverified address gave way

    @property
    def is_refused(self):
        return self.what == "refused"

    def __str__(self):
        return f"refused, {self.code}" if self.is_refused else self.what


def refused(code):
    return Answer("refused", code=code)


class World:
    """All users, and the table."""

    def __init__(self, users=()):
        self.users = {user.id: user for user in users}
        self.next = 0

    def copy(self):
        world = World(dataclasses.replace(user) for user in self.users.values())
        world.next = self.next
        return world

    def find(self, **keys):
        """The user with a key, if there is one."""
        (name, value), = keys.items()
        return next((user for user in self.users.values() if getattr(user, name) == value), None) if value else None

    def judge(self, record):
        x = self.find(external_id=record.external_id)
        by_login = self.find(login=record.login)
        by_address = self.find(address=record.address)
        answer = self.row(record, x, by_login, by_address)
        gives_way = by_address is not None and by_address.verified is not True and record.is_proved
        if answer.is_refused and gives_way and answer.code not in ("about_admin", "gone"):
            second = self.row(record, x, by_login, None)
            if second.what in ("created", "updated") and second.user != by_address.id:
                answer = dataclasses.replace(second, loses_address=by_address.id)
        if not answer.is_refused and record.deskpro_id:
            other = self.find(deskpro_id=record.deskpro_id)
            if other is not None and other.id != answer.user:
                return refused("any")
        return answer

    def row(self, record, x, by_login, by_address):
        """The first row of the table that fits. X, L and A may be None."""
        if any(user is not None and user.is_admin for user in (x, by_login, by_address)):
            return refused("about_admin")
        if x is not None and x.is_gone:
            return refused("gone")
        if x is not None:
            if by_login is not None and by_login is not x:
                return refused("login_taken")
            if by_address is not None and by_address is not x:
                return refused("address_taken")
            return Answer("updated", x.id)
        if record.external_id is not None:
            return self.unknown(record, by_login, by_address)
        return self.absent(record, by_login, by_address)

    def unknown(self, record, u, z):
        if u is not None and u.external_id is not None:
            return refused("other_external_id")
        if z is not None and z.external_id is not None:
            return refused("other_external_id")
        if u is not None and z is not None and z is not u:
            return refused("names_two")
        if u is not None:
            is_its_verified = record.is_proved and record.address and u.verified is True and u.address == record.address
            may_by_login = record.same_logins and not (
                u.verified is True and u.email and isinstance(record.email, str) and folded(u.email) != record.address)
            if not u.is_disabled and (is_its_verified or u.is_bare or may_by_login):
                return Answer("adopted", u.id)
            return refused("not_proved_same")
        if z is not None:
            if record.is_proved and (z.verified is True or z.is_bare):
                return Answer("adopted", z.id)
            return refused("address_taken")
        if record.is_file and record.login is None:
            return refused("no_login")
        return Answer("created")

    def absent(self, record, y, z):
        if y is not None:
            if y.external_id is not None and record.address and record.address != folded(y.email):
                return refused("needs_external_id")
            if z is not None and z is not y:
                return refused("address_taken")
            return Answer("updated", y.id)
        if z is not None:
            if record.login is not None:
                return refused("names_another")
            if record.is_proved and z.verified is True:
                return Answer("updated", z.id)
            return refused("address_unproved")
        return Answer("created") if record.login is not None else refused("no_login")

    # --- Writing ----------------------------------------------------------------------------------------------

    def apply(self, record, answer):
        """Writes a record that was not refused: the user's id here."""
        if answer.is_refused:
            return None
        if answer.loses_address:
            other = self.users[answer.loses_address]
            other.email = other.verified = None
        user = self.users.get(answer.user)
        if user is None:
            self.next += 1
            user = User(f"new-{self.next}", None)
            self.users[user.id] = user
        self.write(user, record, answer.what == "adopted" or record.external_id is None)
        return user.id

    @staticmethod
    def write(user, record, is_weak=False):
        """`is_weak`: the record did not know the user by the site's own key, so that "verified" without an address
        says nothing: a proof belongs to the address that comes with it."""
        if record.external_id is not None:
            user.external_id = record.external_id
        if record.login is not None:
            user.login = record.login
        if record.deskpro_id:
            user.deskpro_id = record.deskpro_id
        if record.email is None:
            user.email = user.verified = None
        elif record.email is not NOTHING:
            if folded(record.email) != folded(user.email):
                user.verified = None
            elif record.email != user.email and user.verified is not None:
                user.verified = EITHER
            user.email = record.email
        says_address = isinstance(record.email, str)
        if record.verified is True and is_weak and not says_address:
            pass
        elif record.verified is not NOTHING:
            user.verified = record.verified
        elif record.vouches and isinstance(record.email, str):
            user.verified = True

    def judge_file(self, records):
        """The answers to a file's rows, and the world behind it. Rows of known users are one step: all give up what
        they have, all take what is new; the rest is judged on what those leave. One refusal refuses the file."""
        answers, after = [None] * len(records), self.copy()
        known = [number for number, record in enumerate(records) if self.find(external_id=record.external_id)]
        for number in known:
            x = self.find(external_id=records[number].external_id)
            if x.is_admin:
                answers[number] = refused("about_admin")
            elif x.is_gone:
                answers[number] = self.judge(records[number])  # gone, or about an admin, who gives nothing up
        # A row about an admin is skipped: its user gives nothing up, so the others are judged again without it.
        while True:
            after, moving = self.copy(), [number for number in known if answers[number] is None]
            judged = list(answers)
            for number in moving:
                record, user = records[number], after.find(external_id=records[number].external_id)
                if record.login is not None:
                    user.login = None
                if record.email is not NOTHING and folded(record.email) != folded(user.email):
                    user.email = None  # Its proof goes with the write below.
            for number in moving:
                judged[number] = after.judge(records[number])
                after.apply(records[number], judged[number])
            about_admin = [number for number in moving if judged[number].code == "about_admin"]
            if not about_admin:
                break
            for number in about_admin:
                answers[number] = judged[number]
        answers = judged
        for number, record in enumerate(records):
            if answers[number] is None:
                answers[number] = after.judge(record)
                after.apply(record, answers[number])
        skipped = [number for number, answer in enumerate(answers) if answer.code == "about_admin"]
        if any(answer.is_refused for number, answer in enumerate(answers) if number not in skipped):
            return answers, self.copy()
        return answers, after

    def disable(self, user):
        user.is_disabled, user.has_sign_in = True, False

    def may_enable(self, user):
        other = self.find(address=folded(user.email))
        return not user.is_gone and (other is None or other is user)

    def gone(self, user):
        """Login, address and person id are free; the external_id is kept."""
        user.is_gone = user.is_disabled = True
        user.login = user.email = user.verified = user.deskpro_id = None
        user.has_sign_in = user.has_password = False

    def token(self, user):
        """The identifiers that a token of this user may name; None where there is no token."""
        if user.is_disabled or user.is_gone:
            return None
        email = user.email if user.email and user.verified is True else None
        if email is None and user.deskpro_id is None:
            return None
        return {name: value for name, value in (("email", email), ("deskpro_id", user.deskpro_id)) if value}
