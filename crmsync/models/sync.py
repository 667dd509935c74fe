"""A sync: which two accounts are kept the same, in what way, and which field goes where."""

from __future__ import annotations

from datetime import datetime

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.engine.values import FieldType
from crmsync.models.connection import LOCKED_OUT, Connection


class Mode(models.TextChoices):
    DRAFT = "draft", _("draft")
    LIVE = "live", _("live")
    PAUSED = "paused", _("paused")


class Conflict(models.TextChoices):
    NEWEST = "newest", _("the newest change wins")
    GHL = "ghl", _("GoHighLevel wins")
    CENTRALSTATION = "centralstation", _("CentralStationCRM wins")
    ASK = "ask", _("ask a person")


class MatchBy(models.TextChoices):
    EMAIL = "email", _("e-mail")
    PHONE = "phone", _("phone")
    NAME = "name", _("exact name and company")


class SyncQuerySet(models.QuerySet["Sync"]):
    def live(self) -> SyncQuerySet:
        """Those to work on: live themselves, and no account of theirs paused."""
        return self.filter(mode=Mode.LIVE, ghl__paused_at=None, centralstation__paused_at=None)

    def workable(self, now: datetime, epoch_s: float) -> SyncQuerySet:
        """Those that can be worked on now: live, and both accounts let us in and are in order. `epoch_s` is now by the budgets' clock, the
        database's."""
        ready = self.live().exclude(rest_until__gt=now)
        for side in ("ghl", "centralstation"):
            ready = ready.exclude(**{f"{side}__health__in": LOCKED_OUT}).exclude(**{f"{side}__budget__broken_until__gt": epoch_s})
        return ready


def default_match_by() -> list[str]:
    return [str(key) for key in MatchBy.values]


class Sync(models.Model):
    """Joins a GHL and a CentralStation connection.

    `cursors` holds, per side, the time (ISO, UTC) up to which changes were taken in. `region` completes national phone numbers; empty,
    the GHL location's country does. `notices` maps a short code to what staff should know (a permission worked round, say).
    `nudged_at` and `live_nudged_at` are set while a job for its background work and its live changes is queued or at work, `rest_until`
    while a CRM is out of order, `sweep_due_at` when the rotating comparison goes on.

    `hold_…`: what happens by itself and exceeds these within 10 minutes is held until a person decides. Between `quiet_from` and
    `quiet_until` (the GHL location's time) nothing is written by itself."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    ghl = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="ghl_syncs", limit_choices_to={"system": "ghl"})
    centralstation = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="centralstation_syncs", limit_choices_to={"system": "centralstation"}
    )
    mode = models.CharField(_("mode"), max_length=10, choices=Mode, default=Mode.DRAFT)
    conflict = models.CharField(_("when both changed"), max_length=20, choices=Conflict, default=Conflict.NEWEST)
    match_by = models.JSONField(_("match by"), default=default_match_by)
    create_in_ghl = models.BooleanField(_("create missing contacts in GoHighLevel"), default=True)
    create_in_centralstation = models.BooleanField(_("create missing contacts in CentralStationCRM"), default=True)
    sync_tags = models.BooleanField(_("tags"), default=True)
    sync_notes = models.BooleanField(_("notes"), default=True)
    sync_tasks = models.BooleanField(_("tasks"), default=True)
    region = models.CharField(_("home country of phone numbers"), max_length=2, blank=True)
    last_name_stand_in = models.CharField(
        _("last name to send when there is none"),
        max_length=80,
        blank=True,
        help_text=_("Empty: the part of the e-mail before the @, else the company, else the phone number."),
    )
    poll_every_s = models.PositiveIntegerField(
        _("look for changes every (seconds)"), default=10, validators=[MinValueValidator(5), MaxValueValidator(86_400)]
    )

    hold_deletions = models.PositiveIntegerField(_("deletions"), default=20)
    hold_deletions_share = models.PositiveSmallIntegerField(
        _("share of contacts with deletions (%)"), default=5, validators=[MaxValueValidator(100)]
    )
    hold_creates = models.PositiveIntegerField(_("new contacts"), default=500)
    hold_changes = models.PositiveIntegerField(_("changed contacts"), default=500)
    hold_changes_share = models.PositiveSmallIntegerField(
        _("share of changed contacts (%)"), default=30, validators=[MaxValueValidator(100)]
    )
    creates_per_hour = models.PositiveIntegerField(
        _("new contacts an hour, at most"), null=True, blank=True, help_text=_("Empty: as many as come.")
    )
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    created_tag = models.CharField(_("tag for contacts created in GoHighLevel"), max_length=60, blank=True)
    ping_pong_after = models.PositiveSmallIntegerField(
        _("stop a field that changes sides more often than (times an hour)"), default=6, validators=[MinValueValidator(2)]
    )

    cursors = models.JSONField(default=dict, editable=False)
    notices = models.JSONField(default=dict, editable=False)
    first_sync_done_at = models.DateTimeField(null=True, editable=False)
    poll_due_at = models.DateTimeField(null=True, editable=False)
    nudged_at = models.DateTimeField(null=True, editable=False)
    live_nudged_at = models.DateTimeField(null=True, editable=False)
    sweep_due_at = models.DateTimeField(null=True, editable=False)
    rest_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SyncQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["ghl", "centralstation"], name="sync_joins_two_accounts_once")]
        permissions = [
            ("run_sync", "Can run, pause and resume syncs"),
            ("manage_mappings", "Can change syncs and field mappings"),
            ("manage_people", "Can invite people and change their roles"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def paused_account(self) -> Connection | None:
        """The account whose pause makes a live sync stand still."""
        paused = (one for one in (self.ghl, self.centralstation) if one.paused_at is not None)
        return next(paused, None) if self.mode == Mode.LIVE else None

    @property
    def home_region(self) -> str:
        return self.region or self.ghl.country or "DE"


class FieldMapping(models.Model):
    """One row: a GHL field, a CentralStation field, and which way values go."""

    class Direction(models.TextChoices):
        BOTH = "both", _("both ways")
        TO_GHL = "to_ghl", _("to GoHighLevel only")
        TO_CENTRALSTATION = "to_centralstation", _("to CentralStationCRM only")

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE, related_name="mappings")
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(_("name"), max_length=80)
    ghl_field = models.CharField(_("GoHighLevel field"), max_length=120)
    centralstation_field = models.CharField(_("CentralStationCRM field"), max_length=120)
    type = models.CharField(_("type"), max_length=20, choices=[(str(kind), str(kind)) for kind in FieldType], default=FieldType.TEXT.value)
    direction = models.CharField(_("direction"), max_length=20, choices=Direction, default=Direction.BOTH)
    conflict = models.CharField(_("when both changed"), max_length=20, choices=Conflict, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["sync", "name"], name="mapping_name_once_a_sync"),
            models.UniqueConstraint(fields=["sync", "ghl_field"], name="ghl_field_mapped_once"),
            models.UniqueConstraint(fields=["sync", "centralstation_field"], name="centralstation_field_mapped_once"),
        ]

    def __str__(self) -> str:
        return self.name
