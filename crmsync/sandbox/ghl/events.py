"""What GHL tells by webhook: payloads, signatures, and to whom (ghl.md, section 5). Notes come without user and title."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crmsync.sandbox.core import Json
from crmsync.sandbox.ghl import values
from crmsync.sandbox.settings import Signature
from crmsync.sandbox.webhooks import Outgoing

if TYPE_CHECKING:
    from crmsync.sandbox.ghl.app import GhlApp

CONTACT = (
    *("address1", "city", "state", "companyName", "country", "source", "dateAdded", "dateOfBirth", "dnd", "email", "name"),
    *("firstName", "lastName", "phone", "postalCode", "tags", "website", "assignedTo", "customFields"),
)
NOTE = ("body", "contactId", "dateAdded")
TASK = ("assignedTo", "body", "contactId", "title", "dateAdded", "dueDate")
VERSION_ID = "5a6d6f780000000000000001"


class Keys:
    """The keys that sign: one of each kind, made when first needed, other ones for each sandbox."""

    @cached_property
    def ed25519(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.generate()

    @cached_property
    def rsa(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def public(self, kind: Signature) -> str:
        """PEM."""
        key = self.ed25519.public_key() if kind == "ed25519" else self.rsa.public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def headers(self, body: bytes, kinds: Collection[Signature]) -> Mapping[str, str]:
        signed: dict[str, bytes] = {}
        if "ed25519" in kinds:
            signed["X-GHL-Signature"] = self.ed25519.sign(body)
        if "rsa" in kinds:
            signed["x-wh-signature"] = self.rsa.sign(body, padding.PKCS1v15(), hashes.SHA256())
        return {name: base64.b64encode(signature).decode() for name, signature in signed.items()}


class Events:
    """Tells `url` of changes. After `uninstall()` there is nothing to tell until the app is installed again."""

    def __init__(self, crm: GhlApp) -> None:
        self._crm = crm
        self._settings = crm.settings
        self.keys = Keys()
        self.url = crm.settings.webhook_url
        self.events = frozenset(crm.settings.webhook_events)
        self._is_installed = True

    def contact_changed(self, contact: Json, changed: Collection[str]) -> None:
        """The event for each sort of change: tags and do-not-disturb have their own."""
        dnd = {"dnd", "dndSettings"}
        if "tags" in changed:
            self.contact("ContactTagUpdate", contact)
        if dnd & set(changed):
            self.contact("ContactDndUpdate", contact, {"dndSettings": contact.get("dndSettings") or {}})
        if set(changed) - dnd - {"tags"}:
            self.contact("ContactUpdate", contact)

    def contact(self, type: str, contact: Json, more: Mapping[str, Any] | None = None) -> None:
        self._send(type, contact["id"], {"id": contact["id"], **_members(contact, CONTACT), "attachments": [], **(more or {})})

    def note(self, type: str, note: Json) -> None:
        self._send(type, note["contactId"], {"id": note["id"], **_members(note, NOTE)})

    def task(self, type: str, task: Json) -> None:
        names: tuple[str, ...] = TASK
        if type == "TaskCreate" and not self._settings.task_create_names_contact:
            names = tuple(name for name in TASK if name not in ("contactId", "body"))
        self._send(type, task["contactId"], {"id": task["id"], **_members(task, names)})

    def installed(self, location_ids: Collection[str]) -> None:
        self._is_installed = True
        self._app("INSTALL", location_ids)

    def uninstalled(self, location_ids: Collection[str]) -> None:
        self._app("UNINSTALL", location_ids)
        self._is_installed = False

    def call_workflow(self, url: str, contact_id: str, type: str) -> None:
        """What a workflow's *Webhook* action sends: unsigned, and as somebody put it together."""
        body = json.dumps({"contact_id": contact_id, "type": type}).encode()
        self._crm.webhooks.send(Outgoing(type=f"workflow {type}", contact_id=contact_id, url=url, body=body))

    def _app(self, type: str, location_ids: Collection[str]) -> None:
        place = (
            {"companyId": self._settings.company_id} if self._settings.app_type == "Company" else {"locationId": next(iter(location_ids))}
        )
        self._post(type, "", place)

    def _send(self, type: str, contact_id: str, payload: Json) -> None:
        if type in self.events and self._is_installed:
            self._post(type, contact_id, {"locationId": self._settings.location_id, **payload})

    def _post(self, type: str, contact_id: str, payload: Json) -> None:
        about = {"type": type, "timestamp": self._crm.now(), "webhookId": str(uuid4()), "appId": self._settings.app_id}
        about |= {"versionId": VERSION_ID}
        whole = {**about, "data": payload} if self._settings.webhook_envelope else {**payload, **about}
        body = json.dumps(whole, default=_encoded, ensure_ascii=False).encode()
        self._crm.webhooks.send(Outgoing(type=type, contact_id=contact_id, url=self.url, body=body, sign=self._signature))

    def _signature(self, body: bytes) -> Mapping[str, str]:
        return self.keys.headers(body, self._settings.webhook_signatures)


def _members(record: Json, names: Collection[str]) -> Json:
    """Empty members are left out, as a direct read does."""
    return {name: record[name] for name in names if record.get(name) is not None}


def _encoded(value: object) -> str:
    if isinstance(value, datetime):
        return values.iso(value)
    raise TypeError(type(value).__name__)
