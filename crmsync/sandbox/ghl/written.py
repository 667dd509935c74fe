"""The fields that can be written to GHL, by name, with what people call them: what a fault may drop (ghl.md, section 3)."""

from __future__ import annotations

from collections.abc import Mapping

from crmsync.sandbox.core import Json
from crmsync.sandbox.ghl import checks

LABELS = {
    "firstName": "First name",
    "lastName": "Last name",
    "email": "E-mail",
    "phone": "Phone",
    "companyName": "Company",
    "address1": "Street",
    "postalCode": "Postal code",
    "city": "City",
    "state": "State",
    "country": "Country",
    "website": "Website",
    "dateOfBirth": "Date of birth",
    "source": "Source",
    "tags": "Tags",
    "customFields": "All custom fields",
    "body": "Text of a note or task",
    "title": "Title of a note or task",
    "dueDate": "Due date of a task",
    "completed": "Whether a task is done",
    "assignedTo": "Whom a contact or task is for",
}


def written_fields(custom_fields: Mapping[str, Json]) -> dict[str, str]:
    """Labels by name, "" for a field that has none; each custom field as `customFields.ID`."""
    known = [name for kinds in (checks.UPSERT, checks.NOTE, checks.TASK) for name in kinds]
    return {**LABELS, **{f"customFields.{id}": one["name"] for id, one in custom_fields.items()}, **_unlabelled(known)}


def _unlabelled(names: list[str]) -> dict[str, str]:
    return {name: "" for name in names if name not in LABELS}
