"""Finding contacts by what somebody types or pastes: part of a name, an e-mail or a phone number however written, an id. Asks no CRM."""

from __future__ import annotations

from django.db import connection
from django.db.models import Q

from crmsync.engine.matching import KeyKind
from crmsync.engine.records import SIDES
from crmsync.engine.values import phone_e164
from crmsync.models import Contact, MatchKey, Sync

MOST = 100
"""So many contacts are looked up by one e-mail or phone number."""


def mentions(text: str) -> Q:
    """Contacts with this as part of a name, an e-mail address or a phone number; or with it as a whole key. Two letters begin a word.

    What is found by a whole key is looked up first: within an OR it would keep a database from using its index for the rest."""
    how = "icontains" if len(text) > 2 else "istartswith"
    found = Q(**{f"email__{how}": text}) | Q(**{f"phone__{how}": text}) | Q(**{f"label__{how}": text})
    if how == "istartswith":
        found |= Q(label__icontains=f" {text}")
    if connection.vendor == "sqlite":  # which knows the case of ASCII's letters only
        for form in {text.lower(), text.upper(), text.title()}:
            found |= Q(label__contains=form) if how == "icontains" else Q(label__startswith=form) | Q(label__contains=f" {form}")
    return found | Q(pk__in=by_key(text))


def by_key(text: str) -> list[int]:
    """Contacts that have this as an id in either CRM, or as one of their e-mail addresses or phone numbers, the second and third too."""
    syncs = {pk: region or country or "DE" for pk, region, country in Sync.objects.values_list("pk", "region", "ghl__country")}
    here = Contact.objects.filter(sync__in=list(syncs)).order_by().values_list("pk", flat=True)  # each index begins with the sync
    found = list(here.filter(ghl_id=text).union(here.filter(centralstation_id=text)))
    kind, values = _key_of(text, set(syncs.values()))
    if values:
        keys = MatchKey.objects.filter(sync__in=list(syncs), side__in=SIDES, kind=kind, value__in=sorted(values))
        found += keys.values_list("contact", flat=True)[:MOST]
    return found


def _key_of(text: str, regions: set[str]) -> tuple[KeyKind, set[str]]:
    """The match keys that this is, whatever country a number was written in; none for a name."""
    if "@" in text:
        return KeyKind.EMAIL, {text.strip().lower()}
    return KeyKind.PHONE, {number for region in regions if (number := phone_e164(text, region))}
