# Your own login in Django: a view that returns a token for the signed-in user.
# Its API key is in COUNTERSIGN_API_KEY and has the scopes users and mint.

import json
import logging
import os
import urllib.error
import urllib.parse
import urllib.request

from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

ACCOUNTS = "{{accounts}}"


def is_proved(user):
    # Define how your site knows that the user's address is verified, for example: return user.profile.email_confirmed
    # Deskpro treats anyone who presents a token as the owner of the address in it, so until you define this, no user gets
    # a token on the basis of an address alone.
    return False


def ask(method, path, body=None):
    headers = {"Authorization": f"Bearer {os.environ['COUNTERSIGN_API_KEY']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    return urllib.request.urlopen(urllib.request.Request(ACCOUNTS + path, data=data, headers=headers, method=method), timeout=10)


@never_cache
def chat_token(request):
    user = request.user
    if not user.is_authenticated:
        return HttpResponse(status=204)
    body = {
        "external_id": str(user.pk),
        "messenger": "{{messenger}}",
        "user": {"email": user.email, "email_verified": is_proved(user), "display_name": user.get_full_name() or user.username},
    }
    try:
        with ask("POST", "/api/v1/mint", body) as minted:
            return JsonResponse(json.load(minted), status=minted.status)
    except urllib.error.HTTPError as refused:
        return JsonResponse(json.load(refused), status=refused.code)


# The account no longer exists: nobody is signed in with it any more, and a late call does not restore it.
@receiver(post_delete, sender=get_user_model())
def gone(instance, **_):
    try:
        ask("DELETE", f"/api/v1/users/{urllib.parse.quote(str(instance.pk), safe='')}").close()
    except OSError as error:
        logging.getLogger(__name__).warning("Countersign does not know that account %s no longer exists: %s", instance.pk, error)
