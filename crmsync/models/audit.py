"""The audit log: every administrative act, with who, when, before and after. Rows are only ever added."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Act(models.TextChoices):
    CONNECTION_ADDED = "connection_added", _("connection added")
    CONNECTION_CHANGED = "connection_changed", _("connection changed")
    CREDENTIAL_REPLACED = "credential_replaced", _("credential replaced")
    OAUTH_CONNECTED = "oauth_connected", _("connected by OAuth")
    LOCATION_CHOSEN = "location_chosen", _("location chosen")
    CONNECTION_PAUSED = "connection_paused", _("connection paused")
    CONNECTION_RESUMED = "connection_resumed", _("connection resumed")
    CONNECTION_DELETED = "connection_deleted", _("connection deleted")
    HOOKS_REGISTERED = "hooks_registered", _("webhooks registered")
    HOOKS_REPAIRED = "hooks_repaired", _("webhooks repaired")
    HOOKS_REMOVED = "hooks_removed", _("webhooks removed")
    SYNC_CREATED = "sync_created", _("sync created")
    SYNC_CHANGED = "sync_changed", _("sync changed")
    SYNC_PAUSED = "sync_paused", _("sync paused")
    SYNC_LIVE = "sync_live", _("sync set live")
    MAPPING_CHANGED = "mapping_changed", _("mapping changed")
    PERSON_ADDED = "person_added", _("person added")
    PERSON_INVITED = "person_invited", _("person invited")
    ROLE_CHANGED = "role_changed", _("role changed")
    ACCESS_TAKEN = "access_taken", _("access taken away")
    ACCESS_GIVEN = "access_given", _("access given back")
    PASSWORD_REPLACED = "password_replaced", _("password replaced")
    PERSON_REMOVED = "person_removed", _("person removed")
    BATCH_APPROVED = "batch_approved", _("held batch approved")
    BATCH_REJECTED = "batch_rejected", _("held batch rejected")
    CONFLICT_DECIDED = "conflict_decided", _("conflict decided")
    CONTACTS_LINKED = "contacts_linked", _("contacts linked")
    CONTACT_KEPT_APART = "contact_kept_apart", _("contact kept apart")
    CONTACT_EXCLUDED = "contact_excluded", _("contact excluded")
    CONTACT_INCLUDED = "contact_included", _("contact included")
    CONTACT_DELETED = "contact_deleted", _("contact deleted there, too")
    CONTACT_UNLINKED = "contact_unlinked", _("contact unlinked")
    CONTACT_RESTORED = "contact_restored", _("contact restored")
    VIEW_SHARED = "view_shared", _("view of the contacts shared")
    VIEW_CHANGED = "view_changed", _("shared view changed")
    VIEW_DELETED = "view_deleted", _("shared view deleted")
    CONTACTS_RETRIED = "contacts_retried", _("contacts retried")
    CONTACTS_COMPARED = "contacts_compared", _("contacts compared")
    CONTACTS_EXCLUDED = "contacts_excluded", _("contacts excluded")
    BULK_STOPPED = "bulk_stopped", _("bulk action stopped")
    VALUE_CORRECTED = "value_corrected", _("value corrected")
    DECISION_UNDONE = "decision_undone", _("decision taken back")


class AuditEntry(models.Model):
    """One act. `by_name` and `object_name` are text, for they outlive what they name; an empty `by_name` is the command line.
    `before` and `after` hold what differs, by name, and never a secret."""

    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=254, blank=True)
    act = models.CharField(max_length=30, choices=Act)
    object_kind = models.CharField(max_length=30)
    object_id = models.BigIntegerField()
    object_name = models.CharField(max_length=300, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["act", "-id"], name="audit_by_act"),
            models.Index(fields=["by_name", "-id"], name="audit_by_who"),
            models.Index(fields=["at"], name="audit_by_time"),
            models.Index(fields=["object_kind", "object_id", "-id"], name="audit_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()}: {self.object_name}"
