"""The pages of a simulated CRM, for people: see and edit contacts, tags, notes and tasks, and switch faults on. Forms only, no scripts.

Every change is a POST that answers with a redirect, or with the page and what the CRM refused.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from crmsync.sandbox.core import Json, Refusal, SimulatedCrm
from crmsync.sandbox.desk import Desk, Glance
from crmsync.sandbox.faults import Fault, FaultKind

HERE = Path(__file__).parent
PER_PAGE = 50
SENT_SHOWN = 10
templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True)

FAULT_NAMES = {
    FaultKind.SLOW: "Slow answers",
    FaultKind.RATE_LIMITED: "Too many requests (429)",
    FaultKind.SERVER_ERROR: "Server error (500)",
    FaultKind.ANSWER_LOST: "Answer lost after the write took effect",
    FaultKind.FIELD_DROPPED: "A field is silently dropped",
    FaultKind.VALUE_REFUSED: "A value is refused",
    FaultKind.NOT_KEPT: "Writes are answered but not kept",
    FaultKind.NOT_JSON: "Answer isn't JSON",
    FaultKind.SCOPE_MISSING: "Permission missing",
    FaultKind.CREDENTIALS_REFUSED: "Credentials refused",
}


def page_routes(crm: SimulatedCrm, desk: Desk) -> list[Route]:
    pages = _Pages(crm, desk)
    return [
        Route("/", pages.show_list),
        Route("/_sandbox/style.css", _style),
        Route("/view/{id}", pages.show_contact),
        *(Route(path, pages.changing(change), methods=["POST"]) for path, change in pages.changes().items()),
    ]


async def _style(request: Request) -> Response:
    return FileResponse(HERE / "static" / "sandbox.css")


class _Pages:
    """The pages of one CRM. `changes()` maps each form's address to what it does."""

    def __init__(self, crm: SimulatedCrm, desk: Desk) -> None:
        self._crm = crm
        self._desk = desk

    async def show_list(self, request: Request) -> Response:
        return self._list(request)

    async def show_contact(self, request: Request) -> Response:
        return self._contact(request, request.path_params["id"])

    def changes(self) -> dict[str, Callable[[Json, Json], str]]:
        return {
            "/view": self._create,
            "/view/{id}": self._save,
            "/view/{id}/delete": self._delete,
            "/view/{id}/tags": self._tag,
            "/view/{id}/notes": self._note,
            "/view/{id}/tasks": self._task,
            "/faults": self._add_fault,
            "/faults/clear": self._clear_faults,
            "/connection": self._connection,
        }

    def changing(self, change: Callable[[Json, Json], str]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if is_from_elsewhere(request):
                return Response("This form was sent from another site.", 403)
            # A browser sends each line break of a text area as two characters.
            form = dict(parse_qsl((await request.body()).decode().replace("%0D%0A", "%0A"), keep_blank_values=True))
            try:
                with self._crm.lock:
                    return RedirectResponse(change(dict(request.path_params), form), 303)
            except Refusal as refusal:
                return self._again(request, form, json.dumps(refusal.answer.body, ensure_ascii=False))
            except (KeyError, ValueError) as error:
                return self._again(request, form, str(error))

        return endpoint

    # What the forms do; each answers with the address to go to.

    def _create(self, path: Json, form: Json) -> str:
        return _address(self._desk.create(form["first"].strip(), form["last"].strip(), form["email"].strip()))

    def _save(self, path: Json, form: Json) -> str:
        self._desk.save(path["id"], form)
        return _address(path["id"])

    def _delete(self, path: Json, form: Json) -> str:
        self._desk.delete(path["id"])
        return "/"

    def _tag(self, path: Json, form: Json) -> str:
        if "remove" in form:
            self._desk.remove_tag(path["id"], form["remove"])
        elif form["name"].strip():
            self._desk.add_tag(path["id"], form["name"].strip())
        return _address(path["id"], "tags")

    def _note(self, path: Json, form: Json) -> str:
        if "delete" in form:
            self._desk.delete_note(path["id"], form["note"])
        elif form["text"].strip():
            self._desk.save_note(path["id"], form["note"], form["title"].strip(), form["text"])
        return _address(path["id"], "notes")

    def _task(self, path: Json, form: Json) -> str:
        if "delete" in form:
            self._desk.delete_task(path["id"], form["task"])
        elif form["title"].strip():
            self._desk.save_task(path["id"], form["task"], form["title"].strip(), form["due"], "done" in form)
        return _address(path["id"], "tasks")

    def _add_fault(self, path: Json, form: Json) -> str:
        times = int(form["times"]) if form["times"] else None
        rate, latency = float(form["rate"] or 100) / 100, float(form["latency_ms"] or 1000)
        place, method, field = (form[name].strip() or None for name in ("path", "method", "field"))
        kind = FaultKind(form["kind"])
        aimed = field if kind in (FaultKind.FIELD_DROPPED, FaultKind.VALUE_REFUSED) else None
        asked = {"path": place, "method": method, "field": aimed, "pattern": form["pattern"].strip()}
        self._crm.switch_on(Fault(kind=kind, rate=rate, times=times, latency_ms=latency, **asked))
        return "/#faults"

    def _clear_faults(self, path: Json, form: Json) -> str:
        self._crm.clear_faults()
        return "/#faults"

    def _connection(self, path: Json, form: Json) -> str:
        self._desk.act(form["action"], form.get("webhook_url", "").strip())
        return "/#connection"

    # The pages themselves

    def _again(self, request: Request, form: Json, problem: str) -> Response:
        """The page a form came from, with what was typed and what was wrong with it."""
        id = request.path_params.get("id")
        if id is None:
            return self._list(request, problem, 422, form)
        return self._contact(request, id, problem, 422, form if request.url.path == f"/view/{id}" else None)

    def _list(self, request: Request, problem: str = "", status: int = 200, given: Json | None = None) -> Response:
        words = request.query_params.get("q", "").strip()
        number = max(1, int(request.query_params.get("page", "1"))) if request.query_params.get("page", "1").isdigit() else 1
        with self._crm.lock:
            found = sorted((one for one in self._desk.glances() if _has(one, words)), key=lambda one: one.updated, reverse=True)
        shown = found[(number - 1) * PER_PAGE : number * PER_PAGE]
        pages = max(1, -(-len(found) // PER_PAGE))
        where = {"total": len(found), "words": words, "page": number, "pages": pages}
        fields = {name: label for name, label in self._crm.written_fields().items() if label}
        beside = {
            "written_fields": fields,
            "sent": list(self._crm.webhooks)[-SENT_SHOWN:][::-1],
            "webhook_stats": self._crm.webhooks.stats(),
        }
        return page(self._crm, self._desk, "list.html", status, problem=problem, given=given or {}, contacts=shown, **beside, **where)

    def _contact(self, request: Request, id: str, problem: str = "", status: int = 200, given: Json | None = None) -> Response:
        with self._crm.lock:
            contact = self._desk.glance(id)
            if contact is None:
                return self._list(request, f"There is no contact {id}.", 404)
            parts = {"fields": self._desk.fields(id), "notes": self._desk.notes(id), "tasks": self._desk.tasks(id)}
        return page(self._crm, self._desk, "contact.html", status, problem=problem, given=given or {}, contact=contact, **parts)


def page(crm: SimulatedCrm, desk: Desk, template: str, status: int, **context: Any) -> Response:
    faults = {"faults": crm.faults.active, "fault_names": FAULT_NAMES, "stats": crm.stats()}
    return HTMLResponse(templates.get_template(template).render(desk=desk, **faults, **context), status)


def is_from_elsewhere(request: Request) -> bool:
    """A form that another site's page has sent."""
    return urlsplit(request.headers.get("origin", "")).netloc not in ("", request.headers.get("host"))


def _has(glance: Glance, words: str) -> bool:
    return words.casefold() in " ".join((glance.name, glance.email, glance.phone, glance.company, *glance.tags)).casefold()


def _address(id: str, part: str = "") -> str:
    return f"/view/{quote(id)}" + (f"#{part}" if part else "")
