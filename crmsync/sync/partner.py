"""Which contact over there is this one: the tables' answer to engine.matching, the claims that keep two workers apart, and linking."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from crmsync.engine.matching import Candidate, Create, KeyKind, Keys, Link, Review, find_partner
from crmsync.engine.records import Side
from crmsync.models import Claim, Contact, MatchKey
from crmsync.models.contact import ContactQuerySet

CANDIDATE = ("ghl_id", "centralstation_id", "exclusion", "remote_created_at")
LIMBO = timedelta(seconds=60)
"""After so long a create whose answer was lost has been looked for, or waits for a person."""

CLAIM_FOR = timedelta(seconds=90)


class Deferred(Exception):
    """Somebody else is at it. Look again in `seconds`."""

    def __init__(self, seconds: float = 1.0) -> None:
        super().__init__()
        self.seconds = seconds


class Rows:
    """`engine.matching.Crowd` over the contacts of a sync, as seen by a contact of `side`."""

    def __init__(self, contact: Contact, side: Side) -> None:
        self._sync_id = contact.sync_id
        self._side = side

    def sharing(self, kind: KeyKind, values: Collection[str], *, mine: bool) -> Sequence[Candidate]:
        side = self._side if mine else self._side.other
        keys = MatchKey.objects.filter(sync=self._sync_id, side=side, kind=kind, value__in=[value[:600] for value in values])
        rows = Contact.objects.filter(pk__in=keys.values("contact")).only(*CANDIDATE)
        return [Candidate(ref=row.pk, linked=row.is_linked or bool(row.exclusion), created_at=row.remote_created_at) for row in rows]

    def keys(self, ref: int, *, mine: bool) -> Keys:
        return stored_keys(ref, self._side if mine else self._side.other)


def stored_keys(contact_id: int, side: Side) -> Keys:
    found: dict[KeyKind, set[str]] = {kind: set() for kind in KeyKind}
    for kind, value in MatchKey.objects.filter(contact=contact_id, side=side).values_list("kind", "value"):
        found[KeyKind(kind)].add(value)
    return {kind: frozenset(values) for kind, values in found.items()}


def decide(contact: Contact, side: Side, order: Sequence[str]) -> Link | Create | Review:
    """Find the partner of `contact`, which is on `side` only. Reads only."""
    if contact.kept_apart:
        return Create()
    subject = Candidate(ref=contact.pk, created_at=contact.remote_created_at)
    return find_partner(subject, stored_keys(contact.pk, side), [KeyKind(key) for key in order], Rows(contact, side))


@contextmanager
def claimed(contact: Contact, side: Side, token: str) -> Iterator[None]:
    """Hold the match keys of `contact` while it is created over there. Raises `Deferred` when another holds one of them.

    A claim is worth no more than the lease it was made under: that of a worker that died doesn't outlive it. Nor does a contact in
    limbo (created, as far as we know, and its answer lost) share its name with another until it has been looked for."""
    keys = sorted({f"{kind}:{value}" for kind, values in stored_keys(contact.pk, side).items() for value in values})
    keys.append(f"label:{contact.label.casefold()}" if contact.label else f"contact:{contact.pk}")
    keys, now = [key[:700] for key in keys], timezone.now()
    if contact.label and _in_limbo(contact, side).exists():
        raise Deferred
    at_work = Contact.objects.filter(sync=contact.sync_id, lease_until__gt=now).exclude(lease_token="").values("lease_token")
    try:
        with transaction.atomic():
            Claim.objects.filter(~Q(token__in=at_work) | Q(until__lt=now), sync=contact.sync_id, key__in=keys).delete()
            Claim.objects.bulk_create([Claim(sync_id=contact.sync_id, key=key, token=token, until=now + CLAIM_FOR) for key in keys])
    except IntegrityError:
        raise Deferred from None
    try:
        yield
    finally:
        Claim.objects.filter(sync=contact.sync_id, token=token).delete()


def _in_limbo(contact: Contact, side: Side) -> ContactQuerySet:
    """Contacts of this name that were created on `side`, perhaps: this one could be what came of it."""
    lately = timezone.now() - LIMBO
    lost = Contact.objects.filter(sync=contact.sync_id, creating_on=side, creating_since__gt=lately, label=contact.label)
    return lost.filter(**{f"{side}_id": None}).exclude(pk=contact.pk)


def link(contact: Contact, token: str, side: Side, remote_id: str) -> None:
    """Store that `contact` is `remote_id` on `side`. Another row that had this id proves to be the same person and goes.

    Raises `Deferred` when that row has a partner of its own (a person must say), or our lease is lost."""
    with transaction.atomic():
        other = Contact.objects.select_for_update().filter(sync=contact.sync_id, **{f"{side}_id": remote_id}).exclude(pk=contact.pk).first()
        if other is not None:
            if other.is_linked:
                raise Deferred(5.0)
            _absorb(contact, other)
        if not Contact.objects.filter(pk=contact.pk, lease_token=token).update(**{f"{side}_id": remote_id, "creating_on": ""}):
            raise Deferred
    setattr(contact, f"{side}_id", remote_id)
    contact.creating_on = ""


def _absorb(contact: Contact, other: Contact) -> None:
    """Take over what `other` was found by and what was dirty; a worker that has it in hand loses its lease with the row."""
    MatchKey.objects.filter(contact=other).update(contact=contact)
    other.changes.update(contact=contact)
    other.items.update(contact=contact)
    other.delete()


def with_namesakes(contacts: ContactQuerySet) -> ContactQuerySet:
    """Those that share a match key with a record of the other side: nobody else can be linked."""
    other = MatchKey.objects.filter(sync=OuterRef("sync"), kind=OuterRef("kind"), value=OuterRef("value")).exclude(side=OuterRef("side"))
    return contacts.filter(Exists(MatchKey.objects.filter(Exists(other), contact=OuterRef("pk"))))


def link_now(contact: Contact, side: Side, order: Sequence[str]) -> None:
    """Link `contact` if its partner is certain, without asking any CRM: the matching phase of a first sync."""
    match decide(contact, side, order):
        case Link(ref):
            with transaction.atomic():
                other = Contact.objects.select_for_update().filter(pk=ref, lease_until__lte=timezone.now()).first()
                if other is None or other.is_linked:
                    return
                remote_id = other.remote_id(side.other)
                _absorb(contact, other)
                Contact.objects.filter(pk=contact.pk).update(**{f"{side.other}_id": remote_id})
        case _:
            return
