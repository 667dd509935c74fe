"""What CentralStationCRM can be asked, as records: the catalog, the scope check and the tests walk over `OPERATIONS`.

Scopes are our plain names: CentralStation knows no scopes, only the rights of the key's user (centralstationcrm.md, section 1).
No operation that makes a row may be repeated blindly: nothing here recognises the second of two equal POSTs.
"""

from __future__ import annotations

from crmsync.systems.operations import Operation

OPERATIONS: dict[str, Operation] = {}
"""All operations by name."""


def _operation(method: str, path: str, name: str, scope: str, section: int) -> Operation:
    operation = Operation(
        name,
        method,
        f"/api{path}",
        scope=f"{scope} ({'read' if method == 'GET' else 'write'})" if scope else "",
        repeatable=method != "POST",
        source=f"centralstationcrm.md, section {section}",
    )
    OPERATIONS[name] = operation
    return operation


# The key and its user
CHECK_CONNECTION = _operation("GET", "/check_connection", "check_connection", "", 1)
GET_OWN_USER = _operation("GET", "/user", "get_own_user", "users", 12)
LIST_USERS = _operation("GET", "/users", "list_users", "users", 12)
GET_USER = _operation("GET", "/users/{id}", "get_user", "users", 12)
SEARCH_USERS = _operation("GET", "/users/search", "search_users", "users", 12)

# People
LIST_PEOPLE = _operation("GET", "/people", "list_people", "people", 2)
COUNT_PEOPLE = _operation("GET", "/people/count", "count_people", "people", 2)
PEOPLE_STATS = _operation("GET", "/people/stats", "people_stats", "people", 2)
SEARCH_PEOPLE = _operation("GET", "/people/search", "search_people", "people", 2)
GET_PERSON = _operation("GET", "/people/{id}", "get_person", "people", 2)
CREATE_PERSON = _operation("POST", "/people", "create_person", "people", 2)
UPDATE_PERSON = _operation("PUT", "/people/{id}", "update_person", "people", 2)
DELETE_PERSON = _operation("DELETE", "/people/{id}", "delete_person", "people", 2)

# E-mails, phones and homepages: one table
LIST_CONTACT_DETAILS = _operation("GET", "/people/{person_id}/contact_details", "list_contact_details", "contact details", 3)
GET_CONTACT_DETAIL = _operation("GET", "/people/{person_id}/contact_details/{id}", "get_contact_detail", "contact details", 3)
CREATE_CONTACT_DETAIL = _operation("POST", "/people/{person_id}/contact_details", "create_contact_detail", "contact details", 3)
UPDATE_CONTACT_DETAIL = _operation("PUT", "/people/{person_id}/contact_details/{id}", "update_contact_detail", "contact details", 3)
DELETE_CONTACT_DETAIL = _operation("DELETE", "/people/{person_id}/contact_details/{id}", "delete_contact_detail", "contact details", 3)
SEARCH_CONTACT_DETAILS = _operation("GET", "/contact_details/search", "search_contact_details", "contact details", 3)

# Addresses and dates such as the birthday
LIST_ADDRS = _operation("GET", "/people/{person_id}/addrs", "list_addrs", "addresses", 4)
GET_ADDR = _operation("GET", "/people/{person_id}/addrs/{id}", "get_addr", "addresses", 4)
CREATE_ADDR = _operation("POST", "/people/{person_id}/addrs", "create_addr", "addresses", 4)
UPDATE_ADDR = _operation("PUT", "/people/{person_id}/addrs/{id}", "update_addr", "addresses", 4)
DELETE_ADDR = _operation("DELETE", "/people/{person_id}/addrs/{id}", "delete_addr", "addresses", 4)
LIST_HISTORIC_EVENTS = _operation("GET", "/people/{person_id}/historic_events", "list_historic_events", "dates", 4)
GET_HISTORIC_EVENT = _operation("GET", "/people/{person_id}/historic_events/{id}", "get_historic_event", "dates", 4)
CREATE_HISTORIC_EVENT = _operation("POST", "/people/{person_id}/historic_events", "create_historic_event", "dates", 4)
UPDATE_HISTORIC_EVENT = _operation("PUT", "/people/{person_id}/historic_events/{id}", "update_historic_event", "dates", 4)
DELETE_HISTORIC_EVENT = _operation("DELETE", "/people/{person_id}/historic_events/{id}", "delete_historic_event", "dates", 4)

# Companies, and the positions that join people to them
LIST_COMPANIES = _operation("GET", "/companies", "list_companies", "companies", 11)
COUNT_COMPANIES = _operation("GET", "/companies/count", "count_companies", "companies", 11)
SEARCH_COMPANIES = _operation("GET", "/companies/search", "search_companies", "companies", 11)
GET_COMPANY = _operation("GET", "/companies/{id}", "get_company", "companies", 11)
CREATE_COMPANY = _operation("POST", "/companies", "create_company", "companies", 11)
UPDATE_COMPANY = _operation("PUT", "/companies/{id}", "update_company", "companies", 11)
DELETE_COMPANY = _operation("DELETE", "/companies/{id}", "delete_company", "companies", 11)
LIST_POSITIONS = _operation("GET", "/people/{person_id}/positions", "list_positions", "positions", 11)
GET_POSITION = _operation("GET", "/people/{person_id}/positions/{id}", "get_position", "positions", 11)
CREATE_POSITION = _operation("POST", "/people/{person_id}/positions", "create_position", "positions", 11)
UPDATE_POSITION = _operation("PUT", "/people/{person_id}/positions/{id}", "update_position", "positions", 11)
DELETE_POSITION = _operation("DELETE", "/people/{person_id}/positions/{id}", "delete_position", "positions", 11)

# Tags: one row per word and record
LIST_TAGS = _operation("GET", "/tags", "list_tags", "tags", 5)
LIST_TAG_NAMES = _operation("GET", "/tags/list", "list_tag_names", "tags", 5)
GET_TAG = _operation("GET", "/tags/{id}", "get_tag", "tags", 5)
CREATE_TAGGING = _operation("POST", "/tags", "create_tagging", "tags", 5)
LIST_PERSON_TAGS = _operation("GET", "/people/{person_id}/tags", "list_person_tags", "tags", 5)
CREATE_TAG = _operation("POST", "/people/{person_id}/tags", "create_tag", "tags", 5)
UPDATE_TAG = _operation("PUT", "/people/{person_id}/tags/{id}", "update_tag", "tags", 5)
DELETE_TAG = _operation("DELETE", "/people/{person_id}/tags/{id}", "delete_tag", "tags", 5)

# Notes and their comments
LIST_PROTOCOLS = _operation("GET", "/protocols", "list_protocols", "notes", 6)
LIST_PERSON_PROTOCOLS = _operation("GET", "/people/{person_id}/protocols", "list_person_protocols", "notes", 6)
GET_PROTOCOL = _operation("GET", "/protocols/{id}", "get_protocol", "notes", 6)
CREATE_PROTOCOL = _operation("POST", "/protocols", "create_protocol", "notes", 6)
UPDATE_PROTOCOL = _operation("PUT", "/protocols/{id}", "update_protocol", "notes", 6)
DELETE_PROTOCOL = _operation("DELETE", "/protocols/{id}", "delete_protocol", "notes", 6)
CREATE_COMMENT = _operation("POST", "/comments", "create_comment", "comments", 7)

# Tasks
LIST_TASKS = _operation("GET", "/tasks", "list_tasks", "tasks", 8)
LIST_PERSON_TASKS = _operation("GET", "/people/{person_id}/tasks", "list_person_tasks", "tasks", 8)
GET_TASK = _operation("GET", "/tasks/{id}", "get_task", "tasks", 8)
CREATE_TASK = _operation("POST", "/tasks", "create_task", "tasks", 8)
UPDATE_TASK = _operation("PUT", "/tasks/{id}", "update_task", "tasks", 8)
DELETE_TASK = _operation("DELETE", "/tasks/{id}", "delete_task", "tasks", 8)

# Custom fields: their definitions and their values
LIST_CUSTOM_FIELDS_TYPES = _operation("GET", "/custom_fields_types", "list_custom_fields_types", "custom field definitions", 10)
GET_CUSTOM_FIELDS_TYPE = _operation("GET", "/custom_fields_types/{id}", "get_custom_fields_type", "custom field definitions", 10)
CREATE_CUSTOM_FIELDS_TYPE = _operation("POST", "/custom_fields_types", "create_custom_fields_type", "custom field definitions", 10)
UPDATE_CUSTOM_FIELDS_TYPE = _operation("PUT", "/custom_fields_types/{id}", "update_custom_fields_type", "custom field definitions", 10)
DELETE_CUSTOM_FIELDS_TYPE = _operation("DELETE", "/custom_fields_types/{id}", "delete_custom_fields_type", "custom field definitions", 10)
LIST_CUSTOM_FIELDS = _operation("GET", "/people/{person_id}/custom_fields", "list_custom_fields", "custom fields", 10)
GET_CUSTOM_FIELD = _operation("GET", "/people/{person_id}/custom_fields/{id}", "get_custom_field", "custom fields", 10)
CREATE_CUSTOM_FIELD = _operation("POST", "/people/{person_id}/custom_fields", "create_custom_field", "custom fields", 10)
UPDATE_CUSTOM_FIELD = _operation("PUT", "/people/{person_id}/custom_fields/{id}", "update_custom_field", "custom fields", 10)
DELETE_CUSTOM_FIELD = _operation("DELETE", "/people/{person_id}/custom_fields/{id}", "delete_custom_field", "custom fields", 10)

# The stream
LIST_ACTIVITIES = _operation("GET", "/activities", "list_activities", "activities", 12)

# Hooks: the webhooks that CentralStation sends
WEBHOOKS = "webhooks"
LIST_HOOKS = _operation("GET", "/hooks", "list_hooks", WEBHOOKS, 13)
CREATE_HOOK = _operation("POST", "/hooks", "create_hook", WEBHOOKS, 13)
DELETE_HOOK = _operation("DELETE", "/hooks/{id}", "delete_hook", WEBHOOKS, 13)
