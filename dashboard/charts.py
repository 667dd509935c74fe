"""Charts: what static/charts.js draws, and the same numbers as a table for whoever sees no chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.sync.figures import Figures, Unit

Number = float | None


@dataclass(frozen=True, slots=True)
class Series:
    """One line or kind of bar. `tone`: a colour of crmsync.css."""

    label: str
    tone: str
    values: list[Number]


@dataclass(frozen=True, slots=True)
class Chart:
    """`name` makes its ids; `sentence` says what it shows, to who can't see it; `suffix` follows each value, such as ` s`."""

    name: str
    title: str
    sentence: str
    type: str
    unit: Unit
    moments: list[datetime]
    series: list[Series]
    suffix: str = ""

    @property
    def source(self) -> str:
        """The id of the element that holds what is drawn."""
        return f"chart-{self.name}-data"

    @property
    def data(self) -> dict[str, Any]:
        series = [{"label": one.label, "tone": one.tone, "values": one.values} for one in self.series]
        moments = [timezone.localtime(moment).isoformat() for moment in self.moments]
        return {"type": self.type, "unit": self.unit.value, "moments": moments, "series": series, "suffix": self.suffix}

    @property
    def head(self) -> list[str]:
        return [f"{one.label} ({self.suffix.strip()})" if self.suffix else one.label for one in self.series]

    @property
    def rows(self) -> list[tuple[datetime, list[Number]]]:
        """(moment, value of each series) of those that have any, newest first."""
        rows = [(moment, [one.values[at] for one in self.series]) for at, moment in enumerate(self.moments)]
        return [(moment, values) for moment, values in reversed(rows) if any(values)]


def volume_chart(slots: Mapping[datetime, Figures], unit: Unit) -> Chart:
    """How much was written, and how much of it failed."""
    written, failed = [one.written for one in slots.values()], [one.failed for one in slots.values()]
    title = _("Changes per hour") if unit is Unit.HOUR else _("Changes per day")
    sentence = _("%(written)s written, %(failed)s failed.") % {"written": f"{sum(written):,}", "failed": f"{sum(failed):,}"}
    series = [Series(_("written"), "busy", [*written]), Series(_("failed"), "bad", [*failed])]
    return Chart("volume", title, sentence, "bar", unit, [*slots], series)


def lag_chart(slots: Mapping[datetime, Figures], whole: Figures, unit: Unit) -> Chart:
    """How long it took from when a change was known to when it was written."""
    half, most = whole.lag(0.5), whole.lag(0.95)
    if half is None or most is None:
        sentence = _("Nothing was written whose delay is known.")
    else:
        sentence = _("Half were written within %(half)s s of being noticed, 95 %% within %(most)s s.") % {
            "half": f"{half:g}",
            "most": f"{most:g}",
        }
    halves, mosts = [one.lag(0.5) for one in slots.values()], [one.lag(0.95) for one in slots.values()]
    series = [Series(_("half within"), "good", halves), Series(_("95 % within"), "warn", mosts)]
    return Chart("lag", _("Delay, from noticed to written"), sentence, "line", unit, [*slots], series, " s")
