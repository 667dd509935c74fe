"""First passwords: who was given one by an administrator chooses another at the first sign-in.

The mark is a group, so that it survives until then; the session remembers it, so that no page asks the database."""

from typing import Any

from allauth.account.signals import password_changed, password_reset
from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

GROUP = "must choose a password"
SESSION_KEY = "first_password"


def mark(user: User) -> None:
    """From now on `user` gets no further than the page where a password is chosen."""
    user.groups.add(Group.objects.get_or_create(name=GROUP)[0])


def has_first_password(request: HttpRequest) -> bool:
    return SESSION_KEY in request.session


def _remember(sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
    if user.groups.filter(name=GROUP).exists():
        request.session[SESSION_KEY] = True


def _forget(sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
    user.groups.remove(*Group.objects.filter(name=GROUP))
    request.session.pop(SESSION_KEY, None)


def connect() -> None:
    """Called once, when Django is ready."""
    user_logged_in.connect(_remember)
    password_changed.connect(_forget)
    password_reset.connect(_forget)
