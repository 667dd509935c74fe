"""One person across both systems: the remote ids, what both sides last agreed on, what is dirty, and who works on it.

The contact table is the queue: a row with `dirty` aspects and `due_at` in the past wants to be reconciled. Nothing else has to be kept.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, Least, Upper
from django.utils.translation import gettext_lazy as _

from crmsync.engine.records import Aspect, ItemKind, Side
from crmsync.models.search import SubstringIndex, TagIndex
from crmsync.models.sync import Sync

SIDE_CHOICES = [(Side.GHL.value, "GoHighLevel"), (Side.CENTRALSTATION.value, "CentralStationCRM")]


class Status(models.TextChoices):
    IN_SYNC = "in_sync", _("in sync")
    PENDING = "pending", _("pending")
    FAILED = "failed", _("failed")
    CONFLICT = "conflict", _("conflict")
    REVIEW = "review", _("review")
    WAITING = "waiting", _("waiting")
    EXCLUDED = "excluded", _("excluded")
    QUARANTINED = "quarantined", _("quarantined")


class ContactQuerySet(models.QuerySet["Contact"]):
    def due(self, now: datetime) -> ContactQuerySet:
        """What wants to be reconciled and is in nobody's hands."""
        return self.wanted().filter(dirty__gt=0, due_at__lte=now, lease_until__lte=now)

    def wanted(self) -> ContactQuerySet:
        """All but those that a person excluded."""
        return self.filter(exclusion="")

    def on(self, side: Side, remote_ids: list[str]) -> ContactQuerySet:
        return self.filter(**{f"{side}_id__in": remote_ids})

    def known_on(self, side: Side) -> ContactQuerySet:
        """Those that are on that side, as far as we know: not found missing there."""
        return self.filter(**{f"{side}_id__isnull": False}).exclude(missing_on=side)

    def mark_dirty(self, aspects: Aspect, due_at: datetime, *, is_suspect: bool = True, is_urgent: bool = False) -> int:
        """Ask for a reconcile of these contacts; what is due earlier stays so. Returns how many.

        `is_suspect`: something tells that they differ, so they don't count as in sync until they have been looked at. `is_urgent`: before
        all that isn't."""
        in_sync = When(status=Status.IN_SYNC, then=Value(Status.PENDING if is_suspect else Status.IN_SYNC))
        return self.update(
            status=Case(in_sync, default=F("status")),
            dirty=F("dirty").bitor(int(aspects)),
            dirty_counter=F("dirty_counter") + 1,
            due_at=Least(Coalesce("due_at", due_at), due_at),
            dirty_since=Coalesce("dirty_since", due_at),
            is_urgent=Value(True) if is_urgent else F("is_urgent"),
        )

    def claim(self, contact_id: int, token: str, now: datetime, until: datetime) -> bool:
        """True for exactly one of several workers; no lock is held while a CRM is asked."""
        return self.filter(pk=contact_id, lease_until__lte=now).update(lease_token=token, lease_until=until) == 1

    def renew(self, contact_id: int, token: str, until: datetime) -> bool:
        """False when the lease is somebody else's by now, or the contact is gone: then stop."""
        return self.filter(pk=contact_id, lease_token=token).update(lease_until=until) == 1


LONG_AGO = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


class Contact(models.Model):
    """One person. `base` and `sent` are what crmsync.sync.state reads and writes; `seen` is what both sides showed last (by mapping name, a
    pair), where that isn't the base; `candidates` are ids of contacts that a review is about, `conflicts` the
    names of what a person must choose for, `decisions` the sides chosen, `corrections` the values that a person chose in place of refused
    ones and that aren't written yet (by mapping name: side, before, after).

    `creating_on` is set before a create is sent and cleared when its answer is stored: in between the record may exist over there.
    `awaiting_read_back`: written to, and verified in bulk by a page. `ghl_updated_at`, `centralstation_updated_at`: the CRM's own time
    of what was compared last. `written_at`: our last write. `compared_at`: the end of the last comparison, whatever came of it,
    `verified_at` of the last that found both sides equal. `missing_on`: the side where it was deleted. `kept_apart`: a person said that
    nobody over there is this one. `exclusion`: why a person excluded it. `held_by`: what waits for a person's yes or no before anything
    is written by itself. `stopped`: names of fields that went to and fro (*ping-pong*) and are left alone, `let_go_at` when a person
    let them go again. `heard_at`: the last event about it, `heard_on` the sides that events told of since it was last compared.
    `is_urgent`: a live change or a person waits for it, so it goes before background work. `asked_cause`, `asked_by`: a person asked
    for the reconcile that is due, and how. `asked_in`: the last bulk action that was about it."""

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE, related_name="contacts")
    ghl_id = models.CharField(max_length=64, null=True)
    centralstation_id = models.CharField(max_length=64, null=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    reason = models.TextField(blank=True)
    issue = models.ForeignKey("Issue", on_delete=models.SET_NULL, null=True, related_name="contacts")

    label = models.CharField(max_length=250, blank=True)
    email = models.CharField(max_length=320, blank=True)
    phone = models.CharField(max_length=64, blank=True)

    base = models.JSONField(default=dict)
    sent = models.JSONField(default=dict)
    seen = models.JSONField(default=dict)
    conflicts = models.JSONField(default=list)
    decisions = models.JSONField(default=dict)
    corrections = models.JSONField(default=dict)
    candidates = models.JSONField(default=list)
    creating_on = models.CharField(max_length=20, blank=True, choices=SIDE_CHOICES)
    creating_since = models.DateTimeField(null=True)
    awaiting_read_back = models.BooleanField(default=False)
    missing_on = models.CharField(max_length=20, blank=True, choices=SIDE_CHOICES)
    kept_apart = models.BooleanField(default=False)
    exclusion = models.CharField(max_length=300, blank=True)
    held_by = models.ForeignKey("HeldBatch", on_delete=models.SET_NULL, null=True, related_name="contacts")
    stopped = models.JSONField(default=list)
    let_go_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)
    heard_on = models.JSONField(default=list)

    dirty = models.PositiveSmallIntegerField(default=0)
    dirty_counter = models.PositiveIntegerField(default=0)
    dirty_since = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    is_urgent = models.BooleanField(default=False)
    asked_cause = models.CharField(max_length=20, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_in = models.ForeignKey("BulkAction", on_delete=models.SET_NULL, null=True, db_index=False, related_name="contacts")
    attempts = models.PositiveIntegerField(default=0)
    lease_token = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(default=LONG_AGO)

    remote_created_at = models.DateTimeField(null=True)
    ghl_updated_at = models.DateTimeField(null=True)
    centralstation_updated_at = models.DateTimeField(null=True)
    written_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    compared_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["sync", "ghl_id"], name="ghl_contact_once_a_sync"),
            models.UniqueConstraint(fields=["sync", "centralstation_id"], name="centralstation_person_once_a_sync"),
            models.CheckConstraint(condition=Q(ghl_id__isnull=False) | Q(centralstation_id__isnull=False), name="contact_is_somewhere"),
        ]
        indexes = [
            models.Index(fields=["sync", "status", "id"], name="contact_by_status"),
            models.Index(fields=["sync", "due_at"], condition=Q(dirty__gt=0), name="contact_due"),
            models.Index(fields=["sync", "dirty_since"], condition=Q(dirty__gt=0), name="contact_oldest_unsynced"),
            models.Index(fields=["sync", "compared_at"], condition=Q(dirty=0), name="contact_longest_uncompared"),
            models.Index(fields=["sync", "verified_at"], condition=Q(status="in_sync"), name="contact_verified"),
            models.Index(fields=["status", "id"], name="contact_by_status_alone"),
            models.Index(Upper("label"), "id", name="contact_by_name"),
            models.Index(fields=["updated_at", "id"], name="contact_by_update"),
            models.Index(fields=["asked_in", "status", "id"], condition=Q(asked_in__isnull=False), name="contact_by_bulk_action"),
            SubstringIndex(fields=["label", "email", "phone"], name="contact_search"),
            TagIndex(fields=["base"], name="contact_by_tag"),
        ]
        permissions = [
            ("retry_contact", "Can retry contacts"),
            ("resolve_contact", "Can decide conflicts, reviews and deletions"),
        ]

    def __str__(self) -> str:
        return self.label or str(_("(no name)"))

    def remote_id(self, side: Side) -> str | None:
        return self.ghl_id if side is Side.GHL else self.centralstation_id

    @property
    def is_linked(self) -> bool:
        return self.ghl_id is not None and self.centralstation_id is not None


class MatchKey(models.Model):
    """What a contact can be found by: one value in comparable form, as one side shows it."""

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="keys")
    side = models.CharField(max_length=20, choices=SIDE_CHOICES)
    kind = models.CharField(max_length=10)
    value = models.CharField(max_length=600)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contact", "side", "kind", "value"], name="match_key_once")]
        indexes = [models.Index(fields=["sync", "side", "kind", "value"], name="match_key_lookup")]


class Item(models.Model):
    """A note or task of a contact: the two remote ids and what both sides last agreed on.

    `fresh` names the side where it was created and hasn't been read since: its absence there means *not kept*, not *deleted*.
    `gone` marks a tombstone: deleted, but a side shows it still. `contested`: the fields that both sides changed to different values, each
    with what they show (a pair)."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="items")
    kind = models.CharField(max_length=10, choices=[(str(kind), str(kind)) for kind in ItemKind])
    ghl_id = models.CharField(max_length=64, null=True)
    centralstation_id = models.CharField(max_length=64, null=True)
    base = models.JSONField(default=dict)
    sent = models.JSONField(default=dict)
    fresh = models.CharField(max_length=20, blank=True, choices=SIDE_CHOICES)
    gone = models.BooleanField(default=False)
    contested = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "kind", "ghl_id"], name="ghl_item_once_a_contact"),
            models.UniqueConstraint(fields=["contact", "kind", "centralstation_id"], name="centralstation_item_once_a_contact"),
        ]
        indexes = [
            models.Index(fields=["kind", "ghl_id"], name="item_by_ghl_id"),
            models.Index(fields=["kind", "centralstation_id"], name="item_by_centralstation_id"),
        ]


class PageCopy(models.Model):
    """What a page told of a contact or an item, kept until the contact is reconciled, so that it isn't read again one by one.

    `direct`: not from a list whose index lags behind writes."""

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE)
    side = models.CharField(max_length=20, choices=SIDE_CHOICES)
    kind = models.CharField(max_length=10)
    remote_id = models.CharField(max_length=64)
    item_id = models.CharField(max_length=64, blank=True)
    payload = models.JSONField()
    read_at = models.DateTimeField()
    direct = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sync", "side", "remote_id", "kind", "item_id"], name="page_copy_once")]


class Claim(models.Model):
    """A short claim on a match key while a contact with that key is matched or created: two rows of one person can't both create."""

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE)
    key = models.CharField(max_length=700)
    token = models.CharField(max_length=40)
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sync", "key"], name="claim_once")]
