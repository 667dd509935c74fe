"""The fields that can be written to CentralStationCRM, by name, with what people call them: what a fault may drop.

Many rows keep their value in `name`, so that this one name drops a lot; with the envelope before it, it is about one kind of row of a
person who exists. A new person's rows come in lists (centralstationcrm.md, sections 2 to 8).
"""

from __future__ import annotations

from collections.abc import Iterable

from crmsync.sandbox.centralstation import kinds
from crmsync.sandbox.centralstation.rows import Row

LABELS = {
    "first_name": "First name",
    "name": "Last name, and phone/e-mail value",
    "title": "Title",
    "salutation": "Salutation",
    "background": "Background",
    "tel.name": "Phone value alone",
    "email.name": "E-mail value alone",
    "homepage.name": "Website value alone",
    "street": "Street",
    "zip": "Postal code",
    "city": "City",
    "state_code": "State",
    "country_code": "Country, and a person's language",
    "historic_event.name": "Birthday",
    "company_id": "Company",
    "position.name": "Job title",
    "custom_field.name": "Value of a custom field",
    "tag.name": "Tag",
    "content": "Text of a note",
    "protocol.name": "Title of a note",
    "task.name": "Title of a task",
    "precise_time": "Due date of a task",
    "finished": "Whether a task is done",
    "tels_attributes": "Phones of a new person",
    "emails_attributes": "E-mails of a new person",
    "homepages_attributes": "Websites of a new person",
    "addrs_attributes": "Address of a new person",
    "positions_attributes": "Company of a new person",
    "tags_attributes": "Tags of a new person",
    "custom_fields_attributes": "Custom fields of a new person",
}
NAMED_BESIDES = ("company_name", "person_ids", "company_ids", "ims_attributes", "sms_attributes", "historic_events_attributes")


def written_fields(note: Row, task: Row) -> dict[str, str]:
    """Labels by name, "" for a field that has none. `note` and `task` are those with all their members."""
    return {**LABELS, **{name: "" for name in (*_members(note, task), *NAMED_BESIDES) if name not in LABELS}}


def _members(note: Row, task: Row) -> Iterable[str]:
    """All members, plain and with the envelope before them."""
    row_by_envelope = {"person": kinds.PERSON, "company": kinds.COMPANY, "protocol": note, "task": task}
    row_by_envelope |= {one: kind.defaults for kind in (*kinds.ATTACHED, kinds.POSITION) for one in (*kind.envelopes, kind.word)}
    for envelope, row in row_by_envelope.items():
        yield from row
        yield from (f"{envelope}.{name}" for name in row)
