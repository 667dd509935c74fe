"""Accounts in the two CRMs: where they are, how we prove who we are, how they fare, and how fast we may ask."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.engine.records import Side
from crmsync.models.fields import EncryptedTextField


class Health(models.TextChoices):
    UNTESTED = "untested", _("not tested yet")
    OK = "ok", _("working")
    REFUSED = "refused", _("credentials refused")
    UNREACHABLE = "unreachable", _("unreachable")
    LIMITED = "limited", _("working, with permissions missing")


class Connection(models.Model):
    """One account on one system. The credential is encrypted and shown never again: `credential_hint` is its last four characters."""

    system = models.CharField(_("system"), max_length=20, choices=[(Side.GHL, "GoHighLevel"), (Side.CENTRALSTATION, "CentralStationCRM")])
    name = models.CharField(_("name"), max_length=100, unique=True)
    root = models.URLField(_("address"), max_length=300)
    account_id = models.CharField(_("location id"), max_length=100, blank=True)
    credential = EncryptedTextField(_("credential"))
    credential_hint = models.CharField(max_length=4, blank=True, editable=False)

    health = models.CharField(max_length=20, choices=Health, default=Health.UNTESTED, editable=False)
    health_reason = models.TextField(blank=True, editable=False)
    tested_at = models.DateTimeField(null=True, editable=False)
    account_name = models.CharField(max_length=200, blank=True, editable=False)
    country = models.CharField(max_length=2, blank=True, editable=False)
    timezone = models.CharField(max_length=64, blank=True, editable=False)
    default_user_id = models.CharField(_("user that tasks are given to"), max_length=64, blank=True)
    missing_scopes = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["system", "name"]
        permissions = [("manage_connections", "Can add, change and test connections")]

    def __str__(self) -> str:
        return self.name

    @property
    def side(self) -> Side:
        return Side(self.system)

    def set_credential(self, secret: str) -> None:
        """Take a new secret; what is shown of it is four characters, and nothing of a short one."""
        self.credential = secret
        self.credential_hint = secret[-4:] if len(secret) >= 12 else ""


class RateBudget(models.Model):
    """How fast a connection may be asked, shared by all processes: the times of the last `limit` requests, sent or yet to be."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="budget", primary_key=True)
    limit = models.PositiveIntegerField()
    window_s = models.FloatField()
    slots = models.JSONField(default=list)
    blocked_until = models.FloatField(default=0)
    left_today = models.IntegerField(null=True)
    calls = models.PositiveBigIntegerField(default=0)
