"""The location itself, its custom fields, tags, users and businesses (ghl.md, section 4)."""

from __future__ import annotations

from crmsync.sandbox.core import Answer, Call, Json, Operations, Refusal
from crmsync.sandbox.ghl import checks
from crmsync.sandbox.ghl.location import Ghl

operations: Operations[Ghl] = Operations()


@operations("GET", "/locations/{locationId}", scope="locations.readonly")
def get_location(crm: Ghl, call: Call) -> Answer:
    settings = crm.settings
    place = {"id": settings.location_id, "name": settings.location_name, "country": settings.country, "timezone": settings.timezone}
    return Answer(200, {"location": {**place, "email": "office@sandbox.example", "phone": "+4922112345"}})


@operations("GET", "/locations/{locationId}/customFields", scope="locations/customFields.readonly")
def get_custom_fields(crm: Ghl, call: Call) -> Answer:
    wanted = call.query.get("model", "all")
    return Answer(200, {"customFields": [one for one in crm.custom_fields.values() if wanted in ("all", one["model"])]})


@operations("GET", "/locations/{locationId}/customFields/{id}", scope="locations/customFields.readonly")
def get_custom_field(crm: Ghl, call: Call) -> Answer:
    return Answer(200, {"customField": _known(crm.custom_fields, call.params["id"], "Custom field")})


@operations("GET", "/locations/{locationId}/tags", scope="locations/tags.readonly")
def get_location_tags(crm: Ghl, call: Call) -> Answer:
    return Answer(200, {"tags": sorted(crm.tags.values(), key=lambda tag: tag["name"])})


@operations("POST", "/locations/{locationId}/tags", scope="locations/tags.write")
def create_tag(crm: Ghl, call: Call) -> Answer:
    name = checks.checked(call.body, checks.TAG)["name"].strip().lower()
    if any(tag["name"] == name for tag in crm.tags.values()):
        raise Refusal(400, {"statusCode": 400, "message": "The tag name is already exist."})
    crm.learn_tags([name])
    return Answer(200, {"tag": next(tag for tag in crm.tags.values() if tag["name"] == name)})


@operations("GET", "/locations/{locationId}/tags/{tagId}", scope="locations/tags.readonly")
def get_tag_by_id(crm: Ghl, call: Call) -> Answer:
    return Answer(200, {"tag": _known(crm.tags, call.params["tagId"], "Tag")})


@operations("PUT", "/locations/{locationId}/tags/{tagId}", scope="locations/tags.write")
def update_tag(crm: Ghl, call: Call) -> Answer:
    """Renames the tag wherever it is set."""
    tag = _known(crm.tags, call.params["tagId"], "Tag")
    old, new = tag["name"], checks.checked(call.body, checks.TAG)["name"].strip().lower()
    for contact in _tagged(crm, old):
        crm.edit_contact(contact["id"], tags=[new if name == old else name for name in contact["tags"]])
    tag["name"] = new
    return Answer(200, {"tag": tag})


@operations("DELETE", "/locations/{locationId}/tags/{tagId}", scope="locations/tags.write")
def delete_tag(crm: Ghl, call: Call) -> Answer:
    name = _known(crm.tags, call.params["tagId"], "Tag")["name"]
    for contact in _tagged(crm, name):
        crm.remove_tags(contact["id"], name)
    del crm.tags[call.params["tagId"]]
    return Answer(200, {"succeded": True})


@operations("GET", "/users", scope="users.readonly")
def get_user_by_location(crm: Ghl, call: Call) -> Answer:
    checks.refuse([] if call.query.get("locationId") else ["locationId should not be empty"])
    return Answer(200, {"users": list(crm.users.values())})


@operations("GET", "/users/{userId}", scope="users.readonly")
def get_user(crm: Ghl, call: Call) -> Answer:
    return Answer(200, _known(crm.users, call.params["userId"], "User"))


@operations("GET", "/businesses", scope="businesses.readonly")
def get_businesses_by_location(crm: Ghl, call: Call) -> Answer:
    checks.refuse([] if call.query.get("locationId") else ["locationId should not be empty"])
    skip, limit = int(call.query.get("skip") or 0), int(call.query.get("limit") or 100)
    return Answer(200, {"businesses": list(crm.businesses.values())[skip : skip + limit]})


@operations("GET", "/businesses/{businessId}", scope="businesses.readonly")
def get_business(crm: Ghl, call: Call) -> Answer:
    return Answer(200, {"business": _known(crm.businesses, call.params["businessId"], "Business")})


def _known(records: dict[str, Json], id: str, what: str) -> Json:
    if id not in records:
        raise Refusal(404, {"statusCode": 404, "message": f"{what} not found"})
    return records[id]


def _tagged(crm: Ghl, name: str) -> list[Json]:
    return [contact for contact in crm.contacts.values() if name in contact["tags"]]
