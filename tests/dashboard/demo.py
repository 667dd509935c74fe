"""`demo`: an installation as staff see it on a busy day, with something in every status."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from crmsync.accounts import Role
from crmsync.engine.records import Side
from crmsync.models import (
    Cause,
    Connection,
    Contact,
    FieldMapping,
    Health,
    Issue,
    Item,
    Mode,
    RateBudget,
    Result,
    Run,
    RunKind,
    RunStatus,
    Status,
    Sync,
)
from tests.dashboard.data import make_change, make_contact, make_sync

PEOPLE = [
    ("Jürgen Müller", "j.mueller@mueller-dach.de", "+49 30 5557001", "Müller Dachtechnik GmbH"),
    ("Anneliese Groß", "a.gross@gross-partner.de", "+49 89 5557002", "Groß & Partner"),
    ("Thomas Becker", "becker@autohaus-becker.de", "+49 40 5557003", "Autohaus Becker"),
    ("Sarah Whitfield", "sarah@whitfield.co.uk", "+44 20 7946 0018", "Whitfield Interiors"),
    ("Öznur Yılmaz", "oeznur.yilmaz@gmx.de", "+49 221 5557005", ""),
    ("Jean-Luc Dupré", "jl.dupre@dupre.fr", "+33 1 55 55 70 06", "Dupré SARL"),
    ("Katharina von Hohenfels", "k.hohenfels@stiftung-hohenfels.de", "", "Stiftung Hohenfels"),
    ("Bernd Weiß", "", "+49 351 5557008", "Malerbetrieb Weiß"),
    ("Lena Schäfer", "lena.schaefer@web.de", "+49 711 5557009", ""),
    ("Info Praxis Dr. Kern", "info@praxis-kern.de", "+49 6221 5557010", "Praxis Dr. Kern"),
    ("Marcus O’Neill", "marcus@oneill.ie", "+353 1 555 7011", "O’Neill Consulting"),
    ("Ingrid Sørensen", "ingrid@sorensen.dk", "+45 55 55 70 12", "Sørensen Design"),
]
FIELDS = ("first name", "last name", "email", "phone", "company", "city")


def _pairs(person: tuple[str, str, str, str]) -> dict[str, list[str | None]]:
    name, email, phone, company = person
    first, _, last = name.rpartition(" ")
    values = (first or None, last, email or None, phone or None, company or None, "Berlin")
    return {field: [value, value] for field, value in zip(FIELDS, values, strict=True)}


def demo() -> Sync:
    """A live sync with contacts in every status, issues, runs, changes and a draft beside it."""
    sync = make_sync("Hauptstadt")
    Connection.objects.filter(pk=sync.ghl_id).update(
        name="Marketing Berlin",
        account_name="Kern & Partner Marketing",
        country="DE",
        timezone="Europe/Berlin",
        tested_at=timezone.now(),
        health=Health.LIMITED,
        health_reason="Tasks are read contact by contact, which costs more requests.",
        missing_scopes={"locations/tasks.readonly": "Tasks are read contact by contact, which costs more requests."},
    )
    Connection.objects.filter(pk=sync.centralstation_id).update(name="Büro Berlin", account_name="Kern & Partner", tested_at=timezone.now())
    RateBudget.objects.filter(pk=sync.ghl_id).update(calls=18_240, left_today=181_760)
    RateBudget.objects.filter(pk=sync.centralstation_id).update(calls=2_914, limit=50)
    operator = User.objects.filter(groups__name=Role.OPERATOR).first()
    run = _demo_runs(sync, operator)
    for number in range(46):
        person = PEOPLE[number % len(PEOPLE)]
        name = person[0] if number < len(PEOPLE) else f"{person[0].split(' ')[0]} {PEOPLE[number * 7 % len(PEOPLE)][0].split(' ')[-1]}"
        pairs = _pairs(person)
        make_contact(sync, label=name, email=person[1], phone=person[2], base={"fields": pairs, "tags": ["kunde", "newsletter"]})
    _demo_troubles(sync, run, operator)
    make_sync("Filiale Hamburg", mode=Mode.DRAFT)
    _age(sync)
    return sync


def _age(sync: Sync) -> None:
    """As if it had all happened during the last hours."""
    now = timezone.now()
    for pk in sync.contacts.values_list("pk", flat=True):
        then = now - timedelta(minutes=7 * pk % 190 + 2)
        Contact.objects.filter(pk=pk).update(updated_at=then, verified_at=then)
    sync.changes.update(at=now - timedelta(minutes=41))
    sync.issues.update(first_seen=now - timedelta(hours=3), last_seen=now - timedelta(minutes=12))


def _demo_runs(sync: Sync, by: User | None) -> Run:
    now = timezone.now()
    counts = {"in_sync": 58, "failed": 2, "ghl.create": 12, "centralstation.create": 9, "centralstation.update": 31, "ghl.add_tags": 7}
    progress = {
        "listed": True,
        "ghl.contacts": {"count": 49, "done": True},
        "centralstation.contacts": {"count": 52, "done": True},
        "centralstation.note": {"count": 134, "done": True},
    }
    first = Run.objects.create(
        sync=sync,
        kind=RunKind.FIRST_SYNC,
        status=RunStatus.DONE,
        by=by,
        counts=counts,
        progress=progress,
        calls={"ghl": 231, "centralstation": 88},
    )
    poll = Run.objects.create(
        sync=sync, kind=RunKind.POLL, status=RunStatus.DONE, counts={"in_sync": 3}, calls={"ghl": 4, "centralstation": 3}
    )
    failed = Run.objects.create(
        sync=sync, kind=RunKind.POLL, status=RunStatus.FAILED, reason="GoHighLevel doesn't answer.", calls={"ghl": 1}
    )
    for run, began, took in ((first, 190, 168), (failed, 64, 9), (poll, 2, 6)):
        start = now - timedelta(minutes=began)
        Run.objects.filter(pk=run.pk).update(started_at=start, ended_at=start + timedelta(seconds=took))
    return first


def _demo_troubles(sync: Sync, run: Run, by: User | None) -> None:
    _demo_issues(sync, run)
    _demo_conflict(sync, run, by)
    _demo_review(sync)
    make_contact(
        sync,
        Status.QUARANTINED,
        label="Dieter Zimmermann",
        email="d.zimmermann@t-online.de",
        missing_on=Side.GHL,
        base={"fields": _pairs(("Dieter Zimmermann", "d.zimmermann@t-online.de", "", "")), "tags": []},
        reason="Deleted in GoHighLevel. Decide: delete it in CentralStationCRM too, keep it and unlink, or restore it.",
    )
    make_contact(
        sync, Status.EXCLUDED, label="Testkontakt", reason="Excluded: only for trying things out.", exclusion="only for trying things out."
    )
    make_contact(sync, Status.PENDING, label="Neue Anfrage", email="anfrage@beispiel.de", ghl_id=None)


def _issue(sync: Sync, code: str, subject: str, explanation: str, what_to_do: str) -> Issue:
    return Issue.objects.create(sync=sync, code=code, side=Side.GHL, subject=subject, explanation=explanation, what_to_do=what_to_do)


def _demo_issues(sync: Sync, run: Run) -> None:
    missing = "GoHighLevel doesn't allow this: the permission “contacts.write” is missing."
    scope = _issue(
        sync, "permission_missing", "contacts.write", missing, "Grant the permission in GoHighLevel, test the connection, then press Retry."
    )
    for name in ("Paul Lindner", "Greta Lindner", "Hakan Aydın"):
        email = f"{name.split()[0].lower()}@example.de"
        make_contact(sync, Status.WAITING, label=name, email=email, ghl_id=None, reason=scope.explanation, issue=scope)
    dropped = "birthday: sent to GoHighLevel and accepted, but not there afterwards."
    date = _issue(sync, "not_kept", "birthday", dropped, "Look at the field in GoHighLevel (is it read-only?), then press Retry.")
    failed = make_contact(sync, Status.FAILED, label="Renate Köhler", email="renate@koehler-bau.de", reason=dropped, issue=date, attempts=1)
    make_change(failed, after={"birthday": "1961-02-30"}, result=Result.NOT_KEPT, run=run, reason="Accepted, and not there afterwards.")


def _demo_conflict(sync: Sync, run: Run, by: User | None) -> None:
    person = ("Claudia Hoffmann", "c.hoffmann@hoffmann-it.de", "+49 69 5557020", "Hoffmann IT")
    conflict = make_contact(
        sync,
        Status.CONFLICT,
        conflicts=["phone"],
        label=person[0],
        email=person[1],
        phone=person[2],
        base={"fields": _pairs(person), "tags": ["it", "kunde", "vip"]},
        seen={"phone": ["+49 69 5557099", "+49 171 5557021"]},
        reason="Both sides changed phone to different values: choose which one to keep.",
    )
    both = {"ghl_id": "n1", "centralstation_id": "901"}
    text = "<p>Wünscht ein Angebot für <b>zwölf</b> Arbeitsplätze.</p><p>Rückruf ab Montag.</p>"
    Item.objects.create(contact=conflict, kind="note", base={"title": ["Angebot", "Angebot"], "text": [text, text]}, **both)
    due = "2026-11-27T08:00:00+00:00"
    Item.objects.create(
        contact=conflict, kind="task", base={"title": ["Rückruf", "Rückruf"], "due": [due, due]}, ghl_id="t1", centralstation_id="77"
    )
    make_change(
        conflict,
        kind="create",
        side=Side.CENTRALSTATION,
        after={"first name": "Claudia", "last name": "Hoffmann"},
        cause=Cause.FIRST_SYNC,
        run=run,
    )
    make_change(conflict, kind="add_tags", after={"tags": ["kunde", "vip"]}, cause=Cause.FIRST_SYNC, run=run)
    before, after = {"company": "Hoffmann Systems"}, {"company": "Hoffmann IT"}
    make_change(conflict, kind="update", before=before, after=after, cause=Cause.RETRY, by=by)


def _demo_review(sync: Sync) -> None:
    people = [
        ("Stefan Braun", "info@braun-gruppe.de", "+49 211 5557030", "Braun Gruppe"),
        ("Sabine Braun", "info@braun-gruppe.de", "", "Braun Gruppe"),
    ]
    rows = [
        make_contact(
            sync,
            Status.REVIEW,
            label=person[0],
            email=person[1],
            phone=person[2],
            ghl_id=None,
            seen={field: [None, pair[1]] for field, pair in _pairs(person).items()},
        )
        for person in people
    ]
    reason = "More than one contact could be this person: the e-mail is the same. Say which one it is."
    review = make_contact(
        sync,
        Status.REVIEW,
        label="S. Braun",
        email="info@braun-gruppe.de",
        centralstation_id=None,
        reason=reason,
        candidates=[row.pk for row in rows],
        seen={"last name": ["Braun", None], "email": ["info@braun-gruppe.de", None]},
    )
    for row in rows:
        Contact.objects.filter(pk=row.pk).update(candidates=[review.pk], reason=reason)
    FieldMapping.objects.filter(sync=sync, name="website").update(direction="to_centralstation", conflict="ghl")
