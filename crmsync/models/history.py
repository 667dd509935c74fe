"""What was done and how it went: runs, changes, and issues (one cause of failure and all contacts that it holds up)."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crmsync.models.contact import SIDE_CHOICES, Contact
from crmsync.models.sync import Sync


class Cause(models.TextChoices):
    """Why a contact was reconciled."""

    FIRST_SYNC = "first_sync", _("first sync")
    POLL = "poll", _("looking for changes")
    FULL = "full", _("full comparison")
    RETRY = "retry", _("retry by a person")
    AUTOMATIC_RETRY = "automatic_retry", _("automatic retry")
    DECISION = "decision", _("decision by a person")
    WEBHOOK = "webhook", _("webhook")
    SWEEP = "sweep", _("rotating comparison")
    RUN = "run", _("run by a person")
    UNDO = "undo", _("undo by a person")
    FIX = "fix", _("correction by a person")


BY_ITSELF = (Cause.POLL, Cause.AUTOMATIC_RETRY, Cause.WEBHOOK, Cause.SWEEP)
"""Causes without a person behind them: what they write passes the brake first."""


class RunKind(models.TextChoices):
    FIRST_SYNC = "first_sync", _("first sync")
    POLL = "poll", _("poll")
    FULL = "full", _("full comparison")
    RETRY = "retry", _("retry")
    UNDO = "undo", _("undo")


class RunStatus(models.TextChoices):
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    INTERRUPTED = "interrupted", _("interrupted")


class Run(models.Model):
    """A piece of work with a beginning and an end. `progress` is where it can be taken up again.

    `counts` is what it came to: contacts by status, writes by side and kind (`ghl.update`), notes and tasks seen by side (`ghl.items`).
    `calls` are requests: all by side, those that were answered by side and operation, those that failed by side and error code.

    `is_asked`: a person started it, so that what it writes isn't held by the brake. `owner` is the process at work on it; one whose
    `heartbeat_at` has grown old is gone, and the next takes the run up."""

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=20, choices=RunKind)
    status = models.CharField(max_length=20, choices=RunStatus, default=RunStatus.RUNNING)
    reason = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    is_asked = models.BooleanField(default=False)
    started_at = models.DateTimeField(auto_now_add=True)
    heartbeat_at = models.DateTimeField(null=True)
    owner = models.CharField(max_length=40, blank=True)
    ended_at = models.DateTimeField(null=True)
    progress = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    calls = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["sync", "-id"], name="run_latest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class Result(models.TextChoices):
    ACCEPTED = "accepted", _("accepted, not yet verified")
    VERIFIED = "verified", _("verified")
    NOT_KEPT = "not_kept", _("not kept")
    FAILED = "failed", _("failed")


class ChangeQuerySet(models.QuerySet["Change"]):
    def by_itself(self, since: datetime) -> ChangeQuerySet:
        """Writes since then without a person behind them, but those that failed."""
        return self.filter(at__gt=since, cause__in=BY_ITSELF).exclude(result=Result.FAILED)


class Change(models.Model):
    """One write to one system: the fields before and after, the result, the cause. `kind` is an engine.plan.WriteKind.

    `lag_s`: seconds from when something to do was known to when this was written, to two digits, so that a page can count them by value;
    None in a run that compares everything, where nobody waits for the single change. `agreed`: the names (of fields, or `tags`) that both
    sides had agreed on before; the others met for the first time, and the value was the other side's all along. `issue`: the cause, of one
    that failed."""

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE, related_name="changes")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="changes")
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, db_index=False, related_name="changes")
    label = models.CharField(max_length=250, blank=True)
    side = models.CharField(max_length=20, choices=SIDE_CHOICES)
    kind = models.CharField(max_length=20)
    remote_id = models.CharField(max_length=64, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    result = models.CharField(max_length=10, choices=Result)
    reason = models.TextField(blank=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    trace_id = models.CharField(max_length=100, blank=True)
    cause = models.CharField(max_length=20, choices=Cause)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    lag_s = models.FloatField(null=True)
    agreed = models.JSONField(default=list)
    issue = models.ForeignKey("Issue", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["contact", "-id"], name="change_of_contact"),
            models.Index(fields=["run", "result", "kind", "side", "contact"], name="change_of_run_counted"),
            models.Index(fields=["sync", "-id"], name="change_latest"),
            models.Index(fields=["sync", "at"], name="change_by_time"),
        ]


class HeldBatch(models.Model):
    """What would have happened by itself and was too much at once: one card for a person to approve or reject. Its contacts wait.

    `writes` are what it holds. Kind `missing`: `side` came back empty or half
    empty, and nothing that would follow from that was done. One is `gathering` while it isn't known yet whether it is too much, and `over`
    when nothing of it is left to decide. `size`: how many contacts were put into it; of a decided one, how many it was decided for."""

    class Kind(models.TextChoices):
        CREATES = "creates", _("new contacts")
        CHANGES = "changes", _("changes")
        DELETIONS = "deletions", _("deletions")
        MISSING = "missing", _("contacts gone missing")

    class State(models.TextChoices):
        GATHERING = "gathering", _("gathering")
        HELD = "held", _("held")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        OVER = "over", _("over")

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE, related_name="held_batches")
    kind = models.CharField(max_length=10, choices=Kind)
    side = models.CharField(max_length=20, choices=SIDE_CHOICES)
    state = models.CharField(max_length=10, choices=State, default=State.HELD)
    explanation = models.TextField()
    size = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["sync", "kind", "side"], condition=Q(state__in=["gathering", "held"]), name="batch_held_once_a_kind"
            )
        ]

    def __str__(self) -> str:
        return self.explanation


class Issue(models.Model):
    """One cause of failure and all contacts that it holds up. `subject` is what the cause is about: a scope, a field, "" for none.

    It is closed when all that it held up went through; the same cause opens the same row again (`reopened_at`). `exchange` is the last
    request that failed for it and its answer, without any value: see crmsync.systems.masking."""

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE, related_name="issues")
    code = models.CharField(max_length=40)
    side = models.CharField(max_length=20, choices=SIDE_CHOICES, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    explanation = models.TextField()
    what_to_do = models.TextField()
    first_seen = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(auto_now=True)
    closed_at = models.DateTimeField(null=True)
    reopened_at = models.DateTimeField(null=True)
    exchange = models.JSONField(default=dict)

    class Meta:
        ordering = ["-last_seen"]
        constraints = [
            models.UniqueConstraint(
                fields=["sync", "code", "side", "subject"], condition=Q(closed_at__isnull=True), name="issue_open_once_a_cause"
            )
        ]

    def __str__(self) -> str:
        return self.explanation
