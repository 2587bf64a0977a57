"""Requests that a website's server, a page, an app and an admin send to the server under test.

They make what the operations need: users, codes, devices, sign-ins, versions and drafts of the mapping.
"""

import http.cookies
import itertools
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request

ORIGIN = "https://www.example.com"
PASSWORD = "six brown dogs under a bridge"
COOKIE = "countersign"
MAPPING = "/api/v1/admin/mapping"
# The server asks for the password again after 300 seconds.
CONFIRMED_FOR = 120


class Server:
    """One server at `base`; `key` is an API key with all scopes."""

    def __init__(self, base, key):
        self.base, self.key = base, key
        self.numbers = itertools.count(1)

    def ask(self, method, path, body=None, **headers):
        """Returns the body and the headers of the answer. Raises an error if it is no success."""
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = answer.read()
                return json.loads(text) if text else None, answer.headers
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def by_key(self, method, path, body=None):
        return self.ask(method, path, body, Authorization=f"Bearer {self.key}")[0]

    def new_name(self):
        """An external_id that no user has yet."""
        return f"trial-{next(self.numbers)}"

    def new_user(self):
        """Adds a user with a verified address; returns the external_id."""
        name = self.new_name()
        self.put_user(name)
        return name

    def put_user(self, name):
        self.by_key("PUT", f"/api/v1/users/{name}", {"email": f"{name}@trial.example", "email_verified": True})

    def code(self, external_id, origin=None):
        """A code that signs the user in on pages of the origin, or without an origin in an app."""
        body = {"external_id": external_id, **({"origin": origin} if origin else {})}
        return self.by_key("POST", "/api/v1/handovers", body)["code"]

    def new_device(self, external_id):
        """Signs the user in to an app; returns its `id` and `device_token`."""
        body = {"code": self.code(external_id), "name": "Trial", "platform": "ios"}
        return self.ask("POST", "/api/v1/devices", body)[0]

    def new_session(self, external_id):
        """Signs the user in on a page; returns the session cookie."""
        body = {"code": self.code(external_id, ORIGIN)}
        return cookie(self.ask("POST", "/api/v1/session", body, Origin=ORIGIN, **{"X-Countersign": "1"})[1])


class Admin:
    """An admin, signed in with `cookie` just now."""

    def __init__(self, server, cookie):
        self.server, self.cookie = server, cookie
        self.confirmed = time.monotonic()
        self.starter = None

    def ask(self, method, path, body=None):
        headers = {"Cookie": f"{COOKIE}={self.cookie}", "X-Countersign": "1"}
        return self.server.ask(method, MAPPING + path, body, **headers)[0]

    def confirm(self):
        """Types the password again if that was long ago."""
        if time.monotonic() - self.confirmed > CONFIRMED_FOR:
            form(self.server.base, "/admin/confirm", {"password": PASSWORD, "next": ""}, self.cookie)
            self.confirmed = time.monotonic()

    def new_text(self):
        """A mapping without errors that is different from all versions."""
        if self.starter is None:
            self.starter = json.loads(self.ask("GET", "")["text"])
        label = {"claim": "labels", "from": {"constant": f"trial {next(self.server.numbers)}"}}
        return json.dumps({**self.starter, "rules": [*self.starter["rules"], label]})

    def version(self):
        return self.ask("GET", "")["version"]

    def publish(self):
        """Publishes a mapping; returns its version."""
        body = {"text": self.new_text(), "reason": "For the trial.", "base": self.version()}
        return self.ask("POST", "", body)["version"]

    def draft(self):
        return self.ask("GET", "/draft")["revision"]

    def new_draft(self):
        """Writes a draft without errors that follows the published version; returns its revision."""
        self.discard()
        return self.ask("PUT", "/draft", {"revision": self.draft(), "text": self.new_text()})["revision"]

    def new_comparison(self):
        """Starts to compare a draft without errors with the published mapping."""
        self.new_draft()
        self.ask("POST", "/draft/comparison")

    def has_comparison(self):
        try:
            return bool(self.ask("GET", "/draft/comparison"))
        except RuntimeError:
            return False

    def discard(self):
        # The first time, a draft of an older version only gets the text of the published one.
        for _ in range(2):
            self.ask("DELETE", "/draft")


def sign_in(base, login):
    """Signs a user in with the password; returns the session cookie."""
    return form(base, "/login", {"login": login, "password": PASSWORD, "next": ""})


def form(base, path, fields, signed_in=None):
    """Gets the page with the form and sends it; returns the session cookie of the answer, if it has one."""
    shown = {"Cookie": f"{COOKIE}={signed_in}"} if signed_in else {}
    opener = urllib.request.build_opener(NoRedirect)
    with opener.open(urllib.request.Request(base + path, headers=shown)) as page:
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())[1]
        pairs = dict(one.split(";")[0].split("=", 1) for one in page.headers.get_all("Set-Cookie", []))
    if signed_in:
        pairs[COOKIE] = signed_in
    data = urllib.parse.urlencode({"csrf_token": token, **fields}).encode()
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in pairs.items())}
    try:
        opener.open(urllib.request.Request(base + path, data, headers))
    except urllib.error.HTTPError as answer:
        # The right password leads to another page.
        if answer.code == 303:
            return cookie(answer.headers)
        raise RuntimeError(f"POST {path}: {answer.code}") from answer
    raise RuntimeError(f"POST {path} was not accepted")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def cookie(headers):
    """The session cookie of an answer, as a request sends it back."""
    found = http.cookies.SimpleCookie()
    for line in headers.get_all("Set-Cookie", []):
        found.load(line)
    return found[COOKIE].value if COOKIE in found else None
