"""A website in Django with its own login, and the recipe for Django as its owners would copy it.

django_shop.py RECIPE ACCOUNTS POLICY FOLDER: prints the address that it listens on. What it writes is in FOLDER.
"""

import importlib.util
import os
import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect
from django.template import engines
from django.urls import path

RECIPE, ACCOUNTS, POLICY, FOLDER = sys.argv[1:]

settings.configure(
    SECRET_KEY="the shop's own secret",
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(FOLDER) / "shop.db")}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    SESSION_COOKIE_NAME="shop",
)
django.setup()

from django.contrib.auth import authenticate, login, logout  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402



def filled(path):
    return path.read_text().replace("{{accounts}}", ACCOUNTS).replace("{{messenger}}", "default")


text = filled(Path(RECIPE))
# How this website knows that an address is proved: it has asked its staff.
if text.count("    return False\n") != 1:
    sys.exit("the recipe vouches for somebody")
if "AS_PASTED" not in os.environ:
    text = text.replace("    return False\n", "    return user.is_active\n")
copied = Path(FOLDER) / "countersign.py"
copied.write_text(text)
spec = importlib.util.spec_from_file_location("countersign", copied)
countersign = importlib.util.module_from_spec(spec)
spec.loader.exec_module(countersign)

PAGE = """<!doctype html><html lang="en"><title>The shop</title>
<h1>Welcome{% if user.is_authenticated %}, {{ user.get_full_name }}{% endif %}</h1>
{% if user.is_authenticated %}<form method="post" action="/logout"><button data-countersign-sign-out>Sign out</button></form>
{% else %}<form method="post" action="/login"><input name="name" aria-label="Name"><button>Sign in</button></form>{% endif %}
""" + filled(Path(RECIPE).parent / "django" / "base.html")


def page(request):
    html = engines["django"].from_string(PAGE).render({"user": request.user}, request)
    return HttpResponse(html, headers={"Content-Security-Policy": POLICY})


def sign_in(request):
    login(request, authenticate(request, username=request.POST["name"], password="of the shop"))
    return HttpResponseRedirect("/")


def sign_out(request):
    logout(request)
    return HttpResponseRedirect("/")


urlpatterns = [path("", page), path("login", sign_in), path("logout", sign_out), path("chat-token", countersign.chat_token)]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


call_command("migrate", verbosity=0)
for name, first, last in (("mara", "Mara", "Lind"), ("tom", "Tom", "Osei")):
    User.objects.create_user(name, f"{name}@django.example", "of the shop", first_name=first, last_name=last)
server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
