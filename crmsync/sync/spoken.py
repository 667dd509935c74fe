"""How times and lists are said in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _


def relative(moment: datetime) -> str:
    """`4 minutes ago`, `in 2 hours`."""
    now = timezone.now()
    ahead_s = (moment - now).total_seconds()
    if 1 < ahead_s < 60:  # less is two clocks that differ
        return _("in less than a minute")
    if abs(ahead_s) < 60:
        return _("just now")
    if moment > now:
        return _("in %s") % timeuntil(moment, now, depth=1)
    return _("%s ago") % timesince(moment, now, depth=1)


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return _("%(those)s and %(last)s") % {"those": ", ".join(names[:-1]), "last": names[-1]}
