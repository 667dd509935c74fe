"""Contacts and their tags (ghl.md, section 3): get, create, update, upsert, delete, duplicate search, tags."""

from __future__ import annotations

from typing import Any

from crmsync.sandbox.core import Answer, Call, Json, Operations, Refusal
from crmsync.sandbox.ghl import checks, values
from crmsync.sandbox.ghl.location import Ghl, read_form

operations: Operations[Ghl] = Operations()
READ, WRITE = "contacts.readonly", "contacts.write"


def known(crm: Ghl, id: str) -> Json:
    """The contact as it is kept. Raises the refusal for an unknown one, whose status is a setting: GHL's isn't documented."""
    if id not in crm.contacts:
        raise Refusal(
            crm.settings.missing_status, {"statusCode": crm.settings.missing_status, "message": f"Contact with id {id} not found"}
        )
    return crm.contacts[id]


@operations("GET", "/contacts/{contactId}", scope=READ)
def get_contact(crm: Ghl, call: Call) -> Answer:
    return Answer(200, {"contact": read_form(known(crm, call.params["contactId"]))})


@operations("POST", "/contacts", scope=WRITE)
def create_contact(crm: Ghl, call: Call) -> Answer:
    fields = _accepted(checks.checked(call.body, checks.NEW_CONTACT))
    _forbid_duplicate(crm, fields)
    return Answer(201, {"contact": read_form(crm.contacts[crm.add_contact(**fields)])})


@operations("PUT", "/contacts/{contactId}", scope=WRITE)
def update_contact(crm: Ghl, call: Call) -> Answer:
    contact = known(crm, call.params["contactId"])
    fields = _accepted(checks.checked(call.body, checks.CONTACT))
    _forbid_duplicate(crm, fields, contact["id"])
    crm.edit_contact(contact["id"], **fields)
    return Answer(200, {"succeded": True, "contact": read_form(contact)})


@operations("POST", "/contacts/upsert", scope=WRITE)
def upsert_contact(crm: Ghl, call: Call) -> Answer:
    fields = _accepted(checks.checked(call.body, checks.UPSERT))
    by_email = crm.duplicate_of(_email(fields), None)
    by_phone = crm.duplicate_of(None, _phone(crm, fields))
    match by_email or by_phone:
        case None:
            return Answer(200, {"new": True, "contact": read_form(crm.contacts[crm.add_contact(**fields)])})
        case contact, _:
            if by_phone and by_phone[0] is not contact:
                del fields["phone"]  # the phone belongs to another contact: left out without a word (#37)
            crm.edit_contact(contact["id"], **fields)
            return Answer(200, {"new": False, "contact": read_form(contact)})


@operations("DELETE", "/contacts/{contactId}", scope=WRITE)
def delete_contact(crm: Ghl, call: Call) -> Answer:
    crm.delete_contact(known(crm, call.params["contactId"])["id"])
    return Answer(200, {"succeded": True})


@operations("GET", "/contacts/search/duplicate", scope=READ)
def get_duplicate_contact(crm: Ghl, call: Call) -> Answer:
    """Looks straight at the records: no lag here. The e-mail wins when both are given."""
    checks.refuse([] if call.query.get("locationId") else ["locationId should not be empty"])
    found = crm.duplicate_of(_email(dict(call.query)), None)
    if not call.query.get("email") and call.query.get("number"):
        found = crm.duplicate_of(None, _phone(crm, {"phone": call.query["number"]}))
    return Answer(200, {"contact": read_form(found[0]) if found else None})


@operations("POST", "/contacts/{contactId}/tags", scope=WRITE)
def add_tags(crm: Ghl, call: Call) -> Answer:
    contact = known(crm, call.params["contactId"])
    added = crm.add_tags(contact["id"], *checks.checked(call.body, checks.TAGS)["tags"])
    return Answer(201, {"tags": contact["tags"], "tagsAdded": added})


@operations("DELETE", "/contacts/{contactId}/tags", scope=WRITE)
def remove_tags(crm: Ghl, call: Call) -> Answer:
    contact = known(crm, call.params["contactId"])
    removed = crm.remove_tags(contact["id"], *checks.checked(call.body, checks.TAGS)["tags"])
    return Answer(200, {"tags": contact["tags"], "tagsRemoved": removed})


def _accepted(fields: Json) -> Json:
    """Without what GHL takes and forgets: gender, and a date of birth that is none (#313, #124)."""
    dropped = {"gender", "locationId", "createNewIfDuplicateAllowed"}
    if fields.get("dateOfBirth") and values.day(fields["dateOfBirth"]) is None:
        dropped |= {"dateOfBirth"}
    return {key: value for key, value in fields.items() if key not in dropped}


def _email(fields: Json) -> str | None:
    return str(fields.get("email") or "").strip().lower() or None


def _phone(crm: Ghl, fields: Json) -> str | None:
    return values.phone_e164(str(fields["phone"]), crm.settings.country) if fields.get("phone") else None


def _forbid_duplicate(crm: Ghl, fields: Json, besides: str = "") -> None:
    found = None if crm.settings.allow_duplicates else crm.duplicate_of(_email(fields), _phone(crm, fields), besides)
    if found:
        contact, field = found
        meta: dict[str, Any] = {"contactId": contact["id"], "contactName": contact.get("name") or "", "matchingField": field}
        message = "This location does not allow duplicated contacts."
        raise Refusal(400, {"statusCode": 400, "message": message, "meta": meta})
