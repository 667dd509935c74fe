"""Accounts in the two CRMs: where they are, how we prove who we are, how they fare, and how fast we may ask."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crmsync.engine.records import Side
from crmsync.models.fields import EncryptedTextField


class Health(models.TextChoices):
    UNTESTED = "untested", _("not tested yet")
    OK = "ok", _("working")
    REFUSED = "refused", _("credentials refused")
    UNREACHABLE = "unreachable", _("unreachable")
    LIMITED = "limited", _("working, with permissions missing")
    RECONNECT = "reconnect", _("needs to be reconnected")


LOCKED_OUT = (Health.REFUSED, Health.RECONNECT)
"""A person has to act before the CRM lets us in again: nothing asks it by itself."""


SECRETS = ("credential", "client_secret", "refresh_token", "webhook_secret")
"""Columns that a page which lists rows leaves alone: reading decrypts them."""


def new_secret() -> str:
    return secrets.token_urlsafe(24)


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def without_secrets(self) -> ConnectionQuerySet:
        """For pages that list rows: nothing is decrypted."""
        return self.defer(*SECRETS)

    def open(self) -> ConnectionQuerySet:
        """Those that may be asked by themselves: neither paused nor locked out."""
        return self.filter(paused_at=None).exclude(health__in=LOCKED_OUT)

    def to_refresh(self, now: datetime) -> ConnectionQuerySet:
        """Authorisations that are due to be renewed, those of paused connections too, or they would die."""
        return self.exclude(health__in=LOCKED_OUT).filter(~Q(client_id=""), refresh_at__lte=now)


class Connection(models.Model):
    """One account on one system. Secrets are encrypted and shown never again: `credential_hint` is the credential's last four characters.

    `web_root`: where people open GoHighLevel in the browser, "" for its own address.

    A GHL account let in by OAuth has a `client_id`; `credential` is then its access token, kept alive by `refresh_token` from `refresh_at`
    on (by the one process that has `refresh_lease`). `company_id`: the authorisation is an agency's, exchanged for the location's.
    `granted_scopes` is what the authorisation told (None: nobody told), `missing_scopes` what is known to be missing, with what
    goes without it. `webhook_secret` makes the addresses that take unsigned events, `webhook_keys` (PEM) stand in for GHL's published keys;
    `hooks_wanted`: crmsync keeps CentralStation's hooks in order, `hook_states` (model, event, state) is how they were when it
    looked last, and `hooks_notice` what is wrong with them. A paused connection isn't asked for anything but by a person's test; its
    events are kept."""

    system = models.CharField(_("system"), max_length=20, choices=[(Side.GHL, "GoHighLevel"), (Side.CENTRALSTATION, "CentralStationCRM")])
    name = models.CharField(_("name"), max_length=100, unique=True)
    root = models.URLField(_("address"), max_length=300)
    web_root = models.URLField(_("address in the browser"), max_length=300, blank=True)
    account_id = models.CharField(_("location id"), max_length=100, blank=True)
    credential = EncryptedTextField(_("credential"), blank=True)
    credential_hint = models.CharField(max_length=4, blank=True, editable=False)

    authorize_root = models.URLField(_("address of the authorisation page"), max_length=300, blank=True)
    client_id = models.CharField(_("client id"), max_length=200, blank=True)
    client_secret = EncryptedTextField(_("client secret"), blank=True)
    refresh_token = EncryptedTextField(blank=True, editable=False)
    company_id = models.CharField(max_length=100, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, editable=False)
    refresh_at = models.DateTimeField(null=True, editable=False)
    refresh_lease = models.CharField(max_length=40, blank=True, editable=False)
    refresh_lease_until = models.DateTimeField(null=True, editable=False)
    granted_scopes = models.JSONField(null=True, editable=False)

    webhook_secret = EncryptedTextField(default=new_secret, editable=False)
    webhook_keys = models.JSONField(default=list, editable=False)
    hooks_wanted = models.BooleanField(default=False, editable=False)
    hooks_checked_at = models.DateTimeField(null=True, editable=False)
    hooks_notice = models.TextField(blank=True, editable=False)
    hook_states = models.JSONField(default=list, editable=False)
    paused_at = models.DateTimeField(null=True, editable=False)

    health = models.CharField(max_length=20, choices=Health, default=Health.UNTESTED, editable=False)
    health_reason = models.TextField(blank=True, editable=False)
    tested_at = models.DateTimeField(null=True, editable=False)
    account_name = models.CharField(max_length=200, blank=True, editable=False)
    country = models.CharField(max_length=2, blank=True, editable=False)
    timezone = models.CharField(max_length=64, blank=True, editable=False)
    default_user_id = models.CharField(_("user that tasks are given to"), max_length=64, blank=True)
    missing_scopes = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["system", "name"]
        permissions = [("manage_connections", "Can add, change and test connections")]

    def __str__(self) -> str:
        return self.name

    @property
    def side(self) -> Side:
        return Side(self.system)

    @property
    def is_oauth(self) -> bool:
        return bool(self.client_id)

    @property
    def wants_authorisation(self) -> bool:
        """Whether a person has to say yes in GoHighLevel: for the first time, or anew."""
        return self.is_oauth and (self.health == Health.RECONNECT or self.expires_at is None or not self.account_id)

    def set_credential(self, secret: str) -> None:
        """Take a new secret; what is shown of it is four characters, and nothing of a short one."""
        self.credential = secret
        self.credential_hint = hint_of(secret)


def hint_of(secret: str) -> str:
    """What may be shown of a secret: four characters, and nothing of a short one."""
    return secret[-4:] if len(secret) >= 12 else ""


class RateBudget(models.Model):
    """How fast a connection may be asked, shared by all processes: the times of the last `limit` requests, sent or yet to be.

    `calls` counts all requests ever, `calls_today` those of the day `today` (UTC).

    Times are seconds since 1970. Until `live_until`, live changes are being written: background work stands back. The circuit breaker:
    `failures` in a row that a CRM out of order has made; until `broken_until` nobody asks, then one request probes."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="budget", primary_key=True)
    limit = models.PositiveIntegerField()
    window_s = models.FloatField()
    slots = models.JSONField(default=list)
    blocked_until = models.FloatField(default=0)
    left_today = models.IntegerField(null=True)
    calls = models.PositiveBigIntegerField(default=0)
    today = models.DateField(null=True)
    calls_today = models.PositiveIntegerField(default=0)
    live_until = models.FloatField(default=0)
    failures = models.PositiveIntegerField(default=0)
    broken_until = models.FloatField(default=0)
