"""What is wrong with a field, said while it is typed: the same that saving the form would say, without sending the rest of it.

A field that is `checked` asks for it when it changes. Secrets never are: what is asked stands in an address."""

from __future__ import annotations

from collections.abc import Callable

import phonenumbers
from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from crmsync.models import Connection, Sync

Check = Callable[[str, int | None], object]
"""Raises `ValidationError` for what can't be. The number is the row that is being changed, None for a new one."""


def checked(field: forms.Field, name: str, own: int | None = None) -> None:
    """Have `field` asked about while it is typed, by the check of this name."""
    field.check = name  # type: ignore[attr-defined]  # the template leaves room for the answer
    address = reverse_lazy("typed", args=[name]) if own is None else reverse_lazy("typed_own", args=[name, own])
    field.widget.attrs |= {"hx-get": address, "hx-trigger": "change", "hx-target": "next .typed", "hx-swap": "innerHTML"}


def _connection_name(text: str, own: int | None) -> None:
    if Connection.objects.filter(name=text).exclude(pk=own or 0).exists():
        raise ValidationError(_("There is a connection named “%(name)s” already.") % {"name": text})


def _sync_name(text: str, own: int | None) -> None:
    if Sync.objects.filter(name=text).exclude(pk=own or 0).exists():
        raise ValidationError(_("There is a sync named “%(name)s” already.") % {"name": text})


def _address(text: str, own: int | None) -> None:
    forms.URLField(assume_scheme="https").clean(text)
    if "://" in text and not text.startswith(("https://", "http://")):
        raise ValidationError(_("The address must begin with https:// (or http:// for a simulator)."))


def person_email(text: str, own: int | None = None) -> str:
    """The address in small letters; raises `ValidationError` where there is an account with it."""
    email: str = forms.EmailField().clean(text).lower()
    if User.objects.filter(email__iexact=email).exists():
        raise ValidationError(_("There is an account with this e-mail address already."))
    return email


def region(text: str, own: int | None = None) -> str:
    """A country's two letters, in capitals; raises `ValidationError`."""
    code = text.upper()
    if code and code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValidationError(_("There is no country “%(region)s”. Two letters, such as DE, AT, CH, GB or US.") % {"region": code})
    return code


CHECKS: dict[str, Check] = {
    "connection-name": _connection_name,
    "sync-name": _sync_name,
    "address": _address,
    "email": person_email,
    "region": region,
}


def faults(name: str, text: str, own: int | None) -> list[str]:
    """What is wrong with `text`; [] where nothing is, and for nothing typed, which only saving asks for."""
    if not text.strip():
        return []
    try:
        CHECKS[name](text.strip(), own)
    except ValidationError as error:
        return error.messages
    return []
