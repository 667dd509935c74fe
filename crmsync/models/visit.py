"""When a person was here last, so that they can be told what has happened since."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Visit(models.Model):
    """A person's visits to the overview. `seen_at`: it was opened last; `since`: the end of the visit before this one (None: this is the
    first)."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    seen_at = models.DateTimeField()
    since = models.DateTimeField(null=True)
