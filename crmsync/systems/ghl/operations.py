"""What GoHighLevel can be asked to do, as far as the client itself needs it: paths and scopes from ghl.md, sections 3 and 4.

Names are the operation ids of GoHighLevel's own OpenAPI files. Adding and removing tags may be repeated: a set is the same after twice.
"""

from __future__ import annotations

from crmsync.systems.operations import Operation

READ, WRITE = "contacts.readonly", "contacts.write"
TASKS, CUSTOM_FIELDS, USERS = "locations/tasks.readonly", "locations/customFields.readonly", "users.readonly"
LOCATION, LOCATION_TAGS, BUSINESSES = "locations.readonly", "locations/tags.readonly", "businesses.readonly"

_CONTACT = "/contacts/{contact_id}"
_NOTE, _TASK = _CONTACT + "/notes/{note_id}", _CONTACT + "/tasks/{task_id}"
_PLACE = "/locations/{location_id}"
_BUSINESS = "/businesses/{business_id}"


def _of(file: str, name: str, method: str, path: str, scope: str, repeatable: bool = True) -> Operation:
    return Operation(name, method, path, scope, repeatable, source=f"{file}.json, {name}")


SEARCH_CONTACTS = _of("contacts", "search-contacts-advanced", "POST", "/contacts/search", READ)
LIST_CONTACTS = _of("contacts", "get-contacts", "GET", "/contacts/", READ)
FIND_DUPLICATE = _of("contacts", "get-duplicate-contact", "GET", "/contacts/search/duplicate", READ)
LIST_CONTACTS_OF_BUSINESS = _of("contacts", "get-contacts-by-businessId", "GET", "/contacts/business/{business_id}", READ)
GET_CONTACT = _of("contacts", "get-contact", "GET", _CONTACT, READ)
CREATE_CONTACT = _of("contacts", "create-contact", "POST", "/contacts/", WRITE, repeatable=False)
UPDATE_CONTACT = _of("contacts", "update-contact", "PUT", _CONTACT, WRITE)
UPSERT_CONTACT = _of("contacts", "upsert-contact", "POST", "/contacts/upsert", WRITE, repeatable=False)
DELETE_CONTACT = _of("contacts", "delete-contact", "DELETE", _CONTACT, WRITE)

ADD_TAGS = _of("contacts", "add-tags", "POST", _CONTACT + "/tags", WRITE)
REMOVE_TAGS = _of("contacts", "remove-tags", "DELETE", _CONTACT + "/tags", WRITE)

LIST_NOTES = _of("contacts", "get-all-notes", "GET", _CONTACT + "/notes", READ)
GET_NOTE = _of("contacts", "get-note", "GET", _NOTE, READ)
CREATE_NOTE = _of("contacts", "create-note", "POST", _CONTACT + "/notes", WRITE, repeatable=False)
UPDATE_NOTE = _of("contacts", "update-note", "PUT", _NOTE, WRITE)
DELETE_NOTE = _of("contacts", "delete-note", "DELETE", _NOTE, WRITE)

LIST_TASKS = _of("contacts", "get-all-tasks", "GET", _CONTACT + "/tasks", READ)
GET_TASK = _of("contacts", "get-task", "GET", _TASK, READ)
CREATE_TASK = _of("contacts", "create-task", "POST", _CONTACT + "/tasks", WRITE, repeatable=False)
UPDATE_TASK = _of("contacts", "update-task", "PUT", _TASK, WRITE)
COMPLETE_TASK = _of("contacts", "update-task-completed", "PUT", _TASK + "/completed", WRITE)
DELETE_TASK = _of("contacts", "delete-task", "DELETE", _TASK, WRITE)
SEARCH_TASKS = _of("locations", "task-search", "POST", _PLACE + "/tasks/search", TASKS)

LIST_APPOINTMENTS = _of("contacts", "get-appointments-for-contact", "GET", _CONTACT + "/appointments", READ)

GET_LOCATION = _of("locations", "get-location", "GET", _PLACE, LOCATION)
LIST_CUSTOM_FIELDS = _of("locations", "get-custom-fields", "GET", _PLACE + "/customFields", CUSTOM_FIELDS)
LIST_LOCATION_TAGS = _of("locations", "get-location-tags", "GET", _PLACE + "/tags", LOCATION_TAGS)
LIST_USERS = _of("users", "get-user-by-location", "GET", "/users/", USERS)

LIST_BUSINESSES = _of("businesses", "get-businesses-by-location", "GET", "/businesses/", BUSINESSES)
GET_BUSINESS = _of("businesses", "get-business", "GET", _BUSINESS, BUSINESSES)
CREATE_BUSINESS = _of("businesses", "create-business", "POST", "/businesses/", "businesses.write", repeatable=False)
UPDATE_BUSINESS = _of("businesses", "update-business", "PUT", _BUSINESS, "businesses.write")
DELETE_BUSINESS = _of("businesses", "delete-Business", "DELETE", _BUSINESS, "businesses.write")

OPERATIONS: tuple[Operation, ...] = tuple(one for one in list(globals().values()) if isinstance(one, Operation))
"""All of the above, in order."""
