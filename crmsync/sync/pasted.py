"""What a pasted text is: an e-mail, a phone number, an id or an address of either CRM or of ours, else a name; and whom it finds here.

Entry: `read()`, then `contacts()`. Asks no CRM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.db.models import Q
from django.http.request import validate_host

from crmsync.engine.records import Side
from crmsync.models import SECRETS, Connection, Contact
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import search

MOST = 20
"""So many contacts are found at most: who pasted a first name has to say more."""


class Kind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"
    GHL_ID = "ghl_id"
    CENTRALSTATION_ID = "centralstation_id"
    OURS = "ours"
    PLACE = "place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """`text` is what to look for, without what stood around it. `accounts`: the connections that an address belongs to, None where it
    may be any; none at all where it is another account's (`foreign`: its name there). `PLACE` is an address that names nobody."""

    kind: Kind
    text: str
    accounts: tuple[int, ...] | None = None
    foreign: str = ""

    @property
    def side(self) -> Side | None:
        return {Kind.GHL_ID: Side.GHL, Kind.CENTRALSTATION_ID: Side.CENTRALSTATION}.get(self.kind)


class _Account(NamedTuple):
    pk: int
    side: str
    root: str
    account_id: str


def read(text: str) -> Pasted:
    """One query, for addresses only."""
    text = _bare(text)
    if (address := _address(text)) is not None:
        return _of_address(address, text)
    compact = re.sub(r"\s", "", text)
    if found := re.fullmatch(r"#(\d{1,18})", compact):
        return Pasted(kind=Kind.OURS, text=found[1])
    if re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        return Pasted(kind=Kind.EMAIL, text=text)
    if re.fullmatch(r"[1-9]\d{0,9}", text):
        return Pasted(kind=Kind.CENTRALSTATION_ID, text=text)
    if re.fullmatch(r"\+?[\d()/.\-–]{6,}", compact) and sum(map(str.isdigit, compact)) >= 6:
        return Pasted(kind=Kind.PHONE, text=text)
    if re.fullmatch(r"[A-Za-z0-9]{15,40}", text) and re.search(r"\d", text):
        return Pasted(kind=Kind.GHL_ID, text=text)
    return Pasted(kind=Kind.NAME, text=text)


def contacts(pasted: Pasted) -> list[Contact]:
    """Those that this names, else those that it is part of; `MOST` + 1 where there are more."""
    known = Contact.objects.select_related("sync__ghl", "sync__centralstation", "issue", "held_by__by", "asked_by")
    known = known.defer(*(f"sync__{side}__{secret}" for side in Side for secret in SECRETS))
    if pasted.kind is Kind.PLACE or pasted.accounts == ():
        return []
    if pasted.kind is Kind.OURS:
        return list(known.filter(pk=int(pasted.text)))
    if pasted.accounts is not None and pasted.side is not None:
        theirs = {f"sync__{pasted.side}__in": pasted.accounts, f"{pasted.side}_id": pasted.text}
        return _some(known.filter(**theirs))
    own = [int(pasted.text)] if pasted.kind is Kind.CENTRALSTATION_ID else []  # a bare number may be ours, too
    if keys := search.by_key(pasted.text) + own:
        found = _some(known.filter(pk__in=keys))
        if found or pasted.side is not None:
            return found
    found = _some(known.filter(search.mentions(pasted.text)))
    return sorted(found, key=lambda one: one.label.casefold() != pasted.text.casefold())


def _some(found: ContactQuerySet) -> list[Contact]:
    return list(found[: MOST + 1])


def _bare(text: str) -> str:
    """Without what mail programs, phones and chats put around it: `Ada <ada@example.org>`, `mailto:`, `tel:`, quotes."""
    text = re.sub(r"\s+", " ", text).strip()
    if found := re.search(r"<([^<>\s]+)>$", text):
        text = found[1]
    return re.sub(r"^(?:mailto|tel|callto):", "", text.strip("\"'„“”‚‘’»«<>,; "), flags=re.IGNORECASE).strip()


def _address(text: str) -> SplitResult | None:
    """A web address, also as browsers show it, without its scheme."""
    if not re.fullmatch(r"(?:https?://\S+|[\w-]+(?:\.[\w-]+)*(?::\d+)?/\S*)", text, flags=re.IGNORECASE):
        return None
    has_scheme = re.match(r"https?://", text, flags=re.IGNORECASE)
    if not has_scheme and not re.match(r"[^/]+[.:]", text):  # `sales/marketing` is a name, `example.com/…` an address
        return None
    try:
        return urlsplit(text if has_scheme else f"https://{text}")
    except ValueError:  # http://[
        return None


def _of_address(address: SplitResult, text: str) -> Pasted:
    """GoHighLevel's pages have the same paths under every agency's own domain, so the path tells, and the location in it whose they are."""
    path = f"{address.path}#{address.fragment}"
    accounts = [_Account(*row) for row in Connection.objects.values_list("pk", "system", "root", "account_id")]
    if found := re.search(r"/contacts/detail/(\w+)", path):
        location = re.search(r"/location/(\w+)", path)
        return _of_location(found[1], location[1] if location else "", accounts)
    if found := re.search(r"/people/(\d+)", path):
        return _of_host(found[1], address, accounts)
    if (found := re.match(r"/(?:contacts|why)/(\d{1,18})(?:/|#|$)", path)) and _is_ours(address):
        return Pasted(kind=Kind.OURS, text=found[1])
    for account in accounts:
        if urlsplit(account.root).netloc == address.netloc and (id := _last_id(address.path)):
            kind = Kind.GHL_ID if account.side == Side.GHL else Kind.CENTRALSTATION_ID
            return Pasted(kind=kind, text=id, accounts=(account.pk,))
    return Pasted(kind=Kind.PLACE, text=text)


def _of_location(id: str, location: str, accounts: Sequence[_Account]) -> Pasted:
    ghl = [one for one in accounts if one.side == Side.GHL]
    own = tuple(one.pk for one in ghl if one.account_id == location) if location else tuple(one.pk for one in ghl)
    return Pasted(kind=Kind.GHL_ID, text=id, accounts=own, foreign="" if own else location)


def _of_host(id: str, address: SplitResult, accounts: Sequence[_Account]) -> Pasted:
    """An account that is asked at the address which all share may be any."""
    central = [one for one in accounts if one.side == Side.CENTRALSTATION]
    own = tuple(one.pk for one in central if urlsplit(one.root).netloc == address.netloc)
    shared = tuple(one.pk for one in central if (urlsplit(one.root).hostname or "").startswith("api."))
    return Pasted(kind=Kind.CENTRALSTATION_ID, text=id, accounts=own or shared, foreign="" if own or shared else address.netloc)


def _is_ours(address: SplitResult) -> bool:
    return validate_host(address.hostname or "", settings.ALLOWED_HOSTS)


def _last_id(path: str) -> str:
    parts = [part for part in path.split("/") if re.fullmatch(r"\d+|[A-Za-z0-9]{15,}", part)]
    return parts[-1] if parts else ""


def about(pasted: Pasted) -> Q:
    """The connections that could know it."""
    which = Q(pk__in=pasted.accounts) if pasted.accounts is not None else Q()
    return which & Q(system=pasted.side) if pasted.side is not None else which
