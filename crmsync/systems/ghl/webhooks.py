"""GoHighLevel's webhooks: whether they are GoHighLevel's, and what they say (ghl.md, section 5).

An app's events are signed; `verify()` comes before anything is read. A workflow's *Webhook* action signs nothing and sends any JSON:
`read_workflow()` takes an id from it, and no more.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from pydantic import JsonValue

from crmsync.engine.records import Aspect, ItemKind
from crmsync.systems.ghl.operations import READ
from crmsync.systems.notice import (
    NOTHING,
    EventType,
    Forged,
    Malformed,
    Notice,
    Unsigned,
    id_in,
    parse_json,
    parse_object,
    text_in,
    time_in,
)
from crmsync.systems.texts import gettext_noop

ED25519_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=
-----END PUBLIC KEY-----
"""
RSA_KEY = """-----BEGIN PUBLIC KEY-----
MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAokvo/r9tVgcfZ5DysOSC
Frm602qYV0MaAiNnX9O8KxMbiyRKWeL9JpCpVpt4XHIcBOK4u3cLSqJGOLaPuXw6
dO0t6Q/ZVdAV5Phz+ZtzPL16iCGeK9po6D6JHBpbi989mmzMryUnQJezlYJ3DVfB
csedpinheNnyYeFXolrJvcsjDtfAeRx5ByHQmTnSdFUzuAnC9/GepgLT9SM4nCpv
uxmZMxrJt5Rw+VUaQ9B8JSvbMPpez4peKaJPZHBbU3OdeCVx5klVXXZQGNHOs8gF
3kvoV5rTnXV0IknLBXlcKKAQLZcY/Q9rG6Ifi9c+5vqlvHPCUJFT5XUGG5RKgOKU
J062fRtN+rLYZUV+BjafxQauvC8wSWeYja63VSUruvmNj8xkx2zE/Juc+yjLjTXp
IocmaiFeAO6fUtNjDeFVkhf5LNb59vECyrHD2SQIrhgXpO4Q3dVNA5rw576PwTzN
h/AMfHKIjE4xQA1SZuYJmNnmVZLIZBlQAF9Ntd03rfadZ+yDiOXCCs9FkHibELhC
HULgCsnuDJHcrGNd5/Ddm5hxGQ0ASitgHeMZ0kcIOwKDOzOU53lDza6/Y09T7sYJ
PQe7z0cvj7aE4B+Ax1ZoZGPzpJlZtGXCsu9aTEGEnKzmsFqwcSsnw3JB31IGKAyk
T1hhTiaCeIY/OwwwNUY2yvcCAwEAAQ==
-----END PUBLIC KEY-----
"""
PUBLISHED_KEYS = (ED25519_KEY, RSA_KEY)
"""GoHighLevel's own, published for everybody."""

SIGNATURE, OLD_SIGNATURE = "x-ghl-signature", "x-wh-signature"
LEAST_RSA_BITS = 2048

PublicKey = Ed25519PublicKey | RSAPublicKey


def verify(body: bytes, headers: Mapping[str, str], keys: Sequence[str] = ()) -> None:
    """Raises `Unsigned` or `Forged` unless one of `keys` (PEM; none: the published ones) has signed `body`, byte for byte.

    The old RSA signature counts only where the new header is absent."""
    signatures = {name.lower(): value for name, value in headers.items()}
    trusted = _parsed(tuple(keys) or PUBLISHED_KEYS)
    if (signature := signatures.get(SIGNATURE)) is not None:
        ours: list[PublicKey] = [key for key in trusted if isinstance(key, Ed25519PublicKey)]
    elif (signature := signatures.get(OLD_SIGNATURE)) is not None:
        ours = [key for key in trusted if isinstance(key, RSAPublicKey)]
    if not signature:
        raise Unsigned("There is no signature: neither X-GHL-Signature nor x-wh-signature.")
    if not any(_has_signed(key, signature, body) for key in ours):
        raise Forged("The signature doesn't fit the body and the keys.")


def _has_signed(key: PublicKey, signature: str, body: bytes) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        if isinstance(key, Ed25519PublicKey):
            key.verify(raw, body)
        else:
            key.verify(raw, body, PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


@lru_cache(maxsize=64)
def _parsed(keys: tuple[str, ...]) -> tuple[PublicKey, ...]:
    """Parsing a key takes longer than verifying with it."""
    return tuple(_public_key(key) for key in keys)


def read_key(pem: str) -> str:
    """One public key, Ed25519 or RSA, in the form it is stored in. Raises `ValueError`, which says what it is instead."""
    return _public_key(pem).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _public_key(pem: str) -> PublicKey:
    if "PRIVATE KEY" in pem:
        raise ValueError("this is a private key, where the public one belongs")
    if pem.count("-----BEGIN ") != 1:
        raise ValueError("this isn't one public key in PEM form, from -----BEGIN PUBLIC KEY----- to -----END PUBLIC KEY-----")
    try:
        key = load_pem_public_key(pem.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("this isn't a public key, or not all of it") from None
    if not isinstance(key, (Ed25519PublicKey, RSAPublicKey)):
        raise ValueError("this key is neither Ed25519 nor RSA")
    if isinstance(key, RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        raise ValueError(f"this RSA key is shorter than {LEAST_RSA_BITS} bits")
    return key


INSTALL, UNINSTALL = "INSTALL", "UNINSTALL"
CONTACT_DELETE = "ContactDelete"
CONTACT_ASPECTS = {
    "ContactCreate": Aspect.ALL,
    "ContactUpdate": Aspect.PROFILE | Aspect.TAGS,
    CONTACT_DELETE: Aspect.PROFILE | Aspect.TAGS,
    "ContactTagUpdate": Aspect.TAGS,
}
ITEM_KINDS = {
    **dict.fromkeys(("NoteCreate", "NoteUpdate", "NoteDelete"), ItemKind.NOTE),
    **dict.fromkeys(("TaskCreate", "TaskComplete", "TaskDelete"), ItemKind.TASK),
}

EVENTS = (
    EventType("ContactCreate", READ, gettext_noop("A new contact arrives in CentralStationCRM within seconds.")),
    EventType("ContactUpdate", READ, gettext_noop("Changed fields arrive within seconds.")),
    EventType(
        "ContactDelete", READ, gettext_noop("A deleted contact is noticed at once, and a person decides what happens to the other half.")
    ),
    EventType("ContactTagUpdate", READ, gettext_noop("Added and removed tags arrive within seconds.")),
    EventType("NoteCreate", READ, gettext_noop("A new note arrives within seconds.")),
    EventType("NoteUpdate", READ, gettext_noop("A changed note arrives within seconds.")),
    EventType("NoteDelete", READ, gettext_noop("A deleted note is noticed at once.")),
    EventType("TaskCreate", READ, gettext_noop("A new task arrives within seconds.")),
    EventType("TaskComplete", READ, gettext_noop("A finished task is finished on both sides within seconds.")),
    EventType(
        "TaskDelete",
        READ,
        gettext_noop("A deleted task is noticed at once. GoHighLevel has no event for changed tasks: crmsync looks for them."),
    ),
    EventType(INSTALL, "", gettext_noop("Says that the app was installed in the location.")),
    EventType(UNINSTALL, "", gettext_noop("Says that the app was removed: crmsync then asks to be connected again.")),
)
"""What to choose in the app's webhook settings."""


def read(body: bytes) -> Notice:
    """A signed event, flat or in an envelope with `data`. One of a type unknown here tells nothing of use. Raises `Malformed`."""
    outer = parse_object(body)
    inner = outer.get("data")
    payload = {**inner, **{name: outer[name] for name in _OF_ENVELOPE if outer.get(name)}} if isinstance(inner, dict) else outer
    type = text_in(payload, "type")
    if type is None:
        raise Malformed("“type” is missing.")
    kind = ITEM_KINDS.get(type)
    return Notice(
        type=type,
        webhook_id=text_in(payload, "webhookId", length=100),
        sent_at=time_in(payload, "timestamp"),
        account_id=text_in(payload, "locationId", length=100),
        company_id=text_in(payload, "companyId", length=100),
        contact_id=_contact_id(type, payload),
        item_id=_required_id(type, payload) if kind else None,
        item_kind=kind,
        aspects=kind.aspect if kind else CONTACT_ASPECTS.get(type, NOTHING),
        is_gone=type == CONTACT_DELETE,
        is_uninstall=type == UNINSTALL,
    )


_OF_ENVELOPE = ("type", "timestamp", "webhookId", "locationId", "companyId")


def _contact_id(type: str, payload: Mapping[str, JsonValue]) -> str | None:
    if type in CONTACT_ASPECTS:
        return _required_id(type, payload)
    appointment = payload.get("appointment")
    if type in ITEM_KINDS or not isinstance(appointment, dict):
        return id_in(payload, "contactId")
    return id_in(appointment, "contactId")


def _required_id(type: str, payload: Mapping[str, JsonValue]) -> str:
    id = id_in(payload, "id")
    if id is None:
        raise Malformed(f"“id” is missing in {type}.")
    return id


_CONTACT_ID = re.compile(r"[A-Za-z0-9]{10,64}")
_NAMES = ("contact_id", "contactId")
_PARTS = ("customData", "contact", "data")


def read_workflow(body: bytes) -> Notice:
    """A workflow's unsigned action: the contact it names, anywhere it is known to put the id, is to be looked at. Raises `Malformed`."""
    payload = parse_json(body)
    contact_id = _workflow_id(payload)
    return Notice(type="", contact_id=contact_id, aspects=Aspect.ALL if contact_id else NOTHING)


def _workflow_id(payload: JsonValue) -> str | None:
    """The first value that looks like a contact's id; the rest is whatever somebody put into the action."""
    if not isinstance(payload, dict):
        return _id_or_none(payload)
    parts = [part for part in (payload, *map(payload.get, _PARTS)) if isinstance(part, dict)]
    contact = payload.get("contact")
    candidates = [part.get(name) for part in parts for name in _NAMES]
    candidates += [contact.get("id") if isinstance(contact, dict) else contact, payload.get("id")]
    return next(filter(None, map(_id_or_none, candidates)), None)


def _id_or_none(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and _CONTACT_ID.fullmatch(value) else None
