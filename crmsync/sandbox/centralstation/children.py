"""What hangs on people and companies, by its own routes (centralstationcrm.md, sections 3 to 5, 10, 11).

`/api/people/:id/addrs` and its like are declared once for each kind and owner."""

from __future__ import annotations

from crmsync.sandbox.centralstation import kinds
from crmsync.sandbox.centralstation.account import OWNER_TYPES
from crmsync.sandbox.centralstation.kinds import Kind
from crmsync.sandbox.centralstation.lists import filtered, ordered, page_of
from crmsync.sandbox.centralstation.owners import has_detail, number, visible
from crmsync.sandbox.centralstation.rows import Row
from crmsync.sandbox.centralstation.shown import owner_shown, wrapped
from crmsync.sandbox.centralstation.simulation import CentralStation
from crmsync.sandbox.centralstation.speech import envelope, not_found, param_missing
from crmsync.sandbox.core import Answer, Call, Json, Operations

operations: Operations[CentralStation] = Operations()


def declare(route: str, type: str, kind: Kind) -> None:
    """The five operations of one kind below one owner."""
    path, word = f"/api/{route}/{{id}}/{kind.table}", f"{type.lower()}-{kind.word.replace('_', '-')}"

    @operations("GET", path, name=f"list-{word}s")
    def list_children(crm: CentralStation, call: Call) -> Answer:
        rows = crm.table(kind.table).of((type, crm.owner(type, number(call, "id"))["id"]))
        return Answer(200, [_shown(kind, row) for row in page_of(ordered(rows, call), call)])

    @operations("GET", path + "/{sub_id}", name=f"get-{word}")
    def get_child(crm: CentralStation, call: Call) -> Answer:
        return Answer(200, _shown(kind, crm.child(kind, (type, number(call, "id")), number(call, "sub_id"))))

    @operations("POST", path, name=f"create-{word}")
    def create_child(crm: CentralStation, call: Call) -> Answer:
        owner = (type, crm.owner(type, number(call, "id"))["id"])
        key, fields = envelope(call, *kind.envelopes)
        return Answer(201, _shown(kind, crm.add_child(kind, owner, fields, detail=kinds.detail_type(key))))

    @operations("PUT", path + "/{sub_id}", name=f"update-{word}")
    def update_child(crm: CentralStation, call: Call) -> Answer:
        row = crm.child(kind, (type, number(call, "id")), number(call, "sub_id"))
        crm.edit_child(kind, row, envelope(call, *kind.envelopes)[1])
        return Answer(200, {"message": f"{kind.word} updated"})

    @operations("DELETE", path + "/{sub_id}", name=f"delete-{word}")
    def delete_child(crm: CentralStation, call: Call) -> Answer:
        crm.delete_child(kind, crm.child(kind, (type, number(call, "id")), number(call, "sub_id")))
        return Answer(200, {"message": f"{kind.word} deleted"})


def _shown(kind: Kind, row: Row) -> Json:
    return wrapped(row, "" if kind is kinds.DETAIL else kind.word)


for _route, _type in OWNER_TYPES.items():
    for _kind in (*kinds.ATTACHED, kinds.POSITION):
        declare(_route, _type, _kind)


@operations("GET", "/api/contact_details/search")
def search_contact_details(crm: CentralStation, call: Call) -> Answer:
    """Whole people or companies, by any contact detail: more than asked for, as nobody knows better."""
    wanted, type = call.query.get("name"), OWNER_TYPES.get(call.query.get("query", "people"), "Person")
    if not wanted:
        raise param_missing("name")
    found = [row for row in visible(crm, crm.owners(type).all()) if has_detail(crm, (type, row["id"]), wanted, str.casefold)]
    return Answer(200, [owner_shown(crm, type, row, call) for row in page_of(found, call)])


@operations("GET", "/api/tags")
def list_tags(crm: CentralStation, call: Call) -> Answer:
    owners = [(type, int(call.query[param])) for param, type in (("person_id", "Person"), ("company_id", "Company")) if param in call.query]
    rows = crm.table("tags").of(owners[0]) if owners else crm.table("tags").all()
    return Answer(200, [wrapped(row, "tag") for row in page_of(ordered(filtered(rows, call), call), call)])


@operations("GET", "/api/tags/list")
def list_tag_names(crm: CentralStation, call: Call) -> Answer:
    wanted = call.query.get("attachable_type")
    names = {row["name"] for row in crm.table("tags").all() if wanted in (None, row["attachable_type"])}
    return Answer(200, page_of(sorted(names), call))


@operations("GET", "/api/tags/{id}")
def get_tag(crm: CentralStation, call: Call) -> Answer:
    row = crm.table("tags").rows.get(number(call, "id"))
    if row is None:
        raise not_found()
    return Answer(200, wrapped(row, "tag"))


@operations("POST", "/api/tags")
def create_tag(crm: CentralStation, call: Call) -> Answer:
    _, fields = envelope(call, "tag")
    owner = (str(fields.get("attachable_type")), int(fields.get("attachable_id") or 0))
    if owner[0] not in OWNER_TYPES.values():
        raise not_found()
    crm.owner(*owner)
    return Answer(201, wrapped(crm.add_child(kinds.TAG, owner, fields), "tag"))
