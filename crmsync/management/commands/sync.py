"""`manage.py sync`: create, run, watch and retry syncs from the command line."""

import sys
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import ngettext

from crmsync import stopping
from crmsync.management.command import SubCommands
from crmsync.management.commands.connection import connection_by_id
from crmsync.models import Conflict, Contact, HeldBatch, Mode, Run, RunKind, RunStatus, Status, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import actions, canary, prices, reports, runs, scopes, setup
from crmsync.systems.errors import CrmError

BEGUN_BUT_FAILED = 3


class Command(SubCommands):
    help = "Creates, runs, watches and retries syncs."

    def add_actions(self) -> None:
        create = self.add_action("create", self.create, "Join a GoHighLevel and a CentralStationCRM connection.")
        create.add_argument("--name", required=True, metavar="N")
        create.add_argument("--ghl", required=True, metavar="ID")
        create.add_argument("--centralstation", required=True, metavar="ID")
        create.add_argument("--conflict", choices=Conflict.values, default=Conflict.NEWEST.value)
        create.add_argument("--mode", choices=[Mode.LIVE.value, Mode.DRAFT.value], default=Mode.LIVE.value)
        self.add_action("list", self.list, "List all syncs.")
        run = self._on_one("run", self.run, "Run the first sync if none was made, else look for changes.")
        run.add_argument("--full", action="store_true", help="Compare everything, notes and tasks of every contact included.")
        run.add_argument("--wait", action="store_true", help="Do it in this process, until nothing is due.")
        self._on_one("status", self.status, "Counts per status, calls used, the last run.")
        contacts = self._on_one("contacts", self.contacts, "List all contacts known.")
        contacts.add_argument("--status", choices=Status.values)
        retry = self._on_one("retry", self.retry, "Try again what failed.")
        which = retry.add_mutually_exclusive_group()
        which.add_argument("--contact", metavar="C", help="This contact only, by crmsync's id.")
        which.add_argument("--status", choices=Status.values, help="All of this status, instead of the failed ones.")
        retry.add_argument("--wait", action="store_true", help="Do it in this process, until nothing is due.")
        self._on_one("held", self.held, "List what the brake holds: batches that wait for a yes or no.")
        for word, action, help_text in (
            ("approve", self.approve, "Let a held batch happen."),
            ("reject", self.reject, "Write nothing of a held batch."),
        ):
            self._on_one(word, action, help_text).add_argument("--batch", required=True, metavar="B", help="As `sync held` lists it.")
        self._on_one("pause", self.pause, "Stop working on a sync; nothing is lost.")
        self._on_one("resume", self.resume, "Go on with a paused sync, or set a draft live.")

    def _on_one(self, name: str, action: Any, help_text: str) -> ArgumentParser:
        parser = self.add_action(name, action, help_text)
        parser.add_argument("id", metavar="ID")
        return parser

    def create(self, options: dict[str, Any]) -> None:
        ghl, central = connection_by_id(options["ghl"]), connection_by_id(options["centralstation"])
        try:
            sync = setup.create_sync(
                name=options["name"], ghl=ghl, centralstation=central, conflict=options["conflict"], mode=options["mode"]
            )
        except setup.SetupError as error:
            raise CommandError(error.message) from error
        self.show(options, {"id": sync.pk}, f"Sync {sync.pk} is created.")

    def list(self, options: dict[str, Any]) -> None:
        self.show_all(options, map(_sync_row, Sync.objects.all()))

    def run(self, options: dict[str, Any]) -> None:
        sync = _sync(options["id"])
        if options["wait"]:
            _require_reachable(sync)
        _or_command_error(lambda: actions.require_live(sync))
        self._tell_price(sync, runs.kind_of_next_run(sync, full=options["full"]))
        run = _or_command_error(lambda: actions.start_run(sync, full=options["full"]))
        self._do(options, run)

    def _tell_price(self, sync: Sync, kind: RunKind, *, contacts: int = 0) -> None:
        """What a bulk action costs, before it starts; nothing where an account doesn't tell how many contacts it has."""
        if kind not in runs.BIG and contacts < prices.MANY:
            return
        with suppress(CrmError):
            priced = prices.price(sync, kind, contacts=contacts, totals=prices.totals(sync) if kind == RunKind.FIRST_SYNC else None)
            for text in (priced.sentence, *priced.warnings):
                self.tell(text)

    def retry(self, options: dict[str, Any]) -> None:
        sync = _sync(options["id"])
        _or_command_error(lambda: actions.require_live(sync))
        if options["wait"]:
            _require_reachable(sync)
        chosen = _chosen(sync, options)
        self._tell_price(sync, RunKind.RETRY, contacts=chosen.count())
        begun = canary.retry_chosen(chosen)
        self.tell(ngettext("%d contact is tried again.", "%d contacts are tried again.", begun.tried) % begun.tried)
        if begun.waiting:
            text = "%d more of the same cause follows if that goes through.", "%d more of the same causes follow where that goes through."
            self.tell(ngettext(*text, begun.waiting) % begun.waiting)
        if begun.left:
            text = "%d is left: one of its cause is being tried already.", "%d are left: one of their cause is being tried already."
            self.tell(ngettext(*text, begun.left) % begun.left)
        if begun.tried:
            self._do(options, runs.begin(sync, RunKind.RETRY))
        else:
            self.show(options, _status(sync))

    def _do(self, options: dict[str, Any], run: Run) -> None:
        """Wait for the run in this process, or leave it to the jobs."""
        if not options["wait"]:
            self.show(options, {"run": run.pk}, f"Run {run.pk} is begun; the background work does it.")
            return
        stopping.listen()
        try:
            run = runs.work_on(run)
        except stopping.Stopped:
            self.tell("Stopped. What isn't done yet stays due: run it again to go on.")
            sys.exit(BEGUN_BUT_FAILED)
        status = _status(run.sync)
        self.show(options, status)
        if run.status != RunStatus.DONE:
            self.tell(run.reason)
        waiting = run.sync.contacts.filter(status=Status.WAITING).exists()
        if run.status != RunStatus.DONE or status["counts"][Status.FAILED] or waiting:
            sys.exit(BEGUN_BUT_FAILED)

    def status(self, options: dict[str, Any]) -> None:
        self.show(options, _status(_sync(options["id"])))

    def contacts(self, options: dict[str, Any]) -> None:
        contacts = _sync(options["id"]).contacts.order_by("pk")
        if options["status"]:
            contacts = contacts.filter(status=options["status"])
        self.show_all(options, map(_contact_row, contacts.iterator(chunk_size=500)))

    def held(self, options: dict[str, Any]) -> None:
        batches = _sync(options["id"]).held_batches.filter(state=HeldBatch.State.HELD).annotate(n=Count("contacts")).order_by("pk")
        self.show_all(options, map(_batch_row, batches))

    def approve(self, options: dict[str, Any]) -> None:
        self._decide(options, actions.approve)

    def reject(self, options: dict[str, Any]) -> None:
        self._decide(options, actions.reject)

    def _decide(self, options: dict[str, Any], action: Any) -> None:
        sync, batch_id = _sync(options["id"]), options["batch"]
        decidable = sync.held_batches.exclude(state=HeldBatch.State.GATHERING)
        batch = decidable.filter(pk=batch_id).first() if batch_id.isdecimal() else None
        if batch is None:
            raise CommandError(f"Sync {sync.pk} has no batch {batch_id}. `manage.py sync held {sync.pk}` shows what is held.")
        _or_command_error(lambda: action(batch))
        self.show(options, {"id": batch.pk, "state": batch.state})

    def pause(self, options: dict[str, Any]) -> None:
        self._changed(options, actions.pause)

    def resume(self, options: dict[str, Any]) -> None:
        self._changed(options, actions.resume)

    def _changed(self, options: dict[str, Any], action: Any) -> None:
        sync = _sync(options["id"])
        action(sync)
        sync.refresh_from_db()
        self.show(options, {"id": sync.pk, "mode": sync.mode})


def _sync(text: str) -> Sync:
    sync = Sync.objects.select_related("ghl", "centralstation").filter(pk=text).first() if text.isdecimal() else None
    if sync is None:
        raise CommandError(f"There is no sync {text}. `manage.py sync list` shows them.")
    return sync


def _require_reachable(sync: Sync) -> None:
    """Nothing is begun where an account refuses us at the outset, or can't be reached. Whether we may write is found out where that isn't
    known, and where it was missing: a person who has granted it since needn't test first."""
    for connection in (sync.ghl, sync.centralstation):
        try:
            is_open = not scopes.is_writing_known(connection) or scopes.is_one_way(connection)
            setup.apply_account(connection, setup.prove(connection, try_writing=is_open))
        except CrmError as error:
            setup.note_failure(connection, error)
            raise CommandError(f"{connection.name}: {connection.health_reason}") from error


def _chosen(sync: Sync, options: dict[str, Any]) -> ContactQuerySet:
    contacts: ContactQuerySet = Contact.objects.filter(sync=sync)
    if options["contact"]:
        one = contacts.filter(pk=options["contact"]) if options["contact"].isdecimal() else contacts.none()
        if not one.exists():
            raise CommandError(f"Sync {sync.pk} has no contact {options['contact']}.")
        return one
    statuses = [options["status"]] if options["status"] else [Status.FAILED, Status.WAITING]
    return contacts.filter(status__in=statuses, held_by=None)  # what the brake holds is approved or rejected


def _or_command_error(action: Any) -> Any:
    try:
        return action()
    except actions.ActionError as error:
        raise CommandError(error.message) from error


def _status(sync: Sync) -> dict[str, Any]:
    sync = Sync.objects.select_related("ghl__budget", "centralstation__budget").get(pk=sync.pk)
    last = sync.runs.order_by("-pk").first()
    return {
        "id": sync.pk,
        "name": sync.name,
        "mode": sync.mode,
        "counts": reports.overview(sync),
        "calls": reports.calls_used(sync),
        "notices": [*sync.notices.values(), *reports.standstill(sync)],
        "last_run": _run_row(last) if last else None,
    }


def _sync_row(sync: Sync) -> dict[str, Any]:
    return {"id": sync.pk, "name": sync.name, "mode": sync.mode, "ghl": sync.ghl_id, "centralstation": sync.centralstation_id}


def _run_row(run: Run) -> dict[str, Any]:
    return {
        "id": run.pk,
        "kind": run.kind,
        "status": run.status,
        "reason": run.reason,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "calls": run.calls,
        "counts": run.counts,
    }


def _batch_row(batch: Any) -> dict[str, Any]:
    return {
        "id": batch.pk,
        "kind": batch.kind,
        "side": batch.side,
        "contacts": batch.n,
        "explanation": batch.explanation,
        "opened_at": batch.opened_at.isoformat(),
        "samples": [
            {
                "contact": one.contact_id,
                "label": one.contact.label,
                "side": one.side,
                "kind": one.kind,
                "before": one.before,
                "after": one.after,
            }
            for one in batch.writes.filter(contact__held_by=batch).select_related("contact")[:10]
        ],
    }


def _contact_row(contact: Contact) -> dict[str, Any]:
    return {
        "id": contact.pk,
        "ghl_id": contact.ghl_id,
        "centralstation_id": contact.centralstation_id,
        "external_id": contact.centralstation_id if contact.is_linked else None,
        "status": contact.status,
        "reason": contact.reason,
        "updated_at": timezone.localtime(contact.updated_at).isoformat(),
    }
