"""What schemathesis does before each request: it gives the operation what it needs to succeed.

A request that was generated as a valid one gets the ids, codes, revisions and mappings that no schema can tell. A
quarter of these requests keep the generated values, so that unknown ids and wrong codes are tried as well. A request
that was generated as an invalid one stays as it is. Each answer is written to a file, because `run` demands a success
of each operation.
"""

import json
import os
import zlib

import schemathesis
from schemathesis.core.parameters import ParameterLocation

from server import COOKIE, ORIGIN, PASSWORD, Admin, Server

SERVER = Server(os.environ["COUNTERSIGN_TRIED_ADDRESS"], os.environ["COUNTERSIGN_TRIED_API_KEY"])
SESSION = os.environ["COUNTERSIGN_TRIED_SESSION"]
DEVICE = os.environ["COUNTERSIGN_TRIED_DEVICE"]
# The helpdesk whose webhook may call.
DESK = os.environ["COUNTERSIGN_TRIED_DESK"]
# Connection codes that were not used yet. When none is left, later requests are refused.
CODES = os.environ["COUNTERSIGN_TRIED_CODES"].split()
ADMIN = Admin(SERVER, SESSION)
# The user of the device above, a user with a password, and a user that the website's server signs in.
APP_USER, PASSWORD_USER, SITE_USER = "trial-app", "dora", "trial-site"

# The tokens of the devices that this run added, by id: a device of another user cannot be ended.
DEVICES = {}

# By operation: the function that gives what it needs, and whether it does so for all valid requests.
NEEDS = {}


def needs(operation, always=False):
    def register(give):
        NEEDS[operation] = (give, always)
        return give
    return register


@schemathesis.hook
def before_call(_, case, kwargs):
    operation = case.operation.label
    if case.method.upper() != case.operation.method.upper():
        return
    spare(operation, case)
    if operation == "POST /api/v1/session" and is_valid(case, ParameterLocation.HEADER):
        # The server reads no body from a page of another origin.
        case.headers["Origin"] = ORIGIN
    if case.meta is not None and not case.meta.generation.mode.is_positive:
        return
    is_left = stays_as_generated(case)
    if isinstance(case.body, dict):
        case.body = whole_numbers(case.body)
    if "messenger" in case.query and not is_left:
        case.query["messenger"] = "default"
    give, always = NEEDS.get(operation, (None, False))
    if give and (always or not is_left):
        give(case)


@schemathesis.hook
def after_call(_, case, response):
    if case.method.upper() != case.operation.method.upper():
        return
    operation = case.operation.label
    if (operation, response.status_code) == ("POST /api/v1/devices", 201):
        made = response.json()
        DEVICES[made["id"]] = made["device_token"]
    with open(os.environ["COUNTERSIGN_TRIED_ANSWERS"], "a") as answers:
        answers.write(json.dumps([operation, response.status_code]) + "\n")


@schemathesis.hook
def filter_failure(_, failure, case, response):
    # With `optional`, 204 without credentials is what the description says.
    is_asked = case.operation.label == "GET /api/v1/token" and (case.query or {}).get("optional") == "1"
    return not (is_asked and type(failure).__name__ == "IgnoredAuth")


def stays_as_generated(case):
    """One of four, by what was generated, so that schemathesis can try a request again."""
    if case.meta is not None and case.meta.phase.name == "examples":
        return False
    return number_of(case) % 4 == 0


def number_of(case):
    """A number that is the same whenever the same is generated."""
    made = repr((case.operation.label, case.path_parameters, case.query, case.body))
    return zlib.crc32(made.encode("utf-8", "surrogatepass")) >> 8


def whole_numbers(value):
    """The same value with 3 for 3.0: JSON Schema calls both an integer, but no program writes the second."""
    if isinstance(value, dict):
        return {name: whole_numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [whole_numbers(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_valid(case, location):
    return case.meta is None or not case.meta.is_negative_at(location)


def spare(operation, case):
    """Puts other users and sign-ins in the place of those that the run needs until its end."""
    cookies, headers, path = (given or {} for given in (case.cookies, case.headers, case.path_parameters))
    if operation == "DELETE /api/v1/session" and cookies.get(COOKIE) == SESSION:
        cookies[COOKIE] = SERVER.new_session(SITE_USER)
    if operation == "DELETE /api/v1/devices/current" and headers.get("Authorization") == f"Bearer {DEVICE}":
        headers["Authorization"] = f"Bearer {SERVER.new_device(SITE_USER)['device_token']}"
    if operation == "DELETE /api/v1/users/{external_id}" and path.get("external_id") in (APP_USER, SITE_USER):
        path["external_id"] = SERVER.new_user()


# --- Tokens and sign-ins -------------------------------------------------------------------------------------------


@needs("GET /api/v1/token")
def token(case):
    case.query.pop("shown", None)
    if "optional" in case.query:
        # Nobody is signed in.
        case.query["optional"] = "1"
        case.cookies.pop(COOKIE, None)
        case.headers.pop("Authorization", None)


@needs("POST /api/v1/session")
def begin_session(case):
    case.body["code"] = SERVER.code(SITE_USER, ORIGIN)
    if case.body.get("shown") is not None:
        case.body["shown"] = SITE_USER


@needs("DELETE /api/v1/session")
def end_session(case):
    case.headers["Origin"] = ORIGIN


@needs("POST /api/v1/connections")
def connect(case):
    if CODES:
        case.body["code"] = CODES.pop()


@needs("POST /api/v1/devices")
def begin_device(case):
    if "code" in case.body:
        case.body["code"] = SERVER.code(SITE_USER)
    else:
        case.body.update(login=PASSWORD_USER, password=PASSWORD)


@needs("DELETE /api/v1/devices/{id}", always=True)
def end_device(case):
    token = DEVICES.get(case.path_parameters["id"])
    if token:
        case.headers["Authorization"] = f"Bearer {token}"
    elif not stays_as_generated(case):
        case.path_parameters["id"] = SERVER.new_device(APP_USER)["id"]


# --- For Deskpro ----------------------------------------------------------------------------------------------------


@needs("POST /api/v1/deskpro/{desk}/people", always=True)
def person_changed(case):
    # Any object is valid, but only one that names somebody can be understood.
    case.body = {"id": number_of(case) + 1}
    if not stays_as_generated(case):
        case.path_parameters["desk"] = DESK


@needs("POST /api/v1/admin/sync/{desk}")
@needs("GET /api/v1/admin/sync/{desk}/people")
def with_desk(case):
    case.path_parameters["desk"] = DESK


@needs("PUT /api/v1/deskpro/{desk}/people", always=True)
def person_changed_by_put(case):
    person_changed(case)


# --- For the site's server -----------------------------------------------------------------------------------------


def keep_names(attributes):
    """Removes what is no attribute, and what could belong to another user."""
    for name in list(attributes):
        if name not in ("display_name", "first_name", "last_name", "language", "timezone"):
            del attributes[name]


@needs("PUT /api/v1/users/{external_id}")
def put_user(case):
    keep_names(case.body)
    # A known user, a new one, or the generated one.
    known = [SITE_USER, SERVER.new_name(), case.path_parameters["external_id"]]
    case.path_parameters["external_id"] = known[number_of(case) % 3]


@needs("DELETE /api/v1/users/{external_id}")
def user_gone(case):
    case.path_parameters["external_id"] = SERVER.new_user()


@needs("POST /api/v1/mint")
@needs("POST /api/v1/handovers")
def vouch(case):
    case.body["external_id"] = SITE_USER
    case.body["messenger"] = "default"
    if case.body.get("origin") is not None:
        case.body["origin"] = ORIGIN
    if case.body.get("user") is not None:
        keep_names(case.body["user"])


# --- Console -------------------------------------------------------------------------------------------------------


@needs("POST /api/v1/admin/mapping")
def publish_mapping(case):
    case.body.update(text=ADMIN.new_text(), base=ADMIN.version(), reason="For the trial.")


@needs("POST /api/v1/admin/mapping/check")
def check_mapping(case):
    case.body["text"] = ADMIN.new_text()


@needs("POST /api/v1/admin/mapping/preview")
def preview_mapping(case):
    case.body["login"] = PASSWORD_USER
    if case.body.get("text") is not None:
        case.body["text"] = ADMIN.new_text()


@needs("GET /api/v1/admin/mapping/versions/{version}")
def version(case):
    case.path_parameters["version"] = ADMIN.version() or ADMIN.publish()


@needs("POST /api/v1/admin/mapping/versions/{version}/restore")
def restore(case):
    case.path_parameters["version"] = ADMIN.publish()
    case.body.update(in_force=ADMIN.publish(), reason="For the trial.")


@needs("PUT /api/v1/admin/mapping/draft")
def put_draft(case):
    case.body["revision"] = ADMIN.draft()


@needs("DELETE /api/v1/admin/mapping/draft")
def discard_draft(case):
    revision = ADMIN.new_draft()
    if "revision" in case.query:
        case.query["revision"] = revision


@needs("POST /api/v1/admin/mapping/draft/publish")
def publish_draft(case):
    case.body.update(revision=ADMIN.new_draft(), reason="For the trial.")


@needs("POST /api/v1/admin/mapping/draft/rebase")
def rebase_draft(case):
    case.body.update(revision=ADMIN.new_draft(), base=ADMIN.version())


@needs("POST /api/v1/admin/mapping/draft/comparison", always=True)
def begin_comparison(_):
    ADMIN.new_draft()


@needs("GET /api/v1/admin/mapping/draft/comparison", always=True)
def get_comparison(_):
    # One that was started before is done by now, so that both states are seen.
    if not ADMIN.has_comparison():
        ADMIN.new_comparison()


@needs("DELETE /api/v1/admin/mapping/draft/comparison", always=True)
def cancel_comparison(_):
    ADMIN.new_comparison()


@needs("PUT /api/v1/admin/mapping/expected/{login}")
def put_expected(case):
    case.path_parameters["login"] = PASSWORD_USER
    if "refused" in case.body:
        case.body["refused"] = "unverified"
    else:
        case.body["payload"] = {"email": f"{PASSWORD_USER}@trial.example"}


@needs("DELETE /api/v1/admin/mapping/expected/{login}")
def remove_expected(case):
    ADMIN.ask("PUT", f"/expected/{PASSWORD_USER}", {"refused": "unverified"})
    case.path_parameters["login"] = PASSWORD_USER


@needs("GET /api/v1/admin/mapping/expected", always=True)
def list_expected(_):
    ADMIN.confirm()


@needs("GET /api/v1/admin/audit", always=True)
def list_events(case):
    ADMIN.confirm()
    if "user" in case.query and not stays_as_generated(case):
        case.query["user"] = PASSWORD_USER
